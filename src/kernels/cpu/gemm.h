#pragma once

#include <cstddef>
#include <cstdint>

/// Contraction of two matrices, C = op(A) op(B), one kernel for every shape.
///
/// Numeric contract: an element of C is one chain of (fused, where the set has it) multiply-adds
/// over k = 0, 1, ..., K - 1 that starts from zero. So its bits depend on its row of op(A), its
/// column of op(B) and the instruction set, never on M, N, transposes, packing, slices or threads.
namespace weir::kernels {

/// Runs on rows [row0, row0 + rows) and columns [col0, col0 + cols) of C once they hold their full
/// sums and are still in cache; `c` points to the first of them. Blocks do not overlap.
using GemmEpilogue = void (*)(
    void* ctx, void* c, int64_t row0, int64_t rows, int64_t col0, int64_t cols, int64_t ldc);

/// x = x + y, x - y, y - x, x * y, max(x, 0) and (y > 0 ? x : 0), with the roundings and the NaN of
/// the ops of these names.
enum class FinishCode : uint8_t { add, subtract, subtract_from, multiply, relu, relu_gradient };

/// What happens to an element x of C once it holds its full sum; y belongs to its row and column,
/// or (with both steps 0) is one for all.
template <typename T>
struct FinishOp {
  FinishCode code = FinishCode::add;
  const T* y = nullptr;  // of row 0 and column 0
  int64_t row_step = 0;
  int64_t col_step = 0;  // 0 or 1
};

/// An epilogue as a few operations on vectors, which run before the sums leave the registers.
template <typename T>
struct GemmFinish {
  static constexpr int kMaxOps = 4;
  int count = 0;
  FinishOp<T> ops[kMaxOps];
};

/// Row-major matrices with rows `ld` elements apart. op(A) is m x k, op(B) is k x n, C is m x n; a
/// matrix that is transposed is stored as n x k (B) or k x m (A). Any extent may be 0; an empty
/// matrix has an address all the same.
template <typename T>
struct GemmArgs {
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  int64_t lda = 0;
  bool trans_a = false;
  const T* b = nullptr;  // not read if packed_b is set
  int64_t ldb = 0;
  bool trans_b = false;
  const T* packed_b = nullptr;  // what pack_b made
  T* c = nullptr;
  int64_t ldc = 0;
  GemmEpilogue epilogue = nullptr;
  void* epilogue_ctx = nullptr;
  const GemmFinish<T>* finish = nullptr;  // the same as `epilogue`: whichever suits is run
};

inline constexpr int64_t kPackColumns = 64;

/// The kernel of one instruction set.
template <typename T>
struct Gemm {
  /// Number of independent parts that C is cut into; at least 1. From the extents and flags alone.
  int64_t (*slices)(const GemmArgs<T>& args);

  /// Bytes of scratch memory that each running slice needs for itself, aligned to 64.
  size_t (*workspace_bytes)(const GemmArgs<T>& args);

  /// Computes one part of C and runs the epilogue on it.
  void (*run_slice)(const GemmArgs<T>& args, int64_t slice, void* workspace);

  /// True where the slices would copy parts of B more than once: pack it, then run with the packed
  /// form.
  bool (*packs_first)(const GemmArgs<T>& args);

  /// Elements of the packed form of a k x n matrix, and the packing itself: `b` as in GemmArgs,
  /// `out` aligned to 64 bytes. Worth it when a matrix is used often, and for large or transposed
  /// ones. Columns from kPackColumns * i on are packed at `out` + kPackColumns * i * k, so that
  /// several threads may pack one matrix.
  int64_t (*packed_size)(int64_t n, int64_t k);
  void (*pack_b)(const T* b, int64_t ldb, bool trans_b, int64_t n, int64_t k, T* out);
};

namespace baseline {
const Gemm<float>& gemm_f32();
const Gemm<double>& gemm_f64();
}  // namespace baseline
namespace avx2 {
const Gemm<float>& gemm_f32();
const Gemm<double>& gemm_f64();
}  // namespace avx2
namespace avx512 {
const Gemm<float>& gemm_f32();
const Gemm<double>& gemm_f64();
}  // namespace avx512

}  // namespace weir::kernels
