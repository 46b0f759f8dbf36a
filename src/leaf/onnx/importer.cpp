#include "leaf/onnx/importer.h"

#include <weir/ops/array.h>

#include <algorithm>
#include <stdexcept>

#include "dispatch/handler.h"
#include "io/file/file.h"
#include "leaf/onnx/table.h"

namespace weir::onnx_io {
namespace {

using graph::Builder;
using onnx_proto::GraphProto;
using onnx_proto::NodeProto;

constexpr int kMaxDepth = 48;                   // of graphs within nodes, and of functions
constexpr std::int64_t kMaxNodes = 250'000;     // read in all, functions counted at each call
constexpr std::int64_t kMaxFolded = 16 << 20;   // bytes that folding a node may make of nothing
constexpr std::int64_t kMaxFoldedPerInput = 8;  // and per byte of its operands
constexpr std::int64_t kMaxFixed = 1024;        // elements of an argument that becomes a constant
constexpr int kLastOpset = 28;

[[noreturn]] void damaged(const std::string& what) {
  io::fail(Code::data_loss, what);
}

class Depth {
 public:
  explicit Depth(int& depth) : depth_(depth) {
    if (++depth_ > kMaxDepth) {
      --depth_;
      damaged("graphs or functions are nested more than 48 deep");
    }
  }
  ~Depth() { --depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  int& depth_;
};

template <class Imports>
Opsets read_opsets(const Imports& imports) {
  Opsets opsets;
  for (const auto& set : imports) {
    const std::string domain = set.domain() == "ai.onnx" ? "" : set.domain();
    if (set.version() < 1 || set.version() > INT32_MAX) damaged("an operator set's version");
    opsets[domain] = static_cast<int>(set.version());
  }
  return opsets;
}

std::string function_key(std::string_view domain,
                         std::string_view name,
                         std::string_view overload) {
  std::string key(domain == "ai.onnx" ? "" : domain);
  key += '\n';
  key += name;
  key += '\n';
  key += overload;
  return key;
}

// May what failed succeed for operands whose shapes, or whose values if they are short, are known?
bool is_curable(const std::vector<Value>& inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const Value& v) {
    if (!v.tensor.defined() || !v.tensor.is_symbolic()) return false;
    return !v.tensor.shape().is_static() || v.tensor.size() <= kMaxFixed;
  });
}

bool has_graph(const NodeProto& node) {
  return std::any_of(node.attribute().begin(), node.attribute().end(), [](const auto& a) {
    return a.has_g() || a.graphs_size() > 0;
  });
}

bool all_constant(const std::vector<Value>& values) {
  return std::all_of(values.begin(), values.end(), [](const Value& v) {
    if (v.sequence != nullptr) return all_constant(*v.sequence);
    return !v.tensor.defined() || !v.tensor.is_symbolic();
  });
}

std::int64_t bytes_of(const std::vector<Value>& values) {
  std::int64_t bytes = 0;
  for (const Value& v : values) {
    if (v.sequence != nullptr) bytes += bytes_of(*v.sequence);
    if (v.tensor.defined()) bytes += v.tensor.nbytes();
  }
  return bytes;
}

// Do the ops of a converter make no more than a small multiple of what they are given? A file of
// 100 bytes may ask for a constant of 2^60.
bool stays_small(const graph::Graph& graph, std::int64_t given) {
  std::int64_t made = 0;
  for (const graph::Node& node : graph.nodes()) {
    if (node.kind == graph::Kind::constant) continue;
    for (const Spec& spec : node.outputs) {
      if (!spec.shape.is_static()) continue;
      std::int64_t bytes = 0;
      if (__builtin_mul_overflow(spec.shape.size(), byte_size(spec.dtype), &bytes) ||
          __builtin_add_overflow(made, bytes, &made)) {
        return false;
      }
    }
  }
  return made <= kMaxFolded + kMaxFoldedPerInput * given;
}

[[noreturn]] void rethrow_at(const Error& error, const NodeProto& node) {
  if (error.info().what.starts_with("node '")) throw error;
  ErrorInfo info = error.info();
  info.what = describe(node) + ": " + info.what;
  info.where.clear();
  throw Error(info);
}

}  // namespace

bool Known::fixes(const Tensor& argument) const {
  const bool is_list = argument.rank() <= 1 && argument.size() <= kMaxFixed;
  const bool is_index = is_integer(argument.dtype()) || argument.dtype() == DType::boolean;
  return is_list && (level >= 2 || (level == 1 && is_index));
}

const Value* Scope::find(const std::string& name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent) {
    const auto found = scope->values.find(name);
    if (found != scope->values.end()) return &found->second;
  }
  return nullptr;
}

GraphReader::GraphReader(const onnx_proto::ModelProto& model, DataFiles files, const Known* known)
    : model_(model),
      files_(std::move(files)),
      opsets_(read_opsets(model.opset_import())),
      known_(known) {
  for (const auto& f : model.functions()) {
    const std::string key = function_key(f.domain(), f.name(), f.overload());
    if (functions_.emplace(key, &f).second) continue;
    damaged("the function '" + printable(f.name()) + "' is there twice");
  }
}

void GraphReader::read_initializers(const GraphProto& graph, Scope* scope) {
  const auto add = [&](const std::string& name, Value value) {
    if (scope->values.emplace(name, std::move(value)).second) return;
    damaged("the initializer '" + printable(name) + "' is there twice");
  };
  for (const auto& tensor : graph.initializer()) {
    const std::string what = "initializer '" + printable(tensor.name()) + "'";
    add(tensor.name(), value_from_proto(tensor, files_, what));
  }
  for (const auto& tensor : graph.sparse_initializer()) {
    const std::string& name = tensor.values().name();
    add(name, value_from_proto(tensor, files_, "initializer '" + printable(name) + "'"));
  }
}

Shape GraphReader::input_shape(const onnx_proto::TypeProto::Tensor& type, const std::string& what) {
  if (!type.has_shape()) return Shape::unknown_rank();
  if (type.shape().dim_size() > kMaxRank) damaged(what + ": more than 254 dimensions");
  std::vector<std::int64_t> known;
  Shape shape;
  for (const auto& dim : type.shape().dim()) {
    if (dim.has_dim_value()) {
      known.push_back(dim.dim_value());
      shape.push_back(Dim(dim.dim_value()));
    } else if (!dim.dim_param().empty()) {
      const auto known_symbol = symbols_.try_emplace(dim.dim_param(), Dim::unknown());
      if (known_symbol.second) known_symbol.first->second = Dim::fresh_symbol();
      shape.push_back(known_symbol.first->second);
    } else {
      shape.push_back(Dim::unknown());
    }
  }
  checked_shape(known, what);
  return shape;
}

Value GraphReader::read_input(const onnx_proto::ValueInfoProto& info, ImportedModel* model) {
  const std::string what = "input '" + printable(info.name()) + "'";
  if (!info.type().has_tensor_type()) {
    io::fail(Code::unimplemented, what + ": a sequence, an optional or a map");
  }
  const auto& tensor = info.type().tensor_type();
  const ElemType type = elem_type_from(tensor.elem_type(), what);
  TensorSpec spec{input_shape(tensor, what), storage_dtype(type), info.name()};
  const std::size_t number = model->inputs.size();
  model->inputs.push_back(spec);
  if (known_ == nullptr) return {builder_->input(spec), type};
  const Tensor& argument = known_->arguments.at(number);
  spec.shape = argument.shape();
  const Tensor symbol = builder_->input(spec);
  return {known_->fixes(argument) ? argument : symbol, type};
}

void GraphReader::read_inputs(const GraphProto& graph, Scope* scope, ImportedModel* model) {
  for (const auto& info : graph.input()) {
    // An initializer of the same name is a default; ir_version 3 demands both.
    if (scope->values.contains(info.name())) continue;
    if (info.name().empty()) damaged("an input without name");
    scope->values.emplace(info.name(), read_input(info, model));
  }
}

void GraphReader::read_nodes(const Nodes& nodes, Scope* scope) {
  for (const NodeProto& node : nodes)
    read_node(node, scope);
}

void GraphReader::read_node(const NodeProto& node, Scope* scope) {
  if (++nodes_read_ > kMaxNodes) {
    io::fail(Code::resource_exhausted, "more than 250,000 nodes, functions counted at each call");
  }
  std::vector<Value> inputs;
  bool known = true;
  for (const std::string& name : node.input()) {
    const Value* value = name.empty() ? nullptr : scope->find(name);
    if (!name.empty() && value == nullptr) {
      damaged(describe(node) + ": its operand '" + printable(name) + "' is defined nowhere before");
    }
    inputs.push_back(value == nullptr ? Value() : *value);
    known = known && !inputs.back().unsupported;
  }
  Value missing;
  missing.unsupported = true;
  Values results(static_cast<std::size_t>(node.output_size()), missing);
  if (known) {
    try {
      results = convert(node, *scope, inputs);
    } catch (const Error& error) {
      if (error.code() != Code::unimplemented) rethrow_at(error, node);
      note_missing(node, inputs, error);
    } catch (const std::logic_error&) {
      damaged(describe(node) + ": a list of the wrong length");
    }
  }
  for (int i = 0; i < node.output_size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (node.output(i).empty()) continue;
    if (at >= results.size()) damaged(describe(node) + ": it has too many results");
    if (scope->values.emplace(node.output(i), std::move(results[at])).second) continue;
    damaged(describe(node) + ": its result '" + printable(node.output(i)) + "' is there already");
  }
}

void GraphReader::note_missing(const NodeProto& node,
                               const std::vector<Value>& inputs,
                               const Error& error) {
  const std::string& what = error.info().what;
  missing_.push_back(what.starts_with("node '") ? what : describe(node) + ": " + what);
  curable_ = curable_ && (is_curable(inputs) || has_graph(node));
}

const onnx_proto::FunctionProto* GraphReader::find_function(const NodeProto& node) const {
  const auto found = functions_.find(function_key(node.domain(), node.op_type(), node.overload()));
  return found == functions_.end() ? nullptr : found->second;
}

Values GraphReader::convert(const NodeProto& node, const Scope& scope, std::vector<Value> inputs) {
  graph::Node provenance;
  provenance.name = node.name().empty() ? node.op_type() : node.name();
  const graph::Provenance named(provenance);
  if (const auto* function = find_function(node)) {
    return call(*function, node, scope, std::move(inputs));
  }
  return convert_op(node, scope, std::move(inputs));
}

Values GraphReader::convert_op(const NodeProto& node,
                               const Scope& scope,
                               std::vector<Value> inputs) {
  const Converter* converter = find_converter(node.domain(), node.op_type());
  const auto opset = scope.opsets->find(node.domain() == "ai.onnx" ? "" : node.domain());
  if (opset == scope.opsets->end()) damaged("the model does not import its operator set");
  if (converter == nullptr) {
    io::fail(Code::unimplemented, "Weir has no op like it");
  }
  if (opset->first.empty() && opset->second > kLastOpset) {
    curable_ = false;
    io::fail(Code::unimplemented,
             "operator set " + std::to_string(opset->second) + "; Weir knows those to " +
                 std::to_string(kLastOpset));
  }
  if (opset->second < converter->since) {
    curable_ = false;
    io::fail(Code::unimplemented,
             "its form in operator set " + std::to_string(opset->second) + "; Weir knows that of " +
                 std::to_string(converter->since) + " on");
  }
  const bool fold = converter->pure && all_constant(inputs) && !has_graph(node);
  const std::int64_t given = fold ? bytes_of(inputs) : 0;
  NodeContext context(*this, scope, node, std::move(inputs), opset->second);
  if (!fold) return converter->convert(context);
  const auto probe = Builder::create("probe");
  {
    const dispatch::HandlerScope tracing(*probe);
    converter->convert(context);
  }
  if (!stays_small(probe->graph(), given)) return converter->convert(context);
  const InitScope now;
  return converter->convert(context);
}

Values GraphReader::call(const onnx_proto::FunctionProto& function,
                         const NodeProto& node,
                         const Scope& scope,
                         std::vector<Value> inputs) {
  const Depth depth(depth_);
  const std::string key = function_key(function.domain(), function.name(), function.overload());
  if (!open_functions_.insert(key).second) damaged("the function calls itself");
  if (static_cast<int>(inputs.size()) > function.input_size()) damaged("too many operands");
  CallAttrs attrs;
  for (const auto& a : function.attribute_proto())
    attrs[a.name()] = &a;
  for (const auto& a : node.attribute()) {
    const auto* value = &a;
    if (!a.ref_attr_name().empty()) {
      const auto found = scope.attrs ? scope.attrs->find(a.ref_attr_name()) : attrs.end();
      if (scope.attrs == nullptr || found == scope.attrs->end()) continue;
      value = found->second;
    }
    attrs[a.name()] = value;
  }
  const Opsets opsets = read_opsets(function.opset_import());
  Scope body{nullptr, &opsets, &attrs};
  for (int i = 0; i < function.input_size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    body.values[function.input(i)] = at < inputs.size() ? inputs[at] : Value();
  }
  read_nodes(function.node(), &body);
  Values results;
  for (const std::string& name : function.output()) {
    const Value* value = body.find(name);
    if (value == nullptr) damaged("the function does not compute '" + printable(name) + "'");
    results.push_back(*value);
  }
  open_functions_.erase(key);
  return results;
}

namespace {

// Where the file says more of a result's shape than is known, it is believed, and checked when run.
Value with_declared_shape(const Value& value, const onnx_proto::TypeProto::Tensor& type) {
  if (!value.tensor.defined() || !value.tensor.is_symbolic() || !type.has_shape() ||
      value.tensor.shape().is_static()) {
    return value;
  }
  std::vector<std::int64_t> dims;
  for (const auto& dim : type.shape().dim())
    dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  if (dims.size() > kMaxRank ||
      std::any_of(dims.begin(), dims.end(), [](auto d) { return d < 0; })) {
    return value;
  }
  return {ensure_shape(value.tensor, dims), value.type};
}

}  // namespace

Values GraphReader::run(const GraphProto& graph, const Values& arguments, const Scope& outer) {
  const Depth depth(depth_);
  Scope scope{&outer, outer.opsets, outer.attrs};
  read_initializers(graph, &scope);
  std::size_t next = 0;
  for (const auto& input : graph.input()) {
    if (scope.values.contains(input.name())) continue;
    if (next >= arguments.size()) damaged("its graph takes more arguments");
    scope.values.emplace(input.name(), arguments[next++]);
  }
  if (next < arguments.size()) damaged("its graph takes fewer arguments");
  read_nodes(graph.node(), &scope);
  Values results;
  for (const auto& output : graph.output()) {
    const Value* value = scope.find(output.name());
    if (value == nullptr) damaged("its graph does not compute '" + printable(output.name()) + "'");
    if (value->unsupported) io::fail(Code::unimplemented, "a graph that is not supported");
    results.push_back(with_declared_shape(*value, output.type().tensor_type()));
  }
  return results;
}

void GraphReader::read_outputs(const GraphProto& graph,
                               const Scope& scope,
                               ImportedModel* model,
                               std::vector<Tensor>* results) {
  for (const auto& info : graph.output()) {
    const std::string what = "output '" + printable(info.name()) + "'";
    const Value* value = scope.find(info.name());
    if (value == nullptr) damaged(what + " is not computed");
    if (value->unsupported) continue;
    if (!value->tensor.defined()) {
      missing_.push_back(what + ": a sequence or an optional");
      continue;
    }
    const int declared = info.type().tensor_type().elem_type();
    if (declared != 0 && declared != static_cast<int>(value->type)) {
      damaged(what + " has another type: " + name(value->type));
    }
    model->outputs.push_back({value->tensor.shape(), value->tensor.dtype(), info.name()});
    results->push_back(value->tensor);
  }
}

// Results as the file declares them, if it does.
ImportedModel GraphReader::without_graph(ImportedModel model) {
  for (const std::string& what : missing_)
    model.obstacle += (model.obstacle.empty() ? "" : "; ") + what;
  if (!curable_ || (known_ != nullptr && known_->level >= 2)) {
    io::fail(Code::unimplemented, model.obstacle);
  }
  model.outputs.clear();
  for (const auto& info : model_.graph().output()) {
    const std::string what = "output '" + printable(info.name()) + "'";
    if (!info.type().has_tensor_type()) io::fail(Code::unimplemented, model.obstacle);
    const auto& type = info.type().tensor_type();
    const ElemType elem = elem_type_from(type.elem_type(), what);
    model.outputs.push_back({input_shape(type, what), storage_dtype(elem), info.name()});
  }
  return model;
}

ImportedModel GraphReader::read() {
  ImportedModel model;
  const GraphProto& graph = model_.graph();
  model.name = graph.name();
  builder_ = Builder::create(graph.name().empty() ? "onnx" : graph.name());
  const dispatch::HandlerScope tracing(*builder_);
  Scope scope{nullptr, &opsets_, nullptr};
  read_initializers(graph, &scope);
  read_inputs(graph, &scope, &model);
  read_nodes(graph.node(), &scope);
  std::vector<Tensor> results;
  read_outputs(graph, scope, &model, &results);
  if (!missing_.empty()) return without_graph(std::move(model));
  model.graph = builder_->finish(results);
  graph::verify(*model.graph);
  return model;
}

namespace {

// Collects the ops of graphs, of graphs within their nodes, and of functions that they call.
class OpCollector {
 public:
  explicit OpCollector(const onnx_proto::ModelProto& model) {
    for (const auto& f : model.functions())
      functions_.emplace(function_key(f.domain(), f.name(), f.overload()), &f);
    for (const NodeProto& node : model.graph().node())
      add(node, 0);
  }
  std::vector<std::string> missing() const { return {missing_.begin(), missing_.end()}; }

 private:
  void add(const NodeProto& node, int depth) {
    if (depth > kMaxDepth) damaged("graphs or functions are nested more than 48 deep");
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) add(attribute.g(), depth);
      for (const GraphProto& graph : attribute.graphs())
        add(graph, depth);
    }
    const auto f = functions_.find(function_key(node.domain(), node.op_type(), node.overload()));
    if (f == functions_.end()) {
      if (find_converter(node.domain(), node.op_type()) != nullptr) return;
      const std::string domain = node.domain().empty() ? "" : printable(node.domain()) + "::";
      missing_.insert(domain + printable(node.op_type()));
    } else if (seen_.insert(f->first).second) {
      for (const NodeProto& inner : f->second->node())
        add(inner, depth + 1);
    }
  }
  void add(const GraphProto& graph, int depth) {
    for (const NodeProto& node : graph.node())
      add(node, depth + 1);
  }

  std::map<std::string, const onnx_proto::FunctionProto*> functions_;
  std::set<std::string> seen_;
  std::set<std::string> missing_;
};

}  // namespace

std::vector<std::string> unsupported_ops(const onnx_proto::ModelProto& model) {
  return OpCollector(model).missing();
}

ModelFile::ModelFile(std::string_view bytes, DataFiles files, std::string name)
    : files_(std::move(files)), name_(std::move(name)) {
  if (bytes.size() > INT32_MAX ||
      !proto_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !proto_.has_graph()) {
    io::fail(Code::data_loss, "'" + name_ + "' is damaged, or no ONNX model");
  }
  std::string list;
  for (const std::string& op : unsupported_ops(proto_))
    list += (list.empty() ? "" : ", ") + op;
  if (list.empty()) return;
  io::fail(Code::unimplemented,
           "cannot load '" + name_ + "': ops that Weir does not have: " + list);
}

ImportedModel ModelFile::read(const Known* known) const {
  try {
    return GraphReader(proto_, files_, known).read();
  } catch (const Error& error) {
    ErrorInfo info = error.info();
    info.what = "cannot load '" + name_ + "': " + info.what;
    throw Error(info);
  }
}

}  // namespace weir::onnx_io
