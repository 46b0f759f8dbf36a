/// Runs of an Executable: host stages, cancellation, failures, threads, memory.
#include <weir/control_flow.h>
#include <weir/variable.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "flow/runner.h"
#include "plan/graphs_for_test.h"

namespace weir::plan {
namespace {

using Values = std::vector<Tensor>;

TensorSpec floats(Shape shape) {
  return {std::move(shape), DType::float32, "x"};
}
TensorSpec indices(Shape shape) {
  return {std::move(shape), DType::int32, "i"};
}

/// The values above a half, doubled: their number is known only after running.
Values large_ones(const Tensor& x) {
  const Tensor y = x * 2.f;
  const Tensor found = gather(y, squeeze(where(y > 0.5f), {1}));
  return {sum(found) + 1.f, found * 0.5f};
}

TEST(HostStages, StandBetweenStaticOnes) {
  const auto g = trace({floats({40})}, [](const Values& x) { return large_ones(x[0]); });
  const Values in{numbers({40})};
  const auto e = planned(g, in);
  EXPECT_FALSE(e->is_static());
  const auto stages = e->stages();
  ASSERT_GE(stages.size(), 2u) << e->describe();
  EXPECT_FALSE(stages[0].host) << e->describe();
  EXPECT_TRUE(stages[1].host) << e->describe();
  EXPECT_FALSE(stages[1].nodes.empty());
  for (int i = 0; i < 3; ++i)
    expect_same(e->run(in), graph::replay(*g, in));
  EXPECT_THROW(e->program(), Error);
}

TEST(HostStages, TakeOtherAmountsEachTime) {
  const auto g = trace({floats({40})}, [](const Values& x) { return large_ones(x[0]); });
  const auto e = planned(g, {numbers({40})});
  for (int seed = 1; seed < 6; ++seed) {
    const Values in{numbers({40}, seed)};
    expect_same(e->run(in), graph::replay(*g, in));
  }
  const Values none{Tensor::zeros({40}, DType::float32)};
  const Values out = e->run(none);
  EXPECT_EQ(out[1].shape(), (Shape{0}));
  EXPECT_EQ(out[0].item<float>(), 1.f);
}

TEST(HostStages, PassConstantsAndInputsThrough) {
  const auto g = trace({floats({40}), floats({3})}, [](const Values& x) {
    const Tensor c = numbers({7});
    const Tensor found = where(x[0] > 0.f);
    return Values{c, x[1], found, x[1] + c[0], found};
  });
  const Values in{numbers({40}), numbers({3}, 4)};
  const auto e = planned(g, in);
  const Values out = e->run(in);
  expect_same(out, graph::replay(*g, in));
  EXPECT_EQ(out[1].raw_data(), in[1].raw_data());
}

TEST(HostStages, RunLoopsOverWhatStaticStagesMake) {
  flow::install_runner();
  const auto g = trace({floats({8}), indices({})}, [](const Values& x) {
    const Values state = while_loop([](const Values& s) { return s[0] > 0; },
                                    [](const Values& s) {
                                      return Values{s[0] - 1, s[1] * 1.5f};
                                    },
                                    Values{x[1], x[0] + 1.f});
    return Values{sum(state[1]), state[0]};
  });
  for (int n : {0, 1, 5}) {
    const Values in{numbers({8}), Tensor(n)};
    expect_same(planned(g, in)->run(in), graph::replay(*g, in));
  }
}

TEST(HostStages, KeepTheOrderOfReadsAndWrites) {
  Variable v(numbers({40}), "v");
  const auto g = trace({floats({40})}, [&](const Values& x) {
    v.assign(x[0] * 2.f);
    const Tensor found = where(v.value() > 0.f);
    v.assign_add(x[0]);
    return Values{found, v.value() + 0.f};
  });
  const Values in{numbers({40}, 3)};
  const auto e = planned(g, in);
  const Values out = e->run(in);
  EXPECT_TRUE(same(out[0], where(in[0] * 2.f > 0.f)));
  EXPECT_TRUE(same(out[1], in[0] * 2.f + in[0] + 0.f));
  EXPECT_TRUE(same(v.value(), in[0] * 2.f + in[0]));
}

/// Sets a flag when a step begins.
class CancelAt final : public StepObserver {
 public:
  explicit CancelAt(int step) : step_(step) {}
  void begin(int index) override {
    began = index;
    if (index == step_) flag = true;
  }
  void end(int) override {}
  std::atomic<bool> flag = false;
  int began = -1;

 private:
  int step_;
};

Code code_of(const Executable& e, const Values& in, const RunOptions& options = {}) {
  try {
    e.run(in, options);
    return Code::ok;
  } catch (const Error& error) {
    EXPECT_FALSE(error.info().what.empty());
    return error.code();
  }
}

TEST(Cancel, StopsBeforeTheFirstStepAndChangesNothing) {
  Variable v(numbers({64}), "v");
  const auto g =
      trace({floats({64})}, [&](const Values& x) { return Values{v.assign_add(x[0] * 2.f)}; });
  const Values in{numbers({64}, 2)};
  const Tensor old = v.value() * 1.f;
  const auto e = planned(g, in);
  std::atomic<bool> cancel = true;
  EXPECT_EQ(code_of(*e, in, {.cancel = &cancel}), Code::cancelled);
  EXPECT_EQ(v.version(), 1u);
  EXPECT_TRUE(same(v.value(), old));
  cancel = false;
  EXPECT_TRUE(same(e->run(in, {.cancel = &cancel})[0], old + in[0] * 2.f));
  EXPECT_EQ(v.version(), 2u);
}

/// Wherever a run is cancelled, the variables are what eager code had made of them by then.
TEST(Cancel, LeavesVariablesAsTheirLastWriteMadeThem) {
  Variable v(numbers({64}), "v"), w(numbers({64}, 9), "w");
  const auto g = trace({floats({64})}, [&](const Values& x) {
    const Tensor fresh = v.value() - x[0];  // may be made in place, long before it is assigned
    const Tensor a = exp(reshape(sum(x[0]), {1}) + x[0]);
    const Tensor b = reshape(sum(a), {1}) * x[0];
    v.assign(fresh);
    const Tensor c = reshape(sum(b), {1}) + x[0];
    w.assign(w.value() * 2.f);
    return Values{sum(c), a};
  });
  const Values in{numbers({64}, 2)};
  PlanOptions options;
  options.regions = false;
  const auto e = planned(g, in, options);
  const int steps = int(e->steps().size());
  ASSERT_GE(steps, 6) << e->describe();
  int v_step = steps, w_step = steps;  // first steps after which the write is seen
  for (int at = 0; at < steps; ++at) {
    const Tensor v_old = v.value() * 1.f, w_old = w.value() * 1.f;
    const std::uint64_t v_version = v.version(), w_version = w.version();
    CancelAt observer(at);
    const Code code = code_of(*e, in, {.cancel = &observer.flag, .observer = &observer});
    EXPECT_EQ(code, at + 1 < steps ? Code::cancelled : Code::ok) << at;
    EXPECT_EQ(observer.began, at) << "no step runs after the flag is set";
    const bool v_written = v.version() != v_version, w_written = w.version() != w_version;
    EXPECT_TRUE(same(v.value(), v_written ? v_old - in[0] : v_old)) << at;
    EXPECT_TRUE(same(w.value(), w_written ? w_old * 2.f : w_old)) << at;
    EXPECT_TRUE(v_written || !w_written) << "v is written before w";
    if (v_written) v_step = std::min(v_step, at);
    if (w_written) w_step = std::min(w_step, at);
  }
  EXPECT_GE(v_step, 3) << "v must not change before the program assigns it\n" << e->describe();
  EXPECT_LT(v_step, w_step) << e->describe();
}

TEST(Cancel, IsSeenByHostStages) {
  const auto g = trace({floats({40})}, [](const Values& x) { return large_ones(x[0]); });
  const Values in{numbers({40})};
  const auto e = planned(g, in);
  const int steps = int(e->steps().size());
  for (int at = 0; at + 1 < steps; ++at) {
    CancelAt observer(at);
    EXPECT_EQ(code_of(*e, in, {.cancel = &observer.flag, .observer = &observer}), Code::cancelled);
    EXPECT_EQ(observer.began, at);
  }
  expect_same(e->run(in), graph::replay(*g, in));
}

struct Failing {
  Variable early{numbers({64}), "early"}, late{numbers({64}, 7), "late"};
  std::shared_ptr<graph::Graph> graph =
      trace({floats({64}), indices({3})}, [this](const Values& x) {
        early.assign_add(x[0]);
        const Tensor fresh = late.value() * 0.5f;
        const Tensor rows = gather(early.value() * 2.f, x[1]);
        late.assign(fresh);
        return Values{sum(rows), late.value() + 0.f};
      });
  Tensor good{0, 63, 5}, bad{0, 64, 5};
};

TEST(Failure, NamesTheOpTheLineAndTheValue) {
  Failing f;
  const auto e = planned(f.graph, {numbers({64}), f.good});
  try {
    e->run(Values{numbers({64}), f.bad});
    ADD_FAILURE() << "index 64 of 64 rows";
  } catch (const Error& error) {
    EXPECT_NE(error.info().what.find("GatherV2"), std::string::npos) << error.what();
    EXPECT_NE(error.info().what.find("64"), std::string::npos) << error.what();
    EXPECT_NE(error.info().where.find("run_test.cpp"), std::string::npos) << error.what();
  }
}

TEST(Failure, LeavesVariablesAsEagerCodeDoes) {
  Failing f;
  const Values good{numbers({64}, 2), f.good}, bad{good[0], f.bad};
  const auto e = planned(f.graph, good);
  const Tensor early = f.early.value() * 1.f, late = f.late.value() * 1.f;
  EXPECT_NE(code_of(*e, bad), Code::ok);
  EXPECT_TRUE(same(f.early.value(), early + good[0])) << "written before the failing node";
  EXPECT_TRUE(same(f.late.value(), late)) << "written after it";
  EXPECT_EQ(f.late.version(), 1u);
  // The same instance runs again.
  const Values out = e->run(good);
  EXPECT_TRUE(same(out[0], sum(gather((early + good[0] + good[0]) * 2.f, f.good))));
  EXPECT_TRUE(same(out[1], late * 0.5f + 0.f));
  EXPECT_TRUE(same(f.late.value(), late * 0.5f));
}

TEST(Failure, KeepsResultsOfTheCallerAsTheyWere) {
  Failing f;
  const Values good{numbers({64}, 2), f.good};
  const auto e = planned(f.graph, good);
  Values results = e->run(good);
  const Values before = results;
  EXPECT_THROW(e->run_into(Values{good[0], f.bad}, results), Error);
  for (std::size_t i = 0; i < results.size(); ++i)
    EXPECT_EQ(results[i].raw_data(), before[i].raw_data());
}

TEST(Failure, ReleasesWhatItTook) {
  Failing f;
  const Values good{numbers({64}, 2), f.good}, bad{good[0], f.bad};
  const auto e = planned(f.graph, good);
  e->run(good);
  EXPECT_NE(code_of(*e, bad), Code::ok);
  const std::int64_t in_use = memory_stats().in_use;
  for (int i = 0; i < 20; ++i)
    EXPECT_NE(code_of(*e, bad), Code::ok);
  EXPECT_EQ(memory_stats().in_use, in_use);
  f.late.assign(numbers({64}));  // no lock is left behind
}

TEST(Failure, OfMemoryChangesNothing) {
  Variable v(numbers({1 << 16}), "v");
  const auto g = trace({floats({1 << 16})}, [&](const Values& x) {
    const Tensor y = v.assign_add(x[0]);
    return Values{y * 2.f};
  });
  const Values in{numbers({1 << 16}, 2)};
  const auto e = planned(g, in);
  e->run(in);
  const Tensor old = v.value() * 1.f;
  const std::uint64_t version = v.version();
  set_memory_limit(memory_stats().in_use + 1024);
  const Code code = code_of(*e, in);
  set_memory_limit(0);
  EXPECT_EQ(code, Code::resource_exhausted);
  EXPECT_TRUE(same(v.value(), old));
  EXPECT_EQ(v.version(), version);
  EXPECT_TRUE(same(e->run(in)[0], (old + in[0]) * 2.f));
}

TEST(Failure, InAHostStageKeepsWhatEarlierStagesWrote) {
  Variable v(numbers({40}), "v");
  const auto g = trace({floats({40}), indices({})}, [&](const Values& x) {
    v.assign_add(x[0]);
    const Tensor found = where(x[0] > 0.f);
    return Values{gather(found, reshape(x[1], {1}))};
  });
  const Values good{numbers({40}, 2), Tensor(0)}, bad{good[0], Tensor(1000)};
  const auto e = planned(g, good);
  const Tensor old = v.value() * 1.f;
  EXPECT_EQ(code_of(*e, bad), Code::invalid_argument);
  EXPECT_TRUE(same(v.value(), old + good[0]));
  expect_same(e->run(good), Values{gather(where(good[0] > 0.f), Tensor{0})});
}

/// Runs body(thread) on threads at once; what one throws is a failure.
template <class Body>
void on_threads(int n, Body body) {
  std::atomic<int> ready = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < n; ++t) {
    threads.emplace_back([&, t] {
      ++ready;
      while (ready.load() < n)
        std::this_thread::yield();
      try {
        body(t);
      } catch (const Error& e) {
        ADD_FAILURE() << e.what();
      }
    });
  }
  for (std::thread& t : threads)
    t.join();
}

TEST(Threads, CallOneExecutableAtOnce) {
  const auto g = trace({floats({100, 30})}, [](const Values& x) {
    const Tensor h = relu(matmul(x[0], numbers({30, 50}, 5)) + numbers({50}, 6));
    return Values{softmax(matmul(h, numbers({50, 10}, 7))), sum(h, 0)};
  });
  const auto e = planned(g, {numbers({100, 30})});
  on_threads(4, [&](int t) {
    const Values in{numbers({100, 30}, t + 1)};
    const Values expected = graph::replay(*g, in);
    for (int i = 0; i < 50; ++i)
      expect_same(e->run(in), expected);
  });
}

TEST(Threads, SomeMayFail) {
  const auto g = trace({floats({64}), indices({3})},
                       [](const Values& x) { return Values{sum(gather(x[0] * 2.f, x[1]))}; });
  const auto e = planned(g, {numbers({64}), Tensor{0, 1, 2}});
  on_threads(4, [&](int t) {
    const Values in{numbers({64}, t + 1), t % 2 ? Tensor{0, 64, 2} : Tensor{0, 63, 2}};
    for (int i = 0; i < 200; ++i) {
      if (t % 2) {
        EXPECT_THROW(e->run(in), Error);
      } else {
        expect_same(e->run(in), Values{sum(gather(in[0] * 2.f, in[1]))});
      }
    }
  });
}

TEST(Threads, WritesOfOneVariableAddUp) {
  Variable v(Tensor::zeros({1000}, DType::float32), "v"),
      w(Tensor::zeros({1}, DType::float32), "w");
  const auto forth = trace({floats({1000})}, [&](const Values& x) {
    v.assign_add(x[0]);
    return Values{w.assign_add(ones({1}))};
  });
  const auto back = trace({floats({1000})}, [&](const Values& x) {
    w.assign_add(ones({1}));
    return Values{v.assign_sub(x[0])};
  });
  const Values in{ones({1000})};
  const auto add = planned(forth, in), subtract = planned(back, in);
  on_threads(4, [&](int t) {
    for (int i = 0; i < 100; ++i)
      (t < 3 ? add : subtract)->run(in);
  });
  EXPECT_EQ(v.value().data<float>()[999], 200.f);
  EXPECT_EQ(w.value().item<float>(), 400.f);
  EXPECT_EQ(v.version(), 401u);
}

constexpr std::int64_t kHeader = 64;  // of a block of the allocator

/// Elements whose block is exactly a size class of the allocator.
constexpr std::int64_t kExact = (65536 - kHeader) / 4;

TEST(Memory, ACallAllocatesItsResultsAndNothingElse) {
  const auto g = trace({floats({100, 30})}, [](const Values& x) {
    const Tensor h = relu(matmul(x[0], numbers({30, 50}, 5)) + numbers({50}, 6));
    return Values{softmax(matmul(h, numbers({50, 100}, 7))), sum(h, 0), tanh(h)};
  });
  const Values in{numbers({100, 30})};
  const auto e = planned(g, in);
  Values out = e->run(in);
  out.clear();
  const MemoryStats before = memory_stats();
  for (int i = 0; i < 10; ++i) {
    out = e->run(in);
    out.clear();
  }
  const MemoryStats after = memory_stats();
  EXPECT_EQ(after.allocations - before.allocations, 10 * 3) << "one for each result";
  EXPECT_EQ(after.in_use, before.in_use);
}

TEST(Memory, AnUpdateInPlaceAllocatesNothing) {
  Variable v(numbers({kExact}), "v");
  const auto g = trace({floats({kExact})}, [&](const Values& x) {
    v.assign_sub(x[0] * 0.1f);
    return Values{};
  });
  const Values in{numbers({kExact}, 2)};
  const auto e = planned(g, in);
  e->run(in);
  const std::int64_t before = memory_stats().allocations;
  for (int i = 0; i < 10; ++i)
    e->run(in);
  EXPECT_EQ(memory_stats().allocations, before);
  EXPECT_EQ(v.version(), 12u);
}

/// Bytes of the allocator's blocks that the first run takes at its peak; `blocks` of them.
std::int64_t measured_peak(const Executable& e, const Values& in) {
  const std::int64_t before = memory_stats().in_use;
  reset_peak_memory();
  const Values out = e.run(in);
  return memory_stats().peak - before;
}

TEST(Memory, PeakIsWhatThePlanSays) {
  const auto g = trace({floats({kExact})}, [](const Values& x) {
    const Tensor total = sum(x[0] * x[0]);
    const Tensor y = exp(x[0]) * total;  // x^2 has died: one piece of the arena serves both
    return Values{cumsum(y) + x[0]};
  });
  const Values in{numbers({kExact})};
  PlanOptions options;
  options.in_place = false;
  options.regions = false;
  const auto e = planned(g, in, options);
  const std::int64_t arena = e->stages()[0].arena_bytes;
  EXPECT_EQ(e->peak_bytes(), arena + kExact * 4);
  // Arena and result are one block each, rounded up to its class.
  const auto block = [](std::int64_t bytes) {
    Tensor t = Tensor::zeros({bytes}, DType::uint8);
    const std::int64_t with = memory_stats().in_use;
    t = Tensor();
    return with - memory_stats().in_use;
  };
  EXPECT_EQ(measured_peak(*e, in), block(arena) + block(kExact * 4)) << e->describe();
}

TEST(Memory, PeakToTheByte) {
  const auto g =
      trace({floats({kExact})}, [](const Values& x) { return Values{cumsum(x[0] * 2.f)}; });
  const Values in{numbers({kExact})};
  PlanOptions options;
  options.in_place = false;
  const auto e = planned(g, in, options);
  EXPECT_EQ(e->peak_bytes(), 2 * kExact * 4) << e->describe();
  EXPECT_EQ(measured_peak(*e, in), e->peak_bytes() + 2 * kHeader) << e->describe();
}

TEST(Memory, PackedOperandsCountOnce) {
  Variable w(numbers({30, 64}), "w");
  const auto g =
      trace({floats({500, 30})}, [&](const Values& x) { return Values{matmul(x[0], w)}; });
  const Values in{numbers({500, 30})};
  const auto e = planned(g, in);
  const std::int64_t packed = e->stages()[0].packed_bytes;
  ASSERT_GT(packed, 0);
  EXPECT_EQ(e->peak_bytes(), e->stages()[0].arena_bytes + packed + 500 * 64 * 4);
  e->run(in);
  const std::int64_t before = memory_stats().in_use;
  for (int i = 0; i < 5; ++i) {
    w.assign(numbers({30, 64}, i));
    expect_same(e->run(in), graph::replay(*g, in));
  }
  EXPECT_EQ(memory_stats().in_use, before);
}

}  // namespace
}  // namespace weir::plan
