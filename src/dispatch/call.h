#pragma once

/// The one way into an op: from the generated API, from replay, from gradients.

#include <weir/op_def.h>

#include <optional>
#include <span>

#include "base/small_vector.h"
#include "dispatch/handler.h"

namespace weir::dispatch {

/// Runs `op` and fills `results` (op.output_count(attrs) of them). `attrs` holds one entry for each
/// AttrDef; an entry of kind `operand` names the operand that carries a static operand. Throws
/// weir::Error; nothing has happened then.
/// `where`: the line of a call without operands; an operand knows its own.
void call(const OpDef& op,
          std::span<const Operand> operands,
          std::span<const rt::Attr> attrs,
          std::span<Tensor> results,
          std::source_location where = {});

/// While it lives, calls of this thread go where one with these operands would. For functions that
/// are several ops and read their operands first: a variable beside a tensor of a graph is read in
/// that graph.
class OperandScope {
 public:
  explicit OperandScope(const OperandList& operands);

 private:
  std::optional<HandlerScope> scope_;
};

/// The same for ops with one output.
inline Tensor call1(const OpDef& op,
                    std::span<const Operand> operands,
                    std::span<const rt::Attr> attrs) {
  Tensor result;
  call(op, operands, attrs, {&result, 1});
  return result;
}

/// Shapes and dtypes of the outputs, without running anything.
std::vector<Spec> infer(const OpDef& op,
                        std::span<const SpecView> inputs,
                        std::span<const rt::Attr> attrs,
                        std::span<const Tensor* const> values,
                        std::source_location where);

[[noreturn]] void fail(const OpDef& op,
                       std::source_location where,
                       std::string what,
                       std::string got = {},
                       std::string expected = {},
                       std::string fix = {},
                       Code code = Code::invalid_argument);

/// Collects operands and attributes for the bodies of the generated API.
class CallBuilder {
 public:
  explicit CallBuilder(const OpDef& op) : op_(op) {}
  CallBuilder& operand(const Operand& o) {
    operands_.push_back(o);
    return *this;
  }
  CallBuilder& operands(const OperandList& list) {
    for (std::size_t i = 0; i < list.size(); ++i)
      operands_.push_back(list[i]);
    return *this;
  }
  CallBuilder& attr(rt::Attr a) {
    attrs_.push_back(a);
    return *this;
  }
  /// A static operand; `ints` must outlive the call.
  CallBuilder& ints(const Ints& ints);
  CallBuilder& string(std::string_view s) {
    return attr(rt::Attr::string(s.data(), std::uint32_t(s.size())));
  }
  Tensor one();
  std::vector<Tensor> many();
  void into(std::span<Tensor> results);

 private:
  void place_dynamic();

  const OpDef& op_;
  std::source_location where_;
  base::SmallVector<Operand, 6> operands_;
  base::SmallVector<rt::Attr, 8> attrs_;
  base::SmallVector<std::pair<std::size_t, const Tensor*>, 2>
      dynamic_;  // attributes whose value is a tensor
};

}  // namespace weir::dispatch
