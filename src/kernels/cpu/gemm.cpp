#include "kernels/cpu/gemm.h"

#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/gemm_tile.h"

namespace weir::kernels::WEIR_ISA {
namespace {

// Sizes of blocks, for 512 KiB of L2: a block of A or one of B fits. Panels of B stream from there:
// a depth that let them stay in L1 was slower, for the sums are loaded and stored more often
// (measured on Zen 3, 0.91 and 0.97 of the peak for 784 x 256).
template <typename T>
inline constexpr int64_t kDepth = 3200 / static_cast<int64_t>(sizeof(T));
inline constexpr int64_t kRows = kVectorBytes == 64 ? 7 * kTileRows : 16 * kTileRows;
inline constexpr int64_t kMostRows = kRows + kRows / 4;  // that are not cut into two blocks
template <typename T>
inline constexpr int64_t kCols = 1024 / static_cast<int64_t>(sizeof(T));

// From so many rows on, a copy of a block of B in the order of its use pays. A copy of A pays only
// where its rows are not contiguous and the product is large (measured).
inline constexpr int64_t kPackRows = 64;

// From so many rows on, parts that lie below one another share one copy of B.
inline constexpr int64_t kPackFirstRows = 256;

struct Range {
  int64_t begin, end;

  int64_t size() const { return end - begin; }
};

int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}
int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}
int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Part i of n of [0, extent), parts being multiples of `unit` except the last.
Range part(int64_t extent, int64_t unit, int64_t i, int64_t n) {
  if (n == 1) return {0, extent};
  const int64_t units = ceil_div(extent, unit);
  return {smaller(units * i / n * unit, extent), smaller(units * (i + 1) / n * unit, extent)};
}

// What one slice works on. `a` and `b` have lines along m and n.
template <typename T>
struct Job {
  Source<T> a, b;
  const T* packed_b;
  T* c;
  int64_t ldc;
  int64_t k;  // of the whole contraction
  int64_t n;  // columns of B as packed
  Range rows, cols;
  bool pack_a, pack_b;
  T* a_space;
  T* b_space;
  GemmEpilogue epilogue;
  void* ctx;
  const GemmFinish<T>* finish;
  bool swapped;  // C is a column, computed as a row
};

// A block of the product: rows of A times columns of B over a block of k.
template <typename T>
struct Block {
  Range rows, cols, k;
  const T* a;  // packed tiles, or element (0, 0) of the block
  const T* b;  // first panel
  int64_t b_k, b_panel;
  const T* tail;  // the panel of the columns that do not fill one
  int64_t tail_k;
  bool by_panel;                   // each panel of B is packed when its turn comes
  bool copies;                     // ... by the tiles of its first rows
  int64_t tiles, low, high_tiles;  // of the rows: the first high_tiles are higher than `low` by one
};

// Rows are cut into tiles of nearly the same height, none above kTileRows; one that copies has that
// height.
template <typename T>
void cut_rows(Block<T>& block) {
  const int64_t rows = block.rows.size() - (block.copies ? kTileRows : 0);
  const int64_t tiles = ceil_div(rows, kTileRows);
  block.low = tiles > 0 ? rows / tiles : 0;
  block.high_tiles = tiles > 0 ? rows % tiles : 0;
  block.tiles = block.copies ? tiles + 1 : tiles;
}

template <typename T>
int64_t tile_height(const Block<T>& block, int64_t tile) {
  if (block.copies && tile-- == 0) return kTileRows;
  return tile < block.high_tiles ? block.low + 1 : block.low;
}

// The tile of the first rows and columns.
template <typename T>
Tile<T> make_tile(const Job<T>& job, const Block<T>& block) {
  Tile<T> tile;
  tile.k = block.k.size();
  tile.a_row = job.a.along_k ? job.a.ld : 1;
  tile.a_k = job.a.along_k ? 1 : job.a.ld;
  tile.a = block.a;
  tile.b = block.b;
  tile.b_k = block.b_k;
  tile.b_panel = block.b_panel;
  tile.c = job.c + block.rows.begin * job.ldc + block.cols.begin;
  tile.ldc = job.ldc;
  tile.first = block.k.begin == 0;
  tile.finish = block.k.end == job.k ? job.finish : nullptr;
  tile.row = block.rows.begin;
  tile.col = block.cols.begin;
  return tile;
}

// Calls run(tile, height) for the tiles from `first` on that lie below `tile`, which is changed in
// as little as can be: the first sums of a tile wait for it.
template <typename T, class Run>
void for_tiles(const Job<T>& job, const Block<T>& block, Tile<T> tile, int64_t first, Run run) {
  // An operand without elements may have no address.
  const int64_t a_step = tile.a == nullptr ? 0 : job.pack_a ? tile.k : tile.a_row;
  for (int64_t i = 0; i < block.tiles; ++i) {
    const int64_t height = tile_height(block, i);
    if (i >= first) run(tile, height);
    tile.a += height * a_step;
    tile.c += height * tile.ldc;
    tile.row += height;
  }
}

template <typename T, int MR, int NV>
TileKernel<T> choose(bool packed_a, int64_t rows) {
  return packed_a ? tile_kernel<T, MR, NV, true>(rows) : tile_kernel<T, MR, NV, false>(rows);
}

// Few rows take several panels at a time, to have enough sums in flight.
template <typename T>
int64_t panels_at_once(int64_t rows, int64_t left) {
  if (rows == 1 && left >= 4) return 4;
  return rows <= 3 && left >= 2 ? 2 : 1;
}

template <typename T>
TileKernel<T> choose(bool packed_a, int64_t rows, int64_t panels) {
  if (panels == 4) return choose<T, 1, 4 * kPanelVectors>(packed_a, rows);
  if (panels == 2) return choose<T, 3, 2 * kPanelVectors>(packed_a, rows);
  return choose<T, kTileRows, kPanelVectors>(packed_a, rows);
}

template <typename T>
void multiply_tail(const Job<T>& job, const Block<T>& block, int64_t col) {
  const int64_t cols = block.cols.size() - col;
  const auto kernel = [&](int64_t rows) {
    return cols <= kLanes<T> ? choose<T, kTileRows, 1>(job.pack_a, rows)
                             : choose<T, kTileRows, kPanelVectors>(job.pack_a, rows);
  };
  Tile<T> first = make_tile(job, block);
  first.b = block.tail;
  first.b_k = block.tail_k;
  first.c += col;
  first.col += col;
  for_tiles(job, block, first, 0, [&](const Tile<T>& tile, int64_t height) {
    if (cols == kLanes<T>) {
      kernel(height).run(tile);
    } else {
      kernel(height).run_narrow(tile, cols);
    }
  });
}

// Packs a panel, and runs its first tile if that does the packing. Returns how many tiles are done.
template <typename T>
int64_t start_panel(const Job<T>& job, const Block<T>& block, int64_t panel) {
  const int64_t col = block.cols.begin + panel * kPanel<T>;
  if (!block.copies) {
    pack(job.b, col, kPanel<T>, block.k.begin, block.k.size(), kPanel<T>, job.b_space);
    return 0;
  }
  Tile<T> tile = make_tile(job, block);
  tile.b = job.b.at(col, block.k.begin);
  tile.b_k = job.b.ld;
  tile.copy = job.b_space;
  tile.c += panel * kPanel<T>;
  tile.col = col;
  if (job.pack_a) {
    run_tile<T, kTileRows, kPanelVectors, kTileRows, true>(tile);
  } else {
    run_tile<T, kTileRows, kPanelVectors, 0, true>(tile);
  }
  return 1;
}

template <typename T>
void multiply(const Job<T>& job, const Block<T>& block) {
  const int64_t panels = block.cols.size() / kPanel<T>;
  int64_t step = 1;
  for (int64_t panel = 0; panel < panels; panel += step) {
    step = block.by_panel ? 1 : panels_at_once<T>(block.rows.size(), panels - panel);
    const int64_t first = block.by_panel ? start_panel(job, block, panel) : 0;
    const TileKernel<T> low = choose<T>(job.pack_a, block.low, step);
    const TileKernel<T> high = choose<T>(job.pack_a, block.low + 1, step);
    Tile<T> top = make_tile(job, block);
    top.b += panel * block.b_panel;
    top.c += panel * kPanel<T>;
    top.col += panel * kPanel<T>;
    for_tiles(job, block, top, first, [&](const Tile<T>& tile, int64_t height) {
      (height > block.low ? high : low).run(tile);
    });
  }
  if (panels * kPanel<T> < block.cols.size()) multiply_tail(job, block, panels * kPanel<T>);
}

template <typename T>
void pack_a(const Job<T>& job, const Block<T>& block) {
  const int64_t depth = block.k.size();
  int64_t row = 0;
  for (int64_t i = 0; i < block.tiles; ++i) {
    const int64_t height = tile_height(block, i);
    T* out = job.a_space + row * depth;
    pack(job.a, block.rows.begin + row, height, block.k.begin, depth, height, out);
    row += height;
  }
}

// Sets where the tiles find B, and copies what has to be copied.
template <typename T>
void prepare_b(const Job<T>& job, Block<T>& block) {
  const int64_t full = block.cols.size() / kPanel<T> * kPanel<T>;
  const int64_t rest = block.cols.size() - full;
  const int64_t depth = block.k.size();
  block.tail_k = padded<T>(rest);
  if (job.packed_b != nullptr) {
    block.b = job.packed_b + block.cols.begin * job.k + block.k.begin * kPanel<T>;
    block.b_k = kPanel<T>;
    block.b_panel = job.k * kPanel<T>;
    block.tail = job.packed_b + (block.cols.begin + full) * job.k + block.k.begin * block.tail_k;
    return;
  }
  if (block.by_panel) {
    block.b = job.b_space;
    block.b_k = kPanel<T>;
    block.b_panel = 0;
    block.tail = job.b_space + kPanel<T> * depth;
    if (rest == 0) return;
    pack(job.b,
         block.cols.begin + full,
         rest,
         block.k.begin,
         depth,
         block.tail_k,
         job.b_space + kPanel<T> * depth);
    return;
  }
  if (job.pack_b) {
    pack_panels(job.b, block.cols.begin, block.cols.size(), block.k.begin, depth, job.b_space);
    block.b = job.b_space;
    block.b_k = kPanel<T>;
    block.b_panel = depth * kPanel<T>;
    block.tail = job.b_space + full * depth;
    return;
  }
  block.b = job.b.at(block.cols.begin, block.k.begin);
  block.b_k = job.b.ld;
  block.b_panel = kPanel<T>;
  if (rest == kLanes<T>) {
    block.tail = block.b + full;
    block.tail_k = job.b.ld;
  } else if (rest > 0) {
    block.tail = job.b_space;
    pack(job.b, block.cols.begin + full, rest, block.k.begin, depth, block.tail_k, job.b_space);
  }
}

template <typename T>
void run_epilogue(const Job<T>& job, const Block<T>& block) {
  if (job.epilogue == nullptr) return;
  const Range& rows = job.swapped ? block.cols : block.rows;
  const Range& cols = job.swapped ? block.rows : block.cols;
  const int64_t ldc = job.swapped ? 1 : job.ldc;
  T* c = job.c + rows.begin * ldc + cols.begin;
  job.epilogue(job.ctx, c, rows.begin, rows.size(), cols.begin, cols.size(), ldc);
}

// A single row times B as it is stored.
template <typename T>
void run_row_job(const Job<T>& job) {
  Block<T> block;
  block.rows = job.rows;
  block.cols = job.cols;
  const T* a = job.a.at(job.rows.begin, 0);
  const T* b = job.b.at(job.cols.begin, 0);
  T* c = job.c + job.rows.begin * job.ldc + job.cols.begin;
  run_row(job.k, a, job.a.along_k ? 1 : job.a.ld, b, job.b.ld, c, job.cols.size());
  run_epilogue(job, block);
}

int64_t row_block_count(int64_t rows) {
  return rows <= kMostRows ? 1 : ceil_div(rows, kRows);
}

template <typename T>
void run_job(const Job<T>& job) {
  if (job.rows.size() == 1 && job.packed_b == nullptr && !job.b.along_k) return run_row_job(job);
  const int64_t depths = larger(ceil_div(job.k, kDepth<T>), 1);
  const int64_t row_blocks = row_block_count(job.rows.size());
  const int64_t col_blocks = ceil_div(job.cols.size(), kCols<T>);
  Block<T> block;
  block.by_panel = job.pack_b && row_blocks == 1;
  block.copies = block.by_panel && !job.b.along_k && job.rows.size() >= 2 * kTileRows;
  for (int64_t j = 0; j < col_blocks; ++j) {
    const Range cols = part(job.cols.size(), kPanel<T>, j, col_blocks);
    block.cols = {job.cols.begin + cols.begin, job.cols.begin + cols.end};
    for (int64_t d = 0; d < depths; ++d) {
      block.k = part(job.k, 1, d, depths);
      prepare_b(job, block);
      for (int64_t r = 0; r < row_blocks; ++r) {
        const Range rows = part(job.rows.size(), kTileRows, r, row_blocks);
        block.rows = {job.rows.begin + rows.begin, job.rows.begin + rows.end};
        cut_rows(block);
        block.a = job.pack_a ? job.a_space : job.a.at(block.rows.begin, block.k.begin);
        if (job.pack_a) pack_a(job, block);
        multiply(job, block);
        if (d + 1 == depths && job.finish == nullptr) run_epilogue(job, block);
      }
    }
  }
}

// A column C is the row C^T = op(B)^T op(A)^T: the same chains, but along the vectors.
template <typename T>
bool swaps(const GemmArgs<T>& args) {
  return args.n == 1 && args.m > 1 && args.ldc == 1 && args.packed_b == nullptr;
}

template <typename T>
Job<T> make_job(const GemmArgs<T>& args) {
  Job<T> job = {};
  const Source<T> a = {args.a, args.lda, !args.trans_a};
  const Source<T> b = {args.b, args.ldb, args.trans_b};
  job.swapped = swaps(args);
  job.a = job.swapped ? b : a;
  job.b = job.swapped ? a : b;
  job.packed_b = args.packed_b;
  job.c = args.c;
  job.ldc = args.ldc;
  job.k = args.k;
  job.epilogue = args.epilogue;
  job.ctx = args.epilogue_ctx;
  job.finish = kFinishes<T> && !job.swapped ? args.finish : nullptr;
  const int64_t m = job.swapped ? 1 : args.m;
  const int64_t n = job.swapped ? args.m : args.n;
  job.pack_a = !job.a.along_k && m > 3 && (n * m > 512 * 256 || (n >= 256 && m >= 128));
  job.pack_b = job.packed_b == nullptr && (job.b.along_k || m >= kPackRows);
  return job;
}

struct Grid {
  int64_t rows, cols;  // parts of C in either direction
};

// Parts of about 60 us, or up to four of at least 2 us: enough work to pay for handing it out,
// small enough to balance. Few rows are limited by reading B, which the parts share out by columns.
// Else both extents are cut, but into larger parts where a part has to copy its blocks first; where
// there are not enough columns for that, what is copied is little.
template <typename T>
Grid grid(const GemmArgs<T>& args) {
  const bool few = args.m <= kTileRows;
  const int64_t work = ceil_div(args.m, kTileRows) * ceil_div(args.n, kLanes<T>) * args.k;
  const int64_t wanted =
      few ? smaller(work / 8192, 8) : smaller(larger(work / 65536, smaller(work / 2048, 4)), 64);
  if (wanted <= 1) return {1, 1};
  const bool copies = make_job(args).pack_b;
  const int64_t col_unit = args.m >= 256 ? 16 * kPanel<T> : copies ? 4 * kPanel<T> : 8 * kPanel<T>;
  const int64_t cols = smaller(wanted, larger(args.n / col_unit, 1));
  const bool narrow = cols == 1 && args.m < kPackFirstRows;
  const int64_t row_unit = !copies ? 4 * kTileRows : narrow ? 48 : 128;
  return {smaller(ceil_div(wanted, cols), larger(args.m / row_unit, 1)), cols};
}

template <typename T>
int64_t a_elements(const Job<T>& job) {
  return job.pack_a ? kMostRows * kDepth<T> : 0;
}

template <typename T>
size_t workspace_bytes(const GemmArgs<T>& args) {
  const Job<T> job = make_job(args);
  const Grid g = grid(args);
  const int64_t n = job.swapped ? args.m : args.n;
  const bool by_panel = row_block_count(job.swapped ? 1 : args.m) == 1;
  const int64_t slice = (ceil_div(ceil_div(n, kPanel<T>), g.cols) + 1) * kPanel<T>;
  const int64_t cols = !job.pack_b ? padded<T>(n % kPanel<T>)
                       : by_panel  ? 2 * kPanel<T>
                                   : smaller(slice, kCols<T>);
  const int64_t b = job.packed_b != nullptr ? 0 : smaller(job.k, kDepth<T>) * cols;
  return static_cast<size_t>(a_elements(job) + b) * sizeof(T);
}

template <typename T>
int64_t slices(const GemmArgs<T>& args) {
  const Grid g = grid(args);
  return g.rows * g.cols;
}

template <typename T>
void run_slice(const GemmArgs<T>& args, int64_t slice, void* workspace) {
  if (args.m == 0 || args.n == 0) return;  // what has no elements may have no address
  Job<T> job = make_job(args);
  const VectorFinish<T> finish(args.finish != nullptr ? *args.finish : GemmFinish<T>{});
  if (job.finish != nullptr) job.finish = &finish.get();
  const Grid g = grid(args);
  const Range rows = part(args.m, kTileRows, slice % g.rows, g.rows);
  const Range cols = part(args.n, kPanel<T>, slice / g.rows, g.cols);
  job.rows = job.swapped ? cols : rows;
  job.cols = job.swapped ? rows : cols;
  job.a_space = static_cast<T*>(workspace);
  job.b_space = job.a_space + a_elements(job);
  run_job(job);
}

// Each part that lies below another would copy the same columns of B again.
template <typename T>
bool packs_first(const GemmArgs<T>& args) {
  return args.m >= kPackFirstRows && grid(args).rows > 1 && make_job(args).pack_b;
}

template <typename T>
int64_t packed_size(int64_t n, int64_t k) {
  const int64_t rest = n % kPanel<T>;
  return (n - rest + (rest > 0 ? padded<T>(rest) : 0)) * k;
}

template <typename T>
void pack_b(const T* b, int64_t ldb, bool trans_b, int64_t n, int64_t k, T* out) {
  pack_panels(Source<T>{b, ldb, trans_b}, 0, n, 0, k, out);
}

template <typename T>
inline constexpr Gemm<T> kGemm = {
    slices<T>, workspace_bytes<T>, run_slice<T>, packs_first<T>, packed_size<T>, pack_b<T>};

}  // namespace

const Gemm<float>& gemm_f32() {
  return kGemm<float>;
}
const Gemm<double>& gemm_f64() {
  return kGemm<double>;
}

}  // namespace weir::kernels::WEIR_ISA
