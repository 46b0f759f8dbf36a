#pragma once

#include <cstdint>

#include "kernels/cpu/gemm_finish.h"
#include "kernels/cpu/vec.h"

// The register tile of the contraction: MR rows times NV vectors of C, all of one block of k.
namespace weir::kernels::WEIR_ISA {
namespace {

// Panels of B are two vectors wide. AVX-512 has 32 registers: 14 x 2 sums, 2 of B, 1 of A; the
// others 16: 6 x 2 sums. Tiles one vector wide take twice the rows, to have as many sums in flight.
inline constexpr int kPanelVectors = 2;
inline constexpr int kTileRows = kVectorBytes == 64 ? 14 : 6;

template <typename T>
inline constexpr int kPanel = kPanelVectors* kLanes<T>;

template <typename T>
struct Tile {
  int64_t k;
  const T* a;  // element (i, k) at a[i * a_row + k * a_k]
  int64_t a_row, a_k;
  const T* b;  // row k of panel p at b[k * b_k + p * b_panel]
  int64_t b_k, b_panel;
  T* c;
  int64_t ldc;
  T* copy;                      // where a panel is copied to as it is read, if the kernel does so
  bool first;                   // the sums start at zero, not at what c holds
  const GemmFinish<T>* finish;  // null: none, or not yet
  int64_t row, col;             // of C, where the tile starts
};

// Rows of B that are fetched ahead while a panel is copied.
inline constexpr int kAhead = 16;

// `packed_rows` is the distance of A's columns where it is known (A packed), else 0. `copies`: the
// panel is packed on the way.
template <typename T, int MR, int NV, int packed_rows, bool copies = false>
[[gnu::noinline]] void run_tile(const Tile<T>& t) {
  constexpr int W = kLanes<T>;
  T* const c = t.c;  // what is stored below could be the tile, for all that the compiler knows
  const int64_t ldc = t.ldc;
  Vec<T> sum[MR][NV];
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v)
      sum[i][v] = t.first ? Vec<T>{} : load(c + i * ldc + v * W);
  }
  if (t.first) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i)
      __builtin_prefetch(c + i * ldc, 1);
  }
  if constexpr (kFinishes<T>) {
    if (t.finish != nullptr) prefetch_operands<T, MR>(*t.finish, t.row, t.col);
  }
  const T* a = t.a;
  const T* b = t.b;
  [[maybe_unused]] T* copy = t.copy;
  const int64_t a_row = packed_rows != 0 ? 1 : t.a_row;
  const int64_t a_k = packed_rows != 0 ? packed_rows : t.a_k;
  const int64_t b_panel = t.b_panel;
  for (int64_t k = 0; k < t.k; ++k) {
    Vec<T> row[NV];
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) {
      row[v] = load(b + v / kPanelVectors * b_panel + v % kPanelVectors * W);
      if constexpr (copies) store(copy + v * W, row[v]);
    }
    if constexpr (copies) {
      __builtin_prefetch(b + kAhead * t.b_k);
      copy += NV * W;
    }
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
      const Vec<T> x = broadcast(a[i * a_row]);
#pragma GCC unroll 16
      for (int v = 0; v < NV; ++v)
        sum[i][v] = fma(x, row[v], sum[i][v]);
    }
    a += a_k;
    b += t.b_k;
  }
  if constexpr (kFinishes<T>) {
    if (t.finish != nullptr) finish_sums<T>(sum, *t.finish, t.row, t.col);
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v)
      store(c + i * ldc + v * W, sum[i][v]);
  }
}

template <typename T>
[[gnu::noinline]] void copy_columns(
    const T* from, int64_t from_row, int64_t rows, int64_t cols, T* to, int64_t to_row) {
  for (int64_t i = 0; i < rows; ++i, from += from_row, to += to_row) {
    for (int64_t j = 0; j < cols; ++j)
      to[j] = from[j];
  }
}

// A tile of which only `cols` columns exist: B is padded, C goes through a buffer.
template <typename T, int MR, int NV, int packed_rows>
void run_narrow_tile(const Tile<T>& t, int64_t cols) {
  constexpr int width = NV * kLanes<T>;
  T buffer[MR * width] = {};
  Tile<T> inner = t;
  inner.c = buffer;
  inner.ldc = width;
  if (!t.first) copy_columns(t.c, t.ldc, MR, cols, buffer, width);
  const PaddedFinish<T, MR, width> finish(t.finish, t.row, t.col, cols);
  inner.finish = finish.get();
  inner.row = inner.col = 0;
  run_tile<T, MR, NV, packed_rows>(inner);
  copy_columns(buffer, width, MR, cols, t.c, t.ldc);
}

// One row of C, from `depth` rows of B as they are stored: each is read from end to end.
template <typename T, int depth>
void run_row_block(const T* a, int64_t a_k, const T* b, int64_t ldb, T* c, int64_t n, bool first) {
  constexpr int W = kLanes<T>;
  Vec<T> x[depth];
#pragma GCC unroll 16
  for (int k = 0; k < depth; ++k)
    x[k] = broadcast(a[k * a_k]);
  int64_t j = 0;
  for (; j + W <= n; j += W) {
    Vec<T> sum = first ? Vec<T>{} : load(c + j);
#pragma GCC unroll 16
    for (int k = 0; k < depth; ++k)
      sum = fma(x[k], load(b + k * ldb + j), sum);
    store(c + j, sum);
  }
  for (; j < n; ++j) {
    T sum = first ? T{} : c[j];
    for (int k = 0; k < depth; ++k)
      sum = fma(a[k * a_k], b[k * ldb + j], sum);
    c[j] = sum;
  }
}

template <typename T>
void run_row(int64_t depth, const T* a, int64_t a_k, const T* b, int64_t ldb, T* c, int64_t n) {
  constexpr int kStep = 4;
  int64_t k = 0;
  for (; k + kStep <= depth; k += kStep) {
    run_row_block<T, kStep>(a + k * a_k, a_k, b + k * ldb, ldb, c, n, k == 0);
  }
  for (; k < depth; ++k)
    run_row_block<T, 1>(a + k * a_k, a_k, b + k * ldb, ldb, c, n, k == 0);
  if (depth == 0) run_row_block<T, 0>(a, a_k, b, ldb, c, n, true);
}

template <typename T>
struct TileKernel {
  void (*run)(const Tile<T>&);
  void (*run_narrow)(const Tile<T>&, int64_t cols);
};

template <typename T, int MR, int NV, int packed_rows>
inline constexpr TileKernel<T> kTileKernel = {run_tile<T, MR, NV, packed_rows>,
                                              run_narrow_tile<T, MR, NV, packed_rows>};

// The kernel for `rows` in [1, MR].
template <typename T, int MR, int NV, bool packed_a>
TileKernel<T> tile_kernel(int64_t rows) {
  if constexpr (MR > 1) {
    if (rows < MR) return tile_kernel<T, MR - 1, NV, packed_a>(rows);
  }
  return kTileKernel < T, MR, NV, packed_a ? MR : 0 > ;
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
