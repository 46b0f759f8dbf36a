/// Tensor: an immutable value of one dtype and shape, held by a handle of one pointer. Copying a
/// Tensor shares it.
///
///   Tensor a{{1.f, 2.f}, {3.f, 4.f}};          // float32[2, 2]
///   Tensor b = Tensor::full({2, 2}, 0.5f);
///   std::cout << a * b + 1;                    // printed as NumPy prints
///   for (float v : a.data<float>()) ...        // a read-only view of the elements
///
/// While a function is traced, a Tensor stands for a value that does not exist yet:
/// `is_symbolic()`. Reading its elements then is an error that says what to use instead.
#pragma once

#include <weir/dtype.h>
#include <weir/error.h>
#include <weir/shape.h>

#include <iosfwd>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {

class TensorImpl;
class Tensor;

/// A half-open range with a step along one axis; an absent bound is the end of the axis. Negative
/// values count from the end, as in Python. Slice{} takes the whole axis.
struct Slice {
  static constexpr std::int64_t kOpen = INT64_MIN;
  std::int64_t begin = kOpen;
  std::int64_t end = kOpen;
  std::int64_t step = 1;
};

/// One entry of `t[{...}]`: an integer (drops the axis), a Slice, newaxis or ellipsis.
struct Index {
  enum class Kind : std::uint8_t { integer, slice, newaxis, ellipsis };
  Index(std::int64_t i) : kind(Kind::integer) { slice.begin = i; }
  Index(int i) : Index(static_cast<std::int64_t>(i)) {}
  Index(Slice s) : kind(Kind::slice), slice(s) {}
  static Index newaxis() { return Index(Kind::newaxis); }
  static Index ellipsis() { return Index(Kind::ellipsis); }
  Kind kind;
  Slice slice;

 private:
  explicit Index(Kind k) : kind(k) {}
};

class Tensor {
 public:
  /// No tensor. Using it as an operand is an error.
  Tensor() noexcept = default;
  template <Element T>
  Tensor(T scalar) : Tensor(copy_of(&scalar, dtype_of<T>, Shape{})) {}
  Tensor(const char* text) : Tensor(strings({std::string_view(text)}, Shape{})) {}
  Tensor(std::string_view text) : Tensor(strings({text}, Shape{})) {}
  Tensor(const std::string& text) : Tensor(std::string_view(text)) {}

  /// Nested lists. Ragged lists are an error.
  template <Element T>
  Tensor(std::initializer_list<T> v) : Tensor(nested<T>(v)) {}
  template <Element T>
  Tensor(std::initializer_list<std::initializer_list<T>> v) : Tensor(nested<T>(v)) {}
  template <Element T>
  Tensor(std::initializer_list<std::initializer_list<std::initializer_list<T>>> v)
      : Tensor(nested<T>(v)) {}
  template <Element T>
  Tensor(
      std::initializer_list<std::initializer_list<std::initializer_list<std::initializer_list<T>>>>
          v)
      : Tensor(nested<T>(v)) {}
  Tensor(std::initializer_list<const char*> v)
      : Tensor(strings(std::vector<std::string_view>(v.begin(), v.end()),
                       Shape{Dim(std::int64_t(v.size()))})) {}

  Tensor(const Tensor& o) noexcept : p_(o.p_) {
    if (p_) retain();
  }
  Tensor(Tensor&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Tensor& operator=(const Tensor& o) noexcept {
    Tensor(o).swap(*this);
    return *this;
  }
  Tensor& operator=(Tensor&& o) noexcept {
    Tensor(std::move(o)).swap(*this);
    return *this;
  }
  ~Tensor() {
    if (p_) release();
  }
  void swap(Tensor& o) noexcept { std::swap(p_, o.p_); }

  /// A copy of values in row-major order. Error: the number of values is not the size of the shape
  /// (one value fills).
  template <Element T>
  static Tensor from(std::span<const T> values, const Shape& shape) {
    return copy_checked(values.data(), std::int64_t(values.size()), dtype_of<T>, shape);
  }
  template <Element T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  template <Element T>
  static Tensor from(const std::vector<T>& values) {
    return from(values, Shape{Dim(std::int64_t(values.size()))});
  }
  static Tensor from(const std::vector<bool>& values, const Shape& shape);
  static Tensor strings(const std::vector<std::string_view>& values, const Shape& shape);
  /// Uses `data` in place; `deleter(data, context)` runs when the last tensor that shares it is
  /// gone.
  static Tensor wrap(void* data,
                     DType dtype,
                     const Shape& shape,
                     void (*deleter)(void*, void*),
                     void* context = nullptr);
  template <Element T>
  static Tensor full(const Shape& shape, T value) {
    return copy_checked(&value, 1, dtype_of<T>, shape);
  }
  static Tensor zeros(const Shape& shape, DType dtype = DType::float32);
  static Tensor ones(const Shape& shape, DType dtype = DType::float32);

  /// truth(), so that `if (t)` works eagerly and explains itself inside a trace.
  explicit operator bool() const { return truth(); }
  bool defined() const { return p_ != nullptr; }
  DType dtype() const;
  Shape shape() const;
  int rank() const;
  std::int64_t dim(int axis) const;  // negative axes count from the end; -1: unknown
  std::int64_t size() const;         // number of elements; -1: unknown
  std::int64_t nbytes() const;
  bool is_symbolic() const;
  std::string device() const;  // "CPU:0"

  /// The elements. Errors: T is not the tensor's dtype; the tensor is symbolic.
  template <Element T>
  std::span<const T> data() const {
    return {static_cast<const T*>(host_data(dtype_of<T>)), static_cast<std::size_t>(size())};
  }
  /// The elements as bytes.
  const void* raw_data() const;
  /// The value of a tensor of one element, converted to T.
  template <Element T>
  T item() const {
    T value;
    convert_item(&value, dtype_of<T>);
    return value;
  }
  /// Truth of a tensor of one element. Errors: more than one element; symbolic.
  bool truth() const;

  /// Element or slices along the leading axes: t[0], t[{Slice{0, 2}, 1}].
  Tensor operator[](std::int64_t i) const;
  Tensor operator[](std::initializer_list<Index> indices) const;
  /// Rows [begin, end) of axis 0; shares memory.
  Tensor slice(std::int64_t begin, std::int64_t end) const;

  /// As NumPy prints: nested brackets, summarised beyond 1,000 elements.
  std::string to_string() const;
  /// "float32[2, 3]"
  std::string describe() const;
  friend std::ostream& operator<<(std::ostream& os, const Tensor& t);

  /// For implementers; a user never needs it.
  TensorImpl* impl() const { return p_; }
  static Tensor adopt(TensorImpl* p) {
    Tensor t;
    t.p_ = p;
    return t;
  }
  TensorImpl* detach() { return std::exchange(p_, nullptr); }

 private:
  struct Nested {
    std::vector<std::int64_t> dims;
    const void* data;
    std::size_t count;
  };
  static Tensor copy_of(const void* data, DType dtype, const Shape& shape);
  static Tensor copy_checked(const void* data, std::int64_t count, DType dtype, const Shape& shape);
  [[noreturn]] static void throw_ragged();

  template <class T, class List>
  static void flatten(const List& list,
                      int depth,
                      std::vector<std::int64_t>& dims,
                      std::vector<std::uint8_t>& bytes) {
    if (int(dims.size()) == depth) dims.push_back(std::int64_t(list.size()));
    if (dims[depth] != std::int64_t(list.size())) throw_ragged();
    for (const auto& e : list) {
      if constexpr (Element<std::remove_cvref_t<decltype(e)>>) {
        const auto* p = reinterpret_cast<const std::uint8_t*>(&e);
        bytes.insert(bytes.end(), p, p + sizeof(T));
      } else {
        flatten<T>(e, depth + 1, dims, bytes);
      }
    }
  }
  template <class T, class List>
  static Tensor nested(const List& list) {
    std::vector<std::int64_t> dims;
    std::vector<std::uint8_t> bytes;
    flatten<T>(list, 0, dims, bytes);
    return copy_of(bytes.data(), dtype_of<T>, Shape(dims));
  }

  const void* host_data(DType expected) const;
  void convert_item(void* out, DType dtype) const;
  void retain() const noexcept;
  void release() noexcept;

  TensorImpl* p_ = nullptr;
};

/// Words for a shape with unknown dimensions and a dtype: what a function's input may be.
struct TensorSpec {
  Shape shape;
  DType dtype = DType::float32;
  std::string name = {};
};

/// Statistics of the CPU allocator, in bytes unless said.
struct MemoryStats {
  std::int64_t in_use = 0;       // handed out and not returned
  std::int64_t peak = 0;         // largest in_use since the last reset
  std::int64_t cached = 0;       // returned, kept for reuse
  std::int64_t limit = 0;        // 0: none
  std::int64_t allocations = 0;  // count of requests that were handed out
  std::int64_t allocated = 0;    // their bytes, all together
  /// The same as in_use and peak, as it was asked for: without what blocks are rounded up by.
  std::int64_t requested = 0;
  std::int64_t requested_peak = 0;
};
MemoryStats memory_stats();
void reset_peak_memory();
/// Requests that would take `in_use` above the limit fail with resource_exhausted; 0 removes the
/// limit.
void set_memory_limit(std::int64_t bytes);
/// Returns cached blocks to the system.
void release_cached_memory();

}  // namespace weir::inline v0
