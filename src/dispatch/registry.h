#pragma once

/// The ops of the process: the built-in table, generated from src/ops/ops.list, and those of the
/// program.

#include <weir/op_def.h>

#include <span>
#include <string_view>
#include <vector>

namespace weir::dispatch {

/// Type parameters of an op.
inline constexpr std::size_t kMaxTypes = 8;

/// Built-in op number `index` of the generated table.
const OpDef& builtin_op(int index);
/// All ops, in order of registration. Its size only grows; references stay valid.
std::vector<const OpDef*> all_ops();
/// Names like `name`, nearest first, for the message of an error.
std::vector<std::string> similar_op_names(std::string_view name, int count);
/// Throws not_found with similar names.
const OpDef& require_op(std::string_view name, std::source_location where);

/// How a built-in op is made, which happens when somebody asks for it: a program that uses five of
/// them does not wait for the others.
struct BuiltinOp {
  const char* name;
  OpDef (*define)();
  void (*implement)(OpDef&);
};
struct BuiltinOps {
  std::span<const BuiltinOp> ops;
  std::span<const int> by_name;  // numbers of `ops` in the order of their names
};
/// Defined by the generated table.
BuiltinOps builtin_ops();

}  // namespace weir::dispatch
