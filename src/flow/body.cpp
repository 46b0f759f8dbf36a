#include "flow/body.h"

#include <algorithm>

#include "autodiff/structural.h"

namespace weir::inline v0::flow {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

/// The same graph with these input nodes first, in this order: then the order of `inputs` is that
/// of the nodes, and nothing that copies a graph node by node can lose it.
std::shared_ptr<Graph> with_inputs_first(const Graph& g, const std::vector<int>& inputs) {
  auto ordered = std::make_shared<Graph>(g.name());
  std::vector<int> place(g.size(), -1);
  for (int i : inputs)
    place[std::size_t(i)] = ordered->add(g.node(i));
  for (int i = 0; i < int(g.size()); ++i) {
    if (place[std::size_t(i)] >= 0) continue;
    Node n = g.node(i);
    for (Ref& r : n.inputs)
      r.node = place[std::size_t(r.node)];
    place[std::size_t(i)] = ordered->add(std::move(n));
  }
  for (Ref r : g.outputs)
    ordered->outputs.push_back({place[std::size_t(r.node)], r.output});
  return ordered;
}

}  // namespace

TracedBody trace_body(const std::shared_ptr<graph::Builder>& outer,
                      const std::string& name,
                      std::span<const TensorSpec> inputs,
                      const std::unordered_set<const VariableState*>& written,
                      const std::function<Flat(std::span<const Tensor>)>& run) {
  auto builder = graph::Builder::create(name, outer);
  builder->hoist_reads(written);
  std::vector<Tensor> arguments;
  for (const TensorSpec& s : inputs)
    arguments.push_back(builder->input(s));
  Flat result;
  {
    dispatch::HandlerScope scope(*builder);
    dispatch::PauseRecording pause;
    result = run(arguments);
  }
  check_results(result.tensors, name);
  TracedBody body{builder->finish(result.tensors),
                  builder->captures(),
                  std::move(result.lengths),
                  std::move(result.key)};
  // The tapes of the enclosing code saw none of the body: they learn here which variables it read.
  for (const auto& [variable, value] : builder->hoisted()) {
    for (dispatch::Recorder* r : dispatch::active_recorders())
      r->record_read(variable, value);
  }
  return body;
}

void check_results(std::span<const Tensor> results, const std::string& body) {
  for (const Tensor& t : results) {
    if (!t.defined()) fail({}, "'" + body + "' returned an undefined tensor", {}, "a tensor");
  }
}

std::vector<Tensor> unify_captures(std::span<TracedBody* const> bodies, std::size_t declared) {
  std::vector<Tensor> all;
  const auto position = [&](const Tensor& t) {
    const auto it = std::find_if(
        all.begin(), all.end(), [&](const Tensor& o) { return o.impl()->id() == t.impl()->id(); });
    if (it != all.end()) return std::size_t(it - all.begin());
    all.push_back(t);
    return all.size() - 1;
  };
  for (TracedBody* b : bodies) {
    for (const Tensor& t : b->captures)
      position(t);
  }
  for (TracedBody* b : bodies) {
    std::vector<int> inputs(b->graph->inputs.begin(),
                            b->graph->inputs.begin() + std::ptrdiff_t(declared));
    inputs.resize(declared + all.size(), -1);
    for (std::size_t i = 0; i < b->captures.size(); ++i)
      inputs[declared + position(b->captures[i])] = b->graph->inputs[declared + i];
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (inputs[declared + i] >= 0) continue;
      Node unused;
      unused.kind = Kind::input;
      unused.name = "unused";
      unused.outputs.push_back({all[i].dtype(), all[i].shape()});
      inputs[declared + i] = b->graph->add(std::move(unused));
    }
    b->graph = with_inputs_first(*b->graph, inputs);
  }
  return all;
}

Tensor enter(const Tensor& t) {
  const auto b = graph::current_builder();
  if (!b || !t.is_symbolic()) return autodiff::fresh_identity(t);
  const Tensor inside = b->tensor(b->ref(t, {}));
  return inside.impl()->id() == t.impl()->id() ? autodiff::fresh_identity(t) : inside;
}

std::shared_ptr<Graph> without_effects(const Graph& g) {
  auto pure = std::make_shared<Graph>(g.name());
  std::vector<Ref> place(g.size());
  std::vector<int> inputs(g.inputs);
  for (int i = 0; i < int(g.size()); ++i) {
    Node n = g.node(i);
    for (Ref& r : n.inputs)
      r = {place[std::size_t(r.node)].node, r.output + place[std::size_t(r.node)].output};
    if (n.kind == Kind::write) {
      place[std::size_t(i)] = n.inputs[0];
      continue;
    }
    for (auto& body : n.bodies) {
      if (body->has_effects()) body = without_effects(*body);
    }
    place[std::size_t(i)] = {pure->add(std::move(n)), 0};
  }
  for (int& i : inputs)
    i = place[std::size_t(i)].node;
  pure->inputs = std::move(inputs);
  for (Ref r : g.outputs)
    pure->outputs.push_back(
        {place[std::size_t(r.node)].node, r.output + place[std::size_t(r.node)].output});
  return pure;
}

void fail(std::source_location where,
          std::string what,
          std::string got,
          std::string expected,
          std::string fix) {
  throw Error({Code::invalid_argument,
               std::move(what),
               to_string(where),
               std::move(got),
               std::move(expected),
               std::move(fix)});
}

std::string describe(std::span<const Spec> specs) {
  std::string s = "(";
  for (const Spec& spec : specs)
    s += (s.size() > 1 ? ", " : "") + spec.describe();
  return s + ")";
}

std::vector<Spec> output_specs(const Graph& g) {
  std::vector<Spec> specs;
  for (Ref r : g.outputs)
    specs.push_back(g.spec(r));
  return specs;
}

}  // namespace weir::inline v0::flow
