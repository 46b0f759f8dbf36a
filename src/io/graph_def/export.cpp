#include "io/graph_def/export.h"

#include <algorithm>
#include <map>
#include <set>

#include "io/file/file.h"
#include "io/graph_def/attr_writer.h"
#include "io/graph_def/tensor_proto.h"
#include "tensor/variable_state.h"

namespace weir::io {

// No _ - / in front.
std::string node_name(const std::string& name) {
  std::string clean;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool inner = c == '_' || c == '.' || c == '-' || c == '/';
    clean += letter || (inner && (!clean.empty() || c == '.')) ? c : (clean.empty() ? 'n' : '_');
  }
  return clean.empty() ? "node" : clean;
}

namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;
using AttrKind = rt::Attr::Kind;
using Names = std::vector<std::string>;

// A version that every TensorFlow 2 reads, and the oldest that knows functions.
constexpr int kProducer = 1569;
constexpr int kMinConsumer = 12;

// The names of arguments of functions: lower-case letters, digits and _, a letter in front.
std::string clean_arg_name(const std::string& name) {
  std::string clean;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool letter = c >= 'a' && c <= 'z';
    const bool inner = (c >= '0' && c <= '9') || c == '_';
    if (clean.empty() && !letter) clean = "arg_";
    clean += letter || inner ? c : '_';
  }
  return clean.empty() ? "arg" : clean;
}

class NameSet {
 public:
  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int& i = next_[wanted]; !taken_.insert(name).second;) {
      name = wanted + "_" + std::to_string(++i);
    }
    return name;
  }

 private:
  std::set<std::string> taken_;
  std::map<std::string, int> next_;
};

// Writes the functions of a GraphDef's library, each body once.
class Library {
 public:
  Library(const ExportOptions& options, proto::GraphDef* out) : options_(options), out_(out) {
    for (const auto& function : out->library().function())
      names_.unique(function.signature().name());
  }

  const ExportOptions& options() const { return options_; }
  std::string function(const std::shared_ptr<Graph>& body);

 private:
  const ExportOptions& options_;
  proto::GraphDef* out_;
  NameSet names_;
  std::map<const Graph*, std::string> functions_;
};

// Writes the nodes of one name space: of the graph, or of one function with all regions in it.
class NodeWriter {
 public:
  using Nodes = google::protobuf::RepeatedPtrField<proto::NodeDef>;

  NodeWriter(Library& library, bool in_function, Nodes* nodes)
      : library_(library), options_(library.options()), in_function_(in_function), nodes_(nodes) {
    for (const proto::NodeDef& node : *nodes)
      names_.unique(node.name());
  }

  std::string reserve(const std::string& name) { return names_.unique(name); }
  std::string placeholder(const Node& node);
  /// Writes the nodes of `graph`, whose arguments are called `args`; the names of its results. Each
  /// node's name goes to `node_names`.
  Names write(const Graph& graph, const Names& args, Names* node_names = nullptr);
  /// A read or a write of the variable behind a resource.
  std::string read(const std::string& resource, DType dtype);
  void write(const std::string& resource, DType dtype, const std::string& value);
  /// Nodes that must run even if nobody reads them.
  const Names& effects() const { return effects_; }

 private:
  Names write_node(const Graph& graph, const Node& node, Names inputs);
  Names write_op(const Graph& graph, const Node& node, const Names& inputs);
  Names write_constant(const Tensor& value, const std::string& name);
  Names write_read(const Node& node);
  Names write_write(const Node& node, const Names& inputs);
  Names write_call(const Graph& graph, const Node& node, const Names& inputs);
  std::string handle_of(const Node& node);
  std::string static_operand(const Graph& graph, const Node& node, std::size_t attr);
  std::string dynamic_operand(const Graph& graph,
                              const Node& node,
                              std::size_t attr,
                              const Names& inputs);
  void add_types(proto::NodeDef* out, const char* name, std::span<const DType> types);
  void add_function(proto::NodeDef* out, const char* name, const std::shared_ptr<Graph>& body);
  void add_functions(const Node& node, proto::NodeDef* out);
  void note_effect(proto::NodeDef* out);
  proto::NodeDef* add_node(const std::string& name, const std::string& op, const Names& inputs);
  void add_shapes(std::span<const Spec> outputs, proto::NodeDef* out);
  Names output_names(const std::string& node, const std::string& arg, std::size_t count) const;
  Names op_output_names(const Node& node, const std::string& name) const;

  Library& library_;
  const ExportOptions& options_;
  const bool in_function_;
  Nodes* nodes_;
  NameSet names_;
  std::map<const VariableState*, std::string> handles_;
  Names effects_;
};

proto::NodeDef* NodeWriter::add_node(const std::string& name,
                                     const std::string& op,
                                     const Names& inputs) {
  proto::NodeDef* node = nodes_->Add();
  node->set_name(names_.unique(options_.name_prefix + node_name(name)));
  node->set_op(op);
  node->set_device(options_.device);
  for (const std::string& input : inputs)
    node->add_input(input);
  return node;
}

void NodeWriter::add_shapes(std::span<const Spec> outputs, proto::NodeDef* out) {
  auto* list = add_attr(out, "_output_shapes")->mutable_list();
  for (const Spec& spec : outputs)
    to_proto(spec.shape, list->add_shape());
}

// In a graph an output is known by its number, in a function by name and number within the name.
Names NodeWriter::output_names(const std::string& node,
                               const std::string& arg,
                               std::size_t count) const {
  Names names;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    names.push_back(in_function_ ? node + ":" + arg + ":" + number
                    : i == 0     ? node
                                 : node + ":" + number);
  }
  return names;
}

Names NodeWriter::op_output_names(const Node& node, const std::string& name) const {
  if (!in_function_) return output_names(name, "", node.outputs.size());
  const auto& defs = node.op->output_defs();
  Names names;
  for (const OperandDef& def : defs) {
    const std::size_t count = def.variadic ? node.outputs.size() - (defs.size() - 1) : 1;
    const Names part = output_names(name, node.op->stored_name(def.name), count);
    names.insert(names.end(), part.begin(), part.end());
  }
  return names;
}

std::string NodeWriter::placeholder(const Node& node) {
  proto::NodeDef* out = add_node(node.name, "Placeholder", {});
  add_shapes(std::span(&node.outputs[0], 1), out);
  add_attr(out, "dtype")->set_type(static_cast<proto::DataType>(node.outputs[0].dtype));
  to_proto(node.outputs[0].shape, add_attr(out, "shape")->mutable_shape());
  return out->name();
}

Names NodeWriter::write_constant(const Tensor& value, const std::string& name) {
  proto::NodeDef* out = add_node(name, "Const", {});
  const Spec spec{value.dtype(), value.shape()};
  add_shapes({&spec, 1}, out);
  add_attr(out, "dtype")->set_type(static_cast<proto::DataType>(value.dtype()));
  if (value.nbytes() <= options_.max_constant_bytes) {
    to_proto(value, add_attr(out, "value")->mutable_tensor());
  }
  return output_names(out->name(), "output", 1);
}

// One handle for each variable, named as the variable is: an empty or shared name would make
// TensorFlow take two variables for one.
std::string NodeWriter::handle_of(const Node& node) {
  std::string& handle = handles_[node.variable.get()];
  if (!handle.empty()) return handle;
  const Variable variable(node.variable);
  proto::NodeDef* out = add_node(variable.name(), "VarHandleOp", {});
  add_attr(out, "dtype")->set_type(static_cast<proto::DataType>(variable.dtype()));
  to_proto(variable.shape(), add_attr(out, "shape")->mutable_shape());
  add_attr(out, "shared_name")->set_s(out->name());
  handle = output_names(out->name(), "resource", 1)[0];
  return handle;
}

Names NodeWriter::write_read(const Node& node) {
  if (options_.freeze) return write_constant(node.variable->snapshot(), node.name);
  Names inputs = {handle_of(node)};
  if (!effects_.empty()) inputs.push_back("^" + effects_.back());
  proto::NodeDef* out = add_node(node.name, node.type(), inputs);
  add_shapes(std::span(&node.outputs[0], 1), out);
  add_attr(out, "dtype")->set_type(static_cast<proto::DataType>(node.outputs[0].dtype));
  return output_names(out->name(), "value", 1);
}

std::string NodeWriter::read(const std::string& resource, DType dtype) {
  proto::NodeDef* out = add_node(resource + "/Read", "ReadVariableOp", {resource});
  add_attr(out, "dtype")->set_type(static_cast<proto::DataType>(dtype));
  note_effect(out);
  return output_names(out->name(), "value", 1)[0];
}

void NodeWriter::write(const std::string& resource, DType dtype, const std::string& value) {
  proto::NodeDef* out = add_node(resource + "/Assign", "AssignVariableOp", {resource, value});
  add_attr(out, "dtype")->set_type(static_cast<proto::DataType>(dtype));
  note_effect(out);
}

Names NodeWriter::write_write(const Node& node, const Names& inputs) {
  if (options_.freeze) {
    fail(Code::unimplemented,
         "node '" + node.name + "' writes the variable '" + node.variable->name +
             "', which a graph of constants cannot do",
         "save a function that only reads its variables");
  }
  proto::NodeDef* out = add_node(node.name, node.type(), {handle_of(node), inputs[0]});
  add_attr(out, "dtype")->set_type(static_cast<proto::DataType>(node.outputs[0].dtype));
  note_effect(out);
  return {inputs[0]};
}

// Effects run one after the other, in program order.
void NodeWriter::note_effect(proto::NodeDef* out) {
  if (!effects_.empty()) out->add_input("^" + effects_.back());
  effects_.push_back(out->name());
}

// A table such as the paddings of Pad has the row length of its definition.
Shape shape_of(const AttrDef& def, std::int64_t count) {
  if (def.scalar) return {};
  return def.columns > 0 ? Shape{count / def.columns, def.columns} : Shape{count};
}

std::string NodeWriter::static_operand(const Graph& graph, const Node& node, std::size_t attr) {
  const AttrDef& def = node.op->attrs()[attr];
  const std::vector<std::int64_t> values = static_values(graph, node, attr);
  const auto count = static_cast<std::int64_t>(values.size());
  const Shape shape = shape_of(def, count);
  Tensor tensor = Tensor::from(values, shape);
  if (static_dtype(graph, node, attr) == DType::int32) {
    tensor = Tensor::from(std::vector<std::int32_t>(values.begin(), values.end()), shape);
  }
  return write_constant(tensor, node.name + "_" + node.op->stored_name(def.name))[0];
}

// The tensor that carries a static operand, in the dtype that the node's attributes say.
std::string NodeWriter::dynamic_operand(const Graph& graph,
                                        const Node& node,
                                        std::size_t attr,
                                        const Names& inputs) {
  const auto operand = static_cast<std::size_t>(node.attrs[attr].i);
  const DType have = graph.spec(node.inputs[operand]).dtype;
  const DType want = static_dtype(graph, node, attr);
  if (have == want) return inputs[operand];
  const std::string& name = node.op->stored_name(node.op->attrs()[attr].name);
  proto::NodeDef* cast = add_node(node.name + "_" + name, "Cast", {inputs[operand]});
  add_attr(cast, "SrcT")->set_type(static_cast<proto::DataType>(have));
  add_attr(cast, "DstT")->set_type(static_cast<proto::DataType>(want));
  add_attr(cast, "Truncate")->set_b(false);
  return output_names(cast->name(), "y", 1)[0];
}

// TensorFlow's inputs: the node's own, with the static operands where the definition puts them.
Names NodeWriter::write_op(const Graph& graph, const Node& node, const Names& inputs) {
  Names all(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(own_inputs(node)));
  std::map<int, std::string> front;
  Names back;
  for (std::size_t i = 0; i < node.attrs.size(); ++i) {
    const AttrDef& def = node.op->attrs()[i];
    if (!def.is_operand) continue;
    const bool dynamic = node.attrs[i].kind == AttrKind::operand;
    const std::string name =
        dynamic ? dynamic_operand(graph, node, i, inputs) : static_operand(graph, node, i);
    if (def.input < 0) {
      back.push_back(name);
    } else {
      front[def.input] = name;
    }
  }
  for (const auto& [position, name] : front) {
    const auto at = std::min(all.size(), static_cast<std::size_t>(position));
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(at), name);
  }
  all.insert(all.end(), back.begin(), back.end());
  proto::NodeDef* out = add_node(node.name, node.op->name(), all);
  add_shapes(std::span(node.outputs.begin(), node.outputs.size()), out);
  write_attrs(graph, node, out);
  if (node.has_effect()) note_effect(out);
  return op_output_names(node, out->name());
}

void NodeWriter::add_types(proto::NodeDef* out, const char* name, std::span<const DType> types) {
  auto* list = add_attr(out, name)->mutable_list();
  for (const DType type : types)
    list->add_type(static_cast<proto::DataType>(type));
}

void NodeWriter::add_function(proto::NodeDef* out,
                              const char* name,
                              const std::shared_ptr<Graph>& body) {
  add_attr(out, name)->mutable_func()->set_name(library_.function(body));
}

void NodeWriter::add_functions(const Node& node, proto::NodeDef* out) {
  switch (node.kind) {
    case Kind::if_:
      add_attr(out, "Tcond")->set_type(proto::DT_BOOL);
      add_function(out, "then_branch", node.bodies[0]);
      return add_function(out, "else_branch", node.bodies[1]);
    case Kind::while_:
      add_function(out, "cond", node.bodies[0]);
      return add_function(out, "body", node.bodies[1]);
    case Kind::case_: {
      auto* list = add_attr(out, "branches")->mutable_list();
      for (const auto& body : node.bodies)
        list->add_func()->set_name(library_.function(body));
      return;
    }
    default:
      return add_function(out, "f", node.bodies[0]);
  }
}

Names NodeWriter::write_call(const Graph& graph, const Node& node, const Names& inputs) {
  // The type lists are of what is passed on: not the condition or the index.
  const bool chooses = node.kind == Kind::if_ || node.kind == Kind::case_;
  std::vector<DType> in;
  for (std::size_t i = chooses ? 1 : 0; i < node.inputs.size(); ++i) {
    in.push_back(graph.spec(node.inputs[i]).dtype);
  }
  std::vector<DType> types;
  for (const Spec& spec : node.outputs)
    types.push_back(spec.dtype);
  const bool effect = node.has_effect();
  const bool pure_call = node.kind == Kind::call && !effect;
  proto::NodeDef* out = add_node(node.name, pure_call ? "PartitionedCall" : node.type(), inputs);
  add_shapes(std::span(node.outputs.begin(), node.outputs.size()), out);
  if (node.kind == Kind::while_) {
    add_types(out, "T", in);
  } else {
    add_types(out, "Tin", in);
    add_types(out, "Tout", types);
  }
  add_functions(node, out);
  if (effect) note_effect(out);
  return output_names(out->name(), "output", node.outputs.size());
}

Names NodeWriter::write_node(const Graph& graph, const Node& node, Names inputs) {
  switch (node.kind) {
    case Kind::constant:
      return write_constant(node.value, node.name);
    case Kind::output:
      return inputs;
    case Kind::read:
      return write_read(node);
    case Kind::write:
      return write_write(node, inputs);
    case Kind::region:
      return write(*node.bodies[0], inputs);
    case Kind::op:
      return write_op(graph, node, inputs);
    case Kind::input:
    case Kind::call:
    case Kind::if_:
    case Kind::while_:
    case Kind::case_:
      return write_call(graph, node, inputs);
  }
  return {};
}

Names NodeWriter::write(const Graph& graph, const Names& args, Names* node_names) {
  std::vector<Names> results(graph.size());
  const auto name_of = [&](Ref r) {
    return results[static_cast<std::size_t>(r.node)][static_cast<std::size_t>(r.output)];
  };
  for (std::size_t i = 0; i < args.size(); ++i) {
    results[static_cast<std::size_t>(graph.inputs[i])] = {args[i]};
  }
  const std::vector<bool> needed =
      options_.prune ? graph::needed_nodes(graph) : std::vector<bool>(graph.size(), true);
  if (node_names != nullptr) node_names->resize(graph.size());
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!needed[i] || node.kind == Kind::input) continue;
    Names inputs;
    for (const Ref r : node.inputs)
      inputs.push_back(name_of(r));
    const int before = nodes_->size();
    results[i] = write_node(graph, node, std::move(inputs));
    if (node_names != nullptr && nodes_->size() > before) {
      (*node_names)[i] = nodes_->Get(nodes_->size() - 1).name();
    }
  }
  Names outputs;
  for (const Ref r : graph.outputs)
    outputs.push_back(name_of(r));
  return outputs;
}

void add_entry(google::protobuf::RepeatedPtrField<proto::NameEntry>* map,
               const std::string& key,
               const std::string& value) {
  proto::NameEntry* entry = map->Add();
  entry->set_key(key);
  entry->set_value(value);
}

void add_arg(google::protobuf::RepeatedPtrField<proto::OpDef::ArgDef>* args,
             const std::string& name,
             int type) {
  proto::OpDef::ArgDef* arg = args->Add();
  arg->set_name(name);
  arg->set_type(static_cast<proto::DataType>(type));
}

void add_result(proto::FunctionDef* function,
                std::size_t number,
                DType dtype,
                const std::string& name) {
  const std::string arg = "output_" + std::to_string(number);
  add_arg(function->mutable_signature()->mutable_output_arg(), arg, static_cast<int>(dtype));
  add_entry(function->mutable_ret(), arg, name);
}

void add_effects(proto::FunctionDef* function, const Names& effects) {
  function->mutable_signature()->set_is_stateful(!effects.empty());
  for (const std::string& effect : effects) {
    function->mutable_signature()->add_control_output(effect);
    add_entry(function->mutable_control_ret(), effect, effect);
  }
}

std::string Library::function(const std::shared_ptr<Graph>& body) {
  const auto known = functions_.find(body.get());
  if (known != functions_.end()) return known->second;
  const std::string name = names_.unique(node_name(body->name()));
  functions_[body.get()] = name;
  proto::FunctionDef function;
  proto::OpDef* signature = function.mutable_signature();
  signature->set_name(name);
  NodeWriter writer(*this, true, function.mutable_node_def());
  Names args;
  for (const int input : body->inputs) {
    const Node& node = body->node(input);
    args.push_back(writer.reserve(clean_arg_name(node.name)));
    add_arg(signature->mutable_input_arg(), args.back(), static_cast<int>(node.outputs[0].dtype));
  }
  const Names outputs = writer.write(*body, args);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    add_result(&function, i, body->spec(body->outputs[i]).dtype, outputs[i]);
  add_effects(&function, writer.effects());
  *out_->mutable_library()->add_function() = std::move(function);
  return name;
}

}  // namespace

ExportedNames export_graph(const Graph& graph, const ExportOptions& options, proto::GraphDef* out) {
  out->mutable_versions()->set_producer(kProducer);
  out->mutable_versions()->set_min_consumer(kMinConsumer);
  Library library(options, out);
  NodeWriter writer(library, false, out->mutable_node());
  Names args;
  for (const int input : graph.inputs)
    args.push_back(writer.placeholder(graph.node(input)));
  ExportedNames names;
  names.outputs = writer.write(graph, args, &names.nodes);
  names.inputs = std::move(args);
  for (std::string& name : names.inputs)
    name += ":0";
  for (std::string& name : names.outputs) {
    if (name.find(':') == std::string::npos) name += ":0";
  }
  return names;
}

void export_function(const tracing::PureGraph& function,
                     const std::string& name,
                     std::span<const std::size_t> inputs,
                     std::span<const std::size_t> outputs,
                     proto::GraphDef* out) {
  const ExportOptions options;
  Library library(options, out);
  proto::FunctionDef def;
  def.mutable_signature()->set_name(name);
  auto* arguments = def.mutable_signature()->mutable_input_arg();
  NodeWriter writer(library, true, def.mutable_node_def());
  const Graph& graph = *function.graph;
  Names args(function.arguments);
  for (const std::size_t i : inputs) {
    const Node& node = graph.node(graph.inputs[i]);
    args[i] = writer.reserve(clean_arg_name(node.name));
    add_arg(arguments, args[i], static_cast<int>(node.outputs[0].dtype));
  }
  std::map<const VariableState*, std::string> resources;
  for (const auto& variable : function.variables) {
    const std::string resource = writer.reserve("resource");
    add_arg(arguments, resource, proto::DT_RESOURCE);
    resources[variable.get()] = resource;
    args.push_back(writer.read(resource, variable->dtype()));
  }
  const Names results = writer.write(graph, args);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    add_result(&def, i, graph.spec(graph.outputs[outputs[i]]).dtype, results[outputs[i]]);
  for (std::size_t i = 0; i < function.written.size(); ++i) {
    const VariableState& variable = *function.written[i];
    writer.write(resources.at(&variable), variable.dtype(), results[function.results + i]);
  }
  add_effects(&def, writer.effects());
  *out->mutable_library()->add_function() = std::move(def);
}

}  // namespace weir::io
