#include <weir/error.h>

namespace weir::inline v0 {
namespace {

void add_line(std::string& text, const char* label, const std::string& part) {
  if (!part.empty()) text += std::string("\n  ") + label + part;
}

std::string format(const ErrorInfo& e) {
  std::string text = e.what + " [" + code_name(e.code) + "]";
  add_line(text, "where:    ", e.where);
  add_line(text, "got:      ", e.got);
  add_line(text, "expected: ", e.expected);
  add_line(text, "fix:      ", e.fix);
  return text;
}

void add_part(std::string& text, const char* label, const std::string& part) {
  if (!part.empty()) text += std::string("; ") + label + part;
}

}  // namespace

Error::Error(ErrorInfo info) : std::runtime_error(format(info)), info_(std::move(info)) {}

std::string Error::one_line() const {
  std::string text = info_.what;
  add_part(text, "got ", info_.got);
  add_part(text, "expected ", info_.expected);
  add_part(text, "fix: ", info_.fix);
  add_part(text, "at ", info_.where);
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

std::string to_string(const std::source_location& where) {
  if (where.line() == 0) return {};  // nobody said
  const std::string function = where.function_name();
  std::string text = std::string(where.file_name()) + ":" + std::to_string(where.line());
  return function.empty() ? text : text + " (" + function + ")";
}

}  // namespace weir::inline v0
