/// Convolutions and their gradients with respect to the input, which are convolutions too. An
/// output is one chain of multiply-adds over filter rows, columns and channels; it depends neither
/// on the batch nor on slices or threads.
#include "kernels/cpu/conv_walk.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/matmul_finish.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {
namespace {

struct Forward {
  static constexpr const char* kOp = "Conv2D";
};
struct ToInput {
  static constexpr const char* kOp = "Conv2DBackpropInput";
};

constexpr Int kDepth = 800;         // products of a block of the filter, as in a contraction
constexpr Int kTilesAtOnce = 8;     // whose results stay in the first cache for the epilogue
constexpr Int kUnitPixels = 1024;   // of a unit of work
constexpr Int kUnitBytes = 98304;   // that it reads: a part of the second cache
constexpr Int kUnitWork = 1 << 18;  // multiply-adds worth a unit of their own
constexpr Int kMostWorkers = 16;

Int bytes_of(Int floats) {
  return rounded(floats * Int(sizeof(float)));
}

// -- parts: a gradient with strides is several convolutions, one for each remainder of a place --

/// Outputs `at`, `at` + `step`, ... along an axis, and the taps of the filter that they read.
struct PartAxis {
  ConvAxis axis;
  Int tap = 0, tap_step = 1;
  Int at = 0, step = 1;
};

/// A convolution that computes some pixels of the result.
struct Part {
  ConvShape s;
  PartAxis y, x;
  bool rotated = false;  // the filter is [..., out, in] and its taps are read from the end

  bool dense() const { return y.step == 1 && x.step == 1; }
  Int taps() const { return y.axis.filter * x.axis.filter; }
  Int depth() const { return taps() * s.group_in(); }
  Int packed() const {
    return taps() == 0 ? 0 : s.groups * gemm_f32().packed_size(s.group_out(), depth());
  }
};

Int common_divisor(Int a, Int b) {
  while (b != 0) {
    const Int rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/// Inputs at, at + stride, ... of a convolution along `a`, as outputs of another one: tap f reads
/// output (input + before - f * dilation) / stride, if that is a whole number.
PartAxis gradient_axis(const ConvAxis& a, Int at) {
  const Int common = common_divisor(a.stride, a.dilation), step = a.stride / common;
  PartAxis p;
  p.tap_step = step;
  p.at = at;
  p.step = a.stride;
  while (p.tap < a.filter && (at + a.before - p.tap * a.dilation) % a.stride != 0)
    ++p.tap;
  p.axis.in = a.out;
  p.axis.out = at < a.in ? (a.in - at - 1) / a.stride + 1 : 0;
  p.axis.filter = p.tap < a.filter ? (a.filter - 1 - p.tap) / step + 1 : 0;
  p.axis.dilation = a.dilation / common;
  p.axis.before = (p.axis.filter - 1) * p.axis.dilation -
                  (p.tap < a.filter ? (at + a.before - p.tap * a.dilation) / a.stride : 0);
  return p;
}

Part part_of(const ConvShape& s, const PartAxis& y, const PartAxis& x, bool rotated) {
  Part p{.s = s, .y = y, .x = x, .rotated = rotated};
  p.s.y = y.axis;
  p.s.x = x.axis;
  return p;
}

Part forward_part(const rt::KernelCall& c) {
  const ConvShape s = conv_shape(c.in[0], c.in[1], c.attrs, 0);
  return part_of(s, {.axis = s.y}, {.axis = s.x}, false);
}

/// The convolution whose gradient is asked for.
ConvShape gradient_shape(const rt::KernelCall& c) {
  return conv_shape(c.out[0], c.in[0], c.attrs, 1);
}

/// body(part) for the parts of a gradient.
template <class Body>
void each_part(const ConvShape& s, Body&& body) {
  ConvShape swapped = s;
  swapped.in_channels = s.out_channels;
  swapped.out_channels = s.in_channels;
  for (Int i = 0; i < s.y.stride; ++i) {
    for (Int j = 0; j < s.x.stride; ++j)
      body(part_of(swapped, gradient_axis(s.y, i), gradient_axis(s.x, j), true));
  }
}

// -- the packed filter --

/// Rows [k][column] of the taps, from the last to the first, in panels.
void pack_rotated(const Part& p, const float* filter, Int full_width, Int group, float* out) {
  const Int in = p.s.group_in(), cols = p.s.group_out(), taps = p.taps();
  const Int tap_size = cols * p.s.in_channels;
  for (Int col = 0; col < cols; col += kConvPanel) {
    const Int lines = at_most(cols - col, kConvPanel), width = padded<float>(lines);
    float* panel = out + col * p.depth();
    for (Int t = 0; t < taps; ++t) {
      const Int from_end = taps - 1 - t;
      const Int fy = p.y.tap + from_end / p.x.axis.filter * p.y.tap_step;
      const Int fx = p.x.tap + from_end % p.x.axis.filter * p.x.tap_step;
      const Source<float> tap{
          filter + (fy * full_width + fx) * tap_size + group * in, p.s.in_channels, true};
      pack(tap, col, lines, 0, in, width, panel + t * in * width);
    }
  }
}

/// `full_width`: columns of the whole filter.
void pack_filter(const Part& p, const float* filter, Int full_width, float* out) {
  if (p.taps() == 0) return;
  const Int size = p.packed() / p.s.groups;
  for (Int g = 0; g < p.s.groups; ++g) {
    if (p.rotated) {
      pack_rotated(p, filter, full_width, g, out + g * size);
    } else {
      gemm_f32().pack_b(filter + g * p.s.group_out(),
                        p.s.out_channels,
                        false,
                        p.s.group_out(),
                        p.depth(),
                        out + g * size);
    }
  }
}

// -- one part --

/// Where its tiles find what they read; the same for all units.
struct Tables {
  Int* rows;    // of each output of the largest unit
  Span* spans;  // of all blocks of the filter
  Int* starts;  // of a block's spans
};

/// What follows an output's sum; in registers, if it can be.
struct End {
  const rt::Epilogue* epilogue = nullptr;
  const GemmFinish<float>* finish = nullptr;
};

class Direct {
 public:
  explicit Direct(const Part& part) : part_(part), walk_(part.s) {
    const Int work = walk_.pixels() * walk_.depth() * part.s.group_out();
    walk_.cut(kUnitPixels, kUnitBytes, at_most(work / kUnitWork, kMostWorkers));
    workers_ = at_most(at_least(walk_.units(), 1), kMostWorkers);
    blocks_ = at_least(ceil_div(walk_.depth(), kDepth), 1);
  }

  bool empty() const { return walk_.pixels() == 0; }
  Int workspace() const { return empty() ? 0 : table_bytes() + workers_ * worker_bytes(); }

  /// `y`: the whole result.
  void run(const rt::KernelCall& c,
           const float* x,
           const float* packed,
           float* y,
           const rt::View& result,
           char* space) const {
    if (empty()) return;
    const Tables tables = make_tables(space);
    GemmFinish<float> finish;
    const bool in_registers = c.epilogue && part_.dense() && make_finish(*c.epilogue, finish);
    const VectorFinish<float> vectors(finish);
    const End end{c.epilogue, in_registers ? &vectors.get() : nullptr};
    const Int units = walk_.units();
    rt::parallel_for(c, workers_, [&](Int w) {
      auto* cells = reinterpret_cast<float*>(space + table_bytes() + w * worker_bytes());
      float* out = cells + bytes_of(walk_.copied(walk_.largest())) / Int(sizeof(float));
      for (Int i = units * w / workers_; i < units * (w + 1) / workers_; ++i) {
        const Unit u = walk_.unit(i);
        const Int first = walk_.first_pixel(u);
        const float* in = walk_.cells(x, u, cells);
        if (part_.dense()) {
          compute(u, in, packed, tables, y + first * part_.s.out_channels, end, first);
        } else {
          compute(u, in, packed, tables, out, {}, 0);
          place(u, out, y, result);
        }
      }
    });
  }

 private:
  Int row_count() const { return walk_.pixels(walk_.largest()); }
  Int span_limit() const { return part_.taps() + blocks_; }
  Int table_bytes() const {
    return rounded(row_count() * Int(sizeof(Int))) + rounded(span_limit() * Int(sizeof(Span))) +
           rounded((blocks_ + 1) * Int(sizeof(Int)));
  }
  Int worker_bytes() const {
    const Int out = part_.dense() ? 0 : row_count() * part_.s.out_channels;
    return bytes_of(walk_.copied(walk_.largest())) + bytes_of(out);
  }

  Tables make_tables(char* space) const {
    Tables t;
    t.rows = reinterpret_cast<Int*>(space);
    space += rounded(row_count() * Int(sizeof(Int)));
    t.spans = reinterpret_cast<Span*>(space);
    t.starts = reinterpret_cast<Int*>(space + rounded(span_limit() * Int(sizeof(Span))));
    fill_rows(t.rows);
    fill_spans(t);
    return t;
  }
  void fill_rows(Int* rows) const {
    const Unit u = walk_.largest();
    for (Int n = 0; n < u.images; ++n) {
      for (Int i = 0; i < u.rows; ++i) {
        for (Int j = 0; j < part_.s.x.out; ++j)
          *rows++ = walk_.row_offset(n, i, u.rows) + j * walk_.pixel_step();
      }
    }
  }
  Int block_begin(Int d) const { return walk_.depth() * d / blocks_; }
  void fill_spans(const Tables& t) const {
    Int count = 0;
    for (Int d = 0; d < blocks_; ++d) {
      t.starts[d] = count;
      for (Int k = block_begin(d), end = block_begin(d + 1); k < end;) {
        const Int run = at_most(walk_.run(k), end - k);
        t.spans[count++] = {walk_.depth_offset(k), run};
        k += run;
      }
    }
    t.starts[blocks_] = count;
  }

  SpanProduct product(const float* packed, const Tables& t, Int group, Int block) const {
    const Int cols = part_.s.group_out(), depth = walk_.depth(), k = block_begin(block);
    const Int full = cols / kConvPanel * kConvPanel;
    packed += group * (part_.packed() / part_.s.groups);
    SpanProduct p;
    p.tile.rows = t.rows;
    p.tile.spans = t.spans + t.starts[block];
    p.tile.span_count = t.starts[block + 1] - t.starts[block];
    p.tile.b = packed + k * kConvPanel;
    p.tile.b_step = kConvPanel;
    p.panel_step = depth * kConvPanel;
    p.tail_step = padded<float>(cols - full);
    p.tail = packed + full * depth + k * p.tail_step;
    p.tile.ldc = part_.s.out_channels;
    p.tile.sum = block == 0 ? Sum::fresh : Sum::chained;
    return p;
  }

  /// The outputs of a unit; `first` is the number of the first one in the result.
  void compute(const Unit& u,
               const float* cells,
               const float* packed,
               const Tables& tables,
               float* y,
               const End& end,
               Int first) const {
    const Tiles tiles(walk_.pixels(u));
    const Int cols = part_.s.out_channels;
    for (Int t = 0; t < tiles.count; t += tiles_at_once_) {
      const Int last = at_most(t + tiles_at_once_, tiles.count);
      for (Int g = 0; g < part_.s.groups; ++g) {
        for (Int d = 0; d < blocks_; ++d) {
          SpanProduct p = product(packed, tables, g, d);
          p.tile.a = cells + g * part_.s.group_in();
          p.tile.c = y + g * part_.s.group_out();
          p.tile.finish = d + 1 == blocks_ ? end.finish : nullptr;
          p.tile.row = first;
          p.tile.col = g * part_.s.group_out();
          multiply_spans(p, tiles, t, last, part_.s.group_out());
        }
      }
      if (!end.epilogue || end.finish) continue;
      const Int row = tiles.begin(t), rows = tiles.begin(last) - row;
      end.epilogue->run(end.epilogue->arg, y + row * cols, first + row, rows, 0, cols, cols);
    }
  }

  /// Copies a unit's outputs to their places in the result.
  void place(const Unit& u, const float* out, float* y, const rt::View& result) const {
    const Int cols = part_.s.out_channels, height = result.dims[1], width = result.dims[2];
    for (Int n = 0; n < u.images; ++n) {
      for (Int i = 0; i < u.rows; ++i) {
        const Int row = part_.y.at + (u.row + i) * part_.y.step;
        float* to = y + (((u.image + n) * height + row) * width + part_.x.at) * cols;
        for (Int j = 0; j < part_.s.x.out; ++j, out += cols, to += part_.x.step * cols)
          std::memcpy(to, out, std::size_t(cols) * sizeof(float));
      }
    }
  }

  Part part_;
  Walk walk_;
  Int workers_, blocks_, tiles_at_once_ = kTilesAtOnce;
};

// -- the kernels --

rt::Needs needs_of(Int packed, Int workspace, bool is_packed, int operand) {
  return {.workspace = workspace + (is_packed ? 0 : packed),
          .packed_bytes = packed,
          .packed_operand = std::int8_t(operand)};
}

rt::Needs need_forward(const rt::KernelCall& c) {
  const Part p = forward_part(c);
  return needs_of(bytes_of(p.packed()), Direct(p).workspace(), c.packed, 1);
}

void pack_forward(const rt::KernelCall& c, float* packed) {
  pack_filter(forward_part(c), c.in[1].as<float>(), c.in[1].dims[1], packed);
}

using Pack = void (*)(const rt::KernelCall& c, float* packed);

template <Pack pack_call>
Status pack_whole(const rt::KernelCall& c, void* packed) {
  pack_call(c, static_cast<float*>(packed));
  return {};
}

/// The packed filter, and in `space` what is left of the workspace.
const float* packed_filter(const rt::KernelCall& c, Int bytes, char** space, Pack pack) {
  *space = static_cast<char*>(c.workspace);
  if (c.packed) return static_cast<const float*>(c.packed);
  auto* packed = reinterpret_cast<float*>(*space);
  pack(c, packed);
  *space += bytes;
  return packed;
}

Status run_forward(const rt::KernelCall& c) {
  if (c.out[0].size() == 0) return {};
  const Part p = forward_part(c);
  char* space;
  const float* packed = packed_filter(c, bytes_of(p.packed()), &space, pack_forward);
  Direct(p).run(c, c.in[0].as<float>(), packed, c.out[0].as<float>(), c.out[0], space);
  return {};
}

rt::Needs need_input(const rt::KernelCall& c) {
  Int packed = 0, workspace = 0;
  each_part(gradient_shape(c), [&](const Part& p) {
    packed += p.packed();
    if (p.taps() > 0) workspace = at_least(Direct(p).workspace(), workspace);
  });
  return needs_of(bytes_of(packed), workspace, c.packed, 0);
}

void pack_input(const rt::KernelCall& c, float* packed) {
  each_part(gradient_shape(c), [&](const Part& p) {
    pack_filter(p, c.in[0].as<float>(), c.in[0].dims[1], packed);
    packed += p.packed();
  });
}

/// The epilogue of a result that was not computed in order.
void run_epilogue(const rt::KernelCall& c, float* y, Int pixels, Int cols) {
  rt::parallel_ranges(c, pixels, kUnitBytes / cols / 8 + 1, [&](Int begin, Int end) {
    c.epilogue->run(c.epilogue->arg, y + begin * cols, begin, end - begin, 0, cols, cols);
  });
}

Status run_input(const rt::KernelCall& c) {
  if (c.out[0].size() == 0) return {};
  const ConvShape s = gradient_shape(c);
  Int size = 0;
  bool dense = true, all = true;
  each_part(s, [&](const Part& p) {
    size += p.packed();
    dense = dense && p.dense();
    all = all && p.taps() > 0;
  });
  char* space;
  const float* packed = packed_filter(c, bytes_of(size), &space, pack_input);
  auto* dx = c.out[0].as<float>();
  if (!all) std::memset(dx, 0, std::size_t(c.out[0].bytes()));
  each_part(s, [&](const Part& p) {
    if (p.taps() > 0) Direct(p).run(c, c.in[1].as<float>(), packed, dx, c.out[0], space);
    packed += p.packed();
  });
  if (c.epilogue && !(dense && all)) run_epilogue(c, dx, s.batch * s.y.in * s.x.in, s.in_channels);
  return {};
}

constexpr rt::Kernel kTable[] = {
    {.op = Forward::kOp,
     .name = kKernelName<Forward, float>.text,
     .types = {DType::float32},
     .isa = kIsa,
     .need = need_forward,
     .pack = pack_whole<pack_forward>,
     .run = run_forward,
     .epilogue = true},
    {.op = ToInput::kOp,
     .name = kKernelName<ToInput, float>.text,
     .types = {DType::float32},
     .isa = kIsa,
     .need = need_input,
     .pack = pack_whole<pack_input>,
     .run = run_input,
     .epilogue = true},
};

}  // namespace

rt::KernelTable conv_kernels() {
  return {kTable, sizeof kTable / sizeof *kTable};
}

}  // namespace weir::kernels::WEIR_ISA
