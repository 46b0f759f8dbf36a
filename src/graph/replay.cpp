#include "graph/replay.h"

#include <atomic>

#include "dispatch/autocast.h"
#include "dispatch/call.h"
#include "graph/builder.h"

namespace weir::graph {
namespace {

std::atomic<StructuralRunner> structural_runner{nullptr};

using Values = base::SmallVector<Tensor, 1>;

class Replay {
 public:
  Replay(const Graph& graph, std::span<const Tensor> inputs) : graph_(graph) {
    values_.resize(graph.size());
    last_use_.assign(graph.size(), -1);
    for (int i = 0; i < int(graph.size()); ++i) {
      for (Ref r : graph.node(i).inputs)
        last_use_[std::size_t(r.node)] = i;
    }
    for (Ref r : graph.outputs)
      last_use_[std::size_t(r.node)] = int(graph.size());
    for (std::size_t k = 0; k < inputs.size(); ++k)
      values_[std::size_t(graph.inputs[k])] = {inputs[k]};
  }

  Values& run_node(int i) {
    const Node& n = graph_.node(i);
    Provenance provenance(n);
    Values& out = values_[std::size_t(i)];
    if (n.kind != Kind::input) out = evaluate(n);
    return out;
  }

  /// Drops values whose last reader was node i.
  void release(int i) {
    for (Ref r : graph_.node(i).inputs) {
      if (last_use_[std::size_t(r.node)] == i) values_[std::size_t(r.node)].clear();
    }
    if (last_use_[std::size_t(i)] < 0) values_[std::size_t(i)].clear();
  }

  const Tensor& value(Ref r) const { return values_[std::size_t(r.node)][std::size_t(r.output)]; }

 private:
  Values evaluate(const Node& n) {
    switch (n.kind) {
      case Kind::input:
        break;
      case Kind::constant:
        return {n.value};
      case Kind::output:
        return {value(n.inputs[0])};
      case Kind::read:
        return {Variable(n.variable).value(n.where)};
      case Kind::write:
        return {Variable(n.variable).assign(Operand(value(n.inputs[0]), n.where))};
      case Kind::op:
        return call_op(n);
      case Kind::call:
      case Kind::region:
        return to_values(replay(*n.bodies[0], operands(n)));
      case Kind::if_:
      case Kind::while_:
      case Kind::case_:
        return to_values(run_structural(n));
    }
    return {};
  }

  std::vector<Tensor> run_structural(const Node& n) const {
    const StructuralRunner run = structural_runner.load();
    if (!run)
      throw Error({Code::internal,
                   "replay of node '" + n.name + "': src/flow is not installed",
                   {},
                   {},
                   {},
                   {}});
    return run(n, operands(n));
  }

  Values call_op(const Node& n) {
    base::SmallVector<Operand, 6> inputs;
    for (Ref r : n.inputs)
      inputs.emplace_back(value(r), n.where);
    Values results(n.outputs.size());
    dispatch::call(*n.op, inputs, n.attrs.view(), results);
    return results;
  }

  std::vector<Tensor> operands(const Node& n) const {
    std::vector<Tensor> list;
    for (Ref r : n.inputs)
      list.push_back(value(r));
    return list;
  }
  static Values to_values(std::vector<Tensor> list) {
    return Values(std::span<const Tensor>(list));
  }

  const Graph& graph_;
  std::vector<Values> values_;
  std::vector<int> last_use_;
};

void check_inputs(const Graph& graph, std::span<const Tensor> inputs) {
  if (inputs.size() == graph.inputs.size()) return;
  throw Error({Code::invalid_argument,
               "replay of '" + graph.name() + "': wrong number of inputs",
               {},
               std::to_string(inputs.size()),
               std::to_string(graph.inputs.size()),
               {}});
}

}  // namespace

void set_structural_runner(StructuralRunner runner) {
  structural_runner = runner;
}

std::vector<Tensor> replay(const Graph& graph,
                           std::span<const Tensor> inputs,
                           void (*on_node)(void*, int, std::span<const Tensor>),
                           void* context) {
  check_inputs(graph, inputs);
  const dispatch::PauseAutocast as_traced;  // a traced conversion is a node of its own
  Replay r(graph, inputs);
  for (int i = 0; i < int(graph.size()); ++i) {
    const auto& results = r.run_node(i);
    if (on_node) on_node(context, i, results);
    r.release(i);
  }
  std::vector<Tensor> outputs;
  for (Ref ref : graph.outputs)
    outputs.push_back(r.value(ref));
  return outputs;
}

}  // namespace weir::graph
