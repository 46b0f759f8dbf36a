#include <weir/random.h>
#include <weir/timeit.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "demo.h"
#include "platform/calibration.h"
#include "platform/thread_pool.h"

namespace weir::cli {
namespace {

constexpr int kCalls = 1000;
constexpr int kBlocks =
    50;  // the calls are timed in blocks, eager and graph in turn; the median block counts

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + std::ptrdiff_t(v.size() / 2), v.end());
  return v[v.size() / 2];
}

struct Times {
  double eager_us, graph_us, floor_us;
};

/// Multiply-adds of the four layers, two flops each.
constexpr double kFlopsPerSample = 2.0 * (784 * 256 + 2 * 256 * 256 + 256 * 10);
constexpr double kWeightBytes = 4.0 * (784 * 256 + 2 * 256 * 256 + 256 * 10 + 3 * 256 + 10);

/// Microseconds that the arithmetic takes at the peak of this machine, or reading the weights,
/// whichever is longer.
double floor_us(double batch, double peak, double bandwidth) {
  return 1e6 * std::max(batch * kFlopsPerSample / peak, kWeightBytes / bandwidth);
}

template <class Eager, class Graph>
Times measure(const Eager& eager, const Graph& graph, double batch) {
  const int threads = platform::threads();
  std::vector<double> e, g;
  double peak = 0, bandwidth = 0;
  timeit(eager, 20);
  timeit(graph, 20);
  for (int block = 0; block < kBlocks; ++block) {
    peak = std::max(peak, platform::fma_peak(threads));
    bandwidth = std::max(bandwidth, platform::read_bandwidth(std::size_t(kWeightBytes), threads));
    e.push_back(timeit(eager, kCalls / kBlocks));
    g.push_back(timeit(graph, kCalls / kBlocks));
  }
  const double scale = 1e6 * kBlocks / kCalls;
  return {median(e) * scale, median(g) * scale, floor_us(batch, peak, bandwidth)};
}

}  // namespace

void demo_timing(const keras::Model& model, nlohmann::json& figures) {
  auto graph_model = function(model, {.name = "model"});
  const Tensor input_data = random::uniform({100, 28, 28});
  const bool equal = same_bits(model(input_data), graph_model(input_data));
  std::printf("model(x) and function(model)(x) are equal bit for bit: %s\n\n",
              equal ? "yes" : "NO");
  figures["bitwise_equal"] = equal;

  std::printf(
      "%d calls each, medians, %d thread%s; floor: flops at the multiply-add peak of this machine, "
      "or reading the weights\n",
      kCalls,
      platform::threads(),
      platform::threads() == 1 ? "" : "s");
  std::printf("%6s %12s %12s %12s %9s %12s %8s %11s\n",
              "batch",
              "eager us",
              "graph us",
              "eager/graph",
              "floor us",
              "nodes",
              "kernels",
              "peak bytes");
  for (std::int64_t batch : {std::int64_t{100}, std::int64_t{1}}) {
    const Tensor x = batch == 100 ? input_data : random::uniform({batch, 28, 28});
    const Times t = measure([&] { model(x); }, [&] { graph_model(x); }, double(batch));
    const ConcreteFunction f = graph_model.get_concrete_function(TensorSpec{x.shape(), x.dtype()});
    std::printf("%6lld %12.1f %12.1f %12.2f %9.1f %5zu -> %-4zu %8zu %11lld\n",
                static_cast<long long>(batch),
                t.eager_us,
                t.graph_us,
                t.eager_us / t.graph_us,
                t.floor_us,
                f.nodes_traced(),
                f.nodes_optimised(),
                f.kernels_per_call(),
                static_cast<long long>(f.planned_peak_bytes()));
    figures["timing"][std::to_string(batch)] = {
        {"eager_us", t.eager_us},
        {"graph_us", t.graph_us},
        {"floor_us", t.floor_us},
        {"kernels_per_call", f.kernels_per_call()},
        {"nodes_traced", f.nodes_traced()},
        {"nodes_optimised", f.nodes_optimised()},
        {"peak_bytes", f.planned_peak_bytes()},
    };
  }
}

}  // namespace weir::cli
