/// The gradient of a convolution with respect to its filter: for blocks of outputs, cells^T * dy.
/// The sums of blocks are added up in order within a share of the batch, then share by share;
/// blocks and shares are cut by shape, so that threads change no bit.
#include "kernels/cpu/conv_walk.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {
namespace {

struct ToFilter {
  static constexpr const char* kOp = "Conv2DBackpropFilter";
};

constexpr Int kBlockPixels = 112;   // whose cells and gradients lie in the first cache
constexpr Int kBlockBytes = 65536;  // of cells
constexpr Int kRoundBytes = 1 << 19;
constexpr Int kUnitWork = 1 << 18;  // multiply-adds worth a thread
constexpr Int kMostShares = 16;
constexpr Int kPartTiles = 8;        // with kPartColumns, a part of the sums that lies in the first
constexpr Int kPartColumns = 128;    // cache
constexpr Int kColumnsInPlace = 32;  // above, the rows of dy lie too far apart for the first cache

Int bytes_of(Int floats) {
  return rounded(floats * Int(sizeof(float)));
}
Int floats_of(Int bytes) {
  return bytes / Int(sizeof(float));
}

/// Blocks are worked on in rounds: first all of a round are copied into the order of their use,
/// then each part of the sums is brought up to date.
class FilterGradient {
 public:
  explicit FilterGradient(const rt::KernelCall& c)
      : walk_(conv_shape(c.in[0], c.out[0], c.attrs, 1), true), tiles_(walk_.depth()) {
    walk_.cut(kBlockPixels, kBlockBytes, 1);
    const ConvShape& s = walk_.s;
    cols_ = s.group_out();
    size_ = walk_.depth() * s.out_channels;
    packs_ = cols_ % kLanes<float> != 0 || s.out_channels > kColumnsInPlace;
    const Int work = walk_.pixels() * walk_.depth() * cols_ / kUnitWork;
    depth_parts_ = work > 1 ? ceil_div(tiles_.count, kPartTiles) : 1;
    column_parts_ = work > 1 ? ceil_div(cols_, kPartColumns) : 1;
    const Int wanted = at_most(work, kMostShares) / (depth_parts_ * column_parts_ * s.groups);
    shares_ = at_least(at_most(wanted, walk_.units()), 1);
    blocks_ = at_least(
        at_most(kRoundBytes / (shares_ * block_bytes()), ceil_div(walk_.units(), shares_)), 1);
  }

  Int workspace() const {
    return table_bytes() + shares_ * blocks_ * block_bytes() + (shares_ - 1) * bytes_of(size_);
  }

  void run(const rt::KernelCall& c) const {
    auto* space = static_cast<char*>(c.workspace);
    auto* rows = reinterpret_cast<Int*>(space);
    for (Int k = 0; k < walk_.depth(); ++k)
      rows[k] = walk_.depth_offset(k);
    space += table_bytes();
    auto* others = reinterpret_cast<float*>(space + shares_ * blocks_ * block_bytes());
    auto* dw = c.out[0].as<float>();
    const Int parts = depth_parts_ * column_parts_ * walk_.s.groups;
    const Int longest = ceil_div(walk_.units(), shares_);
    for (Int first = 0; first < longest; first += blocks_) {
      rt::parallel_for(c, shares_ * blocks_, [&](Int i) {
        const Int unit = unit_of(i / blocks_, first + i % blocks_);
        if (unit >= 0) prepare(c, walk_.unit(unit), space + i * block_bytes());
      });
      rt::parallel_for(c, shares_ * parts, [&](Int i) {
        const Int share = i / parts;
        float* sum = share == 0 ? dw : others + (share - 1) * floats_of(bytes_of(size_));
        add(c, rows, share, first, i % parts, sum, space + share * blocks_ * block_bytes());
      });
    }
    add_up(c, dw, others);
  }

 private:
  /// A block as it lies in the workspace.
  struct Block {
    Int* span_count;
    Span* spans;
    float* cells;
    float* panels;  // of dy
  };

  Int table_bytes() const { return rounded(walk_.depth() * Int(sizeof(Int))); }
  Int span_bytes() const {
    return rounded(sizeof(Int) + walk_.largest().images * walk_.largest().rows * Int(sizeof(Span)));
  }
  Int cell_bytes() const { return bytes_of(walk_.copied(walk_.largest())); }
  Int panel_floats(Int pixels) const { return packs_ ? gemm_f32().packed_size(cols_, pixels) : 0; }
  Int block_bytes() const {
    return span_bytes() + cell_bytes() +
           bytes_of(walk_.s.groups * panel_floats(walk_.pixels(walk_.largest())));
  }
  Block block(char* space) const {
    return {reinterpret_cast<Int*>(space),
            reinterpret_cast<Span*>(space + sizeof(Int)),
            reinterpret_cast<float*>(space + span_bytes()),
            reinterpret_cast<float*>(space + span_bytes() + cell_bytes())};
  }

  /// Number of a share's block, or -1.
  Int unit_of(Int share, Int i) const {
    const Int units = walk_.units(), unit = units * share / shares_ + i;
    return unit < units * (share + 1) / shares_ ? unit : -1;
  }

  void prepare(const rt::KernelCall& c, const Unit& u, char* space) const {
    const Block b = block(space);
    *b.span_count = fill_spans(u, b.spans);
    walk_.cells(c.in[0].as<float>(), u, b.cells);
    if (!packs_) return;
    const Int pixels = walk_.pixels(u);
    for (Int g = 0; g < walk_.s.groups; ++g) {
      pack_panels(Source<float>{gradients(c, u, g), walk_.s.out_channels, false},
                  0,
                  cols_,
                  0,
                  pixels,
                  b.panels + g * panel_floats(pixels));
    }
  }
  const float* gradients(const rt::KernelCall& c, const Unit& u, Int group) const {
    return c.in[1].as<float>() + walk_.first_pixel(u) * walk_.s.out_channels + group * cols_;
  }

  /// Output rows of a unit, as spans of one multiplicand for each output; those that continue each
  /// other are one.
  Int fill_spans(const Unit& u, Span* spans) const {
    Int count = 0;
    for (Int n = 0; n < u.images; ++n) {
      for (Int i = 0; i < u.rows; ++i) {
        const Int offset = walk_.row_offset(n, i, u.rows), pixels = walk_.s.x.out;
        Span* last = spans + count - 1;
        if (count > 0 && last->offset + last->count * walk_.pixel_step() == offset)
          last->count += pixels;
        else
          spans[count++] = {offset, pixels};
      }
    }
    return count;
  }

  /// Adds a round of a share's blocks, from its block `first` on, to one part of its sums.
  void add(const rt::KernelCall& c,
           const Int* rows,
           Int share,
           Int first,
           Int part,
           float* sum,
           char* space) const {
    const Int depth = part % depth_parts_, group = part / depth_parts_ % walk_.s.groups;
    const Int column = part / depth_parts_ / walk_.s.groups;
    const Int panels = ceil_div(cols_, kConvPanel);
    const Int begin = panels * column / column_parts_ * kConvPanel;
    const Int end = at_most(panels * (column + 1) / column_parts_ * kConvPanel, cols_);
    for (Int i = 0; i < blocks_; ++i) {
      const Int unit = unit_of(share, first + i);
      if (unit < 0) return;
      const Unit u = walk_.unit(unit);
      const Block b = block(space + i * block_bytes());
      SpanProduct p = product(c, u, b, group, begin, end);
      p.tile.rows = rows;
      p.tile.c = sum + group * cols_ + begin;
      p.tile.sum = first + i == 0 ? Sum::fresh : Sum::added;
      multiply_spans(p,
                     tiles_,
                     tiles_.count * depth / depth_parts_,
                     tiles_.count * (depth + 1) / depth_parts_,
                     end - begin);
    }
  }

  SpanProduct product(
      const rt::KernelCall& c, const Unit& u, const Block& b, Int group, Int begin, Int end) const {
    const Int full = end / kConvPanel * kConvPanel, pixels = walk_.pixels(u);
    SpanProduct p;
    p.tile.a = walk_.where(c.in[0].as<float>(), u, b.cells) + group * walk_.s.group_in();
    p.tile.spans = b.spans;
    p.tile.span_count = *b.span_count;
    p.tile.step = walk_.pixel_step();
    p.tile.ldc = walk_.s.out_channels;
    if (packs_) {
      const float* panels = b.panels + group * panel_floats(pixels);
      p.tile.b = panels + begin * pixels;
      p.tile.b_step = kConvPanel;
      p.panel_step = pixels * kConvPanel;
      p.tail = panels + full * pixels;
      p.tail_step = padded<float>(end - full);
    } else {
      const float* dy = gradients(c, u, group);
      p.tile.b = dy + begin;
      p.tile.b_step = p.tail_step = walk_.s.out_channels;
      p.panel_step = kConvPanel;
      p.tail = dy + full;
    }
    return p;
  }

  /// dw += the sums of the other shares, in order.
  void add_up(const rt::KernelCall& c, float* dw, const float* others) const {
    constexpr Int kGrain = 4096;
    if (shares_ == 1) return;
    const Int step = floats_of(bytes_of(size_));
    rt::parallel_ranges(c, size_, kGrain, [&](Int begin, Int end) {
      for (Int i = 0; i + 1 < shares_; ++i) {
        const float* from = others + i * step;
        for (Int j = begin; j < end; ++j)
          dw[j] += from[j];
      }
    });
  }

  Walk walk_;
  Tiles tiles_;
  Int cols_, size_, shares_, depth_parts_, column_parts_;
  Int blocks_;  // of a share in a round
  bool packs_;
};

rt::Needs need(const rt::KernelCall& c) {
  return {.workspace = FilterGradient(c).workspace()};
}

Status run(const rt::KernelCall& c) {
  if (c.out[0].size() == 0) return {};
  if (c.in[0].size() == 0 || c.in[1].size() == 0) {
    std::memset(c.out[0].data, 0, std::size_t(c.out[0].bytes()));
    return {};
  }
  FilterGradient(c).run(c);
  return {};
}

constexpr rt::Kernel kTable[] = {{.op = ToFilter::kOp,
                                  .name = kKernelName<ToFilter, float>.text,
                                  .types = {DType::float32},
                                  .isa = kIsa,
                                  .need = need,
                                  .run = run}};

}  // namespace

rt::KernelTable conv_filter_kernels() {
  return {kTable, sizeof kTable / sizeof *kTable};
}

}  // namespace weir::kernels::WEIR_ISA
