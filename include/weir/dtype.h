/// Element types of tensors. The numeric values are those of TensorFlow's DataType, so that a
/// stored graph needs no translation. Source: tensorflow/core/framework/types.proto.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

enum class DType : std::uint8_t {
  invalid = 0,
  float32 = 1,
  float64 = 2,
  int32 = 3,
  uint8 = 4,
  int16 = 5,
  int8 = 6,
  string = 7,
  complex64 = 8,
  int64 = 9,
  boolean = 10,
  bfloat16 = 14,
  uint16 = 17,
  complex128 = 18,
  float16 = 19,
  uint32 = 22,
  uint64 = 23,
};

/// IEEE 754 binary16, stored as its bits; arithmetic is done in float32.
struct float16 {
  std::uint16_t bits = 0;
  friend bool operator==(float16, float16) = default;
};

/// The upper half of a float32, stored as its bits; arithmetic is done in float32.
struct bfloat16 {
  std::uint16_t bits = 0;
  friend bool operator==(bfloat16, bfloat16) = default;
};

/// One element of a string tensor: bytes owned by the tensor's buffer.
struct StringView {
  const char* data = nullptr;
  std::int64_t size = 0;
  constexpr operator std::string_view() const { return {data, static_cast<std::size_t>(size)}; }
};

/// int8 ... uint64 for the integer types of any platform; char and bool are none of them.
template <class T>
constexpr DType integer_dtype() {
  constexpr DType of[2][4] = {{DType::int8, DType::int16, DType::int32, DType::int64},
                              {DType::uint8, DType::uint16, DType::uint32, DType::uint64}};
  constexpr bool is_character = std::is_same_v<T, char> || std::is_same_v<T, wchar_t> ||
                                std::is_same_v<T, char8_t> || std::is_same_v<T, char16_t> ||
                                std::is_same_v<T, char32_t>;
  if constexpr (std::is_integral_v<T> && !is_character && std::is_same_v<T, std::remove_cv_t<T>>) {
    return of[std::is_unsigned_v<T>][sizeof(T) == 1   ? 0
                                     : sizeof(T) == 2 ? 1
                                     : sizeof(T) == 4 ? 2
                                                      : 3];
  } else {
    return DType::invalid;
  }
}

/// std::complex<float> and std::complex<double>, told by their form: a program that uses neither
/// need not read <complex>.
template <class T>
concept ComplexNumber = requires(const T& z, typename T::value_type part) {
  requires std::is_same_v<decltype(part), float> || std::is_same_v<decltype(part), double>;
  requires sizeof(T) == 2 * sizeof(part);
  T(part, part);
  z.real();
  z.imag();
  z* z;
};

/// The DType of a C++ element type; DType::invalid for any other type.
template <class T>
inline constexpr DType dtype_of = integer_dtype<T>();
template <>
inline constexpr DType dtype_of<float> = DType::float32;
template <>
inline constexpr DType dtype_of<double> = DType::float64;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;
template <>
inline constexpr DType dtype_of<float16> = DType::float16;
template <>
inline constexpr DType dtype_of<bfloat16> = DType::bfloat16;
template <ComplexNumber T>
inline constexpr DType dtype_of<T> = sizeof(T) == 8 ? DType::complex64 : DType::complex128;
template <>
inline constexpr DType dtype_of<StringView> = DType::string;

/// Types that can be the element of a nested initialiser list or a vector.
template <class T>
concept Element = dtype_of<T>
!= DType::invalid;

constexpr bool is_floating(DType t) {
  return t == DType::float32 || t == DType::float64 || t == DType::float16 || t == DType::bfloat16;
}
constexpr bool is_complex(DType t) {
  return t == DType::complex64 || t == DType::complex128;
}
constexpr bool is_signed_integer(DType t) {
  return t == DType::int8 || t == DType::int16 || t == DType::int32 || t == DType::int64;
}
constexpr bool is_unsigned_integer(DType t) {
  return t == DType::uint8 || t == DType::uint16 || t == DType::uint32 || t == DType::uint64;
}
constexpr bool is_integer(DType t) {
  return is_signed_integer(t) || is_unsigned_integer(t);
}
/// True for the dtypes that gradients flow through.
constexpr bool is_differentiable(DType t) {
  return is_floating(t) || is_complex(t);
}

/// Bits of one stored element. A string element is its 16-byte StringView.
constexpr int bit_width(DType t) {
  switch (t) {
    case DType::int8:
    case DType::uint8:
    case DType::boolean:
      return 8;
    case DType::int16:
    case DType::uint16:
    case DType::float16:
    case DType::bfloat16:
      return 16;
    case DType::int32:
    case DType::uint32:
    case DType::float32:
      return 32;
    case DType::int64:
    case DType::uint64:
    case DType::float64:
    case DType::complex64:
      return 64;
    case DType::complex128:
    case DType::string:
      return 128;
    case DType::invalid:
      return 0;
  }
  return 0;
}
constexpr std::int64_t byte_size(DType t) {
  return bit_width(t) / 8;
}

/// TensorFlow's name: "float32", "bool", "string" ...
constexpr const char* name(DType t) {
  switch (t) {
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
    case DType::int32:
      return "int32";
    case DType::uint8:
      return "uint8";
    case DType::int16:
      return "int16";
    case DType::int8:
      return "int8";
    case DType::string:
      return "string";
    case DType::complex64:
      return "complex64";
    case DType::int64:
      return "int64";
    case DType::boolean:
      return "bool";
    case DType::bfloat16:
      return "bfloat16";
    case DType::uint16:
      return "uint16";
    case DType::complex128:
      return "complex128";
    case DType::float16:
      return "float16";
    case DType::uint32:
      return "uint32";
    case DType::uint64:
      return "uint64";
    case DType::invalid:
      return "invalid";
  }
  return "invalid";
}

/// True for the dtypes above; false for a number read from a file that names none of them.
constexpr bool is_valid(DType t) {
  return bit_width(t) != 0;
}

/// A set of dtypes, one bit each.
class DTypeSet {
 public:
  constexpr DTypeSet() = default;
  constexpr DTypeSet(DType t) : bits_(std::uint32_t{1} << static_cast<unsigned>(t)) {}
  constexpr bool contains(DType t) const {
    return is_valid(t) && ((bits_ >> static_cast<unsigned>(t)) & 1u);
  }
  constexpr bool empty() const { return bits_ == 0; }
  /// The one dtype of a set of one; invalid for other sets.
  constexpr DType only() const {
    return std::has_single_bit(bits_) ? DType(std::countr_zero(bits_)) : DType::invalid;
  }
  friend constexpr DTypeSet operator|(DTypeSet a, DTypeSet b) {
    return DTypeSet(a.bits_ | b.bits_);
  }
  friend constexpr bool operator==(DTypeSet, DTypeSet) = default;

 private:
  constexpr explicit DTypeSet(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};
constexpr DTypeSet operator|(DType a, DType b) {
  return DTypeSet(a) | DTypeSet(b);
}

inline constexpr DTypeSet kFloating =
    DType::float32 | DType::float64 | DType::float16 | DType::bfloat16;
inline constexpr DTypeSet kComplex = DType::complex64 | DType::complex128;
inline constexpr DTypeSet kSigned = DType::int8 | DType::int16 | DType::int32 | DType::int64;
inline constexpr DTypeSet kUnsigned = DType::uint8 | DType::uint16 | DType::uint32 | DType::uint64;
inline constexpr DTypeSet kInteger = kSigned | kUnsigned;
inline constexpr DTypeSet kIndex = DType::int32 | DType::int64;
inline constexpr DTypeSet kReal = kFloating | kInteger;
inline constexpr DTypeSet kNumeric = kReal | kComplex;
inline constexpr DTypeSet kPlain = kNumeric | DType::boolean;
inline constexpr DTypeSet kAnyType = kPlain | DType::string;

}  // namespace weir::inline v0
