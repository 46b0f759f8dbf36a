#include "base/utf8.h"

#include <cstddef>

namespace weir {
namespace {

// Length of the sequence that `lead` starts, 0 if none, and the range of its second byte, which
// alone tells overlong forms, surrogates and what lies beyond U+10FFFF.
struct Sequence {
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
};

Sequence sequence_of(unsigned char lead) {
  if (lead < 0x80) return {1};
  if (lead >= 0xc2 && lead <= 0xdf) return {2};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead >= 0xe1 && lead <= 0xef) return {3};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead >= 0xf1 && lead <= 0xf3) return {4};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {};
}

bool is_continuation(unsigned char byte) {
  return (byte & 0xc0) == 0x80;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
    const Sequence sequence = sequence_of(at(0));
    if (sequence.length == 0 || sequence.length > text.size() - i) return false;
    if (sequence.length > 1 && (at(1) < sequence.low || at(1) > sequence.high)) return false;
    for (std::size_t k = 2; k < sequence.length; ++k) {
      if (!is_continuation(at(k))) return false;
    }
    i += sequence.length;
  }
  return true;
}

}  // namespace weir
