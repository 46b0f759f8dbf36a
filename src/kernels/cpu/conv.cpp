/// Convolutions as contractions: the cells under a window become a row of a matrix, block by block,
/// so that the matrix stays in cache. An output is one chain of multiply-adds over filter rows,
/// columns and channels; it depends neither on the batch nor on slices or threads.
#include "kernels/scalar/conv.h"

#include <cstring>

#include "kernels/cpu/gemm.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {
namespace {

using Int = std::int64_t;

struct Forward {
  static constexpr const char* kOp = "Conv2D";
};
struct ToInput {
  static constexpr const char* kOp = "Conv2DBackpropInput";
};
struct ToFilter {
  static constexpr const char* kOp = "Conv2DBackpropFilter";
};

constexpr Int kBlockElements = 65536;  // of the matrix of cells: half of a core's second cache
constexpr Int kMostRows = 224;
constexpr Int kSumRows = 256;  // rows that the filter's gradient adds up in one chain
constexpr Int kMostGroups = 16;

Int rounded(Int bytes) {
  return (bytes + 63) / 64 * 64;
}
Int at_least(Int v, Int least) {
  return v > least ? v : least;
}
Int at_most(Int v, Int most) {
  return v < most ? v : most;
}

/// A convolution as a matrix product: `rows` outputs of a channel group, each a sum of `depth`
/// products.
struct Product {
  ConvShape s;
  Int pixels = 0;  // outputs of an image
  Int rows = 0;    // of all images
  Int depth = 0;
  Int block = 0;        // rows at a time
  bool direct = false;  // the input is the matrix already: 1 x 1, nothing skipped

  explicit Product(const ConvShape& shape) : s(shape) {
    pixels = s.y.out * s.x.out;
    rows = s.batch * pixels;
    depth = s.y.filter * s.x.filter * s.group_in();
    block = at_most(at_least(kBlockElements / at_least(depth, 1) / 14 * 14, 14), kMostRows);
    const auto plain = [](const ConvAxis& a) {
      return a.filter == 1 && a.stride == 1 && a.before == 0 && a.after == 0;
    };
    direct = plain(s.y) && plain(s.x) && s.groups == 1;
  }
  Int blocks() const { return (rows + block - 1) / block; }
};

void add_to(float* __restrict to, const float* __restrict from, Int n) {
  for (Int i = 0; i < n; ++i)
    to[i] += from[i];
}

/// Copies, or with `scatter` adds back, the cells of one filter row [tap][channel], columns [k0,
/// k1) of it.
template <bool scatter>
void filter_row(const ConvShape& s, float* image_row, Int j, Int k0, Int k1, float* out) {
  const Int c = s.group_in();
  for (Int k = k0; k < k1;) {
    const Int tap = k / c, channel = k % c;
    // Neighbouring taps are neighbours in memory too, unless channels are grouped or taps are
    // apart.
    const bool contiguous = s.groups == 1 && s.x.dilation == 1;
    const Int cell = s.x.cell(j, tap);
    Int run = c - channel;
    const bool inside = image_row && cell >= 0 && cell < s.x.in;
    if (inside && contiguous) run += (s.x.in - 1 - cell) * c;
    run = at_most(run, k1 - k);
    float* src = inside ? image_row + cell * s.in_channels + channel : nullptr;
    if constexpr (scatter) {
      if (inside) add_to(src, out, run);
    } else if (inside) {
      std::memcpy(out, src, std::size_t(run) * sizeof(float));
    } else {
      std::memset(out, 0, std::size_t(run) * sizeof(float));
    }
    k += run;
    out += run;
  }
}

/// Columns [k0, k1) of the matrix row of output `row`; `image` is the channel group of the first
/// image.
template <bool scatter>
void matrix_row(const ConvShape& s, Int pixels, float* image, Int row, Int k0, Int k1, float* out) {
  const Int n = row / pixels, i = row % pixels / s.x.out, j = row % s.x.out;
  const Int length = s.x.filter * s.group_in();
  for (Int k = k0; k < k1;) {
    const Int fy = k / length, y = s.y.cell(i, fy);
    const Int end = at_most(k1, (fy + 1) * length);
    float* image_row =
        y < 0 || y >= s.y.in ? nullptr : image + (n * s.y.in + y) * s.x.in * s.in_channels;
    filter_row<scatter>(s, image_row, j, k - fy * length, end - fy * length, out);
    out += end - k;
    k = end;
  }
}

void gather(const Product& p, const float* image, Int row, Int rows, Int k0, Int k1, float* out) {
  for (Int r = 0; r < rows; ++r)
    matrix_row<false>(
        p.s, p.pixels, const_cast<float*>(image), row + r, k0, k1, out + r * (k1 - k0));
}

void multiply(const GemmArgs<float>& args, void* workspace) {
  const Int slices = gemm_f32().slices(args);
  for (Int i = 0; i < slices; ++i)
    gemm_f32().run_slice(args, i, workspace);
}

/// Room for contractions of args.m and of `last` rows.
Int workspace_of(GemmArgs<float> args, Int last) {
  const Int full = rounded(Int(gemm_f32().workspace_bytes(args)));
  args.m = last;
  return at_least(at_least(full, rounded(Int(gemm_f32().workspace_bytes(args)))), 64);
}

/// The contraction of one block of rows of a forward convolution.
GemmArgs<float> forward_args(const Product& p, const float* filter, const float* packed) {
  GemmArgs<float> a;
  a.m = at_most(p.block, p.rows);
  a.n = p.s.group_out();
  a.k = p.depth;
  a.lda = p.direct ? p.s.in_channels : p.depth;
  a.b = filter;
  a.ldb = a.ldc = p.s.out_channels;
  a.packed_b = packed;
  return a;
}

/// Workspace of `groups` workers: each a matrix and room for the contraction; in front a packed
/// filter.
struct Space {
  Int packed = 0, matrix = 0, gemm = 0;
  Int worker() const { return matrix + gemm; }
};

Product forward_product(const rt::KernelCall& c) {
  return Product(conv_shape(c.in[0], c.in[1], c.attrs, 0));
}

Int workers(const Product& p) {
  return at_most(at_least(p.blocks(), 1), kMostGroups);
}

Space forward_space(const Product& p) {
  Space s;
  if (p.s.groups == 1)
    s.packed = rounded(gemm_f32().packed_size(p.s.out_channels, p.depth) * Int(sizeof(float)));
  if (!p.direct) s.matrix = rounded(p.block * p.depth * Int(sizeof(float)));
  s.gemm = workspace_of(forward_args(p, nullptr, nullptr), p.rows % p.block);
  return s;
}

rt::Needs need_forward(const rt::KernelCall& c) {
  const Product p = forward_product(c);
  const Space s = forward_space(p);
  rt::Needs needs{.workspace = s.packed + workers(p) * s.worker()};
  if (s.packed > 0) {
    needs.packed_bytes = s.packed;
    needs.packed_operand = 1;
  }
  return needs;
}

void pack_filter(const Product& p, const float* filter, void* packed) {
  gemm_f32().pack_b(
      filter, p.s.out_channels, false, p.s.out_channels, p.depth, static_cast<float*>(packed));
}

Status pack_forward(const rt::KernelCall& c, void* packed) {
  pack_filter(forward_product(c), c.in[1].as<float>(), packed);
  return {};
}

void forward_block(const Product& p,
                   GemmArgs<float> args,
                   const float* x,
                   float* y,
                   Int block,
                   char* space,
                   Int matrix) {
  const Int row = block * p.block;
  args.m = at_most(p.block, p.rows - row);
  for (Int g = 0; g < p.s.groups; ++g) {
    GemmArgs<float> a = args;
    if (p.direct) {
      a.a = x + row * p.s.in_channels;
    } else {
      auto* cells = reinterpret_cast<float*>(space);
      gather(p, x + g * p.s.group_in(), row, args.m, 0, p.depth, cells);
      a.a = cells;
    }
    a.b = args.b + g * p.s.group_out();
    a.c = y + row * p.s.out_channels + g * p.s.group_out();
    multiply(a, space + matrix);
  }
}

Status run_forward(const rt::KernelCall& c) {
  const Product p = forward_product(c);
  if (c.out[0].size() == 0) return {};
  const Space space = forward_space(p);
  auto* base = static_cast<char*>(c.workspace);
  const auto* packed = static_cast<const float*>(c.packed);
  if (!packed && space.packed > 0) {
    pack_filter(p, c.in[1].as<float>(), base);
    packed = reinterpret_cast<const float*>(base);
  }
  const GemmArgs<float> args = forward_args(p, c.in[1].as<float>(), packed);
  const Int n = workers(p), blocks = p.blocks();
  rt::parallel_for(c, n, [&](Int w) {
    for (Int b = blocks * w / n; b < blocks * (w + 1) / n; ++b)
      forward_block(p,
                    args,
                    c.in[0].as<float>(),
                    c.out[0].as<float>(),
                    b,
                    base + space.packed + w * space.worker(),
                    space.matrix);
  });
  return {};
}

// -- the gradient of the input: the matrix of cells is computed, and its rows are added to the
// image --

Product input_product(const rt::KernelCall& c) {
  return Product(conv_shape(c.out[0], c.in[0], c.attrs, 1));
}

/// One block: cells = dy * filter^T.
GemmArgs<float> input_args(const Product& p, const float* filter) {
  GemmArgs<float> a;
  a.m = at_most(p.block, p.pixels);
  a.n = p.depth;
  a.k = p.s.group_out();
  a.lda = a.ldb = p.s.out_channels;
  a.trans_b = true;
  a.b = filter;
  a.ldc = p.depth;
  return a;
}

Space input_space(const Product& p) {
  const GemmArgs<float> args = input_args(p, nullptr);
  return {.packed = 0,
          .matrix = rounded(p.block * p.depth * Int(sizeof(float))),
          .gemm = workspace_of(args, p.pixels % p.block)};
}

Int image_workers(const Product& p) {
  return at_most(at_least(p.s.batch, 1), kMostGroups);
}

rt::Needs need_input(const rt::KernelCall& c) {
  const Product p = input_product(c);
  return {.workspace = image_workers(p) * input_space(p).worker()};
}

void input_image(const Product& p,
                 const GemmArgs<float>& args,
                 const float* dy,
                 float* dx,
                 Int n,
                 char* space,
                 Int matrix) {
  std::memset(dx + n * p.s.y.in * p.s.x.in * p.s.in_channels,
              0,
              std::size_t(p.s.y.in * p.s.x.in * p.s.in_channels) * sizeof(float));
  auto* cells = reinterpret_cast<float*>(space);
  for (Int first = 0; first < p.pixels; first += p.block) {
    const Int row = n * p.pixels + first;
    for (Int g = 0; g < p.s.groups; ++g) {
      GemmArgs<float> a = args;
      a.m = at_most(p.block, p.pixels - first);
      a.a = dy + row * p.s.out_channels + g * p.s.group_out();
      a.b = args.b + g * p.s.group_out();
      a.c = cells;
      multiply(a, space + matrix);
      for (Int r = 0; r < a.m; ++r)
        matrix_row<true>(
            p.s, p.pixels, dx + g * p.s.group_in(), row + r, 0, p.depth, cells + r * p.depth);
    }
  }
}

Status run_input(const rt::KernelCall& c) {
  const Product p = input_product(c);
  if (c.out[0].size() == 0) return {};
  const Space space = input_space(p);
  const GemmArgs<float> args = input_args(p, c.in[0].as<float>());
  const Int n = image_workers(p);
  rt::parallel_for(c, n, [&](Int w) {
    for (Int i = p.s.batch * w / n; i < p.s.batch * (w + 1) / n; ++i)
      input_image(p,
                  args,
                  c.in[1].as<float>(),
                  c.out[0].as<float>(),
                  i,
                  static_cast<char*>(c.workspace) + w * space.worker(),
                  space.matrix);
  });
  return {};
}

// -- the gradient of the filter: for a part of the filter's rows, blocks of outputs are added up in
// order --

Product filter_product(const rt::KernelCall& c) {
  return Product(conv_shape(c.in[0], c.out[0], c.attrs, 1));
}

constexpr Int kPartDepth = 112;

/// Filter rows [depth index] of part `part`.
struct Part {
  Int begin, end;
};
Int parts(const Product& p) {
  return (p.depth + kPartDepth - 1) / kPartDepth;
}
Part part(const Product& p, Int i) {
  return {p.depth * i / parts(p), p.depth * (i + 1) / parts(p)};
}

/// sum = cells^T * dy over one block of outputs.
GemmArgs<float> filter_args(const Product& p, Int depth) {
  GemmArgs<float> a;
  a.m = depth;
  a.n = p.s.group_out();
  a.k = kSumRows;
  a.trans_a = true;
  a.lda = p.direct ? p.s.in_channels : depth;
  a.ldb = p.s.out_channels;
  a.ldc = a.n;
  return a;
}

struct FilterSpace {
  Int cells, sum, gemm;
  Int worker() const { return cells + sum + gemm; }
};

FilterSpace filter_space(const Product& p) {
  const Int depth = at_most(kPartDepth, p.depth);
  return {rounded(kSumRows * depth * Int(sizeof(float))),
          rounded(depth * p.s.group_out() * Int(sizeof(float))),
          workspace_of(filter_args(p, depth), p.depth / parts(p))};
}

Int part_workers(const Product& p) {
  return at_most(at_least(parts(p) * p.s.groups, 1), kMostGroups);
}

rt::Needs need_filter(const rt::KernelCall& c) {
  const Product p = filter_product(c);
  return {.workspace = part_workers(p) * filter_space(p).worker()};
}

/// to[i, j] += from[i, j]; `set` writes instead.
void accumulate(float* to, Int stride, const float* from, Int rows, Int cols, bool set) {
  for (Int i = 0; i < rows; ++i) {
    float* t = to + i * stride;
    const float* f = from + i * cols;
    for (Int j = 0; j < cols; ++j)
      t[j] = set ? f[j] : t[j] + f[j];
  }
}

void filter_part(
    const Product& p, const float* x, const float* dy, float* dw, Int unit, char* space) {
  const FilterSpace room = filter_space(p);
  const Int g = unit / parts(p);
  const Part k = part(p, unit % parts(p));
  auto* cells = reinterpret_cast<float*>(space);
  auto* sum = reinterpret_cast<float*>(space + room.cells);
  GemmArgs<float> a = filter_args(p, k.end - k.begin);
  a.c = sum;
  for (Int row = 0; row < p.rows; row += kSumRows) {
    a.k = at_most(kSumRows, p.rows - row);
    if (p.direct) {
      a.a = x + row * p.s.in_channels + k.begin;
    } else {
      gather(p, x + g * p.s.group_in(), row, a.k, k.begin, k.end, cells);
      a.a = cells;
    }
    a.b = dy + row * p.s.out_channels + g * p.s.group_out();
    multiply(a, space + room.cells + room.sum);
    accumulate(dw + k.begin * p.s.out_channels + g * p.s.group_out(),
               p.s.out_channels,
               sum,
               a.m,
               a.n,
               row == 0);
  }
}

Status run_filter(const rt::KernelCall& c) {
  const Product p = filter_product(c);
  if (c.out[0].size() == 0) return {};
  if (p.rows == 0) std::memset(c.out[0].data, 0, std::size_t(c.out[0].bytes()));
  const FilterSpace space = filter_space(p);
  const Int n = part_workers(p), units = parts(p) * p.s.groups;
  rt::parallel_for(c, n, [&](Int w) {
    for (Int u = units * w / n; u < units * (w + 1) / n; ++u)
      filter_part(p,
                  c.in[0].as<float>(),
                  c.in[1].as<float>(),
                  c.out[0].as<float>(),
                  u,
                  static_cast<char*>(c.workspace) + w * space.worker());
  });
  return {};
}

constexpr rt::Kernel kTable[] = {
    {.op = Forward::kOp,
     .name = kKernelName<Forward, float>.text,
     .types = {DType::float32},
     .isa = kIsa,
     .need = need_forward,
     .pack = pack_forward,
     .run = run_forward},
    {.op = ToInput::kOp,
     .name = kKernelName<ToInput, float>.text,
     .types = {DType::float32},
     .isa = kIsa,
     .need = need_input,
     .run = run_input},
    {.op = ToFilter::kOp,
     .name = kKernelName<ToFilter, float>.text,
     .types = {DType::float32},
     .isa = kIsa,
     .need = need_filter,
     .run = run_filter},
};

}  // namespace

rt::KernelTable conv_kernels() {
  return {kTable, sizeof kTable / sizeof *kTable};
}

}  // namespace weir::kernels::WEIR_ISA
