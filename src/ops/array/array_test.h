#pragma once

/// What the tests of the array ops share: elements as vectors, and the text of the error that a
/// call throws.

#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/ops/array.h>

#include <string>
#include <vector>

namespace weir {

template <class T>
std::vector<T> list(const Tensor& t) {
  const auto d = t.data<T>();
  return {d.begin(), d.end()};
}
inline std::vector<std::string> texts(const Tensor& t) {
  std::vector<std::string> v;
  for (const StringView& s : t.data<StringView>())
    v.emplace_back(std::string_view(s));
  return v;
}

/// 0, 1, 2 ... in a shape.
template <class T = float>
Tensor iota(const Shape& shape) {
  std::vector<T> v(std::size_t(shape.size()));
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = T(i);
  return Tensor::from(v, shape);
}

/// The message of the weir::Error that `body` throws; empty if it throws none.
template <class F>
std::string error_of(F&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in '" << text << "'";
}

using Floats = std::vector<float>;
using Ints32 = std::vector<std::int32_t>;
using Ints64 = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

}  // namespace weir
