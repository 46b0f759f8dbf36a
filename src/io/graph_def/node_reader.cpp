#include "io/graph_def/node_reader.h"

#include <algorithm>

#include "dispatch/call.h"
#include "dispatch/registry.h"
#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/library.h"

namespace weir::io {
namespace {

[[noreturn]] void damaged(const std::string& what) {
  fail(Code::data_loss, what);
}

const std::unordered_map<std::string_view, Converter>& converters() {
  static const auto table = [] {
    std::unordered_map<std::string_view, Converter> all;
    for (const auto entries : {control_converters(),
                               variable_converters(),
                               table_converters(),
                               list_converters(),
                               composed_converters(),
                               plain_converters()}) {
      for (const ConverterEntry& entry : entries)
        all.emplace(entry.op, entry.convert);
    }
    return all;
  }();
  return table;
}

std::string input_name(const proto::NodeDef& def, std::size_t input) {
  const std::string& text = def.input(static_cast<int>(input));
  return text.substr(0, text.find(':'));
}

}  // namespace

Converter find_converter(std::string_view op) {
  const auto found = converters().find(op);
  return found == converters().end() ? nullptr : found->second;
}

const Value& NodeCall::value(std::size_t input) const {
  if (input < inputs.size()) return inputs[input];
  damaged("input " + std::to_string(input) + " is missing");
}

Tensor NodeCall::tensor(std::size_t input) const {
  const Value& v = value(input);
  if (v.is_tensor()) return reader.symbolic(v.tensor, input_name(def, input));
  if (v.handle != nullptr) return variable(input).value();
  damaged("input " + std::to_string(input) + " is no tensor");
}

Tensor NodeCall::constant(std::size_t input) const {
  const Value& v = value(input);
  if (v.is_tensor() && !v.tensor.is_symbolic()) return v.tensor;
  fail(Code::unimplemented,
       "input " + std::to_string(input) + " is known only when the graph runs; a constant is read");
}

Handle& NodeCall::variable(std::size_t input) const {
  const Value& v = value(input);
  if (v.handle == nullptr || v.handle->is_table)
    damaged("input " + std::to_string(input) + " is no variable");
  return *v.handle;
}

const List& NodeCall::list(std::size_t input) const {
  const Value& v = value(input);
  if (v.list == nullptr) damaged("input " + std::to_string(input) + " is no list of tensors");
  return *v.list;
}

NodeReader::NodeReader(Library& library,
                       const Nodes& nodes,
                       graph::Builder* builder,
                       bool in_function)
    : library_(library),
      nodes_(nodes),
      builder_(builder),
      in_function_(in_function),
      results_(static_cast<std::size_t>(nodes.size())),
      open_(results_.size()) {
  for (int i = 0; i < nodes.size(); ++i) {
    if (index_.emplace(nodes[i].name(), i).second) continue;
    damaged(describe(nodes[i]) + ": its name is there twice");
  }
}

Resources& NodeReader::resources() const {
  return library_.resources();
}

Tensor NodeReader::symbolic(const Tensor& value, const std::string& name) const {
  return value.is_symbolic() || builder_ == nullptr ? value : builder_->constant(value, name);
}

const Value* NodeReader::given(const Reference& input) const {
  if (!input.arg.empty()) return nullptr;
  const auto found = given_.find({input.node, input.number});
  return found == given_.end() ? nullptr : &found->second;
}

int NodeReader::node_of(const Reference& input) const {
  const auto found = index_.find(input.node);
  if (found != index_.end()) return found->second;
  damaged("there is no node '" + std::string(input.node.substr(0, 200)) + "'");
}

// Depth first without recursion: a file may hold a chain of a million nodes.
void NodeReader::read(const std::string& reference) {
  const Reference root = parse_reference(reference, in_function_);
  if (given(root) != nullptr) return;
  const int node = node_of(root);
  if (results_[static_cast<std::size_t>(node)].done) return;
  std::vector<Visit> stack = {{node, 0}};
  open_[static_cast<std::size_t>(node)] = true;
  while (!stack.empty()) {
    if (push_next_input(&stack)) continue;
    const int finished = stack.back().node;
    stack.pop_back();
    convert(finished);
    open_[static_cast<std::size_t>(finished)] = false;
  }
}

bool NodeReader::push_next_input(std::vector<Visit>* stack) {
  Visit& top = stack->back();
  const proto::NodeDef& def = nodes_[top.node];
  while (top.next_input < def.input_size()) {
    const Reference input = parse_reference(def.input(top.next_input++), in_function_);
    if (given(input) != nullptr) continue;
    const int node = node_of(input);
    if (results_[static_cast<std::size_t>(node)].done) continue;
    if (open_[static_cast<std::size_t>(node)]) damaged(describe(def) + ": it needs its own result");
    open_[static_cast<std::size_t>(node)] = true;
    stack->push_back({node, 0});
    return true;
  }
  return false;
}

void NodeReader::convert(int index) {
  const proto::NodeDef& def = nodes_[index];
  Result& result = results_[static_cast<std::size_t>(index)];
  graph::Node provenance;
  provenance.name = def.name();
  const graph::Provenance scope(provenance);
  try {
    result.values = convert_node(def, &result.op);
  } catch (const Error& error) {
    if (error.info().what.starts_with("node '")) throw;
    ErrorInfo info = error.info();
    info.what = describe(def) + ": " + info.what;
    info.where.clear();
    throw Error(info);
  }
  result.done = true;
}

std::size_t NodeReader::flat_output(const Result& result, const Reference& input) const {
  const auto number = static_cast<std::size_t>(input.number);
  std::size_t first = 0;
  std::size_t count = result.values.size();
  if (!input.arg.empty() && result.op != nullptr) {
    const auto& defs = result.op->output_defs();
    const auto def = std::find_if(defs.begin(), defs.end(), [&](const OperandDef& d) {
      return result.op->stored_name(d.name) == input.arg;
    });
    if (def == defs.end()) damaged("there is no output '" + std::string(input.arg) + "'");
    first = static_cast<std::size_t>(def - defs.begin());
    count = def->variadic ? result.values.size() - (defs.size() - 1) : 1;
  }
  if (number >= count) {
    damaged("'" + std::string(input.node.substr(0, 200)) + "' has no output " +
            std::to_string(number));
  }
  return first + number;
}

Value NodeReader::lookup(const Reference& input) const {
  if (const Value* known = given(input)) return *known;
  const Result& result = results_[static_cast<std::size_t>(node_of(input))];
  return result.values[flat_output(result, input)];
}

Value NodeReader::value(const std::string& reference) {
  const Reference input = parse_reference(reference, in_function_);
  Value value = lookup(input);
  if (value.is_tensor()) value.tensor = symbolic(value.tensor, std::string(input.node));
  return value;
}

Values NodeReader::data_inputs(const proto::NodeDef& def) const {
  Values values;
  bool control = false;
  for (const std::string& text : def.input()) {
    const Reference input = parse_reference(text, in_function_);
    if (!input.control && control) damaged("a data input after a control input");
    control = input.control;
    if (!control) values.push_back(lookup(input));
  }
  return values;
}

Values NodeReader::convert_node(const proto::NodeDef& def, const OpDef** op) {
  const NodeCall call{*this, def, data_inputs(def)};
  if (const Converter convert = find_converter(def.op())) return convert(call);
  if (library_.has(def.op())) return call_function(call, def.op());
  *op = find_op(def.op());
  if (*op == nullptr) fail(Code::unimplemented, "unsupported op '" + def.op().substr(0, 100) + "'");
  return convert_op(call, **op);
}

Values NodeReader::convert_op(const NodeCall& node, const OpDef& op) {
  const ReadCall call = read_call(op, node.def, static_cast<int>(node.inputs.size()));
  std::size_t own = call.operands.size();
  for (const AttrDef& attr : op.attrs())
    own -= attr.is_operand ? 1 : 0;
  std::vector<Tensor> values;
  std::vector<DType> types;
  for (std::size_t i = 0; i < call.operands.size(); ++i) {
    const auto position = static_cast<std::size_t>(call.operands[i]);
    const Value& input = node.value(position);
    values.push_back(i >= own && input.is_tensor() ? input.tensor : node.tensor(position));
    if (i < own) types.push_back(values.back().dtype());
  }
  check_types(op, node.def, types);
  const std::vector<Operand> operands(values.begin(), values.end());
  std::vector<Tensor> results(static_cast<std::size_t>(op.output_count(call.attrs)));
  dispatch::call(op, operands, call.attrs, results);
  return {results.begin(), results.end()};
}

}  // namespace weir::io
