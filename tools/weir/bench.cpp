#include <weir/graph_def.h>
#include <weir/ops.h>
#include <weir/profiler.h>
#include <weir/random.h>
#include <weir/saved_model.h>
#include <weir/timeit.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "inputs.h"
#include "platform/thread_pool.h"
#include "verb.h"

namespace weir::cli {
namespace {

constexpr int kWarmUp = 3;

struct BenchOptions {
  std::string model;
  std::string signature = kServingDefault;
  std::vector<std::string> inputs;
  std::string trace;
  std::string logdir;
  int threads = 0;
  int calls = 100;
  std::int64_t batch = 1;
  bool profile = false;
};

/// The declared shape with its first dimension, if that is open, as the batch, the others as 1.
Shape closed(const TensorSpec& spec, std::int64_t batch) {
  if (!spec.shape.has_rank())
    throw Error({Code::invalid_argument,
                 "the model does not say which rank input '" + spec.name + "' has",
                 {},
                 {},
                 {},
                 "give it with --input"});
  Shape shape = spec.shape;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!shape[i].known()) shape[i] = i == 0 ? batch : 1;
  }
  return shape;
}

/// Numbers in [0, 1); integers, which may be indices, are 0.
Tensor made_up(const TensorSpec& spec, std::int64_t batch) {
  if (spec.dtype == DType::string)
    throw Error({Code::unimplemented, "input '" + spec.name + "' is text", {}, {}, {}, {}});
  const Shape shape = closed(spec, batch);
  if (!is_floating(spec.dtype)) return Tensor::zeros(shape, spec.dtype);
  return cast(random::uniform(shape), spec.dtype);
}

std::vector<Tensor> arguments_of(const LoadedSignature& s, const BenchOptions& options) {
  const NamedTensors given = read_inputs(options.inputs);
  for (const auto& [name, value] : given) {
    const bool known = std::any_of(
        s.inputs().begin(), s.inputs().end(), [&](const auto& spec) { return spec.name == name; });
    if (!known) throw Error({Code::not_found, "--input: no input of this name", {}, name, {}, {}});
  }
  std::vector<Tensor> arguments;
  for (const TensorSpec& spec : s.inputs()) {
    const auto it = std::find_if(
        given.begin(), given.end(), [&](const auto& entry) { return entry.first == spec.name; });
    arguments.push_back(it != given.end() ? it->second : made_up(spec, options.batch));
  }
  return arguments;
}

ConcreteFunction for_arguments(const LoadedSignature& s, const std::vector<Tensor>& arguments) {
  std::vector<Shape> shapes;
  for (const Tensor& t : arguments)
    shapes.push_back(t.shape());
  return s.function().for_shapes(shapes);
}

struct Times {
  std::vector<double> us;
  double median() const { return us[us.size() / 2]; }
  double least() const { return us.front(); }
};

template <class Call>
Times measure(const Call& call, int calls) {
  Times times;
  for (int i = 0; i < kWarmUp; ++i)
    call();
  for (int i = 0; i < calls; ++i)
    times.us.push_back(1e6 * timeit(call, 1));
  std::sort(times.us.begin(), times.us.end());
  return times;
}

/// While it lives, functions run op by op.
struct Eagerly {
  Eagerly() { run_functions_eagerly(true); }
  ~Eagerly() { run_functions_eagerly(false); }
};

/// What one call of the program does.
struct Work {
  double flops = 0, floor_us = 0;
};

Work work_of(const ConcreteFunction& f, const std::vector<Tensor>& arguments) {
  Profiler profiler({.scope = ProfilerOptions::Scope::thread});
  f(arguments);
  profiler.stop();
  Work work;
  for (const ProfileRow& row : profiler.rows()) {
    work.flops += row.flops;
    work.floor_us += 1e6 * row.floor_seconds;
  }
  return work;
}

void print_times(const char* what, const Times& times, double floor_us) {
  std::printf("%-8s %12.1f %12.1f %14.2f\n",
              what,
              times.median(),
              times.least(),
              floor_us > 0 ? times.median() / floor_us : 0);
}

/// Bytes that the first call takes from the allocator at its peak; the plan is there already.
std::int64_t counted_peak(const ConcreteFunction& f, const std::vector<Tensor>& arguments) {
  const std::int64_t before = memory_stats().requested;
  reset_peak_memory();
  f(arguments);
  return memory_stats().requested_peak - before;
}

void write_log(const std::string& directory, const ConcreteFunction& f, const Profiler& profiler) {
  SummaryWriter log(directory);
  const std::vector<NodeStats> stats = profiler.node_stats();
  log.graph(graph_def(f));
  log.node_stats("bench", stats, 0);
  log.graph("optimised", graph_def(f, {.optimised = true}), stats);
  log.close();
}

void profile(const ConcreteFunction& f,
             const std::vector<Tensor>& arguments,
             const BenchOptions& options,
             Profiler& whole) {
  whole.start();
  Profiler calls;
  for (int i = 0; i < options.calls; ++i)
    f(arguments);
  calls.stop();
  whole.stop();
  if (options.profile) std::printf("\n%d calls\n%s", options.calls, calls.table().c_str());
  if (!options.trace.empty()) whole.save_trace(options.trace);
  if (!options.logdir.empty()) write_log(options.logdir, f, calls);
}

void bench(const BenchOptions& options) {
  if (options.threads > 0) platform::set_threads(options.threads);
  const SavedModel model = saved_model::load(options.model);
  const LoadedSignature& signature = model.signatures[options.signature];
  const std::vector<Tensor> arguments = arguments_of(signature, options);
  Profiler whole({.calibrate = false});
  const ConcreteFunction f = for_arguments(signature, arguments);
  const auto planned = static_cast<long long>(f.planned_peak_bytes());
  const auto counted = static_cast<long long>(counted_peak(f, arguments));
  whole.stop();
  const Work work = work_of(f, arguments);
  const Times graph = measure([&] { f(arguments); }, options.calls);
  Times eager;
  {
    const Eagerly scope;
    eager = measure([&] { f(arguments); }, options.calls);
  }
  std::printf("%-8s %12s %12s %14s\n", "", "median us", "least us", "median / floor");
  print_times("eager", eager, work.floor_us);
  print_times("graph", graph, work.floor_us);
  std::printf("floor    %12.1f us, %.3f MFLOP, %d threads\n",
              work.floor_us,
              1e-6 * work.flops,
              platform::threads());
  std::printf("kernels %zu, peak bytes %lld planned, %lld counted\n",
              f.kernels_per_call(),
              planned,
              counted);
  if (options.profile || !options.trace.empty() || !options.logdir.empty())
    profile(f, arguments, options, whole);
}

}  // namespace

void add_bench(CLI::App& app) {
  auto* verb = app.add_subcommand("bench", "Time a saved model, op by op and as a program");
  auto options = std::make_shared<BenchOptions>();
  verb->add_option("model", options->model, "a SavedModel directory")->required();
  verb->add_option("--signature", options->signature, "what to run")->capture_default_str();
  verb->add_option(
      "--input", options->inputs, "NAME=FILE.npy; inputs that are not given are made up");
  verb->add_option("--batch", options->batch, "where the model leaves the first dimension open")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 32))
      ->capture_default_str();
  verb->add_option("--calls", options->calls, "calls to time, each")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  verb->add_option("--threads", options->threads, "threads to use; default: all")
      ->check(CLI::Range(1, platform::kMaxThreads));
  verb->add_flag("--profile", options->profile, "a table of the program's kernels");
  verb->add_option("--trace", options->trace, "FILE.json for ui.perfetto.dev or chrome://tracing");
  verb->add_option(
      "--logdir", options->logdir, "the graph and what its nodes take, for TensorBoard");
  verb->callback([options] { bench(*options); });
}

}  // namespace weir::cli
