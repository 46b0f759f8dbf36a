#pragma once

/// Fusion without a compiler: a list of element-wise ops runs over tiles of a few hundred elements
/// that stay in the first-level cache. The ops are the tile functions of the same kernels that
/// eager runs, so the bits are equal.
///
/// Registers hold a tile each: first the inputs (broadcast to the result's shape), then the
/// results, then temporaries. Freestanding; the program and everything it points to live in memory
/// that the caller provides.

#include <weir/kernel.h>

#include <cstddef>
#include <span>

#include "runtime/elementwise.h"

namespace weir::rt {

/// Elements of a tile; fewer where the registers would take more than kTileBytes.
inline constexpr std::int64_t kTileElements = 1024;
/// Bytes of all registers: most of the first-level cache.
inline constexpr std::size_t kTileBytes = 24576;
/// Bytes of stack for the temporaries of one running slice.
inline constexpr std::size_t kTileScratch = 16384;

struct TileOp {
  TileFn fn = nullptr;
  const Attr* attrs = nullptr;
  std::uint64_t kernel = 0;     // kernel_id of the kernel that `fn` belongs to
  DType type = DType::invalid;  // of the target
  std::uint8_t sources = 0;
  std::uint8_t target = 0;
  std::uint8_t source[kMaxOperands] = {};
  // Set by bind_tiles:
  bool single = false;  // the same value for the whole tile: one element is computed
  std::uint8_t step[kMaxOperands] = {};  // 0: the source is one element
};

/// A bound program: how the registers walk over the result's elements. Made by bind_tiles.
struct TileProgram {
  const TileOp* ops = nullptr;
  const std::int64_t* extent = nullptr;  // of the merged axes, innermost first
  const std::int64_t* step = nullptr;    // [axis][input], bytes; 0 where broadcast
  const std::uint8_t* stride =
      nullptr;  // bytes from element to element of inputs and results; 0: broadcast
  const std::uint32_t* scratch = nullptr;  // where each temporary lies in the scratch memory
  std::int64_t tile = 0;
  std::int64_t rows = 0;  // product of the outer extents
  std::uint16_t op_count = 0;
  std::uint8_t inputs = 0;
  std::uint8_t results = 0;
  std::uint8_t temporaries = 0;
  std::uint8_t axes = 0;
  std::uint8_t first_input = 0;  // inputs before it belong to a contraction
};

/// Memory that bind_tiles needs, a multiple of 8.
std::size_t tile_program_bytes(int inputs, int results, int ops, int rank);

/// Binds `ops`, which must outlive the program, to the shapes of `in` and `out` (data is not read).
/// All results have one shape, the inputs from `first_input` on broadcast to it; temporaries are
/// numbered densely; all that is trusted. `memory` is 8-byte aligned. The ops' `single` and `step`
/// are set.
const TileProgram* bind_tiles(std::span<TileOp> ops,
                              std::span<const View> in,
                              std::span<const View> out,
                              void* memory,
                              int first_input = 0);

/// `run` of a step that is a tile program: KernelCall::state is the TileProgram.
Status run_tiles(const KernelCall& call);
/// The same for a program of one op, without the loop over tiles.
Status run_tile(const KernelCall& call);

/// A tile program that ends a contraction: KernelCall::epilogue of a kernel whose result is out[0],
/// a matrix whose rows are all axes but the last.
struct TileEpilogue {
  const TileProgram* program = nullptr;
  const View* in = nullptr;
  const View* out = nullptr;
};
/// True if the operand of an epilogue has a row for each row of the result, which are all its axes
/// but the last, or one row for all. Its shape broadcasts to the result's.
bool walks_by_rows(const View& operand, const View& result);
/// Elements from row to row of such an operand.
std::int64_t row_step(const View& operand);
/// Epilogue::run; `arg` is a TileEpilogue.
void run_tile_epilogue(void* arg,
                       void* c,
                       std::int64_t row0,
                       std::int64_t rows,
                       std::int64_t col0,
                       std::int64_t cols,
                       std::int64_t ldc);

}  // namespace weir::rt
