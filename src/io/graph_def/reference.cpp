#include "io/graph_def/reference.h"

#include <charconv>
#include <string>

#include "io/file/file.h"

namespace weir::io {
namespace {

[[noreturn]] void damaged(std::string_view text) {
  fail(Code::data_loss,
       "an input with a damaged number: '" + std::string(text.substr(0, 200)) + "'");
}

}  // namespace

Reference parse_reference(std::string_view whole, bool in_function) {
  std::string_view text = whole;
  Reference input;
  input.control = text.starts_with('^');
  if (input.control) text.remove_prefix(1);
  const std::size_t first = text.find(':');
  input.node = text.substr(0, first);
  if (first == std::string_view::npos) return input;
  text.remove_prefix(first + 1);
  const std::size_t second = text.rfind(':');
  if (second != std::string_view::npos) {
    input.arg = text.substr(0, second);
    text.remove_prefix(second + 1);
  }
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, input.number);
  const bool number = error == std::errc() && end == last && input.number >= 0;
  if (!number) {  // "node:output" alone means element 0
    if (!input.arg.empty() || text.empty()) damaged(whole);
    input.arg = text;
    input.number = 0;
  }
  if (!input.arg.empty() && !in_function) damaged(whole);
  return input;
}

}  // namespace weir::io
