#include <algorithm>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

// Lists whose length is known while the graph is read; elements are values of the graph.

const std::vector<Value>& list_of(NodeContext& c, std::size_t i) {
  const Value& v = c.value(i);
  if (v.sequence == nullptr) c.damaged("operand " + std::to_string(i) + " is no sequence");
  return *v.sequence;
}

std::int64_t constant_index(NodeContext& c, std::size_t i, std::int64_t length, std::int64_t end) {
  if (!is_constant(c.in(i))) c.unsupported("a position that is no constant");
  const std::int64_t at = c.in(i).item<std::int64_t>();
  if (at < -length || at >= end) c.damaged("position " + std::to_string(at));
  return at < 0 ? at + length : at;
}

Values convert_construct(NodeContext& c) {
  return {Value::list(c.values())};
}

Values convert_empty(NodeContext&) {
  return {Value::list({})};
}

Values convert_at(NodeContext& c) {
  const auto& list = list_of(c, 0);
  const auto n = static_cast<std::int64_t>(list.size());
  return {list[static_cast<std::size_t>(constant_index(c, 1, n, n))]};
}

Values convert_insert(NodeContext& c) {
  std::vector<Value> list = list_of(c, 0);
  const auto n = static_cast<std::int64_t>(list.size());
  const std::int64_t at = c.has(2) ? constant_index(c, 2, n, n + 1) : n;
  list.insert(list.begin() + at, c.value(1));
  return {Value::list(std::move(list))};
}

Values convert_erase(NodeContext& c) {
  std::vector<Value> list = list_of(c, 0);
  const auto n = static_cast<std::int64_t>(list.size());
  list.erase(list.begin() + (c.has(1) ? constant_index(c, 1, n, n) : constant_index(c, 0, n, n)));
  return {Value::list(std::move(list))};
}

Values convert_length(NodeContext& c) {
  return {Tensor(static_cast<std::int64_t>(list_of(c, 0).size()))};
}

Values convert_concat(NodeContext& c) {
  std::vector<Tensor> parts;
  for (const Value& v : list_of(c, 0))
    parts.push_back(v.tensor);
  if (parts.empty()) c.damaged("an empty sequence");
  const std::int64_t axis = c.i("axis");
  return {c.flag("new_axis") ? stack(parts, axis) : concat(parts, axis)};
}

Values convert_split(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t axis = check_axis(c, c.i("axis", 0), c.rank(0));
  const std::int64_t n = known_dim(c, x, axis);
  constexpr std::int64_t kMaxParts = 1 << 16;
  List sizes;
  bool keep = true;
  if (!c.has(1)) {
    keep = c.flag("keepdims", true);
    if (n > kMaxParts) c.unsupported("so many parts");
    sizes.assign(static_cast<std::size_t>(n), 1);
  } else if (c.rank(1) == 0) {
    const std::int64_t each = c.constant_ints(1).at(0);
    if (each < 1 || n / each > kMaxParts) c.damaged("the length of its parts");
    for (std::int64_t at = 0; at < n; at += each)
      sizes.push_back(std::min(each, n - at));
  } else {
    sizes = c.constant_ints(1);
  }
  std::vector<Value> parts;
  for (const Tensor& part : split(x, sizes, axis))
    parts.push_back(keep ? part : squeeze(part, axis));
  return {Value::list(std::move(parts))};
}

Values convert_map(NodeContext& c) {
  const std::vector<Value> list = list_of(c, 0);
  const auto& body = c.graph("body");
  std::vector<std::vector<Value>> results(c.outputs());
  for (std::size_t i = 0; i < list.size(); ++i) {
    Values arguments;
    for (const Value& v : c.values()) {
      if (v.sequence != nullptr && v.sequence->size() != list.size()) {
        c.damaged("sequences of different lengths");
      }
      arguments.push_back(v.sequence == nullptr ? v : (*v.sequence)[i]);
    }
    const Values turn = c.run(body, arguments);
    if (turn.size() < results.size()) c.damaged("its body has too few results");
    for (std::size_t k = 0; k < results.size(); ++k)
      results[k].push_back(turn[k]);
  }
  Values lists;
  for (auto& result : results)
    lists.push_back(Value::list(std::move(result)));
  return lists;
}

// -- optionals: a value that is there, or none --

Values convert_optional(NodeContext& c) {
  return {c.has(0) ? c.value(0) : Value()};
}

Values convert_has_element(NodeContext& c) {
  return {Tensor(c.has(0))};
}

Values convert_get_element(NodeContext& c) {
  return {c.value(0)};
}

constexpr Converter kConverters[] = {
    {"ConcatFromSequence", convert_concat},
    {"Optional", convert_optional},
    {"OptionalGetElement", convert_get_element},
    {"OptionalHasElement", convert_has_element},
    {"SequenceAt", convert_at},
    {"SequenceConstruct", convert_construct},
    {"SequenceEmpty", convert_empty},
    {"SequenceErase", convert_erase},
    {"SequenceInsert", convert_insert},
    {"SequenceLength", convert_length},
    {"SequenceMap", convert_map},
    {"SplitToSequence", convert_split},
};

}  // namespace

std::span<const Converter> sequence_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
