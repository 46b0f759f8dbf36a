#include <gtest/gtest.h>
#include <weir/summary.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "io/events/event_reader.h"
#include "platform/file_faults.h"
#include "platform/test_directory.h"

namespace weir {
namespace {

using platform::TestDirectory;

std::vector<proto::Event> events_of(SummaryWriter& writer) {
  writer.close();
  std::vector<proto::Event> events;
  EXPECT_TRUE(io::read_events(writer.path(), &events).ok());
  return events;
}

Code code_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::ok;
}

TEST(SummaryWriter, Scalars_HaveMetadataOnceAndTheirSteps) {
  const TestDirectory dir;
  SummaryWriter log(dir / "run");
  log.scalar("loss", 2.5, 10);
  log.scalar("loss", std::nan(""), 11);
  const auto events = events_of(log);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].summary().value(0).metadata().plugin_data().plugin_name(), "scalars");
  EXPECT_EQ(events[1].summary().value(0).tensor().float_val(0), 2.5F);
  EXPECT_FALSE(events[2].summary().value(0).has_metadata());
  EXPECT_EQ(events[2].step(), 11);
}

TEST(SummaryWriter, Histograms_TakeEveryNumericDtype) {
  const TestDirectory dir;
  SummaryWriter log(dir.path());
  log.histogram("f", Tensor{1.0F, 2.0F, 4.0F}, 0);
  log.histogram("i", Tensor{1, 2, 4}, 0);
  log.histogram("b", Tensor{true, false, true}, 0);
  log.histogram("h", Tensor{float16{0x3c00}, float16{0x4000}, float16{0x4400}}, 0);
  EXPECT_EQ(code_of([&] { log.histogram("s", Tensor("text"), 0); }), Code::invalid_argument);
  const auto events = events_of(log);
  ASSERT_EQ(events.size(), 5U);
  const auto& f = events[1].summary().value(0).tensor();
  EXPECT_EQ(f.tensor_shape().dim(0).size(), 30);
  EXPECT_EQ(f.double_val(0), 1.0);
  EXPECT_EQ(f.double_val(2), 1.0) << "one value in the first bucket";
  EXPECT_EQ(f.double_val(88), 4.0);
  const auto& h = events[4].summary().value(0).tensor();
  EXPECT_TRUE(std::equal(f.double_val().begin(), f.double_val().end(), h.double_val().begin()));
}

TEST(SummaryWriter, Images_AreLimitedAndChecked) {
  const TestDirectory dir;
  SummaryWriter log(dir.path());
  log.image("floats", Tensor::full({5, 4, 6, 1}, 0.5F), 0);
  log.image("bytes", Tensor::zeros({4, 6, 3}, DType::uint8), 0);
  EXPECT_EQ(code_of([&] { log.image("x", Tensor{1.0F}, 0); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] {
              log.image("x", Tensor::zeros({1, 4, 4, 5}), 0);
            }),
            Code::invalid_argument);
  EXPECT_EQ(code_of([&] {
              log.image("x", Tensor::zeros({1, 0, 4, 3}), 0);
            }),
            Code::invalid_argument);
  const auto events = events_of(log);
  ASSERT_EQ(events.size(), 3U);
  const auto& floats = events[1].summary().value(0).tensor();
  EXPECT_EQ(floats.string_val_size(), 2 + 3);
  EXPECT_EQ(floats.string_val(0), "6");
  EXPECT_EQ(floats.string_val(2).substr(1, 3), "PNG");
  EXPECT_EQ(events[2].summary().value(0).tensor().string_val_size(), 2 + 1);
}

TEST(SummaryWriter, BadTags_AreErrors) {
  const TestDirectory dir;
  SummaryWriter log(dir.path());
  EXPECT_EQ(code_of([&] { log.scalar("", 1, 0); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { log.scalar("\xff", 1, 0); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { log.text("t", "\xc3", 0); }), Code::invalid_argument);
  log.scalar("x", 1, 0);
  EXPECT_EQ(code_of([&] { log.text("x", "words", 1); }), Code::invalid_argument);
  EXPECT_EQ(events_of(log).size(), 2U);
}

TEST(SummaryWriter, Graphs_AreCheckedAndTagged) {
  const TestDirectory dir;
  proto::GraphDef graph;
  graph.add_node()->set_name("x");
  const std::vector<NodeStats> stats = {{"x", "/device:CPU:0", 0, 5000, 64, {Shape{2}}}};
  SummaryWriter log(dir.path());
  log.graph(graph.SerializeAsString());
  log.graph("optimised", graph.SerializeAsString(), stats);
  log.node_stats("step 1", stats, 1);
  EXPECT_EQ(code_of([&] { log.graph("no graph"); }), Code::invalid_argument);
  const auto events = events_of(log);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[1].graph_def(), graph.SerializeAsString());
  EXPECT_EQ(events[2].summary().value(0).metadata().plugin_data().plugin_name(),
            "graph_run_metadata");
  EXPECT_EQ(events[3].tagged_run_metadata().tag(), "step 1");
}

TEST(SummaryWriter, UnwritableDirectory_IsAnError) {
  EXPECT_EQ(code_of([] { SummaryWriter("/proc/weir/log"); }), Code::not_found);
  EXPECT_EQ(code_of([] { SummaryWriter(""); }), Code::not_found);
  EXPECT_EQ(code_of([] { SummaryWriter("/dev/null/log"); }), Code::not_found);
}

TEST(SummaryWriter, FullDisk_IsThrownByFlush) {
  const TestDirectory dir;
  SummaryWriter log(dir.path());
  platform::set_fault_plan({platform::FileCall::write, 1, ENOSPC});
  log.scalar("loss", 1, 0);
  const Code code = code_of([&] { log.flush(); });
  platform::clear_fault_plan();
  EXPECT_EQ(code, Code::resource_exhausted);
  log.scalar("loss", 1, 1);
  EXPECT_EQ(events_of(log).size(), 2U);
}

TEST(SummaryWriter, AfterClose_CallsAreIgnored) {
  const TestDirectory dir;
  SummaryWriter log(dir.path());
  SummaryWriter copy = log;
  log.close();
  copy.scalar("loss", 1, 0);
  copy.flush();
  EXPECT_EQ(events_of(copy).size(), 1U);
}

}  // namespace
}  // namespace weir
