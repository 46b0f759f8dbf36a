#pragma once

#include <weir/op_def.h>
#include <weir/tensor.h>

#include <string>
#include <vector>

#include "io/proto/graph.pb.h"

namespace weir::io {

/// A node's attribute, null if it has none of this name. The last of several counts.
const proto::AttrValue* find_attr(const proto::NodeDef& node, const std::string& name);

/// The dtype or function that attribute `name` holds; throws weir::Error if there is none.
DType type_attr(const proto::NodeDef& node, const std::string& name);
const std::string& function_attr(const proto::NodeDef& node, const std::string& name);

/// The value of a Const; throws weir::Error if it is damaged.
Tensor constant_value(const proto::NodeDef& node);

/// The call of an op as a file has it, read with the op's definition.
struct ReadCall {
  /// One for each AttrDef; static operands refer to operands behind the op's own.
  std::vector<rt::Attr> attrs;
  /// TensorFlow's inputs, by number, in the order of our operands.
  std::vector<int> operands;
  std::vector<std::vector<double>> storage;
  std::vector<std::vector<std::int64_t>> shapes;
};

/// Reads the attributes of a node with `inputs` data inputs. Texts and lists stay in `node`.
/// Throws weir::Error for a missing attribute, one of the wrong kind, a wrong number of inputs.
ReadCall read_call(const OpDef& op, const proto::NodeDef& node, int inputs);

/// Throws weir::Error if the operands' dtypes are not what the node's attributes say.
void check_types(const OpDef& op, const proto::NodeDef& node, std::span<const DType> operands);

/// "node 'x' (MatMul)", for errors.
std::string describe(const proto::NodeDef& node);

}  // namespace weir::io
