/// Functions of the mathematical family that are several ops.
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <cmath>
#include <limits>

namespace weir::inline v0 {
namespace {

/// The operand as a tensor that may be used several times, with the caller's line.
class Kept {
 public:
  explicit Kept(const Operand& o) : tensor_(o.to_tensor()), where_(o.where()) {}
  operator Operand() const { return Operand(tensor_, where_); }
  const Tensor& tensor() const { return tensor_; }

 private:
  Tensor tensor_;
  Operand::Where where_;
};

struct Range {
  std::int64_t low;
  std::uint64_t high;
};
template <class T>
Range range() {
  return {std::numeric_limits<T>::min(), std::uint64_t(std::numeric_limits<T>::max())};
}

/// Smallest and largest value of an integer dtype.
Range range_of(DType t) {
  switch (t) {
    case DType::int8:
      return range<std::int8_t>();
    case DType::int16:
      return range<std::int16_t>();
    case DType::int32:
      return range<std::int32_t>();
    case DType::int64:
      return range<std::int64_t>();
    case DType::uint8:
      return range<std::uint8_t>();
    case DType::uint16:
      return range<std::uint16_t>();
    case DType::uint32:
      return range<std::uint32_t>();
    default:
      return range<std::uint64_t>();
  }
}

}  // namespace

Tensor logsumexp(Operand x, const Ints& axis, bool keepdims) {
  const Kept kept(x);
  const Tensor largest = stop_gradient(max(kept, axis, true));
  const Tensor shift = where(is_finite(largest), largest, 0);
  const Tensor total = log(sum(exp(Operand(kept) - shift), axis, keepdims));
  return total + (keepdims ? shift : sum(shift, axis));
}

Tensor variance(Operand x, const Ints& axis, bool keepdims) {
  const Kept kept(x);
  return mean(squared_difference(kept, mean(kept, axis, true)), axis, keepdims);
}

Tensor stddev(Operand x, const Ints& axis, bool keepdims) {
  return sqrt(variance(x, axis, keepdims));
}

Tensor norm(Operand x, const Ints& axis, bool keepdims, double ord) {
  if (!(ord > 0)) {
    throw Error({Code::invalid_argument,
                 "norm: the order is not above 0",
                 to_string(x.where()),
                 std::to_string(ord),
                 "1, 2, infinity or another number above 0",
                 {}});
  }
  if (ord == 2) return sqrt(sum(square(x), axis, keepdims));
  if (ord == 1) return sum(abs(x), axis, keepdims);
  if (std::isinf(ord)) return max(abs(x), axis, keepdims);
  return pow(sum(pow(abs(x), ord), axis, keepdims), 1 / ord);
}

Tensor count_nonzero(Operand x, const Ints& axis, bool keepdims) {
  return sum(cast(not_equal(x, 0), DType::int64), axis, keepdims);
}

Tensor clip_by_norm(Operand x, double limit, const Ints& axis) {
  const Kept kept(x);
  return Operand(kept) * limit / maximum(norm(kept, axis, true), limit);
}

Tensor l2_normalize(Operand x, const Ints& axis, double epsilon) {
  const Kept kept(x);
  return Operand(kept) * rsqrt(maximum(sum(square(kept), axis, true), epsilon));
}

Tensor saturate_cast(Operand x, DType dtype) {
  const Kept kept(x);
  const DType from = kept.tensor().dtype();
  if (!is_integer(from) || !is_integer(dtype)) return cast(kept, dtype);
  const auto [from_low, from_high] = range_of(from);
  const auto [low, high] = range_of(dtype);
  Tensor limited = kept.tensor();
  if (low > from_low) limited = maximum(limited, low);
  if (high < from_high) limited = minimum(limited, std::int64_t(high));
  return cast(limited, dtype);
}

}  // namespace weir::inline v0
