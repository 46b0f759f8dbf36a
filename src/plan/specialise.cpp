/// A graph for given shapes: its nodes are issued again, under a handler that folds and expands on
/// the way to a Builder.
#include <algorithm>

#include "dispatch/call.h"
#include "graph/builder.h"
#include "kernels/select.h"
#include "plan/control_stage.h"
#include "plan/executable.h"
#include "tensor/specs.h"
#include "tensor/variable_state.h"

namespace weir::plan {
namespace {

using dispatch::Invocation;
using graph::Builder;
using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

/// Computes what is known, expands composite ops, and passes the rest on to the builder.
class Specialiser final : public dispatch::SymbolicHandler {
 public:
  Specialiser(Builder& builder, const SpecialiseOptions& options)
      : builder_(builder), options_(options) {}

  void run(const Invocation& call, std::span<Tensor> results) override {
    if (try_fold(call, results)) return;
    if (!is_to_expand(call)) return builder_.run(call, results);
    dispatch::PauseRecording pause;
    std::vector<Tensor> inputs;
    for (const Tensor* t : call.inputs)
      inputs.push_back(*t);
    std::vector<Tensor> values = call.op.decompose_fn()(inputs, call.attrs);
    std::move(values.begin(), values.end(), results.begin());
  }
  Tensor read(const std::shared_ptr<VariableState>& variable, std::source_location where) override {
    return builder_.read(variable, where);
  }
  Tensor write(const std::shared_ptr<VariableState>& variable,
               const Tensor& value,
               std::source_location where) override {
    variable->check_value(value, where);
    return builder_.write(variable, value, where);
  }
  bool can_use(const Tensor& symbolic) override { return builder_.can_use(symbolic); }
  void check_operand(const Tensor& symbolic, std::source_location where) override {
    builder_.check_operand(symbolic, where);
  }

 private:
  /// As eager code does it: an op with a kernel runs it. A decomposition wants shapes and static
  /// operands that are known; before that, the node stays, and the host runs it.
  static bool is_to_expand(const Invocation& call) {
    if (!call.op.decompose_fn()) return false;
    std::vector<DType> in, out;
    for (const Tensor* t : call.inputs) {
      if (!t->impl()->shape().is_static()) return false;
      in.push_back(t->impl()->dtype());
    }
    for (const rt::Attr& a : call.attrs) {
      if (a.kind == rt::Attr::Kind::operand) return false;
    }
    for (const Spec& s : call.outputs)
      out.push_back(s.dtype);
    return !kernels::select(call.op.name().c_str(), call.op.id(), in, out);
  }
  bool try_fold(const Invocation& call, std::span<Tensor> results) const {
    if (call.op.is(Trait::host_effect)) return false;
    base::SmallVector<Tensor, 4> inputs;
    std::int64_t bytes = 0;
    for (const Tensor* t : call.inputs) {
      const Tensor* known = tensor::known_value(*t);
      const bool shape_only =
          !known && call.op.is(Trait::shape_only) && t->impl()->shape().is_static();
      if (!known && !shape_only) return false;
      inputs.push_back(known ? *known : tensor::without_elements(t->dtype(), t->impl()->shape()));
      if (known && !call.op.is(Trait::shape_only)) bytes += known->nbytes();
    }
    if (bytes > options_.fold_input_bytes) return false;
    for (const Spec& s : call.outputs) {
      if (s.shape.is_static() && s.shape.size() * byte_size(s.dtype) > options_.fold_output_bytes)
        return false;
    }
    return compute(call, inputs, results);
  }
  /// What fails now may never be reached when the graph runs: then the node stays.
  static bool compute(const Invocation& call,
                      std::span<const Tensor> inputs,
                      std::span<Tensor> results) {
    base::SmallVector<Operand, 6> operands;
    for (const Tensor& t : inputs)
      operands.emplace_back(t, call.where);
    dispatch::PauseRecording pause;
    dispatch::HandlerScope eager(dispatch::default_handler());
    try {
      dispatch::call(call.op, operands, call.attrs, results);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  Builder& builder_;
  const SpecialiseOptions& options_;
};

std::vector<Spec> specs_of(std::span<const Tensor> values) {
  std::vector<Spec> list;
  for (const Tensor& t : values)
    list.push_back({t.dtype(), t.shape()});
  return list;
}

std::vector<Spec> output_specs(const Graph& g) {
  std::vector<Spec> list;
  for (Ref r : g.outputs)
    list.push_back(g.spec(r));
  return list;
}

/// What holds for both shapes.
Shape common(const Shape& a, const Shape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return Shape::unknown_rank();
  Shape out = a;
  for (int d = 0; d < out.rank(); ++d) {
    if (!a[d].same(b[d])) out[d] = Dim::unknown();
  }
  return out;
}

/// Each try knows less of the state's shapes than the one before; more than two are rare.
constexpr int kMaxLoopTries = 8;

/// Graphs that call one another can stand for more nodes than any machine holds.
constexpr std::size_t kMaxNodes = 1'000'000;
/// A graph of its own, as each body is, takes the memory of about that many nodes.
constexpr std::size_t kNodesOfAGraph = 32;

/// `nodes`: those that were walked so far, for bodies as well.
std::shared_ptr<Graph> specialise(const Graph& g,
                                  std::span<const Spec> inputs,
                                  const SpecialiseOptions& options,
                                  std::size_t& nodes);

class Walk {
 public:
  Walk(const std::shared_ptr<Builder>& builder,
       const SpecialiseOptions& options,
       std::size_t& nodes)
      : builder_(builder), options_(options), specialiser_(*builder, options), nodes_(nodes) {}

  /// Values of graph.outputs; `inputs` stand for the nodes of kind input.
  std::vector<Tensor> run(const Graph& g, std::span<const Tensor> inputs) {
    check_size(g);
    std::vector<std::vector<Tensor>> values(g.size());
    std::size_t next_input = 0;
    for (int i = 0; i < int(g.size()); ++i) {
      const Node& n = g.node(i);
      std::vector<Tensor> operands;
      for (Ref r : n.inputs)
        operands.push_back(values[std::size_t(r.node)][std::size_t(r.output)]);
      graph::Provenance provenance(n);
      if (n.kind == Kind::input)
        values[std::size_t(i)] = {inputs[next_input++]};
      else
        values[std::size_t(i)] =
            is_as_traced(g, n, operands) ? again(n, operands) : node(n, operands);
    }
    std::vector<Tensor> outputs;
    for (Ref r : g.outputs)
      outputs.push_back(values[std::size_t(r.node)][std::size_t(r.output)]);
    return outputs;
  }

 private:
  void check_size(const Graph& g) {
    nodes_ += g.size();
    if (nodes_ <= kMaxNodes) return;
    throw Error(
        {Code::resource_exhausted,
         "'" + g.name() + "': the graph is too large once its calls and bodies are expanded",
         {},
         "more than " + std::to_string(kMaxNodes) + " nodes",
         "at most that many",
         "use while_loop for what is repeated"});
  }

  std::vector<Tensor> node(const Node& n, std::span<const Tensor> operands) {
    switch (n.kind) {
      case Kind::constant:
        return {n.value};
      case Kind::output:
        return {operands[0]};
      case Kind::read:
        return {specialiser_.read(n.variable, n.where)};
      case Kind::write:
        return {specialiser_.write(n.variable, operands[0], n.where)};
      case Kind::op:
        return call(n, operands);
      case Kind::call:
        return run(*n.bodies[0], operands);
      case Kind::if_:
      case Kind::case_:
        if (const Graph* branch = chosen(n, operands[0])) return run(*branch, operands.subspan(1));
        return branches(n, operands);
      case Kind::region:
        return region(n, operands);
      default:
        return loop(n, operands);
    }
  }

  /// Nothing is known of the operands that was not when the node was traced: calling the op would
  /// give this node again.
  static bool is_as_traced(const Graph& g, const Node& n, std::span<const Tensor> operands) {
    if (n.kind != Kind::op || n.op->decompose_fn() || n.is(Trait::shape_only)) return false;
    for (const Spec& s : n.outputs) {
      if (!s.shape.is_static()) return false;
    }
    for (const rt::Attr& a : n.attrs.view()) {
      if (a.kind == rt::Attr::Kind::operand) return false;
    }
    bool foldable = true;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const Shape& was = g.spec(n.inputs[i]).shape;
      const ShapeView now = operands[i].impl()->shape();
      if (!was.is_static() || !std::ranges::equal(was.dims(), now.dims())) return false;
      foldable = foldable && tensor::known_value(operands[i]);
    }
    return !foldable;
  }
  std::vector<Tensor> again(const Node& n, std::span<const Tensor> operands) {
    Node copy = n;
    for (std::size_t i = 0; i < operands.size(); ++i)
      copy.inputs[i] = builder_->ref(operands[i], n.where);
    return builder_->add_structural(std::move(copy));
  }

  std::vector<Tensor> call(const Node& n, std::span<const Tensor> operands) {
    base::SmallVector<Operand, 6> list;
    for (const Tensor& t : operands)
      list.emplace_back(t, n.where);
    std::vector<Tensor> results(n.outputs.size());
    dispatch::HandlerScope scope(specialiser_);
    dispatch::call(*n.op, list, n.attrs.view(), results);
    return results;
  }

  /// The branch that is taken, if that is known.
  static const Graph* chosen(const Node& n, const Tensor& selector) {
    const Tensor* value = tensor::known_value(selector);
    if (!value || value->size() != 1) return nullptr;
    return n.bodies[taken_branch(n.kind, *value, n.bodies.size())].get();
  }

  /// The body for these arguments; as it is if they do not fit it, which is an error only where it
  /// runs.
  std::shared_ptr<Graph> body(const std::shared_ptr<Graph>& given,
                              std::span<const Spec> arguments) {
    try {
      return specialise(*given, arguments, options_, nodes_);
    } catch (const Error& e) {
      if (e.code() == Code::resource_exhausted) throw;
      return given;
    }
  }

  std::vector<Tensor> branches(const Node& n, std::span<const Tensor> operands) {
    const std::vector<Spec> arguments = specs_of(operands.subspan(1));
    std::vector<std::shared_ptr<Graph>> bodies;
    for (const auto& b : n.bodies)
      bodies.push_back(body(b, arguments));
    std::vector<Spec> outputs = output_specs(*bodies[0]);
    for (const auto& b : bodies) {
      for (std::size_t o = 0; o < outputs.size(); ++o)
        outputs[o].shape = common(outputs[o].shape, b->spec(b->outputs[o]).shape);
    }
    return copy(n, operands, outputs, std::move(bodies));
  }

  /// The state has the shapes of the operands where the body keeps them.
  std::vector<Tensor> loop(const Node& n, std::span<const Tensor> operands) {
    std::vector<Spec> state = specs_of(operands);
    for (int tries = 0; tries < kMaxLoopTries; ++tries) {
      const std::shared_ptr<Graph> next = body(n.bodies[1], state);
      if (next == n.bodies[1]) break;
      bool kept = true;
      for (std::size_t i = 0; i < state.size(); ++i) {
        const Shape shape = common(state[i].shape, next->spec(next->outputs[i]).shape);
        kept = kept && shape == state[i].shape;
        state[i].shape = shape;
      }
      if (kept) return copy(n, operands, state, {body(n.bodies[0], state), next});
    }
    return copy(n, operands, n.outputs, n.bodies);
  }

  template <class Specs>
  std::vector<Tensor> copy(const Node& n,
                           std::span<const Tensor> operands,
                           const Specs& outputs,
                           std::vector<std::shared_ptr<Graph>> bodies) {
    Node c;
    c.kind = n.kind;
    for (const Tensor& t : operands)
      c.inputs.push_back(builder_->ref(t, n.where));
    for (const Spec& s : outputs)
      c.outputs.push_back(s);
    c.bodies = std::move(bodies);
    return builder_->add_structural(std::move(c));
  }

  std::vector<Tensor> region(const Node& n, std::span<const Tensor> operands) {
    const std::shared_ptr<Graph> body =
        specialise(*n.bodies[0], specs_of(operands), options_, nodes_);
    return copy(n, operands, output_specs(*body), {body});
  }

  std::shared_ptr<Builder> builder_;
  const SpecialiseOptions& options_;
  Specialiser specialiser_;
  std::size_t& nodes_;
};

/// The declared spec of an input, made as exact as the given one.
Shape meet(const Graph& g, std::size_t i, const Spec& declared, const Spec& given) {
  const auto fail = [&] {
    throw Error({Code::invalid_argument,
                 "'" + g.name() + "': argument " + std::to_string(i) + " does not fit",
                 {},
                 given.describe(),
                 declared.describe(),
                 {}});
  };
  if (declared.dtype != given.dtype) fail();
  if (!declared.shape.has_rank()) return given.shape;
  if (!given.shape.has_rank()) return declared.shape;
  if (declared.shape.rank() != given.shape.rank()) fail();
  Shape out = given.shape;
  for (int d = 0; d < out.rank(); ++d) {
    const Dim wanted = declared.shape[d];
    if (wanted.known() && out[d].known() && wanted != out[d]) fail();
    if (!out[d].known()) out[d] = wanted;
  }
  return out;
}

std::shared_ptr<Graph> specialise(const Graph& g,
                                  std::span<const Spec> inputs,
                                  const SpecialiseOptions& options,
                                  std::size_t& nodes) {
  if (inputs.size() != g.inputs.size())
    throw Error({Code::invalid_argument,
                 "'" + g.name() + "': wrong number of arguments",
                 {},
                 std::to_string(inputs.size()),
                 std::to_string(g.inputs.size()),
                 {}});
  nodes += kNodesOfAGraph;
  const std::shared_ptr<Builder> builder = Builder::create(g.name());
  std::vector<Tensor> arguments;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Node& n = g.node(g.inputs[i]);
    arguments.push_back(
        builder->input({meet(g, i, n.outputs[0], inputs[i]), n.outputs[0].dtype, n.name}));
  }
  const std::vector<Tensor> results = Walk(builder, options, nodes).run(g, arguments);
  return builder->finish(results);
}

}  // namespace

std::shared_ptr<Graph> specialise(const Graph& g,
                                  std::span<const Spec> inputs,
                                  const SpecialiseOptions& options) {
  std::size_t nodes = 0;
  return specialise(g, inputs, options, nodes);
}

}  // namespace weir::plan
