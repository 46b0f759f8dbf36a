/// Matrix products of float32 and float64 by the contraction of gemm.h, whose numeric contract they
/// inherit.
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/matmul_finish.h"
#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {
namespace {

struct MatMul {
  static constexpr const char* kOp = "MatMul";
};
struct BatchMatMul {
  static constexpr const char* kOp = "BatchMatMulV2";
};

template <class T>
const Gemm<T>& gemm() {
  if constexpr (sizeof(T) == sizeof(float))
    return gemm_f32();
  else
    return gemm_f64();
}

/// Matrices in the leading axes.
std::int64_t batches(const rt::View& v) {
  std::int64_t n = 1;
  for (int i = 0; i + 2 < v.rank; ++i)
    n *= v.dims[i];
  return n;
}

/// Number, in an operand whose leading axes may be broadcast, of the matrix that belongs to matrix
/// `index` of the output.
std::int64_t matrix_of(const rt::View& v, const rt::View& out, std::int64_t index) {
  std::int64_t number = 0, step = 1;
  for (int axis = out.rank - 3; axis >= 0; --axis) {
    const std::int64_t at = index % out.dims[axis];
    index /= out.dims[axis];
    const int own = axis - (out.rank - v.rank);
    if (own < 0) break;
    number += v.dims[own] == 1 ? 0 : at * step;
    step *= v.dims[own];
  }
  return number;
}

/// A product as a number of equal contractions.
template <class T>
struct Product {
  GemmArgs<T> args;
  std::int64_t count = 1;
};

/// Rows of all matrices of `a` are rows of one when they meet the same `b`.
template <class T>
Product<T> product_of(const rt::KernelCall& c) {
  const rt::View &a = c.in[0], &b = c.in[1], &y = c.out[0];
  Product<T> p;
  p.args.trans_a = c.attrs[0].b;
  p.args.trans_b = c.attrs[1].b;
  p.args.m = y.dims[y.rank - 2];
  p.args.n = p.args.ldc = y.dims[y.rank - 1];
  p.args.lda = a.dims[a.rank - 1];
  p.args.ldb = b.dims[b.rank - 1];
  p.args.k = p.args.trans_a ? a.dims[a.rank - 2] : p.args.lda;
  p.args.a = a.as<T>();
  p.args.b = b.as<T>();
  p.args.c = y.as<T>();
  p.args.packed_b = static_cast<const T*>(c.packed);
  if (c.epilogue) {
    p.args.epilogue = c.epilogue->run;
    p.args.epilogue_ctx = c.epilogue->arg;
  }
  p.count = batches(y);
  if (p.count > 1 && !p.args.trans_a && batches(b) == 1 && batches(a) == p.count) {
    p.args.m *= p.count;
    p.count = 1;
  }
  return p;
}

/// Stands for a packed operand where only whether there is one matters.
template <class T>
inline constexpr T kAny{};

/// Slices of all contractions, in groups that share a workspace. A single contraction may pack B
/// before, at the start of the workspace.
template <class T>
struct Schedule {
  std::int64_t slices = 0;
  std::int64_t units = 0;
  std::int64_t groups = 0;
  std::int64_t group_bytes = 0;
  std::int64_t packed_bytes = 0;

  explicit Schedule(Product<T> p) {
    constexpr std::int64_t kMostGroups = 64;
    constexpr std::int64_t kGroupWork = 32768;  // multiply-adds that are worth a thread
    if (p.count == 1 && gemm<T>().packs_first(p.args)) {
      packed_bytes = padded(gemm<T>().packed_size(p.args.n, p.args.k) * std::int64_t(sizeof(T)));
      p.args.packed_b = &kAny<T>;
    }
    slices = gemm<T>().slices(p.args);
    units = p.count * slices;
    group_bytes = padded(std::int64_t(gemm<T>().workspace_bytes(p.args)));
    if (units == 1) {
      groups = 1;
      return;
    }
    const std::int64_t work = p.args.m * p.args.n * p.args.k / slices + 1;
    const std::int64_t wanted = work < kGroupWork ? units * work / kGroupWork + 1 : units;
    groups = wanted < kMostGroups ? wanted : kMostGroups;
    if (groups > units) groups = units;
  }

  std::int64_t workspace() const { return packed_bytes + groups * group_bytes; }

 private:
  static std::int64_t padded(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }
};

template <class T>
void pack_in_parallel(const rt::KernelCall& c, const GemmArgs<T>& args, T* packed) {
  rt::parallel_for(c, (args.n + kPackColumns - 1) / kPackColumns, [&](std::int64_t i) {
    const std::int64_t col = i * kPackColumns;
    const std::int64_t cols = args.n - col < kPackColumns ? args.n - col : kPackColumns;
    gemm<T>().pack_b(args.b + col * (args.trans_b ? args.ldb : 1),
                     args.ldb,
                     args.trans_b,
                     cols,
                     args.k,
                     packed + col * args.k);
  });
}

template <class T>
rt::Needs need(const rt::KernelCall& c) {
  const Product<T> p = product_of<T>(c);
  rt::Needs needs{.workspace = Schedule<T>(p).workspace()};
  if (batches(c.in[1]) == 1) {
    needs.packed_bytes = gemm<T>().packed_size(p.args.n, p.args.k) * std::int64_t(sizeof(T));
    needs.packed_operand = 1;
  }
  return needs;
}

template <class T>
Status pack(const rt::KernelCall& c, void* packed) {
  const GemmArgs<T> args = product_of<T>(c).args;
  gemm<T>().pack_b(args.b, args.ldb, args.trans_b, args.n, args.k, static_cast<T*>(packed));
  return {};
}

template <class T>
Status run(const rt::KernelCall& c) {
  Product<T> p = product_of<T>(c);
  GemmFinish<T> finish;
  if (c.epilogue && make_finish(*c.epilogue, finish)) p.args.finish = &finish;
  const Schedule<T> s(p);
  if (s.packed_bytes > 0) {
    auto* packed = static_cast<T*>(c.workspace);
    pack_in_parallel(c, p.args, packed);
    p.args.packed_b = packed;
  }
  if (s.units == 1) {
    gemm<T>().run_slice(p.args, 0, static_cast<char*>(c.workspace) + s.packed_bytes);
    return {};
  }
  rt::parallel_for(c, s.groups, [&](std::int64_t group) {
    char* workspace = static_cast<char*>(c.workspace) + s.packed_bytes + group * s.group_bytes;
    for (std::int64_t unit = s.units * group / s.groups; unit < s.units * (group + 1) / s.groups;
         ++unit) {
      GemmArgs<T> args = p.args;
      const std::int64_t i = unit / s.slices;
      if (p.count > 1) {
        args.a += matrix_of(c.in[0], c.out[0], i) * c.in[0].dims[c.in[0].rank - 2] * args.lda;
        args.b += matrix_of(c.in[1], c.out[0], i) * c.in[1].dims[c.in[1].rank - 2] * args.ldb;
        args.c += i * args.m * args.n;
      }
      gemm<T>().run_slice(args, unit % s.slices, workspace);
    }
  });
  return {};
}

template <class Op, class T>
constexpr rt::Kernel kernel() {
  return {.op = Op::kOp,
          .name = kKernelName<Op, T>.text,
          .types = {dtype_of<T>},
          .isa = kIsa,
          .need = need<T>,
          .pack = pack<T>,
          .run = run<T>,
          .epilogue = std::is_same_v<Op, MatMul>};
}

constexpr rt::Kernel kTable[] = {kernel<MatMul, float>(),
                                 kernel<MatMul, double>(),
                                 kernel<BatchMatMul, float>(),
                                 kernel<BatchMatMul, double>()};

}  // namespace

rt::KernelTable matmul_kernels() {
  return {kTable, sizeof kTable / sizeof *kTable};
}

}  // namespace weir::kernels::WEIR_ISA
