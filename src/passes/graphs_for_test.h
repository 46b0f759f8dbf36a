#pragma once

/// What the tests of passes share: graphs made by tracing, ops with every trait, comparison bit for
/// bit.

#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <cstring>

#include "graph/builder.h"
#include "graph/replay.h"
#include "passes/pipeline.h"

namespace weir::passes {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;
using GraphPtr = std::shared_ptr<Graph>;

/// Ops of the tests: TestShape (shape_only), TestPrint (host_effect), TestRelu (idempotent),
/// TestNeg (involution).
const OpDef& test_op(const char* name);
Tensor test_call(const char* op, const Tensor& x);
/// How often TestPrint has run, and the sum of what it saw.
struct Printed {
  int count = 0;
  double sum = 0;
};
Printed& printed();

/// Traces f(inputs).
template <class F>
GraphPtr trace(const std::vector<TensorSpec>& inputs, F f, const char* name = "f") {
  auto builder = graph::Builder::create(name);
  std::vector<Tensor> arguments, results;
  for (const TensorSpec& s : inputs)
    arguments.push_back(builder->input(s));
  {
    dispatch::HandlerScope scope(*builder);
    results = f(arguments);
  }
  return builder->finish(results);
}

/// Runs one pass alone: all others are disabled.
GraphPtr only(const Graph& graph,
              std::vector<std::string> passes,
              Report* report = nullptr,
              Options options = {});

/// The names of the nodes, separated by spaces.
std::string names(const Graph& graph);

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.nbytes() == 0 || std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0);
}

/// Replays both graphs on the same inputs and compares all results bit for bit.
void expect_equivalent(const Graph& a, const Graph& b, std::span<const Tensor> inputs);

}  // namespace weir::passes
