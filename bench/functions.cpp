// Single functions on small and large tensors, eager and traced. Their floor is reading what they
// read and write once.
#include <weir/nn.h>

#include "harness.h"
#include "models.h"

namespace weir::bench {
namespace {

using Function = Tensor (*)(const Tensor&);

struct Measured {
  const char* name;
  Function run;
  double moved = 2;  // elements read and written, over those of the input
};

Tensor normalise(const Tensor& x) {
  const std::int64_t n = x.dim(-1);
  return layer_normalization(x, Tensor::ones({n}), Tensor::zeros({n}));
}
/// Every third row, then every other.
Tensor gather_rows(const Tensor& x) {
  const std::int64_t n = x.dim(0);
  std::vector<std::int32_t> rows;
  for (std::int64_t i = 0; i < n; ++i)
    rows.push_back(std::int32_t(i * 7 % n));
  return gather(x, Tensor::from(rows, {n}), 0);
}

const Measured kFunctions[] = {
    {"softmax", [](const Tensor& x) { return softmax(x); }},
    {"layer_norm", normalise},
    {"logsumexp", [](const Tensor& x) { return logsumexp(x, -1); }, 1},
    {"argmax", [](const Tensor& x) { return argmax(x, -1); }, 1},
    {"cumsum", [](const Tensor& x) { return cumsum(x, -1); }},
    {"transpose",
     [](const Tensor& x) {
       return transpose(x, {1, 0});
     }},
    {"concat",
     [](const Tensor& x) {
       return concat({x, x}, 1);
     },
     4},
    {"gather", gather_rows},
    {"sum", [](const Tensor& x) { return sum(x); }, 1},
    {"tanh_gelu", tanh_gelu},
};

void add_function(const Measured& f, std::int64_t side, int threads) {
  const Shape shape{side, side};
  Case what{.bytes = 4 * f.moved * double(side * side), .threads = threads};
  const std::string rest = "/" + std::to_string(side) + "/threads:" + std::to_string(threads);
  what.name = std::string(f.name) + "/eager" + rest;
  add_case(what, [=] { return [x = random::normal(shape), run = f.run] { keep_alive(run(x)); }; });
  what.name = std::string(f.name) + "/graph" + rest;
  add_case(what, [=] {
    return [x = random::normal(shape), run = function(f.run)] { keep_alive(run(x)); };
  });
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  for (const Measured& f : kFunctions) {
    add_function(f, 16, 1);
    add_function(f, 1024, 1);
    add_function(f, 1024, 2);
  }
  return run_cases(argc, argv);
}
