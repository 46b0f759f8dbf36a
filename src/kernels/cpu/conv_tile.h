#pragma once

#include <cstdint>

#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/vec.h"

// The register tile of a convolution: as the one of the contraction, but a row of A is not a
// matrix row: it is read where it lies in an image, in spans.
namespace weir::kernels::WEIR_ISA {
namespace {

inline constexpr int kConvRows = kVectorBytes == 64 ? 14 : 6;
inline constexpr int kConvVectors = 2;
inline constexpr int kConvPanel = kConvVectors * kLanes<float>;

// Multiplicands `offset`, `offset` + step, ... from where a row begins.
struct Span {
  std::int64_t offset, count;
};

enum class Sum : std::uint8_t {
  fresh,    // C is the sum
  chained,  // the chain goes on from what C holds
  added,    // the sum is added to C when it is complete
};

struct SpanTile {
  const float* a = nullptr;
  const std::int64_t* rows = nullptr;  // row i begins at a + rows[i]
  const Span* spans = nullptr;
  std::int64_t span_count = 0;
  std::int64_t step = 1;     // between multiplicands of a span
  const float* b = nullptr;  // NV vectors for each multiplicand
  std::int64_t b_step = 0;
  float* c = nullptr;
  std::int64_t ldc = 0;
  Sum sum = Sum::fresh;
  const GemmFinish<float>* finish = nullptr;  // null: none, or not yet
  std::int64_t row = 0, col = 0;              // of the whole result, where the tile starts
};

// One tile; `rows`, `row` and `c` are its own.
template <int MR, int NV>
[[gnu::always_inline]] inline void run_span_tile(
    const SpanTile& t, const std::int64_t* rows, std::int64_t row, float* c, std::int64_t ldc) {
  constexpr int W = kLanes<float>;
  Vec<float> sum[MR][NV];
  const float* a[MR];
  const bool chained = t.sum == Sum::chained, added = t.sum == Sum::added;
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
    a[i] = t.a + rows[i];
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v)
      sum[i][v] = chained ? load(c + i * ldc + v * W) : Vec<float>{};
  }
  const float* b = t.b;
  const std::int64_t step = t.step, b_step = t.b_step;
  for (const Span *s = t.spans, *end = s + t.span_count; s != end; ++s) {
    std::int64_t at = s->offset;
    for (std::int64_t n = s->count; n > 0; --n) {
      Vec<float> panel[NV];
#pragma GCC unroll 16
      for (int v = 0; v < NV; ++v)
        panel[v] = load(b + v * W);
#pragma GCC unroll 16
      for (int i = 0; i < MR; ++i) {
        const Vec<float> x = broadcast(a[i][at]);
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v)
          sum[i][v] = fma(x, panel[v], sum[i][v]);
      }
      at += step;
      b += b_step;
    }
  }
  if (added) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 16
      for (int v = 0; v < NV; ++v)
        sum[i][v] += load(c + i * ldc + v * W);
    }
  }
  if (t.finish) finish_sums<float>(sum, *t.finish, row, t.col);
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v)
      store(c + i * ldc + v * W, sum[i][v]);
  }
}

// `count` tiles below each other.
template <int MR, int NV>
void run_tiles_below(const SpanTile& t, std::int64_t count) {
  const std::int64_t ldc = t.ldc;
  const std::int64_t* rows = t.rows;
  std::int64_t row = t.row;
  float* c = t.c;
  for (; count > 0; --count, rows += MR, row += MR, c += MR * ldc)
    run_span_tile<MR, NV>(t, rows, row, c, ldc);
}

// The same where only `cols` columns exist: B is padded, C goes through a buffer.
template <int MR, int NV>
void run_narrow_tiles(const SpanTile& t, std::int64_t count, std::int64_t cols) {
  constexpr int width = NV * kLanes<float>;
  float buffer[MR * width] = {};
  SpanTile one = t;
  one.ldc = width;
  one.c = buffer;
  one.row = one.col = 0;
  float* c = t.c;
  for (std::int64_t i = 0; i < count; ++i, one.rows += MR, c += MR * t.ldc) {
    if (t.sum != Sum::fresh) copy_columns<float>(c, t.ldc, MR, cols, buffer, width);
    const PaddedFinish<float, MR, width> finish(t.finish, t.row + i * MR, t.col, cols);
    one.finish = finish.get();
    run_tiles_below<MR, NV>(one, 1);
    copy_columns<float>(buffer, width, MR, cols, c, t.ldc);
  }
}

// Tiles of `rows` rows in [1, MR].
template <int MR, int NV>
void run_tiles_of(const SpanTile& t, std::int64_t rows, std::int64_t count, std::int64_t cols) {
  if constexpr (MR > 1) {
    if (rows < MR) return run_tiles_of<MR - 1, NV>(t, rows, count, cols);
  }
  if (cols == NV * kLanes<float>) {
    run_tiles_below<MR, NV>(t, count);
  } else {
    run_narrow_tiles<MR, NV>(t, count, cols);
  }
}

// A matrix C of rows x cols whose rows of A are given by `tile`, for one block of multiplicands.
// `panels` are those of gemm_pack.h: panel p begins at b + p * panel_step, the columns that do not
// fill one lie in a narrower one, whose multiplicands are `tail_step` apart.
struct SpanProduct {
  SpanTile tile;
  std::int64_t panel_step = 0;
  const float* tail = nullptr;
  std::int64_t tail_step = 0;
};

// Rows in tiles that differ by a row at most: the first `more` have one more than `least`.
struct Tiles {
  explicit Tiles(std::int64_t rows)
      : count((rows + kConvRows - 1) / kConvRows),
        least(count > 0 ? rows / count : 0),
        more(rows - least * count) {}

  std::int64_t begin(std::int64_t i) const { return i * least + (i < more ? i : more); }

  std::int64_t count, least, more;
};

// One panel of columns, `cols` wide, for tiles [first, last).
template <int NV>
void run_span_tiles(
    SpanTile tile, const Tiles& tiles, std::int64_t first, std::int64_t last, std::int64_t cols) {
  tile.rows += tiles.begin(first);
  tile.row += tiles.begin(first);
  tile.c += tiles.begin(first) * tile.ldc;
  const std::int64_t high = tiles.more > last ? last : tiles.more > first ? tiles.more : first;
  if (high > first) {
    const std::int64_t rows = tiles.least + 1, all = rows * (high - first);
    run_tiles_of<kConvRows, NV>(tile, rows, high - first, cols);
    tile.rows += all;
    tile.row += all;
    tile.c += all * tile.ldc;
  }
  if (high < last) run_tiles_of<kConvRows, NV>(tile, tiles.least, last - high, cols);
}

// Tiles [first, last) times all `cols` columns.
inline void multiply_spans(const SpanProduct& p,
                           const Tiles& tiles,
                           std::int64_t first,
                           std::int64_t last,
                           std::int64_t cols) {
  SpanTile tile = p.tile;
  std::int64_t col = 0;
  for (; col + kConvPanel <= cols; col += kConvPanel) {
    run_span_tiles<kConvVectors>(tile, tiles, first, last, kConvPanel);
    tile.b += p.panel_step;
    tile.c += kConvPanel;
    tile.col += kConvPanel;
  }
  if (col == cols) return;
  tile.b = p.tail;
  tile.b_step = p.tail_step;
  if (cols - col <= kLanes<float>) {
    run_span_tiles<1>(tile, tiles, first, last, cols - col);
  } else {
    run_span_tiles<kConvVectors>(tile, tiles, first, last, cols - col);
  }
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
