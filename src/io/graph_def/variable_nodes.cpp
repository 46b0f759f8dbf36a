/// Variables of a file: resources, and the references of TensorFlow 1.
#include <weir/functions.h>
#include <weir/ops/array.h>

#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/node_reader.h"
#include "io/graph_def/resources.h"
#include "io/graph_def/tensor_proto.h"

namespace weir::io {
namespace {

std::string text_attr(const proto::NodeDef& def, const char* name) {
  const proto::AttrValue* value = find_attr(def, name);
  return value == nullptr ? std::string() : value->s();
}

// Two nodes with one shared name are one variable.
Values make_variable(const NodeCall& call) {
  const std::string shared = text_attr(call.def, "shared_name");
  const std::string& name = shared.empty() ? call.def.name() : shared;
  return {call.reader.resources().variable(name, type_attr(call.def, "dtype"))};
}

Values read_variable(const NodeCall& call) {
  return {call.variable(0).value()};
}

void check_dtype(const Handle& handle, const Tensor& value) {
  if (value.dtype() == handle.dtype) return;
  fail(Code::data_loss, "a value of another dtype than its variable's");
}

Values assign(const NodeCall& call) {
  Handle& handle = call.variable(0);
  const Tensor value = call.tensor(1);
  check_dtype(handle, value);
  if (handle.variable.defined()) {
    handle.variable.assign(value);
  } else if (call.reader.builder() == nullptr) {
    handle.variable = Variable(value, handle.name);
    handle.key = call.reader.resources().key_of(value);
  } else {
    handle.initialised();
  }
  return {call.inputs[0]};
}

Values assign_add(const NodeCall& call) {
  call.variable(0).initialised().assign_add(call.tensor(1));
  return {call.inputs[0]};
}

Values assign_sub(const NodeCall& call) {
  call.variable(0).initialised().assign_sub(call.tensor(1));
  return {call.inputs[0]};
}

Values is_initialised(const NodeCall& call) {
  return {Tensor(call.variable(0).variable.defined())};
}

Values gather_rows(const NodeCall& call) {
  return {gather(call.variable(0).value(), call.tensor(1))};
}

template <Tensor (*scatter)(const Variable&, Operand, Operand)>
Values scatter_rows(const NodeCall& call) {
  scatter(call.variable(0).initialised(), call.tensor(1), call.tensor(2));
  return {call.inputs[0]};
}

Values variable_shape(const NodeCall& call) {
  const proto::AttrValue* type = find_attr(call.def, "out_type");
  const Tensor value = call.variable(0).value();
  return {shape(value, type == nullptr ? DType::int32 : type_attr(call.def, "out_type"))};
}

std::string text_at(const Tensor& texts, std::int64_t i) {
  return std::string(std::string_view(texts.data<StringView>()[i]));
}

// The names are those of a checkpoint; the prefix is where this model's lies, whatever it says.
Values restore(const NodeCall& call) {
  const Tensor keys = call.constant(1), slices = call.constant(2);
  const bool texts = keys.dtype() == DType::string && slices.dtype() == DType::string;
  const proto::AttrValue* types = find_attr(call.def, "dtypes");
  if (!texts || types == nullptr || keys.size() != slices.size() ||
      keys.size() != types->list().type_size()) {
    fail(Code::data_loss, "its names, slices and dtypes do not fit each other");
  }
  Values values;
  for (std::int64_t i = 0; i < keys.size(); ++i) {
    values.emplace_back(call.reader.resources().restore(text_at(keys, i), text_at(slices, i)));
    const DType wanted = dtype_from_proto(types->list().type(static_cast<int>(i)), "its dtypes");
    if (values.back().tensor.dtype() == wanted) continue;
    fail(Code::data_loss, "'" + text_at(keys, i) + "' is stored with another dtype");
  }
  return values;
}

constexpr ConverterEntry kConverters[] = {
    {"VarHandleOp", make_variable},
    {"VariableV2", make_variable},
    {"Variable", make_variable},
    {"ReadVariableOp", read_variable},
    {"AssignVariableOp", assign},
    {"Assign", assign},
    {"AssignAddVariableOp", assign_add},
    {"AssignAdd", assign_add},
    {"AssignSubVariableOp", assign_sub},
    {"AssignSub", assign_sub},
    {"VarIsInitializedOp", is_initialised},
    {"IsVariableInitialized", is_initialised},
    {"ResourceGather", gather_rows},
    {"ResourceScatterUpdate", scatter_rows<scatter_update>},
    {"ResourceScatterAdd", scatter_rows<scatter_add>},
    {"ResourceScatterSub", scatter_rows<scatter_sub>},
    {"VariableShape", variable_shape},
    {"RestoreV2", restore},
};

}  // namespace

std::span<const ConverterEntry> variable_converters() {
  return kConverters;
}

}  // namespace weir::io
