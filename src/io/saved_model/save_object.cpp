/// The full form of a SavedModel: variables in a checkpoint, functions in a library, and the object
/// graph that ties them together.
#include <weir/checkpoint.h>
#include <weir/saved_model.h>

#include <map>
#include <numeric>
#include <unordered_map>

#include "function/concrete.h"
#include "io/bundle/bundle.h"
#include "io/checkpoint/object_graph.h"
#include "io/file/file.h"
#include "io/graph_def/attr_writer.h"
#include "io/graph_def/export.h"
#include "io/graph_def/tensor_proto.h"
#include "io/saved_model/layout.h"
#include "io/saved_model/restore_function.h"
#include "io/saved_model/save_parts.h"
#include "platform/file.h"
#include "platform/file_writer.h"
#include "tensor/variable_state.h"

namespace weir {
namespace io {
namespace {

using tracing::PureGraph;
using Order = std::vector<std::size_t>;

constexpr const char* kFilename = "saver_filename";

const PureGraph& pure_graph(const ConcreteFunction& function) {
  tracing::Trace& trace = *function.impl()->trace;
  if (!trace.captures().empty()) {
    refuse_to_save("the function '" + trace.graph()->name() + "' uses tensors of another trace");
  }
  const PureGraph* pure = trace.pure();
  if (pure != nullptr) return *pure;
  fail(Code::unimplemented,
       "saved_model::save: the function '" + trace.graph()->name() +
           "' changes variables in a branch or a loop, or prints");
}

// The object with the variables that its functions use and it does not hold itself.
Trackable complete(const Trackable& object, const std::vector<ConcreteFunction>& functions) {
  std::unordered_map<const VariableState*, bool> known;
  for (const auto& variable : checkpoint::collect(object).variables)
    known[variable.variable.state().get()] = true;
  std::vector<Trackable> others;
  for (const ConcreteFunction& function : functions) {
    for (const auto& state : pure_graph(function).variables) {
      if (!known.emplace(state.get(), true).second) continue;
      others.emplace_back(Variable(state));
    }
  }
  Trackable::Group children = object.object()->children();
  if (object.object()->variable().defined()) children.emplace_back("variable", object);
  if (!others.empty()) children.emplace_back("_captured", Trackable(others));
  return children;
}

// The order in which Python passes arguments and takes results: that of their names.
Order sorted(const std::vector<std::string>& names) {
  Order order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return names[a] < names[b]; });
  return order;
}

Order in_order(std::size_t count) {
  Order order(count);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

void set_spec(proto::StructuredValue* value, const std::string& name, const TensorSpec& spec) {
  proto::TensorSpecProto* out = value->mutable_tensor_spec_value();
  out->set_name(name);
  to_proto(spec.shape, out->mutable_shape());
  out->set_dtype(static_cast<proto::DataType>(spec.dtype));
}

void add_named(proto::StructuredValue::DictValue* dict,
               const std::vector<std::string>& names,
               const std::vector<TensorSpec>& specs,
               const Order& order) {
  for (const std::size_t i : order) {
    auto* field = dict->add_fields();
    field->set_key(names[i]);
    set_spec(field->mutable_value(), names[i], specs[i]);
  }
}

// Python's FullArgSpec of a function whose positional arguments are `names`.
void set_argument_names(const std::vector<std::string>& names, proto::FunctionSpec* spec) {
  auto* tuple = spec->mutable_fullargspec()->mutable_named_tuple_value();
  tuple->set_name("FullArgSpec");
  const auto add = [&](const char* key) {
    auto* entry = tuple->add_values();
    entry->set_key(key);
    return entry->mutable_value();
  };
  auto* args = add("args")->mutable_list_value();
  for (const std::string& name : names)
    args->add_values()->set_string_value(name);
  add("varargs")->mutable_none_value();
  add("varkw")->mutable_none_value();
  add("defaults")->mutable_none_value();
  add("kwonlyargs")->mutable_list_value();
  add("kwonlydefaults")->mutable_none_value();
  add("annotations")->mutable_dict_value();
  spec->mutable_input_signature()->mutable_none_value();
}

// A loader that does not know this version of the kind takes the object for a plain one.
void set_kind(proto::SavedObject* object, const char* kind) {
  object->mutable_user_object()->set_identifier(kind);
  object->mutable_user_object()->mutable_version()->set_producer(1);
  object->mutable_user_object()->mutable_version()->set_min_consumer(1);
}

class ObjectWriter {
 public:
  ObjectWriter(const Trackable& object, proto::MetaGraphDef* meta)
      : objects_(checkpoint::collect(object)), meta_(meta), graph_(meta->mutable_graph_def()) {
    copy_objects();
    for (const checkpoint::NamedVariable& variable : objects_.variables)
      add_handle(variable);
  }

  void add_signature(const ModelSignature& signature);
  void add_function(const std::string& name, const std::vector<ConcreteFunction>& traces);
  void add_restore();
  void write_variables(const std::string& prefix) const;

 private:
  struct Names {
    std::vector<std::string> inputs, outputs;
  };

  void add_endpoint(const ModelSignature& signature,
                    const std::string& function,
                    const Names& names,
                    const Order& in,
                    const Order& out);
  proto::SavedObjectGraph* saved() { return meta_->mutable_object_graph_def(); }
  void copy_objects();
  void add_handle(const checkpoint::NamedVariable& variable);
  int add_child(int parent, const std::string& name);
  std::string add_library_function(const ConcreteFunction& function,
                                   const std::string& name,
                                   const Order& inputs,
                                   const Order& outputs,
                                   proto::SavedConcreteFunction** saved);
  proto::NodeDef* add_node(const std::string& name, const char* op);
  proto::NodeDef* add_call(const std::string& name, const std::string& function);
  void call_with_variables(proto::NodeDef* call, const PureGraph& function);

  checkpoint::ObjectGraph objects_;
  proto::MetaGraphDef* const meta_;
  proto::GraphDef* const graph_;
  std::unordered_map<const VariableState*, int> nodes_;            // of the object graph
  std::unordered_map<const VariableState*, std::string> handles_;  // of the graph
  std::map<std::string, int> names_;
  int signatures_ = -1;  // their node
  int functions_ = 0;
};

void ObjectWriter::copy_objects() {
  std::unordered_map<std::string, Variable> by_key;
  for (const checkpoint::NamedVariable& variable : objects_.variables)
    by_key.emplace(variable.key, variable.variable);
  for (int i = 0; i < objects_.proto.nodes_size(); ++i) {
    const auto& object = objects_.proto.nodes(i);
    proto::SavedObject* out = saved()->add_nodes();
    *out->mutable_children() = object.children();
    const auto found = object.attributes_size() == 0
                           ? by_key.end()
                           : by_key.find(object.attributes(0).checkpoint_key());
    if (found == by_key.end()) {
      set_kind(out, "_generic_user_object");
      continue;
    }
    const Variable& variable = found->second;
    proto::SavedVariable* saved_variable = out->mutable_variable();
    saved_variable->set_dtype(static_cast<proto::DataType>(variable.dtype()));
    to_proto(variable.shape(), saved_variable->mutable_shape());
    saved_variable->set_trainable(variable.trainable());
    saved_variable->set_name(variable.name());
    nodes_[variable.state().get()] = i;
  }
}

proto::NodeDef* ObjectWriter::add_node(const std::string& name, const char* op) {
  proto::NodeDef* node = graph_->add_node();
  const int count = names_[name]++;
  node->set_name(count == 0 ? name : name + "_" + std::to_string(count));
  node->set_op(op);
  return node;
}

// One handle for each variable, known by its shared name.
void ObjectWriter::add_handle(const checkpoint::NamedVariable& variable) {
  proto::NodeDef* node = add_node(node_name(variable.variable.name()), "VarHandleOp");
  add_attr(node, "dtype")->set_type(static_cast<proto::DataType>(variable.variable.dtype()));
  to_proto(variable.variable.shape(), add_attr(node, "shape")->mutable_shape());
  add_attr(node, "shared_name")->set_s(node->name());
  add_attr(node, "container")->set_s("");
  handles_[variable.variable.state().get()] = node->name();
}

int ObjectWriter::add_child(int parent, const std::string& name) {
  const int id = saved()->nodes_size();
  saved()->add_nodes();
  auto* child = saved()->mutable_nodes(parent)->add_children();
  child->set_node_id(id);
  child->set_local_name(name);
  return id;
}

std::string ObjectWriter::add_library_function(const ConcreteFunction& function,
                                               const std::string& name,
                                               const Order& inputs,
                                               const Order& outputs,
                                               proto::SavedConcreteFunction** concrete) {
  const PureGraph& pure = pure_graph(function);
  const std::string full = "__inference_" + node_name(name) + "_" + std::to_string(++functions_);
  export_function(pure, full, inputs, outputs, graph_);
  proto::SavedConcreteFunctionEntry* entry = saved()->add_concrete_functions();
  entry->set_key(full);
  *concrete = entry->mutable_value();
  for (const auto& variable : pure.variables)
    (*concrete)->add_bound_inputs(nodes_.at(variable.get()));
  return full;
}

proto::NodeDef* ObjectWriter::add_call(const std::string& name, const std::string& function) {
  proto::NodeDef* call = add_node(name, "StatefulPartitionedCall");
  add_attr(call, "f")->mutable_func()->set_name(function);
  return call;
}

void ObjectWriter::call_with_variables(proto::NodeDef* call, const PureGraph& function) {
  for (const auto& variable : function.variables)
    call->add_input(handles_.at(variable.get()));
}

void ObjectWriter::add_signature(const ModelSignature& signature) {
  const std::vector<TensorSpec>& inputs = signature.function.inputs();
  const std::vector<TensorSpec> outputs = signature.function.outputs();
  const Names names = {names_for(inputs, signature.inputs, "inputs"),
                       names_for(outputs, signature.outputs, "outputs")};
  const Order in = sorted(names.inputs), out = sorted(names.outputs);
  proto::SavedConcreteFunction* concrete = nullptr;
  const std::string function = add_library_function(
      signature.function, "signature_wrapper_" + signature.name, in, out, &concrete);
  auto* tuple = concrete->mutable_canonicalized_input_signature()->mutable_tuple_value();
  tuple->add_values()->mutable_tuple_value();
  add_named(tuple->add_values()->mutable_dict_value(), names.inputs, inputs, in);
  add_named(
      concrete->mutable_output_signature()->mutable_dict_value(), names.outputs, outputs, out);

  if (signatures_ < 0) {
    signatures_ = add_child(0, "signatures");
    set_kind(saved()->mutable_nodes(signatures_), "signature_map");
  }
  auto* bare = saved()
                   ->mutable_nodes(add_child(signatures_, signature.name))
                   ->mutable_bare_concrete_function();
  bare->set_concrete_function_name(function);
  bare->set_allowed_positional_arguments(inputs.size() == 1 ? 1 : 0);
  for (const std::size_t i : in)
    bare->add_argument_keywords(names.inputs[i]);

  add_endpoint(signature, function, names, in, out);
}

// What TensorFlow Serving and the loaders of TensorFlow 1 call: placeholders and a call of the
// function.
void ObjectWriter::add_endpoint(const ModelSignature& signature,
                                const std::string& function,
                                const Names& names,
                                const Order& in,
                                const Order& out) {
  const std::vector<TensorSpec>& inputs = signature.function.inputs();
  const std::vector<TensorSpec> outputs = signature.function.outputs();
  proto::SignatureEntry* entry = meta_->add_signature_def();
  entry->set_key(signature.name);
  proto::SignatureDef* def = entry->mutable_value();
  def->set_method_name(kPredict);
  std::vector<std::string> placeholders;
  for (const std::size_t i : in) {
    proto::NodeDef* node =
        add_node(node_name(signature.name + "_" + names.inputs[i]), "Placeholder");
    add_attr(node, "dtype")->set_type(static_cast<proto::DataType>(inputs[i].dtype));
    to_proto(inputs[i].shape, add_attr(node, "shape")->mutable_shape());
    placeholders.push_back(node->name());
    add_tensor_info(def->mutable_inputs(), names.inputs[i], node->name() + ":0", inputs[i]);
  }
  proto::NodeDef* call = add_call("StatefulPartitionedCall", function);
  for (const std::string& placeholder : placeholders)
    call->add_input(placeholder);
  const PureGraph& pure = pure_graph(signature.function);
  call_with_variables(call, pure);
  auto* types_in = add_attr(call, "Tin")->mutable_list();
  for (const std::size_t i : in)
    types_in->add_type(static_cast<proto::DataType>(inputs[i].dtype));
  for (std::size_t i = 0; i < pure.variables.size(); ++i)
    types_in->add_type(proto::DT_RESOURCE);
  auto* types_out = add_attr(call, "Tout")->mutable_list();
  for (std::size_t i = 0; i < out.size(); ++i) {
    types_out->add_type(static_cast<proto::DataType>(outputs[out[i]].dtype));
    add_tensor_info(def->mutable_outputs(),
                    names.outputs[out[i]],
                    call->name() + ":" + std::to_string(i),
                    outputs[out[i]]);
  }
}

void ObjectWriter::add_function(const std::string& name,
                                const std::vector<ConcreteFunction>& traces) {
  const int node = add_child(0, name);
  std::vector<std::string> argument_names;
  for (const ConcreteFunction& trace : traces) {
    const std::vector<TensorSpec>& inputs = trace.inputs();
    const std::vector<TensorSpec> outputs = trace.outputs();
    const std::vector<std::string> names = names_for(inputs, {}, "inputs");
    if (names.size() >= argument_names.size()) argument_names = names;
    proto::SavedConcreteFunction* concrete = nullptr;
    const std::string function = add_library_function(
        trace, name, in_order(inputs.size()), in_order(outputs.size()), &concrete);
    auto* tuple = concrete->mutable_canonicalized_input_signature()->mutable_tuple_value();
    auto* positional = tuple->add_values()->mutable_tuple_value();
    for (std::size_t i = 0; i < inputs.size(); ++i)
      set_spec(positional->add_values(), names[i], inputs[i]);
    tuple->add_values()->mutable_dict_value();
    if (outputs.size() == 1) set_spec(concrete->mutable_output_signature(), "output", outputs[0]);
    for (std::size_t i = 0; outputs.size() != 1 && i < outputs.size(); ++i) {
      set_spec(concrete->mutable_output_signature()->mutable_list_value()->add_values(),
               "output_" + std::to_string(i),
               outputs[i]);
    }
    saved()->mutable_nodes(node)->mutable_function()->add_concrete_functions(function);
  }
  set_argument_names(argument_names,
                     saved()->mutable_nodes(node)->mutable_function()->mutable_function_spec());
}

// What loaders of TensorFlow 1 run: it gives every variable its stored value.
void ObjectWriter::add_restore() {
  const std::string function = "__inference__traced_restore_" + std::to_string(++functions_);
  *graph_->mutable_library()->add_function() = restore_function(function, objects_.variables);
  proto::NodeDef* filename = add_node(kFilename, "Placeholder");
  add_attr(filename, "dtype")->set_type(proto::DT_STRING);
  to_proto(Shape{}, add_attr(filename, "shape")->mutable_shape());
  proto::NodeDef* call = add_call("StatefulPartitionedCall", function);
  call->add_input(filename->name());
  auto* types_in = add_attr(call, "Tin")->mutable_list();
  types_in->add_type(proto::DT_STRING);
  for (const checkpoint::NamedVariable& variable : objects_.variables) {
    call->add_input(handles_.at(variable.variable.state().get()));
    types_in->add_type(proto::DT_RESOURCE);
  }
  add_attr(call, "Tout")->mutable_list()->add_type(proto::DT_STRING);
  proto::SaverDef* saver = meta_->mutable_saver_def();
  saver->set_filename_tensor_name(std::string(kFilename) + ":0");
  saver->set_save_tensor_name(std::string(kFilename) + ":0");
  saver->set_restore_op_name(call->name());
  saver->set_version(2);
}

void ObjectWriter::write_variables(const std::string& prefix) const {
  bundle::Writer writer(prefix);
  for (const checkpoint::NamedVariable& variable : objects_.variables)
    writer.add(variable.key, variable.variable.state()->snapshot());
  writer.add(checkpoint::kGraphKey, Tensor::strings({objects_.proto.SerializeAsString()}, Shape{}));
  writer.commit();
}

}  // namespace
}  // namespace io

inline namespace v0 {
namespace saved_model {

void save(const Trackable& object,
          const std::string& directory,
          const std::vector<ModelSignature>& signatures,
          const std::vector<ModelFunction>& functions) {
  if (!signatures.empty() || functions.empty()) io::check_names(signatures);
  std::vector<ConcreteFunction> all;
  std::map<std::string, std::vector<ConcreteFunction>> by_name;
  for (const ModelSignature& signature : signatures)
    all.push_back(signature.function);
  for (const ModelFunction& function : functions) {
    all.push_back(function.function);
    by_name[function.name].push_back(function.function);
  }
  if (functions.empty()) by_name["__call__"].push_back(signatures[0].function);
  proto::SavedModel model;
  model.set_saved_model_schema_version(1);
  proto::MetaGraphDef* meta = model.add_meta_graphs();
  io::set_meta_info(meta);
  io::ObjectWriter writer(io::complete(object, all), meta);
  for (const ModelSignature& signature : signatures)
    writer.add_signature(signature);
  for (const auto& [name, traces] : by_name)
    writer.add_function(name, traces);
  writer.add_restore();
  io::sort_by_key(meta->mutable_signature_def());
  const std::string bytes = io::serialise(model);
  platform::AtomicDirectory target;
  io::check(target.open(directory, io::kModelEntries));
  const std::string variables = platform::join_path(target.staging(), "variables");
  io::check(platform::make_directories(variables));
  writer.write_variables(platform::join_path(variables, "variables"));
  io::write_model_file(target.staging(), bytes);
  io::check(target.commit());
}

}  // namespace saved_model
}  // namespace v0
}  // namespace weir
