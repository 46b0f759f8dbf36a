/// TensorLists and TensorArrays. A list is the tensor of its elements; a TensorArray's handle says
/// nothing, the list goes with its flow.
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/node_reader.h"
#include "io/graph_def/tensor_proto.h"

namespace weir::io {
namespace {

[[noreturn]] void nothing_set() {
  fail(Code::unimplemented, "a list of tensors in which nothing was set, of unknown shape");
}

// The shape that an input holds: a constant vector; -1 for a shape of which nothing is known.
Shape shape_input(const NodeCall& call, std::size_t input) {
  const Value& v = call.value(input);
  if (!v.is_tensor() || v.tensor.is_symbolic()) return Shape::unknown_rank();
  const bool vector = v.tensor.rank() == 1;
  const bool integers = v.tensor.dtype() == DType::int32 || v.tensor.dtype() == DType::int64;
  if (!vector || !integers) return Shape::unknown_rank();
  std::vector<std::int64_t> dims;
  for (std::int64_t i = 0; i < v.tensor.size(); ++i) {
    dims.push_back(v.tensor.dtype() == DType::int32 ? v.tensor.data<std::int32_t>()[i]
                                                    : v.tensor.data<std::int64_t>()[i]);
    if (dims.back() < -1) fail(Code::data_loss, "a shape with a negative length");
  }
  return Shape(dims);
}

Tensor index_vector(const Tensor& scalar) {
  return reshape(scalar, {1});
}

Tensor filled(const Tensor& count, const Tensor& element_shape, DType dtype) {
  const Tensor length = cast(index_vector(count), DType::int32);
  const Tensor dims = concat({length, element_shape}, 0);
  return fill(dims, zeros({}, dtype));
}

List with_items(const List& list, Tensor items) {
  List result = list;
  result.items = std::move(items);
  result.size = Tensor();
  return result;
}

Tensor size_of(const List& list) {
  return list.items.defined() ? gather(shape(list.items), Tensor(0)) : list.size;
}

// The elements, zeros if none was set.
Tensor items_of(const List& list) {
  if (list.items.defined()) return list.items;
  if (!list.element.is_static()) nothing_set();
  const auto dims = list.element.to_vector();
  return filled(
      list.size, Tensor::from(std::vector<std::int32_t>(dims.begin(), dims.end())), list.dtype);
}

List set_item(const List& list, const Tensor& index, const Tensor& item) {
  if (item.dtype() != list.dtype) fail(Code::data_loss, "an element of another dtype");
  const Tensor items =
      list.items.defined() ? list.items : filled(list.size, shape(item), list.dtype);
  return with_items(list,
                    tensor_scatter_update(items, reshape(index, {1, 1}), expand_dims(item, 0)));
}

Tensor get_item(const List& list, const Tensor& index) {
  return gather(items_of(list), index);
}

List list_of(Tensor items) {
  List list;
  list.dtype = items.dtype();
  list.items = std::move(items);
  return list;
}

List push_back(const List& list, const Tensor& item) {
  const Tensor last = expand_dims(item, 0);
  return with_items(list, list.items.defined() ? concat({list.items, last}, 0) : last);
}

Tensor front(const Tensor& items, const Tensor& count) {
  return gather(items, range(count));
}

// -- TensorList --

Values reserve(const NodeCall& call) {
  List list;
  list.dtype = type_attr(call.def, "element_dtype");
  list.element = shape_input(call, 0);
  list.size = call.tensor(1);
  return {std::move(list)};
}

Values empty_list(const NodeCall& call) {
  List list;
  list.dtype = type_attr(call.def, "element_dtype");
  list.element = shape_input(call, 0);
  list.size = call.reader.symbolic(Tensor(0), "size");
  return {std::move(list)};
}

Values list_from_tensor(const NodeCall& call) {
  return {list_of(call.tensor(0))};
}

Values list_set(const NodeCall& call) {
  return {set_item(call.list(0), call.tensor(1), call.tensor(2))};
}

Values list_get(const NodeCall& call) {
  return {get_item(call.list(0), call.tensor(1))};
}

Values list_stack(const NodeCall& call) {
  return {items_of(call.list(0))};
}

Values list_length(const NodeCall& call) {
  return {cast(size_of(call.list(0)), DType::int32)};
}

Values list_push(const NodeCall& call) {
  return {push_back(call.list(0), call.tensor(1))};
}

Values list_pop(const NodeCall& call) {
  const List& list = call.list(0);
  const Tensor items = items_of(list);
  const Tensor count = size_of(list) - 1;
  return {with_items(list, front(items, count)), gather(items, count)};
}

Values list_gather(const NodeCall& call) {
  return {gather(items_of(call.list(0)), call.tensor(1))};
}

// Elements of one shape, one behind the other along their first axis.
Values list_concat(const NodeCall& call) {
  const Tensor items = items_of(call.list(0));
  const Tensor dims = shape(items);
  const Tensor joined = concat(
      {Tensor::from(std::vector<std::int32_t>{-1}), gather(dims, range(Tensor(2), size(dims)))}, 0);
  const Tensor length = cast(gather(dims, Tensor(1)), DType::int64);
  return {reshape(items, joined), fill(index_vector(gather(dims, Tensor(0))), length)};
}

Values list_element_shape(const NodeCall& call) {
  const Tensor dims = shape(items_of(call.list(0)), type_attr(call.def, "shape_type"));
  return {gather(dims, range(Tensor(1), size(dims)))};
}

Values list_resize(const NodeCall& call) {
  const List& list = call.list(0);
  if (list.items.defined()) {
    fail(Code::unimplemented, "a list of tensors whose length changes after one is set");
  }
  List resized = list;
  resized.size = call.tensor(1);
  return {std::move(resized)};
}

// -- TensorArray: handle, index, value, flow --

Values make_array(const NodeCall& call) {
  List list;
  list.dtype = type_attr(call.def, "dtype");
  const proto::AttrValue* shape = find_attr(call.def, "element_shape");
  if (shape != nullptr) list.element = shape_from_proto(shape->shape(), describe(call.def));
  list.size = call.tensor(0);
  return {Value(), std::move(list)};
}

Values array_write(const NodeCall& call) {
  return {set_item(call.list(3), call.tensor(1), call.tensor(2))};
}

Values array_read(const NodeCall& call) {
  return {get_item(call.list(2), call.tensor(1))};
}

Values array_gather(const NodeCall& call) {
  return {gather(items_of(call.list(2)), call.tensor(1))};
}

Values array_scatter(const NodeCall& call) {
  const List& list = call.list(3);
  const Tensor value = call.tensor(2);
  const Tensor indices = expand_dims(call.tensor(1), 1);
  const Tensor dims = shape(value);
  const Tensor items =
      list.items.defined()
          ? list.items
          : filled(list.size, gather(dims, range(Tensor(1), size(dims))), list.dtype);
  return {with_items(list, tensor_scatter_update(items, indices, value))};
}

Values array_size(const NodeCall& call) {
  return {cast(size_of(call.list(1)), DType::int32)};
}

Values array_close(const NodeCall&) {
  return {};
}

constexpr ConverterEntry kConverters[] = {
    {"TensorListReserve", reserve},
    {"EmptyTensorList", empty_list},
    {"TensorListFromTensor", list_from_tensor},
    {"TensorListSetItem", list_set},
    {"TensorListGetItem", list_get},
    {"TensorListStack", list_stack},
    {"TensorListLength", list_length},
    {"TensorListPushBack", list_push},
    {"TensorListPopBack", list_pop},
    {"TensorListGather", list_gather},
    {"TensorListConcatV2", list_concat},
    {"TensorListElementShape", list_element_shape},
    {"TensorListResize", list_resize},
    {"TensorArrayV3", make_array},
    {"TensorArrayWriteV3", array_write},
    {"TensorArrayReadV3", array_read},
    {"TensorArrayGatherV3", array_gather},
    {"TensorArrayScatterV3", array_scatter},
    {"TensorArraySizeV3", array_size},
    {"TensorArrayCloseV3", array_close},
};

}  // namespace

std::span<const ConverterEntry> list_converters() {
  return kConverters;
}

}  // namespace weir::io
