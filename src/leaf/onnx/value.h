#pragma once

#include <weir/tensor.h>

#include <memory>
#include <vector>

namespace weir::onnx_io {

/// ONNX's numbers of element types.
enum class ElemType : int {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8e4m3fn = 17,
  float8e4m3fnuz = 18,
  float8e5m2 = 19,
  float8e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4e2m1 = 23,
  float8e8m0 = 24,
  uint2 = 25,
  int2 = 26,
};
constexpr int kLastElemType = 26;

/// The dtype whose tensors hold elements of this type: its own, or that of the codes of a type that
/// Weir computes with but has no dtype for (one code an element). invalid: no type at all.
DType storage_dtype(ElemType type);
/// ONNX's type of a dtype; undefined where it has none.
ElemType elem_type(DType dtype);
/// True for the types whose tensors hold codes.
constexpr bool is_coded(ElemType type) {
  return type >= ElemType::float8e4m3fn;
}
/// Bits of an element in raw_data; 0 for strings and for no type.
int raw_bits(ElemType type);
const char* name(ElemType type);

/// What an edge of an ONNX graph carries: a tensor, a list of values whose length is known while
/// the graph is read, or, for an optional, nothing.
struct Value {
  Value() = default;
  Value(Tensor t) : tensor(std::move(t)), type(elem_type(tensor.dtype())) {}
  Value(Tensor codes, ElemType t) : tensor(std::move(codes)), type(t) {}
  static Value list(std::vector<Value> values) {
    Value v;
    v.sequence = std::make_shared<const std::vector<Value>>(std::move(values));
    return v;
  }

  bool present() const { return tensor.defined() || sequence != nullptr; }

  Tensor tensor;
  ElemType type = ElemType::undefined;
  std::shared_ptr<const std::vector<Value>> sequence;
  /// The computation of this value needs something that Weir does not have.
  bool unsupported = false;
};
using Values = std::vector<Value>;

}  // namespace weir::onnx_io
