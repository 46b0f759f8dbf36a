#pragma once

#include <cstdint>

#include "kernels/cpu/gemm_tile.h"

// Copies of blocks of A and B in the order in which tiles read them.
namespace weir::kernels::WEIR_ISA {
namespace {

// Columns that the last panel, of `cols` < kPanel columns, is padded to: one vector or two.
template <typename T>
int64_t padded(int64_t cols) {
  return cols <= kLanes<T> ? kLanes<T> : kPanel<T>;
}

// out[k * width + j] = src[k * src_k + j] for j < cols, and 0 up to width.
template <typename T>
void pack_rows(const T* src, int64_t src_k, int64_t depth, int64_t cols, int64_t width, T* out) {
  for (int64_t k = 0; k < depth; ++k, src += src_k, out += width) {
    for (int64_t j = 0; j < cols; ++j)
      out[j] = src[j];
    for (int64_t j = cols; j < width; ++j)
      out[j] = T{};
  }
}

// The same for the usual widths, which the compiler turns into a few moves.
template <typename T, int width>
void pack_full_rows(const T* src, int64_t src_k, int64_t depth, T* out) {
  for (int64_t k = 0; k < depth; ++k, src += src_k, out += width) {
#pragma GCC unroll 32
    for (int64_t j = 0; j < width; ++j)
      out[j] = src[j];
  }
}

// out[k * width + j] = src[j * src_j + k] for four columns j, in blocks of 4 x 4. Returns how many
// k are done.
inline int64_t pack_quad(
    const float* src, int64_t src_j, int64_t depth, int64_t width, float* out) {
  using Quad = VectorOf<float>::Quad;
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4, src += 4, out += 4 * width) {
    const Quad a = *reinterpret_cast<const Quad*>(src);
    const Quad b = *reinterpret_cast<const Quad*>(src + src_j);
    const Quad c = *reinterpret_cast<const Quad*>(src + 2 * src_j);
    const Quad d = *reinterpret_cast<const Quad*>(src + 3 * src_j);
    const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *reinterpret_cast<Quad*>(out) = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *reinterpret_cast<Quad*>(out + width) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *reinterpret_cast<Quad*>(out + 2 * width) =
        __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *reinterpret_cast<Quad*>(out + 3 * width) =
        __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
  }
  return k;
}

// The same for two columns.
inline int64_t pack_pair(
    const float* src, int64_t src_j, int64_t depth, int64_t width, float* out) {
  using Quad = VectorOf<float>::Quad;
  using Pair = VectorOf<float>::Pair;
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4, src += 4, out += 4 * width) {
    const Quad a = *reinterpret_cast<const Quad*>(src);
    const Quad b = *reinterpret_cast<const Quad*>(src + src_j);
    *reinterpret_cast<Pair*>(out) = __builtin_shufflevector(a, b, 0, 4);
    *reinterpret_cast<Pair*>(out + width) = __builtin_shufflevector(a, b, 1, 5);
    *reinterpret_cast<Pair*>(out + 2 * width) = __builtin_shufflevector(a, b, 2, 6);
    *reinterpret_cast<Pair*>(out + 3 * width) = __builtin_shufflevector(a, b, 3, 7);
  }
  return k;
}

inline int64_t pack_quad(const double*, int64_t, int64_t, int64_t, double*) {
  return 0;
}
inline int64_t pack_pair(const double*, int64_t, int64_t, int64_t, double*) {
  return 0;
}

// out[k * width + j] = src[j * src_j + k] for j < cols, and 0 up to width.
template <typename T>
void pack_columns(const T* src, int64_t src_j, int64_t depth, int64_t cols, int64_t width, T* out) {
  const auto rest = [&](int64_t j, int64_t end, int64_t done) {
    for (int64_t k = done; k < depth; ++k) {
      for (int64_t i = j; i < end; ++i)
        out[k * width + i] = i < cols ? src[i * src_j + k] : T{};
    }
  };
  int64_t j = 0;
  for (; j + 4 <= cols; j += 4) {
    rest(j, j + 4, pack_quad(src + j * src_j, src_j, depth, width, out + j));
  }
  if (j + 2 <= cols) {
    rest(j, j + 2, pack_pair(src + j * src_j, src_j, depth, width, out + j));
    j += 2;
  }
  if (j < width) rest(j, width, 0);
}

// A matrix with `lines` along one axis and k along the other; `along_k`: k is the contiguous one.
template <typename T>
struct Source {
  const T* data;
  int64_t ld;
  bool along_k;

  const T* at(int64_t line, int64_t k) const {
    return along_k ? data + line * ld + k : data + k * ld + line;
  }
};

template <typename T>
void pack(const Source<T>& source,
          int64_t line,
          int64_t lines,
          int64_t k,
          int64_t depth,
          int64_t width,
          T* out) {
  const T* src = source.at(line, k);
  if (source.along_k) {
    pack_columns(src, source.ld, depth, lines, width, out);
  } else if (lines == kPanel<T>) {
    pack_full_rows<T, kPanel<T>>(src, source.ld, depth, out);
  } else if (lines == kTileRows && width == kTileRows) {
    pack_full_rows<T, kTileRows>(src, source.ld, depth, out);
  } else {
    pack_rows(src, source.ld, depth, lines, width, out);
  }
}

// All full panels of rows as they are stored: each row is read from end to end.
template <typename T>
void pack_full_panels(const T* src, int64_t src_k, int64_t panels, int64_t depth, T* out) {
  for (int64_t k = 0; k < depth; ++k, src += src_k, out += kPanel<T>) {
    for (int64_t p = 0; p < panels; ++p) {
      const T* from = src + p * kPanel<T>;
      T* to = out + p * kPanel<T> * depth;
      store(to, load(from));
      store(to + kLanes<T>, load(from + kLanes<T>));
    }
  }
}

// Panels of columns [col, col + cols), one after the other; the last may be narrower.
template <typename T>
void pack_panels(const Source<T>& b, int64_t col, int64_t cols, int64_t k, int64_t depth, T* out) {
  const int64_t panels = cols / kPanel<T>;
  const int64_t full = panels * kPanel<T>;
  if (b.along_k) {
    for (int64_t j = 0; j < full; j += kPanel<T>) {
      pack(b, col + j, kPanel<T>, k, depth, kPanel<T>, out + j * depth);
    }
  } else {
    pack_full_panels(b.at(col, k), b.ld, panels, depth, out);
  }
  if (full == cols) return;
  pack(b, col + full, cols - full, k, depth, padded<T>(cols - full), out + full * depth);
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
