#pragma once

#include <cstdint>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/vec.h"

// The end of a contraction, on sums that are in registers still.
namespace weir::kernels::WEIR_ISA {
namespace {

// Each operation is written out for every size of tile: float32 only, to keep the code small.
template <typename T>
inline constexpr bool kFinishes = sizeof(T) == sizeof(float);

// sum = f(sum, y) for MR rows of NV vectors that start at (row, col) of C.
template <typename T, int MR, int NV, class F>
inline void apply(Vec<T> (&sum)[MR][NV], const FinishOp<T>& op, int64_t row, int64_t col, F f) {
  const int64_t step = kLanes<T> * op.col_step;
  const T* y = op.y + row * op.row_step + col * op.col_step;
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v)
      sum[i][v] = f(sum[i][v], load(y + v * step));
    y += op.row_step;
  }
}

// Fetches what the finish will read of whole matrices.
template <typename T, int MR>
inline void prefetch_operands(const GemmFinish<T>& finish, int64_t row, int64_t col) {
  for (const FinishOp<T>*op = finish.ops, *end = op + finish.count; op != end; ++op) {
    if (op->row_step == 0) continue;
    const T* y = op->y + row * op->row_step + col;
    for (int i = 0; i < MR; ++i)
      __builtin_prefetch(y + i * op->row_step);
  }
}

template <typename T, int MR, int NV>
inline void finish_sums(Vec<T> (&sum)[MR][NV],
                        const GemmFinish<T>& finish,
                        int64_t row,
                        int64_t col) {
  using V = Vec<T>;
  const V zero = {};
  for (const FinishOp<T>*op = finish.ops, *end = op + finish.count; op != end; ++op) {
    switch (op->code) {
      case FinishCode::add:
        apply<T>(sum, *op, row, col, [](V x, V y) { return x + y; });
        break;
      case FinishCode::subtract:
        apply<T>(sum, *op, row, col, [](V x, V y) { return x - y; });
        break;
      case FinishCode::subtract_from:
        apply<T>(sum, *op, row, col, [](V x, V y) { return y - x; });
        break;
      case FinishCode::multiply:
        apply<T>(sum, *op, row, col, [](V x, V y) { return x * y; });
        break;
      case FinishCode::relu_gradient:
        apply<T>(sum, *op, row, col, [=](V x, V y) { return y > zero ? x : zero; });
        break;
      case FinishCode::relu:
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 16
          for (int v = 0; v < NV; ++v)
            sum[i][v] = sum[i][v] < zero ? zero : sum[i][v];
        }
        break;
    }
  }
}

// A finish whose operands of one element are a vector of it, as `apply` reads them.
template <typename T>
class VectorFinish {
 public:
  explicit VectorFinish(const GemmFinish<T>& finish) : finish_(finish) {
    for (int o = 0; o < finish_.count; ++o) {
      FinishOp<T>& op = finish_.ops[o];
      if (op.y == nullptr || op.col_step != 0) continue;
      store(space_[o], broadcast(*op.y));
      op.y = space_[o];
    }
  }
  const GemmFinish<T>& get() const { return finish_; }

 private:
  GemmFinish<T> finish_;
  T space_[GemmFinish<T>::kMaxOps][kLanes<T>];
};

// The operands of a finish for a tile of which only `cols` columns exist, in rows of full length.
template <typename T, int MR, int width>
class PaddedFinish {
 public:
  PaddedFinish(const GemmFinish<T>* finish, int64_t row, int64_t col, int64_t cols)
      : given_(finish != nullptr) {
    if (!given_) return;
    finish_ = *finish;
    for (int o = 0; o < finish_.count; ++o) {
      FinishOp<T>& op = finish_.ops[o];
      if (op.y == nullptr || op.col_step == 0) continue;
      pad(op.y + row * op.row_step + col * op.col_step, op, cols, space_[o]);
      op.y = space_[o];
      op.row_step = op.row_step == 0 ? 0 : width;
    }
  }
  const GemmFinish<T>* get() const { return given_ ? &finish_ : nullptr; }

 private:
  static void pad(const T* y, const FinishOp<T>& op, int64_t cols, T* out) {
    const int rows = op.row_step == 0 ? 1 : MR;
    for (int i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < width; ++j)
        out[i * width + j] = j < cols ? y[i * op.row_step + j] : T{};
    }
  }

  bool given_;
  GemmFinish<T> finish_;
  T space_[GemmFinish<T>::kMaxOps][MR * width];
};

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
