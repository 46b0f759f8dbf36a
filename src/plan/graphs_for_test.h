#pragma once

/// Helpers of tests: graphs traced by hand, and the oracle that every run is compared with.

#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <cstring>
#include <vector>

#include "graph/builder.h"
#include "graph/replay.h"
#include "plan/executable.h"
#include "tensor/tensor_impl.h"

namespace weir::plan {

template <class F>
std::shared_ptr<graph::Graph> trace(const std::vector<TensorSpec>& inputs, F body) {
  const auto b = graph::Builder::create("test");
  std::vector<Tensor> x;
  for (const TensorSpec& s : inputs)
    x.push_back(b->input(s));
  std::vector<Tensor> y;
  {
    dispatch::HandlerScope scope(*b);
    y = body(x);
  }
  return b->finish(y);
}

/// A region of what `body` computes from `inputs`, in the graph that is being traced.
template <class F>
std::vector<Tensor> region(const std::vector<Tensor>& inputs, F body) {
  const auto b = graph::current_builder();
  graph::Node n;
  n.kind = graph::Kind::region;
  std::vector<TensorSpec> specs;
  for (const Tensor& t : inputs) {
    specs.push_back({t.shape(), t.dtype(), "x"});
    n.inputs.push_back(b->ref(t, {}));
  }
  n.bodies.push_back(trace(specs, body));
  for (graph::Ref r : n.bodies[0]->outputs)
    n.outputs.push_back(n.bodies[0]->spec(r));
  return b->add_structural(std::move(n));
}

/// y = g(g(x)) for a graph of one argument and one result of the same spec.
inline std::shared_ptr<graph::Graph> calling_twice(const std::shared_ptr<graph::Graph>& g) {
  const Spec spec = g->spec(g->outputs[0]);
  return trace({{spec.shape, spec.dtype, "x"}}, [&](std::vector<Tensor> x) {
    const auto b = graph::current_builder();
    for (int i = 0; i < 2; ++i) {
      graph::Node n;
      n.kind = graph::Kind::call;
      n.inputs = {b->ref(x[0], {})};
      n.outputs.push_back(spec);
      n.bodies = {g};
      x = b->add_structural(std::move(n));
    }
    return x;
  });
}

inline std::vector<Spec> specs_of(const std::vector<Tensor>& values) {
  std::vector<Spec> list;
  for (const Tensor& t : values)
    list.push_back({t.dtype(), t.shape()});
  return list;
}

inline std::shared_ptr<const Executable> planned(const std::shared_ptr<graph::Graph>& g,
                                                 const std::vector<Tensor>& inputs,
                                                 const PlanOptions& options = {}) {
  return plan(specialise(*g, specs_of(inputs)), options);
}

/// The same dtype, shape and bits.
inline ::testing::AssertionResult same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape())
    return ::testing::AssertionFailure() << a.describe() << " and " << b.describe();
  if (std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "the bits of two " << a.describe() << " differ";
}

inline void expect_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(same(a[i], b[i])) << "result " << i;
}

/// Numbers that are exact in no obvious way.
inline Tensor numbers(const Shape& shape, int seed = 1) {
  std::vector<float> v(std::size_t(shape.size()));
  std::uint32_t state = std::uint32_t(seed) * 2654435761u + 12345u;
  for (float& f : v) {
    state = state * 1664525u + 1013904223u;
    f = float(std::int32_t(state >> 8)) / 8388608.0f - 0.999f;
  }
  return Tensor::from(v, shape);
}

}  // namespace weir::plan
