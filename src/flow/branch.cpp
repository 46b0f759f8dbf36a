/// cond and switch_case: building, and the way back.
///
/// The gradient of a branch is a branch again: the same selector, and in each body the gradient of
/// that body, which computes the forward values it needs once more. Nothing is stored from the
/// branch that ran.
#include "flow/branch.h"

#include <weir/gradient_tape.h>
#include <weir/ops/array.h>

#include "autodiff/structural.h"
#include "flow/state.h"
#include "graph/replay.h"

namespace weir::inline v0::flow {
namespace {

using graph::Graph;
using graph::Kind;

const char* word(Kind kind) {
  return kind == Kind::if_ ? "cond" : "switch_case";
}

void check_selector(Kind kind, const Tensor& t, std::source_location where) {
  const bool dtype_ok = kind == Kind::if_ ? t.dtype() == DType::boolean : is_integer(t.dtype());
  const ShapeView shape = t.impl()->shape();
  if (dtype_ok && (!shape.has_rank() || shape.rank() == 0)) return;
  fail(where,
       std::string(word(kind)) + (kind == Kind::if_ ? ": the predicate" : ": the index") +
           " must be a scalar",
       t.describe(),
       kind == Kind::if_ ? "bool[]" : "int32[]",
       kind == Kind::if_ ? "compare it with something, or reduce it with weir::any or weir::all"
                         : "");
}

/// Gradients of `body` at `inputs` with respect to those that are needed; zeros where nothing
/// flows.
std::vector<Tensor> body_gradients(const Graph& body,
                                   std::span<const Tensor> inputs,
                                   std::span<const Tensor> dy,
                                   std::span<const std::uint8_t> needs) {
  std::vector<Tensor> at;
  std::vector<GradientSource> sources;
  GradientTape tape;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    at.push_back(enter(inputs[i]));
    if (!needs[i]) continue;
    tape.watch(at.back());
    sources.emplace_back(at.back());
  }
  const std::vector<Tensor> results = graph::replay(body, at);
  std::vector<Tensor> targets, weights;
  for (std::size_t i = 0; i < dy.size(); ++i) {
    if (!dy[i].defined() || !is_differentiable(results[i].dtype())) continue;
    targets.push_back(results[i]);
    weights.push_back(dy[i]);
  }
  if (targets.empty()) {
    std::vector<Tensor> zeros;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (needs[i]) zeros.push_back(zeros_like(inputs[i]));
    }
    return zeros;
  }
  return tape.gradient(targets, sources, weights, UnconnectedGradients::zero);
}

class BranchBackward final : public autodiff::Backward {
 public:
  /// `inputs`: the captures, then the values that `variables` had before.
  BranchBackward(Kind kind,
                 Tensor selector,
                 std::vector<std::shared_ptr<Graph>> bodies,
                 Variables variables,
                 std::vector<Tensor> inputs,
                 std::source_location where)
      : kind_(kind),
        selector_(std::move(selector)),
        bodies_(std::move(bodies)),
        variables_(std::move(variables)),
        inputs_(std::move(inputs)),
        where_(where) {}
  const char* name() const override { return kind_ == Kind::if_ ? "If" : "Case"; }

  std::vector<Gradient> gradients(std::span<const Tensor> dy,
                                  std::span<const std::uint8_t> needs) override {
    const auto one = [&](const Graph& body) {
      return [&](std::span<const Tensor>) {
        return Flat{body_gradients(body, inputs_, dy, needs), {}};
      };
    };
    std::vector<std::shared_ptr<Graph>> pure;
    for (const auto& b : bodies_)
      pure.push_back(b->has_effects() || !variables_.empty() ? with_state(*b, variables_) : b);
    std::vector<decltype(one(*pure[0]))> callables;
    for (const auto& b : pure)
      callables.push_back(one(*b));
    std::vector<Body> branches;
    for (auto& c : callables)
      branches.push_back(body_of(c));
    const Flat flat = kind_ == Kind::if_ ? cond(selector_, branches[0], branches[1], where_)
                                         : switch_case(selector_, branches, where_);
    std::vector<Gradient> out(inputs_.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (needs[i]) out[i].dense = flat.tensors[next++];
    }
    return out;
  }

 private:
  Kind kind_;
  Tensor selector_;
  std::vector<std::shared_ptr<Graph>> bodies_;
  Variables variables_;
  std::vector<Tensor> inputs_;
  std::source_location where_;
};

/// What is known of a result that any of the branches may give.
std::vector<Spec> merge_outputs(Kind kind,
                                std::span<const TracedBody> bodies,
                                std::source_location where) {
  std::vector<Spec> merged = output_specs(*bodies[0].graph);
  for (const TracedBody& b : bodies.subspan(1)) {
    const std::vector<Spec> other = output_specs(*b.graph);
    bool same = other.size() == merged.size() && b.lengths == bodies[0].lengths;
    for (std::size_t i = 0; same && i < merged.size(); ++i)
      same = merged[i].dtype == other[i].dtype;
    if (same && b.key != bodies[0].key)
      fail(where,
           std::string(word(kind)) +
               ": the branches return different values where it has no tensors",
           "'" + bodies[0].key + "' and '" + b.key + "'",
           "the same from every branch: a graph cannot choose a value of the host",
           "return a tensor");
    if (!same)
      fail(where,
           std::string(word(kind)) + ": the branches return different structures or dtypes",
           describe(merged) + " and " + describe(other),
           "the same from every branch",
           "cast or fill in what is missing");
    for (std::size_t i = 0; i < merged.size(); ++i) {
      Shape& s = merged[i].shape;
      if (s.has_rank() != other[i].shape.has_rank() || s.rank() != other[i].shape.rank())
        s = Shape::unknown_rank();
      for (int d = 0; d < s.rank(); ++d) {
        if (s[d] != other[i].shape[d]) s[d] = Dim::unknown();
      }
    }
  }
  return merged;
}

Flat run_eagerly(Kind kind, const Tensor& selector, std::span<const Body> branches) {
  const Body& b = branches[taken_branch(kind, selector, branches.size())];
  Flat result = b.run(b.context, {});
  check_results(result.tensors, word(kind));
  return result;
}

Flat branch(Kind kind,
            const Tensor& selector,
            std::span<const Body> branches,
            std::source_location where) {
  if (!selector.defined()) fail(where, std::string(word(kind)) + ": an undefined tensor");
  if (branches.empty()) fail(where, "switch_case: no branches");
  check_selector(kind, selector, where);
  if (!selector.is_symbolic()) return run_eagerly(kind, selector, branches);
  const auto outer = builder_for({&selector, 1});
  dispatch::HandlerScope scope(*outer);
  return branch_node(outer, kind, selector, branches, where);
}

}  // namespace

std::size_t taken_branch(Kind kind, const Tensor& selector, std::size_t branches) {
  if (kind == Kind::if_) return selector.truth() ? 0 : 1;
  const auto i = selector.item<std::int64_t>();
  return i < 0 || i >= std::int64_t(branches) ? branches - 1 : std::size_t(i);
}

Flat branch_node(const std::shared_ptr<graph::Builder>& outer,
                 Kind kind,
                 const Tensor& selector,
                 std::span<const Body> branches,
                 std::source_location where) {
  std::vector<TracedBody> bodies;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const std::string name =
        kind == Kind::if_ ? (i == 0 ? "then" : "else") : "branch_" + std::to_string(i);
    bodies.push_back(trace_body(outer, name, {}, {}, [&](std::span<const Tensor> t) {
      return branches[i].run(branches[i].context, t);
    }));
  }
  std::vector<TracedBody*> pointers;
  for (TracedBody& b : bodies)
    pointers.push_back(&b);
  graph::Node n;
  n.kind = kind;
  n.where = where;
  for (const Spec& s : merge_outputs(kind, bodies, where))
    n.outputs.push_back(s);
  const std::vector<Tensor> captures = unify_captures(pointers, 0);
  n.inputs.push_back(outer->ref(selector, where));
  for (const Tensor& t : captures)
    n.inputs.push_back(outer->ref(t, where));
  std::vector<std::shared_ptr<Graph>> graphs;
  for (const TracedBody& b : bodies)
    graphs.push_back(b.graph);
  n.bodies = graphs;
  std::vector<Tensor> inputs = captures;
  Variables variables;
  if (autodiff::follows(captures)) {
    variables = carried_variables(graphs);
    dispatch::HandlerScope scope(*outer);
    for (const auto& v : variables)
      inputs.push_back(Variable(v).value(where));
  }
  Flat result{outer->add_structural(std::move(n)), bodies[0].lengths};
  if (autodiff::follows(inputs))
    autodiff::record(inputs,
                     {},
                     result.tensors,
                     std::make_shared<BranchBackward>(
                         kind, selector, std::move(graphs), std::move(variables), inputs, where),
                     where);
  return result;
}

Flat cond(const Tensor& predicate, Body then_body, Body else_body, std::source_location where) {
  const Body branches[] = {then_body, else_body};
  return branch(Kind::if_, predicate, branches, where);
}

Flat switch_case(const Tensor& index, std::span<const Body> branches, std::source_location where) {
  return branch(Kind::case_, index, branches, where);
}

}  // namespace weir::inline v0::flow
