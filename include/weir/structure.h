/// Structures of tensors: what traced functions take and return. A Tensor, a vector, array, pair or
/// tuple of structures, an aggregate struct of up to eight members, or a plain value (number, bool,
/// string, enum), which belongs to the signature: another value is another trace.
#pragma once

#include <weir/tensor.h>
#include <weir/variable.h>

#include <array>
#include <charconv>
#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace weir::inline v0 {

/// Collects the tensors of a structure; lengths and plain values go into the key.
class Flattener {
 public:
  void tensor(const Tensor& t) { tensors.push_back(t); }
  void length(std::size_t n) {
    lengths.push_back(n);
    key += 'n' + std::to_string(n) + ';';
  }
  void value(std::string_view text) { (key += text) += ';'; }
  /// All digits that tell a number from its neighbours, after its kind and size.
  template <class T>
  void number(T v) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, v).ptr;
    key += std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
    key += std::to_string(8 * sizeof(T)) + ' ';
    value({text, std::size_t(end - text)});
  }

  std::vector<Tensor> tensors;
  std::vector<std::size_t> lengths;
  std::string key;
};

/// Points to the tensors of arguments, which outlive the call: threads that call a function with
/// the same tensor do not write to its reference count.
class ArgumentFlattener : public Flattener {
 public:
  void tensor(const Tensor& t) { arguments.push_back(&t); }

  std::vector<const Tensor*> arguments;
};

/// Collects the specs where a Flattener collects the tensors.
class SpecFlattener : public Flattener {
 public:
  void tensor(const TensorSpec& s) { specs.push_back(s); }
  void tensor(const Tensor& t) { specs.push_back({t.shape(), t.dtype()}); }

  std::vector<TensorSpec> specs;
};

/// Gives tensors and lengths back in the order in which they were collected.
class Unflattener {
 public:
  Unflattener(std::span<const Tensor> tensors, std::span<const std::size_t> lengths)
      : tensors_(tensors), lengths_(lengths) {}
  const Tensor& tensor() { return tensors_[next_tensor_++]; }
  std::size_t length() { return lengths_[next_length_++]; }

 private:
  std::span<const Tensor> tensors_;
  std::span<const std::size_t> lengths_;
  std::size_t next_tensor_ = 0, next_length_ = 0;
};

namespace structure {

template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;
template <class T>
inline constexpr bool is_pair = false;
template <class A, class B>
inline constexpr bool is_pair<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t n>
inline constexpr bool is_array<std::array<T, n>> = true;

template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};

template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::same_as<T, std::string>;

/// Converts to anything: counts the members of an aggregate.
struct Anything {
  template <class T>
  requires(!std::same_as<T, Tensor> || true) operator T() const;
};

template <class T>
consteval int member_count() {
  if constexpr (requires {
                  T{Anything{},
                    Anything{},
                    Anything{},
                    Anything{},
                    Anything{},
                    Anything{},
                    Anything{},
                    Anything{}};
                })
    return 8;
  else if constexpr (
      requires {
        T{Anything{}, Anything{}, Anything{}, Anything{}, Anything{}, Anything{}, Anything{}};
      })
    return 7;
  else if constexpr (requires {
                       T{Anything{}, Anything{}, Anything{}, Anything{}, Anything{}, Anything{}};
                     })
    return 6;
  else if constexpr (requires { T{Anything{}, Anything{}, Anything{}, Anything{}, Anything{}}; })
    return 5;
  else if constexpr (requires { T{Anything{}, Anything{}, Anything{}, Anything{}}; })
    return 4;
  else if constexpr (requires { T{Anything{}, Anything{}, Anything{}}; })
    return 3;
  else if constexpr (requires { T{Anything{}, Anything{}}; })
    return 2;
  else
    return 1;
}

/// Calls visit(members...) of an aggregate.
template <class T, class Visit>
decltype(auto) with_members(T& s, Visit&& visit) {
  constexpr int n = member_count<std::remove_const_t<T>>();
  if constexpr (n == 8) {
    auto& [a, b, c, d, e, f, g, h] = s;
    return visit(a, b, c, d, e, f, g, h);
  } else if constexpr (n == 7) {
    auto& [a, b, c, d, e, f, g] = s;
    return visit(a, b, c, d, e, f, g);
  } else if constexpr (n == 6) {
    auto& [a, b, c, d, e, f] = s;
    return visit(a, b, c, d, e, f);
  } else if constexpr (n == 5) {
    auto& [a, b, c, d, e] = s;
    return visit(a, b, c, d, e);
  } else if constexpr (n == 4) {
    auto& [a, b, c, d] = s;
    return visit(a, b, c, d);
  } else if constexpr (n == 3) {
    auto& [a, b, c] = s;
    return visit(a, b, c);
  } else if constexpr (n == 2) {
    auto& [a, b] = s;
    return visit(a, b);
  } else {
    auto& [a] = s;
    return visit(a);
  }
}

/// True if a structure has members that are no tensors.
template <class T>
consteval bool has_plain() {
  if constexpr (std::same_as<T, Tensor> || std::same_as<T, TensorSpec>) {
    return false;
  } else if constexpr (Plain<T> || std::same_as<T, Variable>) {
    return true;
  } else if constexpr (is_vector<T>) {
    return has_plain<typename T::value_type>();
  } else if constexpr (TupleLike<T>) {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (has_plain<std::tuple_element_t<I, T>>() || ...);
    }
    (std::make_index_sequence<std::tuple_size_v<T>>{});
  } else {
    using Members = decltype(with_members(std::declval<T&>(), [](auto&... e) {
      return std::bool_constant<(has_plain<std::remove_cvref_t<decltype(e)>>() || ...)>{};
    }));
    return Members::value;
  }
}

/// `Out` is a Flattener or one of its children.
template <class T, class Out>
void flatten(const T& s, Out& out) {
  if constexpr (std::same_as<T, Tensor> || std::same_as<T, TensorSpec>) {
    out.tensor(s);
  } else if constexpr (std::same_as<T, Variable>) {
    out.value("v" + std::to_string(reinterpret_cast<std::uintptr_t>(s.state().get())));
  } else if constexpr (std::same_as<T, std::string>) {
    out.length(s.size());
    out.value(s);
  } else if constexpr (std::is_enum_v<T>) {
    out.value("e" + std::to_string(static_cast<long long>(s)));
  } else if constexpr (std::same_as<T, bool>) {
    out.value(s ? "true" : "false");
  } else if constexpr (std::is_arithmetic_v<T>) {
    out.number(s);
  } else if constexpr (is_vector<T>) {
    out.length(s.size());
    for (const auto& e : s)
      flatten(e, out);
  } else if constexpr (TupleLike<T>) {
    std::apply([&](const auto&... e) { (flatten(e, out), ...); }, s);
  } else {
    static_assert(std::is_aggregate_v<T>,
                  "a traced function takes and returns tensors, vectors, tuples and plain structs");
    with_members(s, [&](const auto&... e) { (flatten(e, out), ...); });
  }
}

/// Fills `s`, which has the plain values already, with the tensors of `in`.
template <class T>
void unflatten(T& s, Unflattener& in) {
  if constexpr (std::same_as<T, Tensor>) {
    s = in.tensor();
  } else if constexpr (std::same_as<T, std::string>) {
    in.length();
  } else if constexpr (Plain<T> || std::same_as<T, Variable>) {
    return;
  } else if constexpr (is_vector<T>) {
    s.resize(in.length());
    for (auto& e : s)
      unflatten(e, in);
  } else if constexpr (TupleLike<T>) {
    std::apply([&](auto&... e) { (unflatten(e, in), ...); }, s);
  } else {
    with_members(s, [&](auto&... e) { (unflatten(e, in), ...); });
  }
}

/// The structure that a callable takes where `s` stands, with undefined tensors in place of specs.
template <class T>
auto with_tensors(const T& s) {
  if constexpr (std::same_as<T, TensorSpec>) {
    return Tensor();
  } else if constexpr (is_vector<T>) {
    std::vector<decltype(with_tensors(s[0]))> list;
    for (const auto& e : s)
      list.push_back(with_tensors(e));
    return list;
  } else if constexpr (is_pair<T>) {
    return std::pair{with_tensors(s.first), with_tensors(s.second)};
  } else if constexpr (is_array<T>) {
    return std::apply([](const auto&... e) { return std::array{with_tensors(e)...}; }, s);
  } else if constexpr (TupleLike<T>) {
    return std::apply(
        [](const auto&... e) {
          return std::tuple<decltype(with_tensors(e))...>{with_tensors(e)...};
        },
        s);
  } else {
    return s;
  }
}

}  // namespace structure
}  // namespace weir::inline v0
