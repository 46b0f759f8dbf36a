#include "io/bundle/layout.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>

#include "platform/file.h"

namespace weir::io::bundle {
namespace {

// The "ordered code" of the keys of parts: numbers and texts whose bytes sort as they do.
void append_ordered(std::uint64_t value, std::string* out) {
  std::string digits;
  for (; value != 0; value >>= 8)
    digits.insert(digits.begin(), static_cast<char>(value));
  out->push_back(static_cast<char>(digits.size()));
  *out += digits;
}

void append_ordered(std::string_view text, std::string* out) {
  for (const char c : text) {
    out->push_back(c);
    if (c == '\0') out->push_back('\xff');
    if (c == '\xff') out->push_back('\0');
  }
  out->append("\0\1", 2);
}

// Sign and length stand in the leading bits: 10 = one byte, 110 = two and so on for numbers >= 0,
// their complement for negative ones.
void append_ordered_signed(std::int64_t value, std::string* out) {
  int length = 1;
  while (length < 10 && (value < 0 ? ~value : value) >> std::min(7 * length - 1, 63) != 0)
    ++length;
  std::string bytes(static_cast<std::size_t>(length), value < 0 ? '\xff' : '\0');
  for (int i = 0; i < std::min(length, 8); ++i)
    bytes[static_cast<std::size_t>(length - 1 - i)] = static_cast<char>(value >> (8 * i));
  const unsigned header = 0xffff0000U >> length;  // `length` ones at the top of 16 bits
  bytes[0] = static_cast<char>(bytes[0] ^ static_cast<char>(header >> 8));
  if (length > 1) bytes[1] = static_cast<char>(bytes[1] ^ static_cast<char>(header));
  *out += bytes;
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::int64_t last_common(const Part& a, const Part& b, std::size_t d) {
  return std::min(a.begin[d] + a.size[d], b.begin[d] + b.size[d]);
}

// Elements before place `at` of a box.
std::int64_t offset_in(const Part& box, const std::vector<std::int64_t>& at) {
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < at.size(); ++d)
    offset = offset * box.size[d] + at[d] - box.begin[d];
  return offset;
}

Part common(const Part& a, const Part& b) {
  Part box;
  for (std::size_t d = 0; d < a.begin.size(); ++d) {
    box.begin.push_back(std::max(a.begin[d], b.begin[d]));
    box.size.push_back(last_common(a, b, d) - box.begin[d]);
  }
  return box;
}

// To the next row of a box (all dimensions but the last); false at the end.
bool next_row(const Part& box, std::vector<std::int64_t>* at) {
  for (std::size_t d = at->size() - 1; d-- > 0;) {
    if (++(*at)[d] < box.begin[d] + box.size[d]) return true;
    (*at)[d] = box.begin[d];
  }
  return false;
}

}  // namespace

std::string index_path(const std::string& prefix) {
  return prefix + ".index";
}

std::string shard_path(const std::string& prefix, int shard, int shards) {
  char suffix[40];
  std::snprintf(suffix, sizeof suffix, ".data-%05d-of-%05d", shard, shards);
  return prefix + suffix;
}

int shards_of(std::string_view file, std::string_view base) {
  constexpr std::string_view kForm = ".data-00000-of-00000";
  if (file.size() != base.size() + kForm.size() || file.substr(0, base.size()) != base) return 0;
  const std::string_view suffix = file.substr(base.size());
  const bool ours = suffix.substr(0, 6) == kForm.substr(0, 6) && all_digits(suffix.substr(6, 5)) &&
                    suffix.substr(11, 4) == kForm.substr(11, 4) && all_digits(suffix.substr(15));
  return ours ? std::stoi(std::string(suffix.substr(15))) : 0;
}

std::string part_key(std::string_view name, const proto::TensorSliceProto& slice) {
  std::string key;
  append_ordered(std::uint64_t{0}, &key);
  append_ordered(name, &key);
  append_ordered(static_cast<std::uint64_t>(slice.extent_size()), &key);
  for (const auto& extent : slice.extent()) {
    const bool whole =
        extent.has_length_case() == proto::TensorSliceProto::Extent::HAS_LENGTH_NOT_SET;
    append_ordered_signed(extent.start(), &key);
    append_ordered_signed(whole ? -1 : extent.length(), &key);
  }
  return key;
}

bool checked_size(const std::vector<std::int64_t>& dims,
                  std::int64_t item,
                  std::int64_t* count,
                  std::int64_t* bytes) {
  *count = 1;
  bool fits = true;
  bool empty = false;
  for (const std::int64_t dim : dims) {
    empty = empty || dim == 0;
    fits = fits && !__builtin_mul_overflow(*count, std::max<std::int64_t>(dim, 1), count);
  }
  fits = fits && !__builtin_mul_overflow(*count, item, bytes);
  if (empty) *count = *bytes = 0;
  return fits;
}

bool overlap(const Part& a, const Part& b) {
  for (std::size_t d = 0; d < a.begin.size(); ++d) {
    if (last_common(a, b, d) <= std::max(a.begin[d], b.begin[d])) return false;
  }
  return true;
}

std::int64_t copy_common(
    const Part& from_box, const char* from, const Part& to_box, char* to, std::int64_t item) {
  if (!overlap(from_box, to_box)) return 0;
  const Part box = common(from_box, to_box);
  const std::int64_t row = box.size.empty() ? 1 : box.size.back();
  std::vector<std::int64_t> at = box.begin;
  std::int64_t copied = 0;
  do {
    std::memcpy(to + offset_in(to_box, at) * item,
                from + offset_in(from_box, at) * item,
                static_cast<std::size_t>(row * item));
    copied += row;
  } while (at.size() > 1 && next_row(box, &at));
  return copied;
}

}  // namespace weir::io::bundle
