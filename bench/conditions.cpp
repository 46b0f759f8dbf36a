// What the other programs keep away: memory that nobody has touched yet, weights that are not in a
// cache, two models in turn; branches side by side; the memory of a training step.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "graph/builder.h"
#include "harness.h"
#include "models.h"
#include "plan/executable.h"

namespace weir::bench {
namespace {

std::string threads_of(int threads) {
  return "/threads:" + std::to_string(threads);
}

/// 4 MiB of results: from blocks that are kept, and from blocks that the system gives.
void add_fresh(int threads) {
  constexpr std::int64_t kElements = 1 << 20;
  Case what{.bytes = 8.0 * kElements, .threads = threads};
  for (const bool fresh : {false, true}) {
    what.name = std::string("memory/relu_4MiB/") + (fresh ? "fresh" : "kept") + threads_of(threads);
    add_case(what, [=] {
      return [=, x = random::uniform({kElements})] {
        if (fresh) release_cached_memory();
        keep_alive(relu(x));
      };
    });
  }
}

std::int64_t last_level_cache() {
  const long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return bytes > 0 ? bytes : std::int64_t{32} << 20;
}

double weight_bytes(const keras::Model& model) {
  double bytes = 0;
  for (const Variable& v : model.weights())
    bytes += 4 * double(v.shape().size());
  return bytes;
}

/// Batch 1 by as many models in turn as do not fit into the last cache: each finds its weights in
/// memory.
void add_evicted(int threads) {
  const double bytes = weight_bytes(mlp());
  const auto models = std::int64_t(2 * double(last_level_cache()) / bytes) + 2;
  for (const std::int64_t count : {std::int64_t{1}, models}) {
    Case what{.bytes = bytes * double(count), .threads = threads, .operations = count};
    what.name = std::string("weights/mlp_batch1/") + (count > 1 ? "evicted" : "cached") +
                threads_of(threads);
    add_case(what, [=] {
      std::vector<TracedFunction<keras::Model>> all;
      for (std::int64_t i = 0; i < count; ++i)
        all.push_back(function(mlp()));
      return [all, x = random::uniform({1, 28, 28})] {
        for (const auto& f : all)
          keep_alive(f(x));
      };
    });
  }
}

/// The time is that of one call of each; beside it, each alone.
void add_alternating(int threads) {
  const Tensor digits = random::uniform({32, 28, 28});
  const Tensor images = random::uniform({32, 28, 28, 1});
  Case what{.threads = threads};
  const auto add = [&](const char* name, double flops, bool first, bool second) {
    what.name = std::string("turns/") + name + threads_of(threads);
    what.flops = flops;
    add_case(what, [=] {
      return [=, a = function(mlp()), b = function(cnn())] {
        if (first) keep_alive(a(digits));
        if (second) keep_alive(b(images));
      };
    });
  };
  add("mlp", mlp_flops(32), true, false);
  add("cnn", cnn_flops(32), false, true);
  add("mlp_and_cnn", mlp_flops(32) + cnn_flops(32), true, true);
}

/// Four branches of three small products each: `beside` each other, or one after the other.
void add_branches(std::int64_t size, int threads) {
  constexpr int kBranches = 4, kDepth = 3;
  const double flops = 2.0 * double(size * size * size) * kBranches * kDepth;
  std::vector<Tensor> weights;
  for (int i = 0; i < kBranches * kDepth; ++i)
    weights.push_back(random::uniform({size, size}, -0.1F, 0.1F));
  const auto body = [=](const Tensor& x) {
    std::vector<Tensor> ends;
    for (int b = 0; b < kBranches; ++b) {
      Tensor y = x;
      for (int d = 0; d < kDepth; ++d)
        y = relu(matmul(y, weights[std::size_t(b * kDepth + d)]));
      ends.push_back(y);
    }
    Tensor total = ends[0];
    for (std::size_t b = 1; b < ends.size(); ++b)
      total = total + ends[b];
    return total;
  };
  for (const bool beside : {false, true}) {
    Case what{.flops = flops, .threads = threads};
    what.name = "branches/" + std::to_string(size) + (beside ? "/beside" : "/in_turn") +
                threads_of(threads);
    add_case(what, [=] {
      const Tensor x = random::uniform({size, size});
      const auto builder = graph::Builder::create("branches");
      Tensor y;
      const Tensor in = builder->input({{size, size}});
      {
        dispatch::HandlerScope scope(*builder);
        y = body(in);
      }
      const Spec spec{DType::float32, Shape{size, size}};
      std::shared_ptr<const plan::Executable> e = plan::plan(
          plan::specialise(*builder->finish({&y, 1}), {&spec, 1}), {.side_by_side = beside});
      return [e, x] { keep_alive(e->run(std::span<const Tensor>(&x, 1))); };
    });
  }
}

/// Bytes that the first step takes at its peak, which is when the arena is made.
void add_training_memory() {
  auto figures = std::make_shared<std::vector<std::pair<std::string, double>>>();
  const Tensor x = random::uniform({100, 28, 28}), labels = random::uniform_int({100}, 0, 10);
  add_case({.name = "memory/mlp_training_step/batch:100",
            .flops = mlp_training_flops(100),
            .figures = [figures] { return *figures; }},
           [=] {
             const auto step = function(TrainingStep(mlp(true)));
             const ConcreteFunction f = step.get_concrete_function(
                 TensorSpec{x.shape(), x.dtype()}, TensorSpec{labels.shape(), labels.dtype()});
             const std::vector<Tensor> arguments{x, labels};
             const double planned = double(f.planned_peak_bytes());
             const double before = double(memory_stats().requested);
             reset_peak_memory();
             f(arguments);
             figures->emplace_back("planned_bytes", planned);
             figures->emplace_back("counted_bytes", double(memory_stats().requested_peak) - before);
             return [f, arguments] { keep_alive(f(arguments)); };
           });
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  for (const int threads : {1, 2}) {
    add_fresh(threads);
    add_evicted(threads);
    add_alternating(threads);
  }
  for (const int size : {32, 64, 96})
    add_branches(size, 2);
  add_training_memory();
  return run_cases(argc, argv);
}
