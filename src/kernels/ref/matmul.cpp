/// Matrix products as three loops; each element is accumulated over k in order, in float64 for
/// float32 and float16.
#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::ref {
namespace {

struct MatMul {
  static constexpr const char* kOp = "MatMul";
};
struct BatchMatMul {
  static constexpr const char* kOp = "BatchMatMulV2";
};

template <class T>
auto wide(T v) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, float16> ||
                std::is_same_v<T, bfloat16>) {
    return double(compute(v));
  } else {
    return compute(v);
  }
}

/// One matrix; sa, sb: strides of (row, column) after transposition.
template <class T>
void product(const T* a,
             const T* b,
             T* c,
             const std::int64_t (&mnk)[3],
             const std::int64_t (&sa)[2],
             const std::int64_t (&sb)[2]) {
  for (std::int64_t i = 0; i < mnk[0]; ++i) {
    for (std::int64_t j = 0; j < mnk[1]; ++j) {
      decltype(wide(T{})) sum{};
      for (std::int64_t k = 0; k < mnk[2]; ++k)
        sum += wide(a[i * sa[0] + k * sa[1]]) * wide(b[k * sb[0] + j * sb[1]]);
      if constexpr (std::is_same_v<decltype(sum), double> && !std::is_same_v<T, double>) {
        c[i * mnk[1] + j] = wrap<T>(float(sum));
      } else {
        c[i * mnk[1] + j] = wrap<T>(sum);
      }
    }
  }
}

/// Offset, in matrices, of batch `index` of the output in an operand whose leading axes may be
/// broadcast.
std::int64_t batch_offset(const rt::View& v, const rt::View& out, std::int64_t index) {
  std::int64_t offset = 0, step = 1;
  for (int axis = out.rank - 3; axis >= 0; --axis) {
    const std::int64_t at = index % out.dims[axis];
    index /= out.dims[axis];
    const int own = axis - (out.rank - v.rank);
    if (own < 0) continue;
    offset += v.dims[own] == 1 ? 0 : at * step;
    step *= v.dims[own];
  }
  return offset;
}

template <class T>
Status run(const rt::KernelCall& c) {
  const rt::View &a = c.in[0], &b = c.in[1], &y = c.out[0];
  const bool ta = c.attrs[0].b, tb = c.attrs[1].b;
  const std::int64_t rows = a.dims[a.rank - 2], cols = a.dims[a.rank - 1],
                     bcols = b.dims[b.rank - 1];
  const std::int64_t mnk[3] = {y.dims[y.rank - 2], y.dims[y.rank - 1], ta ? rows : cols};
  const std::int64_t sa[2] = {ta ? 1 : cols, ta ? cols : 1};
  const std::int64_t sb[2] = {tb ? 1 : bcols, tb ? bcols : 1};
  std::int64_t batches = 1;
  for (int i = 0; i < y.rank - 2; ++i)
    batches *= y.dims[i];
  for (std::int64_t i = 0; i < batches; ++i) {
    product(a.as<T>() + batch_offset(a, y, i) * rows * cols,
            b.as<T>() + batch_offset(b, y, i) * b.dims[b.rank - 2] * bcols,
            y.as<T>() + i * mnk[0] * mnk[1],
            mnk,
            sa,
            sb);
  }
  return {};
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> kernels(Types<Ts...>) {
  return {rt::Kernel{
      .op = Op::kOp, .name = kKernelName<Op, Ts>.text, .types = {dtype_of<Ts>}, .run = run<Ts>}...};
}

}  // namespace

rt::KernelTable matmul_kernels() {
  static const auto table =
      concatenate(kernels<MatMul>(Numeric{}), kernels<BatchMatMul>(Numeric{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
