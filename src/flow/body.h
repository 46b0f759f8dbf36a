#pragma once

/// Bodies of branches and loops, traced into graphs of their own.

#include <weir/control_flow.h>

#include <functional>

#include "graph/builder.h"

namespace weir::inline v0::flow {

using graph::builder_for;

/// A body in tracing. Tensors of the enclosing trace become captures, extra inputs after the
/// declared ones; so do the values of variables that the body reads before it writes them, except
/// those in `written`, which it reads in place.
struct TracedBody {
  std::shared_ptr<graph::Graph> graph;
  std::vector<Tensor> captures;
  std::vector<std::size_t> lengths;
  std::string key;  // see Flat
};
TracedBody trace_body(const std::shared_ptr<graph::Builder>& outer,
                      const std::string& name,
                      std::span<const TensorSpec> inputs,
                      const std::unordered_set<const VariableState*>& written,
                      const std::function<Flat(std::span<const Tensor>)>& run);

/// Error: a result is undefined.
void check_results(std::span<const Tensor> results, const std::string& body);

/// Gives several bodies the same inputs: the declared ones, then all captures of all bodies.
/// Returns those captures.
std::vector<Tensor> unify_captures(std::span<TracedBody* const> bodies, std::size_t declared);

/// A tensor of the enclosing code as a tensor of the body that is being traced, with an identity of
/// its own: a tape inside the body tells it apart, a tape outside sees that the body uses the
/// original.
Tensor enter(const Tensor& t);

/// A copy without effects: what a variable is assigned is its value from there on, nothing is
/// stored or printed.
std::shared_ptr<graph::Graph> without_effects(const graph::Graph& g);

[[noreturn]] void fail(std::source_location where,
                       std::string what,
                       std::string got = {},
                       std::string expected = {},
                       std::string fix = {});
std::string describe(std::span<const Spec> specs);
std::vector<Spec> output_specs(const graph::Graph& g);

}  // namespace weir::inline v0::flow
