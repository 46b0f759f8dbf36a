#pragma once

#include <string>

#include "leaf/onnx/onnx.pb.h"
#include "leaf/onnx/value.h"

namespace weir::onnx_io {

/// The directory in which a model may name files; empty: it may name none.
struct DataFiles {
  std::string directory;
};

// Whatever a message holds, reading it gives a value or throws weir::Error; `what` is how the error
// calls it ("initializer 'w'").

Value value_from_proto(const onnx_proto::TensorProto& proto,
                       const DataFiles& files,
                       const std::string& what);
Value value_from_proto(const onnx_proto::SparseTensorProto& proto,
                       const DataFiles& files,
                       const std::string& what);
/// Weir's dtypes only. Strings go to string_data, all else to raw_data.
void to_proto(const Tensor& tensor, onnx_proto::TensorProto* out);

/// Throws for a number that names no type (data_loss).
ElemType elem_type_from(int number, const std::string& what);

/// The dimensions and element count of a file's tensor, checked. Throws data_loss.
Shape checked_shape(std::span<const std::int64_t> dims, const std::string& what);

}  // namespace weir::onnx_io
