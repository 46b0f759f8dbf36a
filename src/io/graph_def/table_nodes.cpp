/// Lookup tables of a file. They are filled once, when the model is loaded; a lookup is then a
/// search in two constants.
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <charconv>

#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/node_reader.h"
#include "io/graph_def/resources.h"

namespace weir::io {
namespace {

constexpr std::int64_t kWholeLine = -2;
constexpr std::int64_t kLineNumber = -1;

std::string text_attr(const NodeCall& call, const char* name) {
  const proto::AttrValue* value = find_attr(call.def, name);
  return value == nullptr ? std::string() : value->s();
}

std::int64_t int_attr(const NodeCall& call, const char* name, std::int64_t absent) {
  const proto::AttrValue* value = find_attr(call.def, name);
  return value == nullptr ? absent : value->i();
}

Handle& table(const NodeCall& call) {
  const Value& value = call.value(0);
  if (value.handle == nullptr || !value.handle->is_table) {
    fail(Code::data_loss, "its first input is no table");
  }
  return *value.handle;
}

Values make_table(const NodeCall& call) {
  const std::string shared = text_attr(call, "shared_name");
  const std::string& name = shared.empty() ? call.def.name() : shared;
  return {call.reader.resources().table(
      name, type_attr(call.def, "key_dtype"), type_attr(call.def, "value_dtype"))};
}

// Keys in order, so that integers can be searched; of equal ones the first counts.
void fill_table(Handle& table, const Tensor& keys, const Tensor& values) {
  if (keys.dtype() != table.dtype || keys.rank() != 1 || values.rank() != 1 ||
      keys.size() != values.size()) {
    fail(Code::data_loss, "keys and values that do not fit the table");
  }
  const bool texts = keys.dtype() == DType::string;
  const Tensor order = texts ? Tensor() : argsort(keys);
  table.keys = texts ? keys : gather(keys, order);
  table.values = texts ? values : gather(values, order);
}

Values import_table(const NodeCall& call) {
  if (call.reader.builder() != nullptr) {
    fail(Code::unimplemented, "a table that is filled while the graph runs");
  }
  fill_table(table(call), call.tensor(1), call.tensor(2));
  return {};
}

std::vector<std::string_view> split(std::string_view text, char delimiter) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(delimiter);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string field(std::string_view line, std::int64_t number, std::int64_t column, char delimiter) {
  if (column == kWholeLine) return std::string(line);
  if (column == kLineNumber) return std::to_string(number);
  const auto fields = split(line, delimiter);
  if (column >= 0 && column < static_cast<std::int64_t>(fields.size())) {
    return std::string(fields[static_cast<std::size_t>(column)]);
  }
  fail(Code::data_loss, "line " + std::to_string(number + 1) + " of its file has too few columns");
}

Tensor column_tensor(const std::vector<std::string>& column, DType dtype) {
  if (dtype == DType::string) {
    return Tensor::strings({column.begin(), column.end()},
                           Shape{static_cast<std::int64_t>(column.size())});
  }
  std::vector<std::int64_t> numbers;
  for (const std::string& text : column) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || last != end) {
      fail(Code::data_loss, "'" + text.substr(0, 100) + "' in its file is no integer");
    }
    numbers.push_back(number);
  }
  return cast(Tensor::from(numbers), dtype);
}

Values table_from_file(const NodeCall& call) {
  Handle& handle = table(call);
  const Tensor path = call.constant(1);
  if (path.dtype() != DType::string || path.size() != 1) fail(Code::data_loss, "its file's name");
  const std::string delimiter = text_attr(call, "delimiter");
  const char separator = delimiter.empty() ? '\t' : delimiter[0];
  const std::string text = call.reader.resources().asset(std::string(path.data<StringView>()[0]));
  std::vector<std::string> keys, values;
  std::string_view rest = text;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  for (const std::string_view line : split(rest, '\n')) {
    const auto number = static_cast<std::int64_t>(keys.size());
    keys.push_back(field(line, number, int_attr(call, "key_index", 0), separator));
    values.push_back(field(line, number, int_attr(call, "value_index", 1), separator));
  }
  fill_table(handle, column_tensor(keys, handle.dtype), column_tensor(values, handle.value_dtype));
  return {};
}

// Where each key stands in the table, and whether it does.
std::pair<Tensor, Tensor> search(const Handle& table, const Tensor& wanted) {
  if (table.dtype == DType::string) {
    const Tensor same = equal(expand_dims(wanted, -1), table.keys);
    return {argmax(cast(same, DType::int32), -1), any(same, -1)};
  }
  const Tensor flat = flatten(wanted);
  const Tensor place = searchsorted(table.keys, flat);
  const Tensor last = Tensor(static_cast<std::int32_t>(table.keys.size() - 1));
  const Tensor inside = reshape(minimum(place, last), shape(wanted));
  return {inside, equal(gather(table.keys, inside), wanted)};
}

Values find_in_table(const NodeCall& call) {
  const Handle& handle = table(call);
  const Tensor wanted = call.tensor(1);
  const Tensor absent = call.tensor(2);
  if (!handle.keys.defined()) {
    fail(Code::failed_precondition, "the table '" + handle.name.substr(0, 200) + "' is not filled");
  }
  if (wanted.dtype() != handle.dtype || absent.dtype() != handle.values.dtype()) {
    fail(Code::data_loss, "keys or a default of another dtype than the table's");
  }
  if (handle.keys.size() == 0) return {fill(shape(wanted), absent)};
  const auto [place, found] = search(handle, wanted);
  return {where(found, gather(handle.values, place), absent)};
}

Values table_size(const NodeCall& call) {
  const Handle& handle = table(call);
  return {Tensor(handle.keys.defined() ? handle.keys.size() : std::int64_t{0})};
}

constexpr ConverterEntry kConverters[] = {
    {"HashTableV2", make_table},
    {"MutableHashTableV2", make_table},
    {"HashTable", make_table},
    {"InitializeTableV2", import_table},
    {"InitializeTable", import_table},
    {"LookupTableImportV2", import_table},
    {"LookupTableImport", import_table},
    {"InitializeTableFromTextFileV2", table_from_file},
    {"LookupTableFindV2", find_in_table},
    {"LookupTableFind", find_in_table},
    {"LookupTableSizeV2", table_size},
};

}  // namespace

std::span<const ConverterEntry> table_converters() {
  return kConverters;
}

}  // namespace weir::io
