#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/graph_def.h>
#include <weir/operators.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/profiler.h>
#include <weir/variable.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "io/profile/rows.h"
#include "io/proto/graph.pb.h"

namespace weir {
namespace {

constexpr ProfilerOptions kQuick{.calibrate = false};

std::map<std::string, ProfileRow> by_name(const Profiler& p) {
  std::map<std::string, ProfileRow> rows;
  for (const ProfileRow& row : p.rows())
    rows[row.category + " " + row.name] = row;
  return rows;
}

Tensor ones(std::int64_t rows, std::int64_t cols) {
  return Tensor::ones({rows, cols});
}

TEST(Profiler, EagerOps_HaveCallsFlopsAndBytes) {
  Profiler p(kQuick);
  for (int i = 0; i < 3; ++i)
    matmul(ones(10, 20), ones(20, 5));
  p.stop();
  matmul(ones(10, 20), ones(20, 5));
  const auto rows = by_name(p);
  ASSERT_TRUE(rows.contains("op MatMul"));
  const ProfileRow& row = rows.at("op MatMul");
  EXPECT_EQ(row.calls, 3u);
  EXPECT_EQ(row.flops, 3 * 2.0 * 10 * 20 * 5);
  EXPECT_EQ(row.bytes, 3 * 4.0 * (10 * 20 + 20 * 5 + 10 * 5));
  EXPECT_GT(row.seconds, 0);
}

TEST(Profiler, Off_RecordsNothing) {
  Profiler p(kQuick);
  p.stop();
  matmul(ones(2, 2), ones(2, 2));
  EXPECT_EQ(p.events(), 0u);
  p.start();
  matmul(ones(2, 2), ones(2, 2));
  EXPECT_EQ(p.events(), 1u);
}

TEST(Profiler, APrograms_StepsPassesPlanAndTraceAreSeen) {
  const Tensor x = ones(10, 30);
  const auto f = function(
      [w = Variable(ones(30, 20), "w")](const Tensor& t) { return relu(matmul(t, w) + 1.F); });
  Profiler p(kQuick);
  f(x);
  f(x);
  p.stop();
  const auto rows = by_name(p);
  std::set<std::string> categories;
  for (const auto& [name, row] : rows)
    categories.insert(row.category);
  for (const char* c : {"trace", "pass", "plan", "pack", "run", "step"})
    EXPECT_TRUE(categories.contains(c)) << c << "\n" << p.table();
  ASSERT_TRUE(rows.contains("step MatMul+AddV2+Relu")) << p.table();
  const ProfileRow& step = rows.at("step MatMul+AddV2+Relu");
  EXPECT_EQ(step.calls, 2u);
  EXPECT_EQ(step.flops, 2 * (2.0 * 10 * 30 * 20 + 2 * 10 * 20));
}

TEST(Profiler, OneThread_LeavesOthersOut) {
  Profiler mine({.scope = ProfilerOptions::Scope::thread, .calibrate = false});
  Profiler all(kQuick);
  std::thread([] { matmul(ones(2, 2), ones(2, 2)); }).join();
  EXPECT_EQ(mine.events(), 0u);
  EXPECT_EQ(all.events(), 1u);
  ones(2, 2) + 1.F;
  EXPECT_EQ(mine.events(), 1u);
}

TEST(Profiler, ManyThreads_LoseNothing) {
  Profiler p(kQuick);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i)
        matmul(ones(2, 2), ones(2, 2));
    });
  for (std::thread& t : threads)
    t.join();
  EXPECT_EQ(by_name(p).at("op MatMul").calls, 400u);
}

TEST(Profiler, TooManyEvents_AreCounted) {
  Profiler p({.max_events = 2, .calibrate = false});
  for (int i = 0; i < 5; ++i)
    matmul(ones(2, 2), ones(2, 2));
  EXPECT_EQ(p.events(), 2u);
  EXPECT_EQ(p.dropped(), 3u);
  EXPECT_NE(p.table().find("3 further events"), std::string::npos);
}

TEST(Profiler, Trace_IsJsonOfCompleteEvents) {
  const NameScope scope("odd \"scope\"");
  const auto f = function([](const Tensor& x) { return exp(x) * 2.F; }, {.name = "q\"f"});
  Profiler p(kQuick);
  f(ones(50, 60));
  p.stop();
  const auto trace = nlohmann::json::parse(p.trace_json());
  std::size_t complete = 0;
  bool step = false;
  for (const auto& e : trace["traceEvents"]) {
    if (e["ph"] != "X") continue;
    ++complete;
    EXPECT_GE(e["ts"].get<double>(), 0);
    EXPECT_GE(e["dur"].get<double>(), 0);
    EXPECT_TRUE(e["tid"].is_number());
    if (e["cat"] != "step") continue;
    step = true;
    EXPECT_EQ(e["args"]["result"], "float32[50, 60]");
    EXPECT_EQ(e["args"]["bytes"], 2 * 50 * 60 * 4 + 4);
    EXPECT_GT(e["args"]["flops"], 0);
    EXPECT_NE(e["args"]["where"].get<std::string>().find("profiler_test.cpp"), std::string::npos);
  }
  EXPECT_EQ(complete, p.events());
  EXPECT_TRUE(step);
}

TEST(Profiler, ATraceThatCannotBeWrittenIsAnError) {
  const Profiler p(kQuick);
  EXPECT_THROW(p.save_trace("/nonexistent/directory/trace.json"), Error);
}

std::set<std::string> names_in(const std::string& bytes) {
  proto::GraphDef def;
  EXPECT_TRUE(def.ParseFromString(bytes));
  std::set<std::string> names;
  for (const proto::NodeDef& node : def.node())
    names.insert(node.name());
  return names;
}

TEST(Profiler, NodeStats_NameTheNodesOfBothGraphs) {
  const Variable w(Tensor::full({30, 20}, 0.5F), "dense/kernel");
  const auto f = function([&](const Tensor& x) {
    const NameScope scope("dense");
    return relu(matmul(x, w) + 1.F);
  });
  const Tensor x = ones(10, 30);
  const ConcreteFunction c = f.get_concrete_function(TensorSpec{{10, 30}});
  Profiler p(kQuick);
  f(x);
  f(x);
  p.stop();
  const std::vector<NodeStats> stats = p.node_stats();
  ASSERT_EQ(stats.size(), 3u);
  double total = 0;
  for (const NodeStats& s : stats) {
    EXPECT_TRUE(names_in(graph_def(c)).contains(s.name)) << s.name;
    EXPECT_TRUE(names_in(graph_def(c, {.optimised = true})).contains(s.name)) << s.name;
    EXPECT_EQ(s.bytes, 10 * 20 * 4);
    total += double(s.duration_ns);
  }
  const auto longest =
      std::max_element(stats.begin(), stats.end(), [](const auto& a, const auto& b) {
        return a.duration_ns < b.duration_ns;
      });
  EXPECT_EQ(longest->name, "dense/MatMul");
  const double steps = by_name(p).at("step MatMul+AddV2+Relu").seconds * 1e9 / 2;
  EXPECT_NEAR(total, steps, 3);
}

TEST(Profiler, Calibration_GivesFloors) {
  Profiler p;
  matmul(ones(64, 64), ones(64, 64));
  p.stop();
  EXPECT_GT(p.peaks().flops, 1e8);
  EXPECT_GT(p.peaks().read_bandwidth.size(), 1u);
  const ProfileRow row = by_name(p).at("op MatMul");
  EXPECT_GE(row.floor_seconds, row.flops / p.peaks().flops);
  EXPECT_NE(p.table().find("peak:"), std::string::npos);
}

TEST(MachinePeaks, FloorIsTheLongerOfArithmeticAndReading) {
  const MachinePeaks peaks{100, {{1000, 50}, {4000, 10}}};
  EXPECT_EQ(peaks.floor(200, 0), 2);
  EXPECT_EQ(peaks.floor(200, 500), 10);  // 500 bytes at 50 a second
  EXPECT_EQ(peaks.floor(0, 2000), 200);  // of a working set up to 4000
  EXPECT_EQ(peaks.floor(0, 8000), 800);  // beyond the largest: as the largest
  EXPECT_EQ(MachinePeaks{}.floor(1, 1), 0);
}

profile::Event event(const char* name, std::int64_t begin, std::int64_t end, std::uint32_t thread) {
  auto label = std::make_shared<profile::Label>();
  label->category = profile::Category::pass;
  label->name = name;
  return {label, begin, end, thread};
}

TEST(Rows, TimeOfInnerEventsIsNotCountedTwice) {
  const std::vector<profile::Event> events = {event("outer", 0, 100, 0),
                                              event("inner", 10, 40, 0),
                                              event("inner", 40, 60, 0),
                                              event("innermost", 15, 20, 0),
                                              event("other", 5, 95, 1)};
  std::map<std::string, double> ns;
  for (const ProfileRow& row : io::rows_of(events, {}))
    ns[row.name] = row.seconds * 1e9;
  EXPECT_NEAR(ns["outer"], 50, 1e-6);
  EXPECT_NEAR(ns["inner"], 45, 1e-6);
  EXPECT_NEAR(ns["innermost"], 5, 1e-6);
  EXPECT_NEAR(ns["other"], 90, 1e-6);
}

}  // namespace
}  // namespace weir
