#include "leaf/onnx/export.h"

#include <weir/ops/math.h>

#include <algorithm>
#include <unordered_set>

#include "base/utf8.h"
#include "function/concrete.h"
#include "io/file/file.h"
#include "leaf/onnx/constant.h"
#include "leaf/onnx/context.h"
#include "tensor/variable_state.h"

namespace weir::onnx_io {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;
using AttrKind = rt::Attr::Kind;

constexpr int kIrVersion = 8;

[[noreturn]] void missing(const std::string& what) {
  io::fail(Code::unimplemented, "onnx::save: " + what);
}

void set_attr(const char* name, const AttrValue& value, onnx_proto::NodeProto* node) {
  onnx_proto::AttributeProto* a = node->add_attribute();
  a->set_name(name);
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    a->set_i(*i);
    a->set_type(2);
  } else if (const auto* f = std::get_if<float>(&value)) {
    a->set_f(*f);
    a->set_type(1);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    a->set_s(*s);
    a->set_type(3);
  } else {
    for (const std::int64_t v : std::get<Ints64>(value))
      a->add_ints(v);
    a->set_type(7);
  }
}

void set_shape(const Shape& shape, onnx_proto::TypeProto::Tensor* type) {
  if (!shape.has_rank()) return;
  auto* out = type->mutable_shape();
  for (const Dim dim : shape.dims()) {
    auto* d = out->add_dim();
    if (dim.known()) d->set_dim_value(dim.value());
    if (dim.is_symbol()) d->set_dim_param("dim" + std::to_string(-dim.raw()));
  }
}

void set_info(const std::string& name, const Spec& spec, onnx_proto::ValueInfoProto* info) {
  info->set_name(name);
  auto* type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(static_cast<int>(elem_type(spec.dtype)));
  set_shape(spec.shape, type);
}

onnx_proto::GraphProto* add_graph(const char* name, onnx_proto::NodeProto* node) {
  onnx_proto::AttributeProto* a = node->add_attribute();
  a->set_name(name);
  a->set_type(5);
  a->mutable_g()->set_name(name);
  return a->mutable_g();
}

}  // namespace

// -- OpExport --

void OpExport::unsupported(const std::string& cause) const {
  missing("node '" + node_.name + "' (" + op() + "): " + cause);
}

std::size_t OpExport::own_inputs_count() const {
  std::size_t count = inputs_.size();
  for (std::size_t i = 0; i < node_.attrs.size(); ++i)
    count -= node_.attrs[i].kind == AttrKind::operand ? 1 : 0;
  return count;
}

std::int64_t OpExport::rank(std::size_t i) const {
  if (!spec(i).shape.has_rank()) unsupported("an operand of unknown rank");
  return spec(i).shape.rank();
}

const rt::Attr& OpExport::attr(const char* name) const {
  return node_.attrs[static_cast<std::size_t>(node_.op->attr_index(name))];
}

std::int64_t OpExport::i(const char* name) const {
  return attr(name).i;
}
double OpExport::f(const char* name) const {
  return attr(name).f;
}
bool OpExport::flag(const char* name) const {
  return attr(name).b;
}
std::string OpExport::s(const char* name) const {
  return {attr(name).s, attr(name).count};
}
bool OpExport::has(const char* name) const {
  return attr(name).has_value();
}
bool OpExport::is_known(const char* name) const {
  return attr(name).kind != AttrKind::operand ||
         w.constant_value(inputs_[static_cast<std::size_t>(attr(name).i)]) != nullptr;
}

Ints64 OpExport::list(const char* name) const {
  const rt::Attr& a = attr(name);
  if (a.kind == AttrKind::ints) return {a.ints, a.ints + a.count};
  if (a.kind == AttrKind::integer) return {a.i};
  if (a.kind != AttrKind::operand) return {};
  const Tensor* value = w.constant_value(inputs_[static_cast<std::size_t>(a.i)]);
  if (value == nullptr) unsupported(std::string("its ") + name + " is computed");
  return to_ints(*value);
}

std::string OpExport::operand(const char* name) const {
  const rt::Attr& a = attr(name);
  if (a.kind != AttrKind::operand) return w.ints(list(name));
  const auto at = static_cast<std::size_t>(a.i);
  if (spec(at).dtype == DType::int64) return inputs_[at];
  return w.emit("Cast", {inputs_[at]}, {{"to", std::int64_t(ElemType::int64)}});
}

// -- GraphWriter --

GraphWriter::GraphWriter(onnx_proto::GraphProto* graph, GraphWriter* outer, int opset)
    : graph_(graph), outer_(outer), opset_(opset) {
  if (outer_ != nullptr) scope_ = outer_->scope_;
}

std::string GraphWriter::unique(const std::string& wanted) {
  if (outer_ != nullptr) return outer_->unique(wanted);
  std::string name = wanted;
  for (int& i = next_suffix_[wanted]; !taken_.insert(name).second;)
    name = wanted + "_" + std::to_string(++i);
  return name;
}

std::string GraphWriter::constant(const Tensor& value, const std::string& name) {
  const auto known = constant_names_.find(value.impl());
  if (known != constant_names_.end()) return known->second;
  if (elem_type(value.dtype()) == ElemType::undefined) missing("a constant " + value.describe());
  const std::string own = unique(scope_.empty() ? name : scope_ + "/" + name);
  onnx_proto::TensorProto* tensor = graph_->add_initializer();
  to_proto(value, tensor);
  tensor->set_name(own);
  constants_[own] = value;
  constant_names_[value.impl()] = own;
  return own;
}

std::string GraphWriter::number(double value, DType dtype) {
  const InitScope now;
  return constant(cast(Tensor(value), dtype), "number");
}

const Tensor* GraphWriter::constant_value(const std::string& name) const {
  const auto found = constants_.find(name);
  if (found != constants_.end()) return &found->second;
  return outer_ == nullptr ? nullptr : outer_->constant_value(name);
}

ValueNames GraphWriter::emit_many(const char* op,
                                  const ValueNames& inputs,
                                  const NamedAttrs& attrs,
                                  std::size_t outputs) {
  onnx_proto::NodeProto* node = graph_->add_node();
  const std::string name = unique(scope_.empty() ? op : scope_ + "/" + op);
  node->set_name(name);
  node->set_op_type(op);
  for (const std::string& input : inputs)
    node->add_input(input);
  for (const auto& [key, value] : attrs)
    set_attr(key, value, node);
  ValueNames names;
  for (std::size_t i = 0; i < outputs; ++i) {
    names.push_back(unique(name + ":" + std::to_string(i)));
    node->add_output(names.back());
  }
  return names;
}

std::string GraphWriter::emit(const char* op, const ValueNames& inputs, const NamedAttrs& attrs) {
  return emit_many(op, inputs, attrs, 1)[0];
}

std::string GraphWriter::known_channels_first(const std::string& value) const {
  const auto found = channels_first_.find(value);
  if (found != channels_first_.end()) return found->second;
  return {};
}

std::string GraphWriter::channels_first(const std::string& value) {
  const std::string known = known_channels_first(value);
  if (!known.empty()) return known;
  return channels_first_[value] = emit("Transpose", {value}, {{"perm", Ints64{0, 3, 1, 2}}});
}

std::string GraphWriter::channels_last(const std::string& value) {
  const std::string last = emit("Transpose", {value}, {{"perm", Ints64{0, 2, 3, 1}}});
  channels_first_[last] = value;
  return last;
}

ValueNames GraphWriter::write(const Graph& body, const ValueNames& arguments) {
  std::vector<ValueNames> names(body.size());
  for (std::size_t i = 0; i < body.inputs.size(); ++i)
    names[static_cast<std::size_t>(body.inputs[i])] = {arguments[i]};
  const std::vector<bool> needed = graph::needed_nodes(body);
  for (std::size_t i = 0; i < body.size(); ++i) {
    const Node& node = body.node(static_cast<int>(i));
    if (!needed[i] || node.kind == Kind::input) continue;
    ValueNames inputs;
    for (const Ref r : node.inputs)
      inputs.push_back(names[static_cast<std::size_t>(r.node)][static_cast<std::size_t>(r.output)]);
    const std::string outer = scope_;
    scope_ = node.name;
    names[i] = write_node(body, node, inputs);
    scope_ = outer;
  }
  ValueNames results;
  for (const Ref r : body.outputs)
    results.push_back(names[static_cast<std::size_t>(r.node)][static_cast<std::size_t>(r.output)]);
  return results;
}

ValueNames GraphWriter::write_node(const Graph& body, const Node& node, const ValueNames& inputs) {
  switch (node.kind) {
    case Kind::constant:
      return {constant(node.value, "value")};
    case Kind::read:
      return {constant(node.variable->snapshot(), "value")};
    case Kind::call:
    case Kind::region:
      return write(*node.bodies[0], inputs);
    case Kind::if_:
      return write_if(node, inputs);
    case Kind::case_:
      return write_case(node, inputs, 0);
    case Kind::while_:
      return write_while(node, inputs);
    case Kind::op: {
      OpExport e(*this, body, node, inputs);
      return find_exporter(node.op->name())->write(e);
    }
    default:
      missing("node '" + node.name + "' (" + node.type() + ")");
  }
}

namespace {

// A body as a graph whose arguments are values around it.
void write_branch(const Graph& body,
                  const ValueNames& arguments,
                  GraphWriter* outer,
                  onnx_proto::GraphProto* out) {
  GraphWriter inner(out, outer, outer->opset());
  const ValueNames results = inner.write(body, arguments);
  for (std::size_t i = 0; i < results.size(); ++i) {
    // A result must be computed here, once.
    const std::string own = inner.emit("Identity", {results[i]});
    set_info(own, body.spec(body.outputs[i]), out->add_output());
  }
}

}  // namespace

ValueNames GraphWriter::write_if(const Node& node, const ValueNames& inputs) {
  const ValueNames arguments(inputs.begin() + 1, inputs.end());
  const ValueNames names = emit_many("If", {inputs[0]}, {}, node.outputs.size());
  // The nodes of a repeated field move when it grows: branches only see names.
  onnx_proto::NodeProto* out = graph_->mutable_node(graph_->node_size() - 1);
  write_branch(*node.bodies[0], arguments, this, add_graph("then_branch", out));
  write_branch(*node.bodies[1], arguments, this, add_graph("else_branch", out));
  return names;
}

// A chain of If: branch k, or what follows.
ValueNames GraphWriter::write_case(const Node& node, const ValueNames& inputs, std::size_t branch) {
  const ValueNames arguments(inputs.begin() + 1, inputs.end());
  if (branch + 1 == node.bodies.size()) return write(*node.bodies[branch], arguments);
  const std::string index = constant(Tensor(static_cast<std::int32_t>(branch)), "branch");
  const std::string chosen = emit("Equal", {inputs[0], index});
  const ValueNames names = emit_many("If", {chosen}, {}, node.outputs.size());
  onnx_proto::NodeProto* out = graph_->mutable_node(graph_->node_size() - 1);
  write_branch(*node.bodies[branch], arguments, this, add_graph("then_branch", out));
  onnx_proto::GraphProto* rest = add_graph("else_branch", out);
  GraphWriter inner(rest, this, opset_);
  const ValueNames results = inner.write_case(node, inputs, branch + 1);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Graph& last = *node.bodies.back();
    set_info(inner.emit("Identity", {results[i]}), last.spec(last.outputs[i]), rest->add_output());
  }
  return names;
}

ValueNames GraphWriter::write_while(const Node& node, const ValueNames& inputs) {
  const Graph &condition = *node.bodies[0], &body = *node.bodies[1];
  const std::string first = write(condition, inputs)[0];
  ValueNames operands = {"", first};
  operands.insert(operands.end(), inputs.begin(), inputs.end());
  const ValueNames names = emit_many("Loop", operands, {}, node.outputs.size());
  onnx_proto::NodeProto* out = graph_->mutable_node(graph_->node_size() - 1);
  onnx_proto::GraphProto* turn = add_graph("body", out);
  GraphWriter inner(turn, this, opset_);
  set_info(inner.unique("number"), {DType::int64, Shape{}}, turn->add_input());
  set_info(inner.unique("go"), {DType::boolean, Shape{}}, turn->add_input());
  ValueNames state;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    state.push_back(inner.unique("state"));
    set_info(state.back(), node.outputs[i], turn->add_input());
  }
  const ValueNames next = inner.write(body, state);
  const std::string again = inner.write(condition, next)[0];
  set_info(inner.emit("Identity", {again}), {DType::boolean, Shape{}}, turn->add_output());
  for (std::size_t i = 0; i < next.size(); ++i)
    set_info(inner.emit("Identity", {next[i]}), node.outputs[i], turn->add_output());
  return names;
}

namespace {

void add_used(const onnx_proto::GraphProto& graph, std::unordered_set<std::string>* used) {
  for (const auto& node : graph.node()) {
    used->insert(node.input().begin(), node.input().end());
    for (const auto& a : node.attribute()) {
      if (a.has_g()) add_used(a.g(), used);
    }
  }
  for (const auto& output : graph.output())
    used->insert(output.name());
}

}  // namespace

void GraphWriter::prune() {
  std::unordered_set<std::string> used;
  for (const auto& output : graph_->output())
    used.insert(output.name());
  std::vector<int> kept;
  for (int i = graph_->node_size(); i-- > 0;) {
    const auto& node = graph_->node(i);
    const bool needed = std::any_of(node.output().begin(), node.output().end(), [&](const auto& o) {
      return used.contains(o);
    });
    if (!needed) continue;
    kept.push_back(i);
    used.insert(node.input().begin(), node.input().end());
    for (const auto& a : node.attribute()) {
      if (a.has_g()) add_used(a.g(), &used);
    }
  }
  int next = 0;
  for (auto i = kept.rbegin(); i != kept.rend(); ++i)
    graph_->mutable_node()->SwapElements(next++, *i);
  graph_->mutable_node()->DeleteSubrange(next, graph_->node_size() - next);
  int last = 0;
  for (int i = 0; i < graph_->initializer_size(); ++i) {
    if (used.contains(graph_->initializer(i).name()))
      graph_->mutable_initializer()->SwapElements(last++, i);
  }
  graph_->mutable_initializer()->DeleteSubrange(last, graph_->initializer_size() - last);
}

// -- whole models --

namespace {

void collect_missing(const Graph& graph, std::set<std::string>* ops, int depth) {
  if (depth > 64) missing("functions that are nested more than 64 deep");
  const std::vector<bool> needed = graph::needed_nodes(graph);
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Node& node = graph.node(static_cast<int>(i));
    if (!needed[i]) continue;
    if (node.kind == Kind::op && find_exporter(node.op->name()) == nullptr)
      ops->insert(node.op->name());
    if (node.kind == Kind::write) ops->insert("a write to a variable");
    for (const auto& body : node.bodies)
      collect_missing(*body, ops, depth + 1);
  }
}

void check_supported(const Graph& graph) {
  std::set<std::string> ops;
  collect_missing(graph, &ops, 0);
  std::string list;
  for (const std::string& op : ops)
    list += (list.empty() ? "" : ", ") + op;
  if (!ops.empty()) missing("ops without a form in ONNX: " + list);
}

ValueNames checked_names(const std::vector<std::string>& given,
                         const std::vector<TensorSpec>& specs,
                         GraphWriter* w,
                         const char* what) {
  if (!given.empty() && given.size() != specs.size()) {
    io::fail(Code::invalid_argument,
             "onnx::save: " + std::to_string(given.size()) + " names for " +
                 std::to_string(specs.size()) + " " + what);
  }
  ValueNames names;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    std::string name = given.empty() ? specs[i].name : given[i];
    if (name.empty() || !is_utf8(name)) {
      io::fail(Code::invalid_argument,
               std::string("onnx::save: one of the ") + what + " has no name in UTF-8");
    }
    names.push_back(w->unique(name));
    if (!given.empty() && names.back() != name) {
      io::fail(Code::invalid_argument, "onnx::save: the name '" + name + "' is there twice");
    }
  }
  return names;
}

}  // namespace

std::string export_model(const Graph& graph,
                         const std::vector<TensorSpec>& inputs,
                         const std::vector<TensorSpec>& outputs,
                         const onnx::SaveOptions& options) {
  if (options.opset < 17 || options.opset > 22) {
    io::fail(Code::invalid_argument, "onnx::save: operator sets 17 to 22 can be written");
  }
  check_supported(graph);
  onnx_proto::ModelProto model;
  model.set_ir_version(options.opset > 18 ? 10 : kIrVersion);
  model.set_producer_name("weir");
  auto* opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(options.opset);
  onnx_proto::GraphProto* out = model.mutable_graph();
  out->set_name(graph.name().empty() ? "graph" : graph.name());
  GraphWriter writer(out, nullptr, options.opset);
  const ValueNames arguments = checked_names(options.inputs, inputs, &writer, "inputs");
  const ValueNames wanted = checked_names(options.outputs, outputs, &writer, "outputs");
  for (std::size_t i = 0; i < inputs.size(); ++i)
    set_info(arguments[i], {inputs[i].dtype, inputs[i].shape}, out->add_input());
  const ValueNames results = writer.write(graph, arguments);
  for (std::size_t i = 0; i < results.size(); ++i) {
    onnx_proto::NodeProto* node = out->add_node();
    node->set_op_type("Identity");
    node->set_name(writer.unique("result"));
    node->add_input(results[i]);
    node->add_output(wanted[i]);
    set_info(wanted[i], {outputs[i].dtype, outputs[i].shape}, out->add_output());
  }
  writer.prune();
  if (model.ByteSizeLong() >= (std::size_t{1} << 31)) {
    io::fail(Code::resource_exhausted, "onnx::save: a model of 2 GiB or more");
  }
  return model.SerializeAsString();
}

}  // namespace weir::onnx_io

namespace weir::inline v0 {
namespace onnx {

void save(const ConcreteFunction& function, const std::string& path, const SaveOptions& options) {
  const tracing::Trace& trace = *function.impl()->trace;
  if (!trace.captures().empty()) {
    io::fail(Code::invalid_argument, "onnx::save: the function uses tensors of an enclosing trace");
  }
  io::write_file(
      path, onnx_io::export_model(*trace.graph(), function.inputs(), function.outputs(), options));
}

void save(const Model& model, const std::string& path, SaveOptions options) {
  for (const TensorSpec& spec : model.inputs())
    if (options.inputs.size() < model.inputs().size()) options.inputs.push_back(spec.name);
  for (const TensorSpec& spec : model.outputs())
    if (options.outputs.size() < model.outputs().size()) options.outputs.push_back(spec.name);
  save(model.function(), path, options);
}

}  // namespace onnx
}  // namespace weir::inline v0
