#include "io/graph_def/import.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <unordered_map>

#include "dispatch/call.h"
#include "dispatch/registry.h"
#include "graph/builder.h"
#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/tensor_proto.h"

namespace weir::io {
namespace {

using graph::Builder;
using graph::Graph;
using graph::Kind;
using graph::Node;
using Nodes = google::protobuf::RepeatedPtrField<proto::NodeDef>;

constexpr int kMaxDepth = 64;  // of functions that call functions

[[noreturn]] void damaged(const std::string& what) {
  fail(Code::data_loss, what);
}

// A reference to an output: "node", "node:1"; in a function "argument", "node:output:1".
struct Input {
  std::string_view node;
  std::string_view arg;  // of a function's node
  int number = 0;
  bool control = false;  // "^node"
};

Input parse_input(std::string_view text) {
  Input input;
  input.control = text.starts_with('^');
  if (input.control) text.remove_prefix(1);
  const std::size_t first = text.find(':');
  input.node = text.substr(0, first);
  if (first == std::string_view::npos) return input;
  text.remove_prefix(first + 1);
  const std::size_t second = text.rfind(':');
  if (second != std::string_view::npos) {
    input.arg = text.substr(0, second);
    text.remove_prefix(second + 1);
  }
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, input.number);
  if (error == std::errc() && end == last && input.number >= 0) return input;
  // "node:output" alone means element 0.
  if (!input.arg.empty() || text.empty()) damaged("an input with a damaged number");
  input.arg = text;
  input.number = 0;
  return input;
}

// The functions of a file, each read once for each list of argument types it is called with.
class Library {
 public:
  explicit Library(const proto::FunctionDefLibrary& library) {
    for (const proto::FunctionDef& function : library.function()) {
      if (!functions_.emplace(function.signature().name(), &function).second) {
        damaged("the function '" + function.signature().name() + "' is there twice");
      }
    }
  }

  bool has(const std::string& name) const { return functions_.contains(name); }
  std::shared_ptr<Graph> body(const std::string& name, std::span<const Spec> arguments);

 private:
  std::shared_ptr<Graph> read(const proto::FunctionDef& function, std::span<const Spec> arguments);

  std::unordered_map<std::string_view, const proto::FunctionDef*> functions_;
  std::map<std::string, std::shared_ptr<Graph>> bodies_;
  std::set<std::string> open_;
};

// Reads the nodes of one name space into a graph under construction.
class NodeReader {
 public:
  NodeReader(Library& library, const Nodes& nodes, Builder& builder, bool in_function);

  /// Gives the value of a tensor that is not computed here: an argument, or a tensor that is fed.
  void set(std::string_view node, int output, const Tensor& value) {
    given_[{node, output}] = value;
  }
  /// Reads what these tensors need, in an order in which it can run.
  void read(std::span<const std::string> outputs);
  Tensor value(const std::string& reference);

 private:
  struct Result {
    std::vector<Tensor> values;
    const OpDef* op = nullptr;
    bool done = false;
  };
  struct Visit {
    int node;
    int next_input;
  };

  Input parse(std::string_view text) const;
  int node_of(const Input& input) const;
  const Tensor* given(const Input& input) const;
  void visit(const std::string& reference);
  bool push_next_input(std::vector<Visit>* stack);
  void convert(int index);
  std::vector<Tensor> convert_node(const proto::NodeDef& def, const OpDef** op);
  std::vector<Tensor> convert_op(const proto::NodeDef& def, const OpDef& op);
  std::vector<Tensor> convert_structural(const proto::NodeDef& def, Kind kind);
  std::vector<std::shared_ptr<Graph>> bodies_of(const proto::NodeDef& def,
                                                Kind kind,
                                                std::span<const Spec> arguments);
  std::vector<Tensor> data_inputs(const proto::NodeDef& def);
  std::size_t flat_output(const Result& result, const Input& input) const;
  Tensor symbolic(const Tensor& value, const std::string& name);

  Library& library_;
  const Nodes& nodes_;
  Builder& builder_;
  const bool in_function_;
  std::unordered_map<std::string_view, int> index_;
  std::map<std::pair<std::string_view, int>, Tensor> given_;
  std::vector<Result> results_;
  std::vector<bool> open_;
};

NodeReader::NodeReader(Library& library, const Nodes& nodes, Builder& builder, bool in_function)
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

// Only in a function does an input name an output by more than its number.
Input NodeReader::parse(std::string_view text) const {
  const Input input = parse_input(text);
  if (input.arg.empty() || in_function_) return input;
  damaged("an input with a damaged number: '" + std::string(text.substr(0, 200)) + "'");
}

const Tensor* NodeReader::given(const Input& input) const {
  if (!input.arg.empty()) return nullptr;
  const auto found = given_.find({input.node, input.number});
  return found == given_.end() ? nullptr : &found->second;
}

int NodeReader::node_of(const Input& input) const {
  const auto found = index_.find(input.node);
  if (found != index_.end()) return found->second;
  damaged("there is no node '" + std::string(input.node.substr(0, 200)) + "'");
}

void NodeReader::read(std::span<const std::string> outputs) {
  for (const std::string& output : outputs)
    visit(output);
}

// Depth first without recursion: a file may hold a chain of a million nodes.
void NodeReader::visit(const std::string& reference) {
  const Input root = parse(reference);
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
    const Input input = parse(def.input(top.next_input++));
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
  Node provenance;
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

// A constant stays a value until an operand needs a node: as a static operand it becomes an
// attribute.
Tensor NodeReader::symbolic(const Tensor& value, const std::string& name) {
  return value.is_symbolic() ? value : builder_.constant(value, name);
}

std::size_t NodeReader::flat_output(const Result& result, const Input& input) const {
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

Tensor NodeReader::value(const std::string& reference) {
  const Input input = parse(reference);
  if (const Tensor* known = given(input)) return *known;
  const Result& result = results_[static_cast<std::size_t>(node_of(input))];
  return symbolic(result.values[flat_output(result, input)], std::string(input.node));
}

std::vector<Tensor> NodeReader::data_inputs(const proto::NodeDef& def) {
  std::vector<Tensor> values;
  bool control = false;
  for (const std::string& text : def.input()) {
    const Input input = parse(text);
    if (!input.control && control) damaged("a data input after a control input");
    control = input.control;
    if (control) continue;
    if (const Tensor* known = given(input)) {
      values.push_back(*known);
      continue;
    }
    const Result& result = results_[static_cast<std::size_t>(node_of(input))];
    values.push_back(result.values[flat_output(result, input)]);
  }
  return values;
}

// The kinds of node that are no ops, by TensorFlow's names.
const std::map<std::string_view, Kind>& structural_kinds() {
  static const std::map<std::string_view, Kind> kinds = {{"PartitionedCall", Kind::call},
                                                         {"StatefulPartitionedCall", Kind::call},
                                                         {"If", Kind::if_},
                                                         {"StatelessIf", Kind::if_},
                                                         {"While", Kind::while_},
                                                         {"StatelessWhile", Kind::while_},
                                                         {"Case", Kind::case_},
                                                         {"StatelessCase", Kind::case_}};
  return kinds;
}

std::vector<Tensor> NodeReader::convert_node(const proto::NodeDef& def, const OpDef** op) {
  if (def.op() == "NoOp") return {};
  if (def.op() == "Placeholder") damaged("it is no input of the signature, and has no value");
  if (def.op() == "Const") {
    const proto::AttrValue* value = find_attr(def, "value");
    if (value == nullptr || !value->has_tensor()) damaged("a constant without value");
    const Tensor tensor = tensor_from_proto(value->tensor(), describe(def));
    if (type_attr(def, "dtype") != tensor.dtype()) damaged("its value has another dtype");
    return {tensor};
  }
  const auto structural = structural_kinds().find(def.op());
  if (structural != structural_kinds().end()) return convert_structural(def, structural->second);
  if (library_.has(def.op())) return convert_structural(def, Kind::call);
  *op = find_op(def.op());
  if (*op == nullptr) fail(Code::unimplemented, "unsupported op '" + def.op().substr(0, 100) + "'");
  return convert_op(def, **op);
}

std::vector<Tensor> NodeReader::convert_op(const proto::NodeDef& def, const OpDef& op) {
  const std::vector<Tensor> inputs = data_inputs(def);
  const ReadCall call = read_call(op, def, static_cast<int>(inputs.size()));
  std::size_t own = call.operands.size();
  for (const AttrDef& attr : op.attrs())
    own -= attr.is_operand ? 1 : 0;
  std::vector<Tensor> values;
  std::vector<DType> types;
  for (std::size_t i = 0; i < call.operands.size(); ++i) {
    const auto position = static_cast<std::size_t>(call.operands[i]);
    const Tensor& value = inputs[position];
    const std::string name(parse(def.input(static_cast<int>(position))).node);
    values.push_back(i < own ? symbolic(value, name) : value);
    if (i < own) types.push_back(value.dtype());
  }
  check_types(op, def, types);
  const std::vector<Operand> operands(values.begin(), values.end());
  std::vector<Tensor> results(static_cast<std::size_t>(op.output_count(call.attrs)));
  dispatch::call(op, operands, call.attrs, results);
  return results;
}

std::vector<Spec> specs_of(std::span<const Tensor> tensors) {
  std::vector<Spec> specs;
  for (const Tensor& tensor : tensors)
    specs.push_back({tensor.dtype(), tensor.shape()});
  return specs;
}

std::vector<Spec> result_specs(const Graph& body) {
  std::vector<Spec> specs;
  for (const graph::Ref r : body.outputs)
    specs.push_back(body.spec(r));
  return specs;
}

void check_same_types(const std::vector<Spec>& a, const std::vector<Spec>& b) {
  const bool same =
      std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Spec& x, const Spec& y) {
        return x.dtype == y.dtype;
      });
  if (!same) damaged("its functions do not fit each other");
}

// The same dtypes, nothing said about shapes.
std::vector<Spec> without_shapes(std::vector<Spec> specs) {
  for (Spec& spec : specs)
    spec.shape = Shape::unknown_rank();
  return specs;
}

bool same_shapes(const std::vector<Spec>& a, const std::vector<Spec>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Spec& x, const Spec& y) {
    return x.shape == y.shape;
  });
}

std::vector<std::shared_ptr<Graph>> NodeReader::bodies_of(const proto::NodeDef& def,
                                                          Kind kind,
                                                          std::span<const Spec> arguments) {
  const auto body = [&](const char* attr) {
    return library_.body(function_attr(def, attr), arguments);
  };
  switch (kind) {
    case Kind::if_:
      return {body("then_branch"), body("else_branch")};
    case Kind::while_:
      return {body("cond"), body("body")};
    case Kind::case_: {
      std::vector<std::shared_ptr<Graph>> bodies;
      const proto::AttrValue* list = find_attr(def, "branches");
      if (list == nullptr || list->list().func().empty()) damaged("it has no branches");
      for (const auto& f : list->list().func())
        bodies.push_back(library_.body(f.name(), arguments));
      return bodies;
    }
    default:
      return {library_.has(def.op()) ? library_.body(def.op(), arguments) : body("f")};
  }
}

std::vector<Tensor> NodeReader::convert_structural(const proto::NodeDef& def, Kind kind) {
  Node node;
  node.kind = kind;
  node.name = def.name();
  std::vector<Tensor> inputs = data_inputs(def);
  const bool chooses = kind == Kind::if_ || kind == Kind::case_;
  if (chooses && inputs.empty()) damaged("it has no inputs");
  const DType chooser = kind == Kind::if_ ? DType::boolean : DType::int32;
  if (chooses && inputs[0].dtype() != chooser) damaged("its first input has the wrong dtype");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Input input = parse(def.input(static_cast<int>(i)));
    inputs[i] = symbolic(inputs[i], std::string(input.node));
    node.inputs.push_back(builder_.ref(inputs[i], {}));
  }
  std::vector<Spec> arguments = specs_of(std::span(inputs).subspan(chooses ? 1 : 0));
  node.bodies = bodies_of(def, kind, arguments);
  if (kind == Kind::while_) {
    // State whose shape changes from turn to turn has no shape that is known before.
    if (!same_shapes(result_specs(*node.bodies[1]), arguments)) {
      arguments = without_shapes(arguments);
      node.bodies = bodies_of(def, kind, arguments);
    }
    const std::vector<Spec> condition = result_specs(*node.bodies[0]);
    if (condition.size() != 1 || condition[0].dtype != DType::boolean) damaged("its condition");
    check_same_types(result_specs(*node.bodies[1]), arguments);
  }
  std::vector<Spec> outputs = result_specs(*node.bodies.back());
  for (const auto& body : node.bodies) {
    if (kind == Kind::while_) break;
    const std::vector<Spec> results = result_specs(*body);
    check_same_types(results, outputs);
    if (!same_shapes(results, outputs)) outputs = without_shapes(outputs);
  }
  for (const Spec& spec : outputs)
    node.outputs.push_back(spec);
  return builder_.add_structural(std::move(node));
}

std::shared_ptr<Graph> Library::body(const std::string& name, std::span<const Spec> arguments) {
  std::string key = name;
  for (const Spec& spec : arguments)
    key += "|" + spec.describe();
  const auto known = bodies_.find(key);
  if (known != bodies_.end()) return known->second;
  const auto function = functions_.find(name);
  if (function == functions_.end()) damaged("there is no function '" + name.substr(0, 200) + "'");
  if (open_.contains(name)) fail(Code::unimplemented, "the function '" + name + "' calls itself");
  if (open_.size() >= kMaxDepth) damaged("functions are nested more than 64 deep");
  open_.insert(name);
  std::shared_ptr<Graph> body = read(*function->second, arguments);
  open_.erase(name);
  return bodies_[key] = std::move(body);
}

std::shared_ptr<Graph> Library::read(const proto::FunctionDef& function,
                                     std::span<const Spec> arguments) {
  const proto::OpDef& signature = function.signature();
  if (signature.input_arg_size() != static_cast<int>(arguments.size())) {
    damaged("the function '" + signature.name() + "' takes another number of arguments");
  }
  const auto builder = Builder::create(signature.name());
  const dispatch::HandlerScope scope(*builder);
  NodeReader reader(*this, function.node_def(), *builder, true);
  for (int i = 0; i < signature.input_arg_size(); ++i) {
    const Spec& spec = arguments[static_cast<std::size_t>(i)];
    const std::string& name = signature.input_arg(i).name();
    reader.set(name, 0, builder->input({spec.shape, spec.dtype, name}));
  }
  std::vector<std::string> wanted;
  for (const proto::NameEntry& entry : function.control_ret())
    wanted.push_back(entry.value());
  std::vector<std::string> results;
  for (const auto& output : signature.output_arg()) {
    const auto ret = std::find_if(function.ret().begin(), function.ret().end(), [&](const auto& e) {
      return e.key() == output.name();
    });
    if (ret == function.ret().end()) damaged("a function without result '" + output.name() + "'");
    results.push_back(ret->value());
  }
  reader.read(wanted);
  reader.read(results);
  std::vector<Tensor> outputs;
  for (const std::string& result : results)
    outputs.push_back(reader.value(result));
  return builder->finish(outputs);
}

}  // namespace

std::shared_ptr<Graph> import_graph(const proto::GraphDef& def,
                                    std::span<const ImportedInput> inputs,
                                    std::span<const std::string> outputs,
                                    const std::string& name) {
  Library library(def.library());
  const auto builder = Builder::create(name);
  const dispatch::HandlerScope scope(*builder);
  NodeReader reader(library, def.node(), *builder, false);
  for (const ImportedInput& input : inputs) {
    const Input tensor = parse_input(input.tensor);
    reader.set(tensor.node, tensor.number, builder->input(input.spec));
  }
  reader.read(outputs);
  std::vector<Tensor> results;
  for (const std::string& output : outputs)
    results.push_back(reader.value(output));
  std::shared_ptr<Graph> graph = builder->finish(results);
  graph::verify(*graph);
  return graph;
}

}  // namespace weir::io
