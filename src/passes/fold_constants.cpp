#include <algorithm>

#include "passes/evaluate.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "tensor/specs.h"

namespace weir::passes {
namespace {

class Folder {
 public:
  Folder(const Graph& graph, Context& context)
      : graph_(graph),
        context_(context),
        rewrite_(graph, context),
        consumers_(count_consumers(graph)) {}

  GraphPtr run() {
    for (int i = 0; i < int(graph_.size()); ++i) {
      if (!fold_branch(i) && !fold_op(i) && !fold_static_operands(i)) rewrite_.keep(i);
    }
    return rewrite_.finish();
  }

 private:
  static std::vector<int> count_consumers(const Graph& g) {
    std::vector<int> count(g.size());
    for (const Node& n : g.nodes()) {
      for (Ref r : n.inputs)
        ++count[std::size_t(r.node)];
    }
    for (Ref r : g.outputs)
      ++count[std::size_t(r.node)];
    return count;
  }

  /// The value of a constant of the new graph; null for any other node.
  const Tensor* value(Ref now) const {
    const Node& n = rewrite_.graph().node(now.node);
    return n.kind == Kind::constant ? &n.value : nullptr;
  }

  bool fold_op(int i) {
    const Node& n = graph_.node(i);
    if (n.kind != Kind::op || n.is(Trait::host_effect)) return false;
    std::vector<Tensor> inputs;
    for (Ref r : n.inputs) {
      const Tensor* v = value(rewrite_.at(r));
      if (!v || v->dtype() == DType::string) return false;
      inputs.push_back(*v);
    }
    if (!small_enough(n, inputs)) return false;
    try {
      return place(i, evaluate(n, inputs));
    } catch (const Error&) {
      context_.count("kept, because the op fails");
      return false;
    }
  }

  /// Below the limit, or no larger than constants that only this node reads and that go with it.
  bool small_enough(const Node& n, std::span<const Tensor> inputs) const {
    const std::int64_t limit = context_.options().fold_limit;
    std::int64_t freed = 0, read = 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      read += inputs[k].nbytes();
      if (consumers_[std::size_t(n.inputs[k].node)] == 1) freed += inputs[k].nbytes();
    }
    const std::int64_t bytes = output_bytes(n);
    if (bytes < 0) return n.is(Trait::data_shape) && read <= limit && no_strings(n);
    return bytes <= std::max(limit, freed);
  }
  static bool no_strings(const Node& n) {
    return std::none_of(
        n.outputs.begin(), n.outputs.end(), [](const Spec& s) { return s.dtype == DType::string; });
  }

  bool place(int i, std::vector<Tensor> values) {
    const Node& n = graph_.node(i);
    const Node* from[] = {&n};
    std::vector<Ref> by;
    for (Tensor& v : values) {
      Node c = make_constant(std::move(v), n);
      annotate(c, context_.pass(), from);
      context_.made(c, "was computed");
      by.push_back(rewrite_.add(std::move(c)));
    }
    rewrite_.replace(i, by);
    context_.count("ops");
    return true;
  }

  /// A static operand whose value is known is an attribute.
  bool fold_static_operands(int i) {
    const Node& n = graph_.node(i);
    if (n.kind != Kind::op || !has_known_operand(n)) return false;
    Node now = rewrite_.copy(i);
    std::vector<bool> gone(now.inputs.size());
    for (std::size_t a = 0; a < now.attrs.size(); ++a) {
      if (now.attrs[a].kind != rt::Attr::Kind::operand) continue;
      const std::size_t input = std::size_t(now.attrs[a].i);
      const Tensor* v = value(now.inputs[input]);
      if (!v) continue;
      const std::vector<std::int64_t> ints = tensor::integers(*v);
      now.attrs.set(a, rt::Attr::int_list(ints.data(), std::uint32_t(ints.size())));
      gone[input] = true;
    }
    remove_inputs(now, gone);
    refine(rewrite_.graph(), now);
    rewrite_.replace(i, std::move(now));
    context_.count("static operands");
    return true;
  }

  bool has_known_operand(const Node& n) const {
    for (const rt::Attr& a : n.attrs.view()) {
      if (a.kind == rt::Attr::Kind::operand && value(rewrite_.at(n.inputs[std::size_t(a.i)])))
        return true;
    }
    return false;
  }

  static void remove_inputs(Node& n, const std::vector<bool>& gone) {
    std::vector<std::int64_t> moved(n.inputs.size());
    base::SmallVector<Ref, 3> kept;
    for (std::size_t k = 0; k < gone.size(); ++k) {
      moved[k] = std::int64_t(kept.size());
      if (!gone[k]) kept.push_back(n.inputs[k]);
    }
    for (std::size_t a = 0; a < n.attrs.size(); ++a) {
      if (n.attrs[a].kind == rt::Attr::Kind::operand)
        n.attrs.set(a, rt::Attr::operand(moved[std::size_t(n.attrs[a].i)]));
    }
    n.inputs = std::move(kept);
  }

  /// The branch that a known predicate or index takes.
  static const GraphPtr& taken(const Node& n, const Tensor& selector) {
    if (n.kind == Kind::if_) return n.bodies[selector.item<bool>() ? 0 : 1];
    const std::int64_t index = selector.item<std::int64_t>();
    const bool in_range = index >= 0 && index < std::int64_t(n.bodies.size());
    return in_range ? n.bodies[std::size_t(index)] : n.bodies.back();
  }

  bool fold_branch(int i) {
    const Node& n = graph_.node(i);
    if (n.kind != Kind::if_ && n.kind != Kind::case_) return false;
    const Tensor* selector = value(rewrite_.at(n.inputs[0]));
    if (!selector || selector->size() != 1) return false;
    const GraphPtr body = taken(n, *selector);
    const Node now = rewrite_.copy(i);
    const std::span<const Ref> arguments(now.inputs.begin() + 1, now.inputs.end());
    rewrite_.replace(i, splice(rewrite_, *body, arguments, now));
    context_.count("branches");
    context_.removed(n, "always takes the branch ", body->name());
    return true;
  }

  const Graph& graph_;
  Context& context_;
  Rewrite rewrite_;
  std::vector<int> consumers_;
};

}  // namespace

GraphPtr fold_constants(const Graph& graph, Context& context) {
  return Folder(graph, context).run();
}

}  // namespace weir::passes
