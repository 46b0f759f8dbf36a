#include "io/checkpoint/state_file.h"

#include <cctype>
#include <charconv>
#include <cstdio>

#include "io/file/file.h"
#include "platform/file.h"

namespace weir::io::checkpoint {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 24;
constexpr const char* kFile = "checkpoint";

// Protobuf's text form, as far as the message needs it: NAME ":" (TEXT | NUMBER), comments.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool field(std::string* name, std::string* value) {
    skip_space();
    *name = word();
    skip_space();
    if (name->empty() || !take(':')) return false;
    skip_space();
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return quoted(value);
    *value = word();
    return !value->empty();
  }

 private:
  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == ',' || c == ';') {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
            std::string_view("_.+-").find(text_[at_]) != std::string_view::npos))
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool quoted(std::string* value) {
    const char quote = text_[at_++];
    value->clear();
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        value->push_back(text_[at_++]);
      } else if (!escape(value)) {
        return false;
      }
    }
    return take(quote);
  }

  bool escape(std::string* value) {
    if (++at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (c >= '0' && c <= '7') {
      int code = c - '0';
      for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '7'; ++i)
        code = code * 8 + (text_[at_++] - '0');
      value->push_back(static_cast<char>(code));
      return true;
    }
    constexpr std::string_view kNames = "nrt", kCodes = "\n\r\t";
    const std::size_t known = kNames.find(c);
    value->push_back(known == std::string_view::npos ? c : kCodes[known]);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The name within the directory, empty if the path leads out of it.
std::string within(const std::string& path, const std::string& directory) {
  const std::string name = platform::base_name(path);
  const bool here = path == name || platform::parent_path(path) == directory;
  return here && name != "." && name != ".." ? name : std::string();
}

std::string quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    char octal[8];
    std::snprintf(
        octal, sizeof octal, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
    const bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
    quoted += plain ? std::string(1, c) : std::string(octal);
  }
  return quoted + "\"";
}

}  // namespace

State parse_state(std::string_view text, const std::string& directory) {
  State state;
  Scanner scanner(text);
  std::string name, value;
  bool timed = true;
  while (scanner.field(&name, &value)) {
    if (name == "model_checkpoint_path") state.latest = within(value, directory);
    if (name == "all_model_checkpoint_timestamps")
      state.timestamps.push_back(std::strtod(value.c_str(), nullptr));
    if (name != "all_model_checkpoint_paths") continue;
    const std::string path = within(value, directory);
    timed = timed && !path.empty();
    if (!path.empty()) state.all.push_back(path);
  }
  if (!timed || state.timestamps.size() != state.all.size()) state.timestamps.clear();
  return state;
}

std::string format_state(const State& state) {
  std::string text = "model_checkpoint_path: " + quote(state.latest) + "\n";
  for (const std::string& path : state.all)
    text += "all_model_checkpoint_paths: " + quote(path) + "\n";
  for (const double time : state.timestamps) {
    char line[80];
    std::snprintf(line, sizeof line, "all_model_checkpoint_timestamps: %.6f\n", time);
    text += line;
  }
  return text;
}

State read_state(const std::string& directory) {
  const std::string path = platform::join_path(directory, kFile);
  if (!platform::file_exists(path)) return {};
  std::string text;
  check(platform::read_file(path, &text, kMaxBytes));
  return parse_state(text, directory);
}

void write_state(const std::string& directory, const State& state) {
  write_file(platform::join_path(directory, kFile), format_state(state));
}

}  // namespace weir::io::checkpoint
