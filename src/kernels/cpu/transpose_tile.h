#pragma once

// Transposition of blocks, by zipping vectors of rows.

#include <cstdint>
#include <cstring>
#include <utility>

namespace weir::kernels::WEIR_ISA {
namespace {

#if defined(__AVX2__)
inline constexpr std::size_t kTileBytes = 32;
#else
inline constexpr std::size_t kTileBytes = 16;
#endif

/// Lanes of the square tile of an element of `size` bytes: 16 x 16 bytes, 8 x 8 of 2 and of 4, 4 x
/// 4 of 8.
constexpr int tile_lanes(std::size_t size) {
  return int((size <= 2 ? 16 : kTileBytes) / size);
}

template <class T>
struct Tile {
  static constexpr int kLanes = tile_lanes(sizeof(T));
  static constexpr int kQuad = kLanes * sizeof(T) == 32 ? kLanes / 2 : kLanes;  // of 16 bytes
  typedef T Row __attribute__((vector_size(kLanes * sizeof(T))));
  typedef T Quad __attribute__((vector_size(kQuad * sizeof(T))));
  typedef T RowInMemory
      __attribute__((vector_size(kLanes * sizeof(T)), aligned(sizeof(T)), may_alias));
  typedef T QuadInMemory
      __attribute__((vector_size(kQuad * sizeof(T)), aligned(sizeof(T)), may_alias));

  /// Lanes of a and b by turns, from the lower or the upper half of each quad: quads stay apart,
  /// which is what vectors of 32 bytes can do in one instruction.
  template <int From, int... I>
  static Row zip(Row a, Row b, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(
        a, b, (I / kQuad * kQuad + From + I % kQuad / 2 + I % 2 * kLanes)...);
  }
  template <int... I>
  static Row join(Quad a, Quad b, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(a, b, I...);
  }
  /// Quads of the rows i and, where a row is two quads, i + kQuad.
  static Row load(const T* in, std::int64_t pitch, int i) {
    const Quad a = *reinterpret_cast<const QuadInMemory*>(in + i * pitch);
    if constexpr (kQuad == kLanes) {
      return a;
    } else {
      const Quad b = *reinterpret_cast<const QuadInMemory*>(in + (i + kQuad) * pitch);
      return join(a, b, std::make_integer_sequence<int, kLanes>{});
    }
  }

  /// out[a * out_pitch + b] = in[b * in_pitch + a] for a, b < kLanes
  static void transpose(const T* in, std::int64_t in_pitch, T* out, std::int64_t out_pitch) {
    constexpr auto kIndex = std::make_integer_sequence<int, kLanes>{};
    for (int first = 0; first < kLanes; first += kQuad) {
      Row rows[kQuad], zipped[kQuad];
      for (int i = 0; i < kQuad; ++i)
        rows[i] = load(in + first, in_pitch, i);
      for (int done = 1; done < kQuad; done *= 2) {
        for (int i = 0; i < kQuad / 2; ++i) {
          zipped[2 * i] = zip<0>(rows[i], rows[i + kQuad / 2], kIndex);
          zipped[2 * i + 1] = zip<kQuad / 2>(rows[i], rows[i + kQuad / 2], kIndex);
        }
        for (int i = 0; i < kQuad; ++i)
          rows[i] = zipped[i];
      }
#pragma GCC unroll 16
      for (int i = 0; i < kQuad; ++i)  // unrolled, or the rows would take a way by memory
        *reinterpret_cast<RowInMemory*>(out + (first + i) * out_pitch) = rows[i];
    }
  }
};

/// The same for blocks of a line of the cache in both directions, by way of the stack: each line is
/// read and written once, also where the pitch is a power of two and all of them compete for one
/// place in the cache.
template <class T>
void transpose_lines(const T* in, std::int64_t in_pitch, T* out, std::int64_t out_pitch) {
  constexpr int kLanes = Tile<T>::kLanes, kLine = 64 / sizeof(T);
  alignas(64) T block[kLine * kLine];
  for (int b = 0; b < kLine; b += kLanes) {
    for (int a = 0; a < kLine; a += kLanes)
      Tile<T>::transpose(in + b * in_pitch + a, in_pitch, block + a * kLine + b, kLine);
  }
  for (int a = 0; a < kLine; ++a)
    std::memcpy(out + a * out_pitch, block + a * kLine, 64);
}

/// out[a * out_pitch + b] = in[b * in_pitch + a] for a < rows, b < columns
template <class T>
void transpose_block(const T* in,
                     std::int64_t in_pitch,
                     T* out,
                     std::int64_t out_pitch,
                     std::int64_t rows,
                     std::int64_t columns) {
  constexpr std::int64_t kLanes = Tile<T>::kLanes, kLine = 64 / sizeof(T);
  const std::int64_t line_rows = rows - rows % kLine, line_columns = columns - columns % kLine;
  for (std::int64_t a = 0; a < line_rows; a += kLine) {
    for (std::int64_t b = 0; b < line_columns; b += kLine)
      transpose_lines(in + b * in_pitch + a, in_pitch, out + a * out_pitch + b, out_pitch);
  }
  const std::int64_t whole_rows = rows - rows % kLanes, whole_columns = columns - columns % kLanes;
  for (std::int64_t b = 0; b < whole_columns; b += kLanes) {
    for (std::int64_t a = b < line_columns ? line_rows : 0; a < whole_rows; a += kLanes)
      Tile<T>::transpose(in + b * in_pitch + a, in_pitch, out + a * out_pitch + b, out_pitch);
  }
  for (std::int64_t a = 0; a < rows; ++a) {
    for (std::int64_t b = a < whole_rows ? whole_columns : 0; b < columns; ++b)
      out[a * out_pitch + b] = in[b * in_pitch + a];
  }
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
