#include "function/differentiated.h"

#include <weir/gradient_tape.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "flow/body.h"
#include "graph/builder.h"
#include "graph/replay.h"

namespace weir::tracing {
namespace {

using graph::Builder;
using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

std::uint64_t key(Ref r) {
  return std::uint64_t(std::uint32_t(r.node)) << 32 | std::uint32_t(r.output);
}

std::vector<Tensor> inputs_of(Builder& builder, const Graph& g) {
  std::vector<Tensor> list;
  for (int i : g.inputs)
    list.push_back(
        builder.input({g.node(i).outputs[0].shape, g.node(i).outputs[0].dtype, g.node(i).name}));
  return list;
}

/// The graph with its calls inlined and its reads as inputs; the order of those is in `variables`.
std::shared_ptr<Graph> hoist(const Graph& traced,
                             std::vector<std::shared_ptr<VariableState>>& variables) {
  const auto outside = Builder::create("outside");
  const auto builder = Builder::create(traced.name(), outside);
  builder->hoist_reads({});
  std::vector<Tensor> results;
  {
    const std::vector<Tensor> arguments = inputs_of(*builder, traced);
    dispatch::HandlerScope scope(*builder);
    dispatch::PauseRecording pause;
    results = graph::replay(traced, arguments);
  }
  for (const auto& [variable, value] : builder->hoisted())
    variables.push_back(variable);
  return builder->finish(results);
}

/// Effects other than writes between the nodes of the graph itself.
bool has_hidden_effects(const Graph& g) {
  return std::any_of(g.nodes().begin(), g.nodes().end(), [](const Node& n) {
    return n.kind != Kind::write && n.has_effect();
  });
}

/// The last write of each variable, in order of the first.
std::vector<int> last_writes(const Graph& g) {
  std::vector<int> writes;
  for (int i = 0; i < int(g.size()); ++i) {
    if (g.node(i).kind != Kind::write) continue;
    const auto same = std::find_if(writes.begin(), writes.end(), [&](int w) {
      return g.node(w).variable == g.node(i).variable;
    });
    if (same == writes.end())
      writes.push_back(i);
    else
      *same = i;
  }
  return writes;
}

Node input_like(const Graph& g, Ref r) {
  Node n;
  n.kind = Kind::input;
  n.name = g.node(r.node).name;
  n.where = g.node(r.node).where;
  n.outputs.push_back(g.spec(r));
  return n;
}

/// Copies nodes of one graph to another, node by node, in order.
class Copier {
 public:
  Copier(const Graph& from, const std::string& name)
      : from_(from), to_(std::make_shared<Graph>(name)) {}

  /// `r` is an input of the new graph.
  void input(Ref r) { moved_[key(r)] = {to_->add(input_like(from_, r)), 0}; }
  void copy(int i) {
    Node n = from_.node(i);
    for (Ref& r : n.inputs)
      r = at(r);
    place(i, std::move(n));
  }
  /// `n` stands for node i.
  void place(int i, Node n) {
    const int now = to_->add(std::move(n));
    for (int o = 0; o < int(from_.node(i).outputs.size()); ++o)
      moved_.try_emplace(key({i, o}), Ref{now, o});
  }
  Ref at(Ref r) const { return moved_.at(key(r)); }
  const std::shared_ptr<Graph>& graph() const { return to_; }

 private:
  const Graph& from_;
  std::shared_ptr<Graph> to_;
  std::unordered_map<std::uint64_t, Ref> moved_;
};

std::vector<Spec> input_specs(const Graph& g) {
  std::vector<Spec> list;
  for (int i : g.inputs)
    list.push_back(g.spec({i, 0}));
  return list;
}

}  // namespace

std::optional<PureGraph> purify(const Graph& traced) {
  PureGraph pure;
  const std::shared_ptr<Graph> hoisted = hoist(traced, pure.variables);
  if (has_hidden_effects(*hoisted)) return std::nullopt;
  pure.arguments = traced.inputs.size();
  pure.results = traced.outputs.size();
  for (int w : last_writes(*hoisted)) {
    pure.written.push_back(hoisted->node(w).variable);
    hoisted->outputs.push_back({w, 0});
  }
  pure.graph = flow::without_effects(*hoisted);
  return pure;
}

/// The trace, and after its nodes those that compute gradients.
struct Differentiated::Joint {
  std::shared_ptr<Graph> graph;
  int forward_nodes = 0;
  std::size_t inputs = 0;     // arguments and variables
  std::vector<Ref> results;   // of the pure graph
  std::vector<Ref> arriving;  // gradients of results
  std::vector<std::uint8_t> given, needed;
  std::vector<Ref> gradients;
  std::vector<GradientPlace> places;

  bool is_forward(Ref r) const { return r.node < forward_nodes; }
  bool is_free(Ref r) const {  // no program need compute it
    const Kind kind = graph->node(r.node).kind;
    return kind == Kind::input || kind == Kind::constant;
  }
  /// The op reads nothing of the value but its shape, which is known.
  bool reads_shape_only(const Node& n, Ref r) const {
    return n.is(Trait::shape_only) && graph->spec(r).shape.is_static();
  }
};

namespace {

/// Gradients as results of the graph that is being traced.
void add_result(std::vector<Tensor>& results, int& place, const Tensor& t) {
  place = int(results.size());
  results.push_back(t);
}

GradientPlace place_of(const Gradient& g, std::vector<Tensor>& results) {
  GradientPlace place;
  if (g.slices.values.defined() && g.slices.shape.is_static()) {
    place.shape = g.slices.shape;
    add_result(results, place.values, g.slices.values);
    add_result(results, place.indices, g.slices.indices);
    if (g.dense.defined()) add_result(results, place.dense, g.dense);
  } else if (g.defined()) {
    add_result(results, place.dense, g.to_tensor());
  }
  return place;
}

}  // namespace

Differentiated::Differentiated(const PureGraph& pure,
                               std::vector<Spec> arguments,
                               std::vector<std::uint8_t> followed,
                               const FunctionOptions& options)
    : pure_(pure),
      arguments_(std::move(arguments)),
      followed_(std::move(followed)),
      options_(options) {
  std::vector<std::uint8_t> all(pure_.results);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = is_differentiable(pure_.graph->spec(pure_.graph->outputs[i]).dtype);
  const Joint joint = trace(all, followed_);
  choose_saved(joint);
  forward_ = make_forward(joint);
  backward_.push_back(make_backward(joint));
}

Differentiated::Joint Differentiated::trace(std::span<const std::uint8_t> given,
                                            std::span<const std::uint8_t> needed) const {
  Joint joint;
  joint.given.assign(given.begin(), given.end());
  joint.needed.assign(needed.begin(), needed.end());
  const auto builder = Builder::create(pure_.graph->name());
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < pure_.graph->inputs.size(); ++i) {
    const Node& n = pure_.graph->node(pure_.graph->inputs[i]);
    const Spec& spec = i < arguments_.size() ? arguments_[i] : n.outputs[0];
    inputs.push_back(builder->input({spec.shape, spec.dtype, n.name}));
  }
  joint.inputs = inputs.size();
  dispatch::HandlerScope scope(*builder);
  dispatch::PauseRecording pause;
  GradientTape tape({.watch_accessed_variables = false});
  std::vector<GradientSource> sources;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!needed[i]) continue;
    tape.watch(inputs[i]);
    sources.emplace_back(inputs[i]);
  }
  const std::vector<Tensor> results = graph::replay(*pure_.graph, inputs);
  for (const Tensor& t : results)
    joint.results.push_back(builder->ref(t, {}));
  joint.forward_nodes = int(builder->graph().size());
  std::vector<Tensor> targets, arriving;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) continue;
    targets.push_back(results[i]);
    arriving.push_back(builder->input({results[i].shape(), results[i].dtype(), "gradient"}));
    joint.arriving.push_back(builder->ref(arriving.back(), {}));
  }
  std::vector<Gradient> gradients(sources.size());
  if (!targets.empty()) gradients = tape.gradients(targets, sources, arriving);
  std::vector<Tensor> outputs;
  std::size_t next = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    joint.places.push_back(needed[i] ? place_of(gradients[next++], outputs) : GradientPlace{});
  for (const Tensor& t : outputs)
    joint.gradients.push_back(builder->ref(t, {}));
  joint.graph = builder->finish({});
  return joint;
}

/// What the gradients read of the first part. Where only a shape is read, the way there is traced
/// again: nothing of it is left when shapes are known.
void Differentiated::choose_saved(const Joint& joint) {
  const Graph& g = *joint.graph;
  std::vector<char> needed(g.size());
  std::unordered_set<std::uint64_t> seen;
  const auto save = [&](Ref r) {
    if (seen.insert(key(r)).second) saved_.push_back(r);
  };
  const auto want = [&](Ref r, bool may_recompute) {
    if (joint.is_free(r)) return;
    if (joint.is_forward(r) && !may_recompute) return save(r);
    needed[std::size_t(r.node)] = 1;
  };
  for (Ref r : joint.gradients)
    want(r, false);
  for (int i = int(g.size()); i-- > 0;) {
    if (!needed[std::size_t(i)]) continue;
    const Node& n = g.node(i);
    for (Ref r : n.inputs)
      want(r, i < joint.forward_nodes || joint.reads_shape_only(n, r));
  }
}

std::unique_ptr<const Compiled> Differentiated::make_forward(const Joint& joint) const {
  const Graph& g = *joint.graph;
  Copier copier(g, g.name());
  std::vector<std::shared_ptr<VariableState>> variable(g.size());
  for (std::size_t v = 0; v < pure_.variables.size(); ++v)
    variable[std::size_t(g.inputs[pure_.arguments + v])] = pure_.variables[v];
  for (int i = 0; i < joint.forward_nodes; ++i) {
    if (!variable[std::size_t(i)]) {
      copier.copy(i);
      continue;
    }
    Node read;
    read.kind = Kind::read;
    read.variable = variable[std::size_t(i)];
    read.name = g.node(i).name;
    read.outputs = g.node(i).outputs;
    copier.place(i, std::move(read));
  }
  Graph& forward = *copier.graph();
  for (std::size_t i = 0; i < pure_.results; ++i)
    forward.outputs.push_back(copier.at(joint.results[i]));
  for (std::size_t v = 0; v < pure_.variables.size(); ++v)
    forward.outputs.push_back(copier.at({g.inputs[pure_.arguments + v], 0}));
  for (Ref r : saved_)
    forward.outputs.push_back(copier.at(r));
  for (std::size_t w = 0; w < pure_.written.size(); ++w) {
    const Ref value = joint.results[pure_.results + w];
    Node write;
    write.kind = Kind::write;
    write.variable = pure_.written[w];
    write.inputs.push_back(copier.at(value));
    write.outputs.push_back(g.spec(value));
    forward.add(std::move(write));
  }
  return std::make_unique<const Compiled>(forward, arguments_, options_);
}

std::unique_ptr<BackwardProgram> Differentiated::make_backward(const Joint& joint) const {
  auto made = std::make_unique<BackwardProgram>();
  made->given = joint.given;
  made->needed = joint.needed;
  made->places = joint.places;
  if (joint.gradients.empty()) return made;
  const Graph& g = *joint.graph;
  Copier copier(g, g.name() + "_gradient");
  std::unordered_set<std::uint64_t> known;
  const auto input = [&](Ref r) {
    copier.input(r);
    known.insert(key(r));
  };
  for (std::size_t i = 0; i < joint.inputs; ++i)
    input({g.inputs[i], 0});
  for (Ref r : saved_)
    input(r);
  for (Ref r : joint.arriving)
    input(r);
  std::vector<char> needed(g.size());
  const auto want = [&](Ref r) {
    if (!known.contains(key(r))) needed[std::size_t(r.node)] = 1;
  };
  for (Ref r : joint.gradients)
    want(r);
  for (int i = int(g.size()); i-- > 0;) {
    if (!needed[std::size_t(i)]) continue;
    for (Ref r : g.node(i).inputs)
      want(r);
  }
  for (int i = 0; i < int(g.size()); ++i) {
    if (needed[std::size_t(i)]) copier.copy(i);
  }
  for (Ref r : joint.gradients)
    copier.graph()->outputs.push_back(copier.at(r));
  made->program =
      std::make_unique<const Compiled>(*copier.graph(), input_specs(*copier.graph()), options_);
  return made;
}

std::shared_ptr<const BackwardProgram> Differentiated::backward(
    std::span<const std::uint8_t> given, std::span<const std::uint8_t> needed) const {
  constexpr std::size_t kMaxPrograms = 16;
  std::lock_guard lock(mutex_);
  const auto known = std::ranges::find_if(backward_, [&](const auto& b) {
    return std::ranges::equal(b->given, given) && std::ranges::equal(b->needed, needed);
  });
  if (known != backward_.end()) {
    std::rotate(known, known + 1, backward_.end());
    return backward_.back();
  }
  backward_.push_back(make_backward(trace(given, needed)));
  if (backward_.size() > kMaxPrograms) backward_.erase(backward_.begin());
  return backward_.back();
}

}  // namespace weir::tracing
