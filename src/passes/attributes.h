#pragma once

/// Comparison and hashing of attributes, bit for bit.

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "graph/graph.h"

namespace weir::passes {

/// The elements of a list or string; nothing for a single value.
inline std::span<const std::byte> list_bytes(const rt::Attr& a) {
  using Kind = rt::Attr::Kind;
  if (a.kind == Kind::string) return {reinterpret_cast<const std::byte*>(a.s), a.count};
  if (a.kind == Kind::ints || a.kind == Kind::reals)
    return {reinterpret_cast<const std::byte*>(a.ints), a.count * 8u};
  return {};
}

/// The bits of a single value; 0 for a list.
inline std::uint64_t value_bits(const rt::Attr& a) {
  using Kind = rt::Attr::Kind;
  switch (a.kind) {
    case Kind::integer:
    case Kind::operand:
      return std::uint64_t(a.i);
    case Kind::real:
      return std::bit_cast<std::uint64_t>(a.f);
    case Kind::boolean:
      return a.b;
    case Kind::dtype:
      return std::uint64_t(a.t);
    default:
      return 0;
  }
}

inline bool same_attr(const rt::Attr& a, const rt::Attr& b) {
  const auto x = list_bytes(a), y = list_bytes(b);
  return a.kind == b.kind && value_bits(a) == value_bits(b) && x.size() == y.size() &&
         (x.empty() || std::memcmp(x.data(), y.data(), x.size()) == 0);
}

inline bool same_attrs(std::span<const rt::Attr> a, std::span<const rt::Attr> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_attr);
}

inline bool has_operand_attr(const graph::Node& n) {
  const auto attrs = n.attrs.view();
  return std::any_of(attrs.begin(), attrs.end(), [](const rt::Attr& a) {
    return a.kind == rt::Attr::Kind::operand;
  });
}

}  // namespace weir::passes
