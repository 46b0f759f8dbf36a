#include "io/bundle/strings.h"

#include <vector>

#include "base/crc32c.h"
#include "io/bundle/cursor.h"

namespace weir::io::bundle {
namespace {

// Lengths enter the checksum in 32 bits, those that need it in 64.
std::uint32_t add_length(std::uint64_t length, std::uint32_t crc) {
  return crc32c(&length, length > UINT32_MAX ? 8 : 4, crc);
}

}  // namespace

std::uint32_t format_strings(const Tensor& tensor, std::string* out) {
  std::uint32_t crc = 0;
  const auto texts = tensor.data<StringView>();
  for (const StringView text : texts) {
    append_varint(static_cast<std::uint64_t>(text.size), out);
    crc = add_length(static_cast<std::uint64_t>(text.size), crc);
  }
  append_u32(mask_crc32c(crc), out);
  crc = crc32c(out->data() + out->size() - 4, 4, crc);
  for (const StringView text : texts) {
    out->append(text.data, static_cast<std::size_t>(text.size));
    crc = crc32c(text.data, static_cast<std::size_t>(text.size), crc);
  }
  return crc;
}

std::string parse_strings(std::string_view stored,
                          const Shape& shape,
                          std::int64_t count,
                          std::uint32_t masked_crc,
                          Tensor* out) {
  // Each has a length of one byte or more: checked before memory is taken for what the shape says.
  if (static_cast<std::uint64_t>(count) > stored.size()) return "too few bytes for its strings";
  Cursor from(stored);
  std::uint32_t crc = 0;
  std::vector<std::uint64_t> lengths(static_cast<std::size_t>(count));
  for (std::uint64_t& length : lengths) {
    length = from.varint();
    crc = add_length(length, crc);
  }
  const std::string_view checksum = from.take(4);
  if (!from.ok()) return "too few bytes for its strings";
  if (load_u32(checksum.data()) != mask_crc32c(crc)) {
    return "the checksum of the lengths does not match";
  }
  crc = crc32c(checksum.data(), 4, crc);
  std::vector<std::string_view> texts;
  texts.reserve(lengths.size());
  for (const std::uint64_t length : lengths)
    texts.push_back(from.take(length));
  if (!from.ok() || !from.rest().empty()) return "its strings have another length than its bytes";
  for (const std::string_view text : texts)
    crc = crc32c(text.data(), text.size(), crc);
  if (mask_crc32c(crc) != masked_crc) return "the checksum does not match";
  *out = Tensor::strings(texts, shape);
  return {};
}

}  // namespace weir::io::bundle
