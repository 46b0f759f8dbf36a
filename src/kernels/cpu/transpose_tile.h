#pragma once

// Transposition of blocks, by zipping vectors of rows log2(lanes) times.

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
  typedef T Row __attribute__((vector_size(kLanes * sizeof(T))));

  template <int... I>
  static Row zip(Row a, Row b, int half, std::integer_sequence<int, I...>) {
    return half == 0 ? __builtin_shufflevector(a, b, (I / 2 + I % 2 * kLanes)...)
                     : __builtin_shufflevector(a, b, (kLanes / 2 + I / 2 + I % 2 * kLanes)...);
  }

  /// out[a * out_pitch + b] = in[b * in_pitch + a] for a, b < kLanes
  static void transpose(const T* in, std::int64_t in_pitch, T* out, std::int64_t out_pitch) {
    Row rows[kLanes], zipped[kLanes];
    for (int i = 0; i < kLanes; ++i)
      std::memcpy(&rows[i], in + i * in_pitch, sizeof(Row));
    constexpr auto kIndex = std::make_integer_sequence<int, kLanes>{};
    for (int done = 1; done < kLanes; done *= 2) {
      for (int i = 0; i < kLanes / 2; ++i) {
        zipped[2 * i] = zip(rows[i], rows[i + kLanes / 2], 0, kIndex);
        zipped[2 * i + 1] = zip(rows[i], rows[i + kLanes / 2], 1, kIndex);
      }
      for (int i = 0; i < kLanes; ++i)
        rows[i] = zipped[i];
    }
    for (int i = 0; i < kLanes; ++i)
      std::memcpy(out + i * out_pitch, &rows[i], sizeof(Row));
  }
};

/// out[a * out_pitch + b] = in[b * in_pitch + a] for a < rows, b < columns
template <class T>
void transpose_block(const T* in,
                     std::int64_t in_pitch,
                     T* out,
                     std::int64_t out_pitch,
                     std::int64_t rows,
                     std::int64_t columns) {
  constexpr std::int64_t kLanes = Tile<T>::kLanes;
  const std::int64_t whole_rows = rows - rows % kLanes, whole_columns = columns - columns % kLanes;
  for (std::int64_t b = 0; b < whole_columns; b += kLanes) {
    for (std::int64_t a = 0; a < whole_rows; a += kLanes)
      Tile<T>::transpose(in + b * in_pitch + a, in_pitch, out + a * out_pitch + b, out_pitch);
  }
  for (std::int64_t a = 0; a < rows; ++a) {
    for (std::int64_t b = a < whole_rows ? whole_columns : 0; b < columns; ++b)
      out[a * out_pitch + b] = in[b * in_pitch + a];
  }
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
