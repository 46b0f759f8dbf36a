#include "harness.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "consumption.h"
#include "platform/calibration.h"
#include "platform/cpu_features.h"
#include "platform/thread_pool.h"
#include "statistics.h"

namespace weir::bench {
namespace {

/// 32, or what WEIR_BENCH_ROUNDS says: a comparison of programs alternates shorter runs.
int rounds() {
  const char* asked = std::getenv("WEIR_BENCH_ROUNDS");
  return asked ? std::max(std::atoi(asked), 1) : 32;
}

constexpr double kSampleSeconds = 5e-3;
// A sample counts if the calibrations before and after it reach this share of the run's best.
constexpr double kGate = 0.92;
// After so many samples that did not count, the last one is taken and marked.
constexpr int kMaxTries = 25;

struct Prepared {
  Case what;
  std::function<Loop()> make;
  Loop loop;
  std::int64_t calls = 0;
  Figures consumption;
};

struct Sample {
  double seconds = 0;  // of one operation
  double ratio = 0;    // to the floor; 0 if there is none
  bool counts = false;
};

/// The rate that the floor of a case is computed from.
double calibrate(const Case& what) {
  if (what.flops == 0 && what.bytes > 0) {
    return platform::read_bandwidth(static_cast<std::size_t>(what.bytes), what.threads);
  }
  return platform::fma_peak(what.threads);
}

/// The best calibration of this run for cases like `what`, this one included.
double best_rate(const Case& what, double rate) {
  static std::map<std::pair<double, int>, double> best;
  double& known = best[{what.flops == 0 ? what.bytes : 0, what.threads}];
  if (known == 0) {
    for (int i = 0; i < 20; ++i) {
      known = std::max(known, calibrate(what));
    }
  }
  known = std::max(known, rate);
  return known;
}

double time_calls(const Prepared& prepared, std::int64_t calls) {
  const int clock = prepared.what.wall ? 2 : prepared.what.threads;
  const double begin = platform::now(clock);
  prepared.loop(calls);
  return platform::now(clock) - begin;
}

/// The pool's threads for this case; they start and fetch their share of the data untimed.
void use_threads(const Prepared& prepared) {
  static int current = 0;
  if (current == prepared.what.threads) return;
  current = prepared.what.threads;
  platform::set_threads(current);
  if (prepared.loop) prepared.loop(2);
}

/// Makes the case, warms it up, and finds how many calls fill one sample.
void prepare(Prepared* prepared) {
  if (prepared->loop) return;
  prepared->loop = prepared->make();
  time_calls(*prepared, 2);
  std::int64_t calls = 1;
  double taken = time_calls(*prepared, calls);
  while (taken < kSampleSeconds / 4) {
    calls *= 2;
    taken = time_calls(*prepared, calls);
  }
  prepared->calls =
      std::max<std::int64_t>(1, std::llround(static_cast<double>(calls) * kSampleSeconds / taken));
}

Sample take_sample(const Prepared& prepared) {
  const Case& what = prepared.what;
  const double before = calibrate(what);
  const double taken = time_calls(prepared, prepared.calls);
  const double after = calibrate(what);
  const double call = taken / static_cast<double>(prepared.calls);
  const double work = what.flops > 0 ? what.flops : what.bytes;
  const double gate = kGate * best_rate(what, std::max(before, after));
  Sample sample;
  sample.seconds = call / static_cast<double>(what.operations);
  sample.ratio = call * (before + after) / 2 / work;
  sample.counts = std::min(before, after) >= gate;
  if (work == 0) sample.ratio = 0;
  return sample;
}

/// One round of one case: samples until one counts.
void run_round(benchmark::State& state, Prepared* prepared) {
  use_threads(*prepared);
  prepare(prepared);
  Sample sample;
  for (auto _ : state) {
    int tries = 0;
    do {
      sample = take_sample(*prepared);
    } while (!sample.counts && ++tries < kMaxTries);
    state.SetIterationTime(sample.seconds);
  }
  state.counters["gated"] = sample.counts ? 1 : 0;
  if (sample.ratio > 0) state.counters["x_floor"] = sample.ratio;
  if (prepared->consumption.empty())
    prepared->consumption = consumption_of([&] { prepared->loop(1); });
  for (const auto& [name, value] : prepared->consumption) {
    state.counters[name] = value;
  }
  if (!prepared->what.figures) return;
  for (const auto& [name, value] : prepared->what.figures()) {
    state.counters[name] = value;
  }
}

/// One line for each case, in the order in which they were added; the figure is the aggregate
/// `low`.
class Table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred || run.aggregate_name == "low") rows_[run.family_index] = run;
    }
  }

  void Finalize() override {
    std::printf("%-44s %12s %9s  %s\n", "case", "time (us)", "x floor", "figures");
    for (const auto& [index, run] : rows_) {
      print(run);
    }
  }

 private:
  static void print(const Run& run) {
    const std::string& name = run.run_name.function_name;
    if (run.error_occurred) {
      std::printf("%-44s %s\n", name.c_str(), run.error_message.c_str());
      return;
    }
    std::printf("%-44s %12.4f", name.c_str(), run.GetAdjustedRealTime());
    const auto ratio = run.counters.find("x_floor");
    ratio == run.counters.end() ? std::printf(" %9s ", "") : std::printf(" %9.3f ", +ratio->second);
    for (const auto& [key, value] : run.counters) {
      if (key == "gated" && value < 1) std::printf(" NOISY");
      if (key != "gated" && key != "x_floor") std::printf(" %s=%g", key.c_str(), +value);
    }
    std::printf("\n");
  }

  std::map<std::int64_t, Run> rows_;
};

}  // namespace

void add_loop(Case what, std::function<Loop()> make) {
  const std::string name = what.name;
  auto prepared = std::make_shared<Prepared>(Prepared{std::move(what), std::move(make), {}, 0, {}});
  benchmark::RegisterBenchmark(
      name.c_str(), [prepared](benchmark::State& state) { run_round(state, prepared.get()); })
      ->Iterations(1)
      ->Repetitions(rounds())
      ->UseManualTime()
      ->ComputeStatistics("low",
                          [](const std::vector<double>& v) { return low_quartile_median(v); })
      ->Unit(benchmark::kMicrosecond);
}

int run_cases(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  std::string interleave = "--benchmark_enable_random_interleaving=true";
  arguments.insert(arguments.begin() + 1, interleave.data());
  int count = static_cast<int>(arguments.size());
  benchmark::AddCustomContext("cpu", platform::cpu_name());
#ifdef NDEBUG
  benchmark::AddCustomContext("assertions", "off");
#else
  benchmark::AddCustomContext("assertions", "on");
  std::fprintf(stderr, "bench: not a release build; the figures mean nothing\n");
#endif
  benchmark::AddCustomContext("isa", platform::isa_name(platform::isa()));
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  Table table;
  benchmark::RunSpecifiedBenchmarks(&table);
  return 0;
}

}  // namespace weir::bench
