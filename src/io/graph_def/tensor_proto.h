#pragma once

#include <weir/tensor.h>

#include <string>

#include "io/proto/graph.pb.h"

namespace weir::io {

// Values, dtypes and shapes in TensorFlow's messages. Whatever a message holds, reading it gives a
// value or throws weir::Error; `what` is how the error calls it ("node 'x'").

void to_proto(const Tensor& tensor, proto::TensorProto* out);
void to_proto(const Shape& shape, proto::TensorShapeProto* out);

Tensor tensor_from_proto(const proto::TensorProto& proto, const std::string& what);

/// Symbols are not kept: an unknown dimension reads as unknown.
Shape shape_from_proto(const proto::TensorShapeProto& proto, const std::string& what);

/// The dtype of an enum value; throws `unimplemented` for those that Weir does not have.
DType dtype_from_proto(int value, const std::string& what);

}  // namespace weir::io
