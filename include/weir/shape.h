/// Shapes: a list of dimensions, each a value, a named symbol, or unknown; or a shape of unknown
/// rank.
///
///   Shape s{2, 3};            // static
///   Shape t{-1, 28, 28};      // -1: unknown, as in TensorFlow
///   Shape u{Dim::symbol("batch"), 10};
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// One dimension. Two equal symbols have the same, so far unknown, value; two unknown dimensions
/// need not.
class Dim {
 public:
  constexpr Dim() = default;
  constexpr Dim(std::int64_t value) : v_(value < 0 ? kUnknown : value) {}
  static constexpr Dim unknown() { return Dim(kUnknown); }
  /// The symbol of this name, the same for every caller in the process.
  static Dim symbol(const char* name);
  /// A symbol that no other call returned.
  static Dim fresh_symbol();

  constexpr bool known() const { return v_ >= 0; }
  constexpr bool is_symbol() const { return v_ < kUnknown; }
  /// The value; -1 for a symbol or an unknown dimension.
  constexpr std::int64_t value() const { return v_ < 0 ? -1 : v_; }
  /// Value, symbol number or unknown as one integer, for hashing.
  constexpr std::int64_t raw() const { return v_; }
  /// Certainly equal: the same value or the same symbol.
  constexpr bool same(Dim o) const { return v_ == o.v_ && v_ != kUnknown; }
  friend constexpr bool operator==(Dim, Dim) = default;
  std::string to_string() const;

 private:
  static constexpr std::int64_t kUnknown = -1;
  friend Dim make_symbol(std::int64_t);
  std::int64_t v_ = 0;
};

inline constexpr int kMaxRank = 254;

class Shape {
 public:
  /// A scalar's shape: rank 0.
  Shape() = default;
  Shape(std::initializer_list<Dim> dims) : Shape(std::span<const Dim>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const Dim> dims) { assign(dims); }
  explicit Shape(std::span<const std::int64_t> dims);
  Shape(const std::vector<std::int64_t>& dims) : Shape(std::span<const std::int64_t>(dims)) {}
  Shape(const Shape& o) { assign(o.dims()), known_rank_ = o.known_rank_; }
  Shape(Shape&& o) noexcept { take(o); }
  Shape& operator=(const Shape& o);
  Shape& operator=(Shape&& o) noexcept {
    if (this != &o) {
      release();
      take(o);
    }
    return *this;
  }
  ~Shape() { release(); }
  static Shape unknown_rank() {
    Shape s;
    s.known_rank_ = false;
    return s;
  }

  bool has_rank() const { return known_rank_; }
  /// Number of dimensions; 0 when the rank is unknown.
  int rank() const { return rank_; }
  Dim operator[](int i) const { return data()[i]; }
  Dim& operator[](int i) { return data()[i]; }
  std::span<const Dim> dims() const { return {data(), static_cast<std::size_t>(rank_)}; }
  /// Becomes these dimensions, which must not be its own.
  void assign(std::span<const Dim> dims);
  void push_back(Dim d) {
    if (rank_ == capacity_) return push_back_slowly(d);
    data()[rank_++] = d;
  }
  /// True when the rank and every dimension are known values.
  bool is_static() const;
  /// Product of the dimensions; -1 unless static. Overflow is refused where shapes are made.
  std::int64_t size() const;
  std::vector<std::int64_t> to_vector() const;
  /// "[2, ?, batch]", "<unknown>"
  std::string to_string() const;
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  static constexpr int kInline = 6;
  const Dim* data() const { return heap_ ? heap_ : inline_; }
  Dim* data() { return heap_ ? heap_ : inline_; }
  void push_back_slowly(Dim d);
  void release() {
    if (heap_) delete[] heap_;
  }
  void take(Shape& o) noexcept {
    rank_ = std::exchange(o.rank_, std::uint8_t(0));
    known_rank_ = o.known_rank_;
    capacity_ = std::exchange(o.capacity_, std::uint8_t(kInline));
    for (int i = 0; i < kInline; ++i)
      inline_[i] = o.inline_[i];
    heap_ = std::exchange(o.heap_, nullptr);
  }

  std::uint8_t rank_ = 0;
  bool known_rank_ = true;
  std::uint8_t capacity_ = kInline;
  Dim inline_[kInline];
  Dim* heap_ = nullptr;
};

}  // namespace weir::inline v0
