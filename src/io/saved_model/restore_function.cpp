#include "io/saved_model/restore_function.h"

#include "io/graph_def/attr_writer.h"
#include "io/graph_def/tensor_proto.h"

namespace weir::io {
namespace {

using Variables = std::vector<checkpoint::NamedVariable>;

// A vector of texts as the value of a Const in a function.
void add_texts(proto::FunctionDef* function,
               const std::string& name,
               const std::vector<std::string>& texts) {
  proto::NodeDef* node = function->add_node_def();
  node->set_name(name);
  node->set_op("Const");
  add_attr(node, "dtype")->set_type(proto::DT_STRING);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  to_proto(Tensor::strings(views, Shape{static_cast<std::int64_t>(views.size())}),
           add_attr(node, "value")->mutable_tensor());
}

void add_arg(google::protobuf::RepeatedPtrField<proto::OpDef::ArgDef>* args,
             const std::string& name,
             proto::DataType type) {
  proto::OpDef::ArgDef* arg = args->Add();
  arg->set_name(name);
  arg->set_type(type);
}

// Reads the stored tensors; the names of its results are RestoreV2:tensors:0, 1 ...
void add_reading(proto::FunctionDef* function, const Variables& variables) {
  std::vector<std::string> keys;
  for (const checkpoint::NamedVariable& variable : variables)
    keys.push_back(variable.key);
  add_texts(function, "tensor_names", keys);
  add_texts(function, "shape_and_slices", std::vector<std::string>(keys.size()));
  proto::NodeDef* restore = function->add_node_def();
  restore->set_name("RestoreV2");
  restore->set_op("RestoreV2");
  for (const char* input : {"file_prefix", "tensor_names:output:0", "shape_and_slices:output:0"})
    restore->add_input(input);
  auto* types = add_attr(restore, "dtypes")->mutable_list();
  for (const checkpoint::NamedVariable& variable : variables)
    types->add_type(static_cast<proto::DataType>(variable.variable.dtype()));
}

// Gives a variable its value; the name of the node that does.
std::string add_assignment(proto::FunctionDef* function, std::size_t i, DType dtype) {
  const std::string number = std::to_string(i);
  add_arg(
      function->mutable_signature()->mutable_input_arg(), "variable_" + number, proto::DT_RESOURCE);
  proto::NodeDef* assign = function->add_node_def();
  assign->set_name("AssignVariableOp_" + number);
  assign->set_op("AssignVariableOp");
  assign->add_input("variable_" + number);
  assign->add_input("RestoreV2:tensors:" + number);
  add_attr(assign, "dtype")->set_type(static_cast<proto::DataType>(dtype));
  return assign->name();
}

}  // namespace

proto::FunctionDef restore_function(const std::string& name, const Variables& variables) {
  proto::FunctionDef function;
  proto::OpDef* signature = function.mutable_signature();
  signature->set_name(name);
  signature->set_is_stateful(true);
  add_arg(signature->mutable_input_arg(), "file_prefix", proto::DT_STRING);
  add_reading(&function, variables);
  std::vector<std::string> assigns;
  for (std::size_t i = 0; i < variables.size(); ++i)
    assigns.push_back(add_assignment(&function, i, variables[i].variable.dtype()));
  proto::NodeDef* result = function.add_node_def();
  result->set_name("Identity");
  result->set_op("Identity");
  result->add_input("file_prefix");
  for (const std::string& assign : assigns) {
    result->add_input("^" + assign);
    signature->add_control_output(assign);
    auto* control = function.add_control_ret();
    control->set_key(assign);
    control->set_value(assign);
  }
  add_attr(result, "T")->set_type(proto::DT_STRING);
  add_arg(signature->mutable_output_arg(), "output_0", proto::DT_STRING);
  auto* ret = function.add_ret();
  ret->set_key("output_0");
  ret->set_value("Identity:output:0");
  return function;
}

}  // namespace weir::io
