/// Calls, branches and loops of a file.
#include <weir/functions.h>
#include <weir/ops/array.h>

#include <algorithm>

#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/library.h"
#include "io/graph_def/node_reader.h"

namespace weir::io {
namespace {

using graph::Kind;
using graph::Node;
using Specs = std::vector<Spec>;

[[noreturn]] void damaged(const std::string& what) {
  fail(Code::data_loss, what);
}

[[noreturn]] void different_kinds() {
  damaged("its functions do not fit each other");
}

bool same_kinds(const Values& a, const Values& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_kind);
}

Values symbolic_inputs(const NodeCall& call, std::size_t first) {
  Values values;
  for (std::size_t i = first; i < call.inputs.size(); ++i) {
    values.push_back(call.inputs[i].is_tensor() ? Value(call.tensor(i)) : call.inputs[i]);
  }
  return values;
}

bool only_tensors(const Values& values) {
  return std::all_of(values.begin(), values.end(), [](const Value& v) { return v.is_tensor(); });
}

Specs result_specs(const graph::Graph& body) {
  Specs specs;
  for (const graph::Ref r : body.outputs)
    specs.push_back(body.spec(r));
  return specs;
}

// Tensors of these shapes, to ask a function what it makes of them.
std::vector<Tensor> placeholders(const Specs& specs) {
  const auto builder = graph::Builder::create("state");
  std::vector<Tensor> tensors;
  for (const Spec& spec : specs)
    tensors.push_back(builder->input({spec.shape, spec.dtype, "state"}));
  return tensors;
}

// What both shapes say.
Shape common(const Shape& a, const Shape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return Shape::unknown_rank();
  std::vector<std::int64_t> dims;
  const auto x = a.to_vector(), y = b.to_vector();
  for (std::size_t i = 0; i < x.size(); ++i)
    dims.push_back(x[i] == y[i] ? x[i] : -1);
  return Shape(dims);
}

// Takes out of `specs` what `other` does not say; false if nothing had to be taken out.
bool relax(Specs* specs, const Specs& other) {
  bool changed = false;
  for (std::size_t i = 0; i < specs->size(); ++i) {
    if ((*specs)[i].shape == other[i].shape) continue;
    const Shape shape = common((*specs)[i].shape, other[i].shape);
    changed = changed || shape.to_string() != (*specs)[i].shape.to_string();
    (*specs)[i].shape = shape;
  }
  return changed;
}

// Appends the node and gives its results the kinds of `kinds`.
Values add_node(const NodeCall& call, Node node, const Specs& outputs, const Values& kinds) {
  node.name = call.def.name();
  for (const Spec& spec : outputs)
    node.outputs.push_back(spec);
  return with_tensors(kinds, call.reader.builder()->add_structural(std::move(node)));
}

void add_inputs(const NodeCall& call, std::span<const Tensor> tensors, Node* node) {
  for (const Tensor& tensor : tensors)
    node->inputs.push_back(call.reader.builder()->ref(tensor, {}));
}

// A branch that is chosen now.
Values run_branch(const NodeCall& call, const std::string& branch) {
  const Values arguments(call.inputs.begin() + 1, call.inputs.end());
  return call.reader.library().expand(branch, arguments, nullptr);
}

Values add_branches(const NodeCall& call, Kind kind, const std::vector<std::string>& branches) {
  const Values arguments = symbolic_inputs(call, 1);
  Node node;
  node.kind = kind;
  const Tensor chooser[] = {call.tensor(0)};
  add_inputs(call, chooser, &node);
  add_inputs(call, tensors_of(arguments), &node);
  Specs outputs;
  Values kinds;
  for (const std::string& name : branches) {
    const Body& body = call.reader.library().body(name, arguments);
    const Specs specs = result_specs(*body.graph);
    if (node.bodies.empty()) {
      outputs = specs;
      kinds = body.results;
    }
    if (!same_kinds(body.results, kinds)) different_kinds();
    relax(&outputs, specs);
    node.bodies.push_back(body.graph);
  }
  return add_node(call, std::move(node), outputs, kinds);
}

void check_chooser(const NodeCall& call, DType wanted) {
  if (call.inputs.empty()) damaged("it has no inputs");
  if (call.tensor(0).dtype() != wanted) damaged("its first input has the wrong dtype");
}

Values convert_if(const NodeCall& call) {
  check_chooser(call, DType::boolean);
  const std::string& yes = function_attr(call.def, "then_branch");
  const std::string& no = function_attr(call.def, "else_branch");
  if (call.reader.builder() == nullptr) {
    return run_branch(call, call.tensor(0).item<bool>() ? yes : no);
  }
  return add_branches(call, Kind::if_, {yes, no});
}

Values convert_case(const NodeCall& call) {
  check_chooser(call, DType::int32);
  const proto::AttrValue* list = find_attr(call.def, "branches");
  if (list == nullptr || list->list().func().empty()) damaged("it has no branches");
  std::vector<std::string> branches;
  for (const auto& function : list->list().func())
    branches.push_back(function.name());
  if (call.reader.builder() != nullptr) return add_branches(call, Kind::case_, branches);
  const auto index = static_cast<std::size_t>(call.tensor(0).item<std::int32_t>());
  return run_branch(call, branches[std::min(index, branches.size() - 1)]);
}

// A list in which nothing is set before a loop has no shape yet: one turn, of which nothing else is
// used, tells it. Where the shape is known without running, that turn is dead code.
Values with_shaped_lists(const NodeCall& call, const std::string& body, Values state) {
  graph::Builder* builder = call.reader.builder();
  const std::size_t before = builder->graph().size();
  const Values turn = call.reader.library().expand(body, state, builder);
  for (std::size_t i = 0; i < state.size(); ++i) {
    const List* list = state[i].list.get();
    if (list == nullptr || list->items.defined()) continue;
    if (turn[i].list == nullptr || !turn[i].list->items.defined()) continue;
    List shaped = *list;
    shaped.items = zeros_like(turn[i].list->items);
    state[i] = std::move(shaped);
  }
  for (std::size_t i = before; i < builder->graph().size(); ++i) {
    if (!builder->graph().node(static_cast<int>(i)).must_stay()) continue;
    fail(Code::unimplemented, "a loop that changes variables, and a list without shape before it");
  }
  return state;
}

Values run_loop(const NodeCall& call, const std::string& condition, const std::string& body) {
  Library& library = call.reader.library();
  Values state = call.inputs;
  for (;;) {
    const Values go_on = library.expand(condition, state, nullptr);
    if (go_on.size() != 1 || !go_on[0].is_tensor() || go_on[0].tensor.dtype() != DType::boolean) {
      damaged("its condition");
    }
    if (!go_on[0].tensor.item<bool>()) return state;
    state = library.expand(body, state, nullptr);
    if (state.size() != call.inputs.size()) different_kinds();
  }
}

Values convert_while(const NodeCall& call) {
  const std::string& condition = function_attr(call.def, "cond");
  const std::string& body = function_attr(call.def, "body");
  if (call.reader.builder() == nullptr) return run_loop(call, condition, body);
  Library& library = call.reader.library();
  Values state = symbolic_inputs(call, 0);
  if (!same_kinds(library.body(body, state).results, state)) {
    if (library.body(body, state).results.size() != state.size()) different_kinds();
    state = with_shaped_lists(call, body, std::move(state));
  }
  Node node;
  node.kind = Kind::while_;
  const std::vector<Tensor> initial = tensors_of(state);
  add_inputs(call, initial, &node);
  Specs specs;
  for (const Tensor& tensor : initial)
    specs.push_back({tensor.dtype(), tensor.shape()});
  // State whose shape changes from turn to turn: what is left is what every turn keeps.
  Values kinds = state;
  const Body* turn = &library.body(body, kinds);
  for (;;) {
    if (!same_kinds(turn->results, state)) different_kinds();
    if (!relax(&specs, result_specs(*turn->graph))) break;
    kinds = with_tensors(state, placeholders(specs));
    turn = &library.body(body, kinds);
  }
  const Body& test = library.body(condition, kinds);
  if (test.results.size() != 1 || !test.results[0].is_tensor() ||
      test.results[0].tensor.dtype() != DType::boolean) {
    damaged("its condition");
  }
  node.bodies = {test.graph, turn->graph};
  return add_node(call, std::move(node), specs, state);
}

Values convert_call(const NodeCall& call) {
  return call_function(call, function_attr(call.def, "f"));
}

constexpr ConverterEntry kConverters[] = {
    {"PartitionedCall", convert_call},
    {"StatefulPartitionedCall", convert_call},
    {"If", convert_if},
    {"StatelessIf", convert_if},
    {"While", convert_while},
    {"StatelessWhile", convert_while},
    {"Case", convert_case},
    {"StatelessCase", convert_case},
};

}  // namespace

std::span<const ConverterEntry> control_converters() {
  return kConverters;
}

// A call of tensors stays a call. What takes variables or lists is read in its place.
Values call_function(const NodeCall& call, const std::string& function) {
  graph::Builder* builder = call.reader.builder();
  if (builder == nullptr || !only_tensors(call.inputs)) {
    return call.reader.library().expand(function, call.inputs, builder);
  }
  const Values arguments = symbolic_inputs(call, 0);
  const Body& body = call.reader.library().body(function, arguments);
  Node node;
  node.kind = Kind::call;
  node.bodies = {body.graph};
  add_inputs(call, tensors_of(arguments), &node);
  return add_node(call, std::move(node), result_specs(*body.graph), body.results);
}

}  // namespace weir::io
