#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cpu/conv_tile.h"
#include "kernels/scalar/conv.h"

// How a convolution walks over images: units of outputs, the cells that they read, and where.
namespace weir::kernels::WEIR_ISA {
namespace {

using Int = std::int64_t;

inline Int rounded(Int bytes) {
  return (bytes + 63) / 64 * 64;
}
inline Int at_least(Int v, Int least) {
  return v > least ? v : least;
}
inline Int at_most(Int v, Int most) {
  return v < most ? v : most;
}
inline Int ceil_div(Int a, Int b) {
  return (a + b - 1) / b;
}

// Outputs that are computed together: rows of one image, or all rows of some images.
struct Unit {
  Int image = 0, images = 1, row = 0, rows = 0;
};

// Windows that reach beyond the image read a copy of it with a border of zeros; where none does,
// the image itself is read.
class Walk {
 public:
  // `spread`: outputs side by side read cells that do not compete for the same places in a cache.
  explicit Walk(const ConvShape& shape, bool spread = false) : s(shape), pitch_(shape.in_channels) {
    const auto inside = [](const ConvAxis& a) {
      return a.before <= 0 && a.cell(a.out - 1, a.filter - 1) < a.in;
    };
    constexpr Int kCompeting = 64, kLine = 16;
    if (spread && pixel_step() % kCompeting == 0) pitch_ += kLine;
    plain_ = inside(s.y) && inside(s.x) && pitch_ == s.in_channels;
    line_ = (plain_ ? s.x.in : reach(s.x, s.x.out)) * pitch_;
  }

  ConvShape s;

  bool plain() const { return plain_; }
  Int depth() const { return s.y.filter * s.x.filter * s.group_in(); }
  Int pixels() const { return s.batch * s.y.out * s.x.out; }
  Int pixels(const Unit& u) const { return u.images * u.rows * s.x.out; }
  Int first_pixel(const Unit& u) const { return (u.image * s.y.out + u.row) * s.x.out; }

  // Elements of the copy for that many rows of an image.
  Int copied(Int rows) const { return plain_ ? 0 : reach(s.y, rows) * line_; }
  Int copied(const Unit& u) const { return u.images * copied(u.rows); }

  // Cuts the work: about `pixels` outputs whose cells take about `bytes`, and at least `parts`
  // units.
  void cut(Int pixels, Int bytes, Int parts) {
    if (this->pixels() == 0) return;
    const Int row_bytes = at_least(s.y.stride * s.x.in * s.in_channels * Int(sizeof(float)), 1);
    const Int fitting = at_least(bytes / row_bytes - s.y.filter, 1);
    const Int wanted = at_least(at_most(fitting, ceil_div(pixels, s.x.out)), 1);
    row_parts_ = at_least(ceil_div(s.y.out, wanted), 1);
    if (s.batch * row_parts_ < parts) row_parts_ = at_most(s.y.out, ceil_div(parts, s.batch));
    images_ =
        row_parts_ > 1 ? 1 : at_most(wanted / at_least(s.y.out, 1), s.batch / at_least(parts, 1));
    images_ = at_least(images_, 1);
  }
  Int units() const { return ceil_div(s.batch, images_) * row_parts_; }
  Unit unit(Int i) const {
    const Int part = i % row_parts_, image = i / row_parts_ * images_;
    const Int row = s.y.out * part / row_parts_;
    return {image, at_most(images_, s.batch - image), row, s.y.out * (part + 1) / row_parts_ - row};
  }
  // No unit is larger.
  Unit largest() const { return {0, images_, 0, ceil_div(s.y.out, row_parts_)}; }

  // Where the windows of the unit begin: its copy, or the image.
  const float* where(const float* x, const Unit& u, const float* copy) const {
    if (!plain_) return copy;
    return x + ((u.image * s.y.in + s.y.cell(u.row, 0)) * s.x.in - s.x.before) * s.in_channels;
  }
  // Makes the copy that the unit needs, if it does.
  const float* cells(const float* x, const Unit& u, float* space) const {
    if (plain_) return where(x, u, space);
    for (Int n = 0; n < u.images; ++n)
      copy(x + (u.image + n) * s.y.in * s.x.in * s.in_channels, u, space + n * copied(u.rows));
    return space;
  }

  // Offset of output row `row` of image `image` of a unit; then `pixel_step` for each output.
  Int row_offset(Int image, Int row, Int rows) const {
    const Int image_step = plain_ ? s.y.in * line_ : copied(rows);
    return image * image_step + row * s.y.stride * line_;
  }
  Int pixel_step() const { return s.x.stride * pitch_; }
  // Offset of product `k` of the filter [row][column][channel of the group].
  Int depth_offset(Int k) const {
    const Int c = s.group_in(), tap = k / c;
    return tap / s.x.filter * s.y.dilation * line_ + tap % s.x.filter * s.x.dilation * pitch_ +
           k % c;
  }
  // Products [k, k + run) lie side by side.
  Int run(Int k) const {
    const Int c = s.group_in(), row = s.x.filter * c;
    return s.groups == 1 && s.x.dilation == 1 ? row - k % row : c - k % c;
  }

 private:
  static Int reach(const ConvAxis& a, Int outputs) {
    return (outputs - 1) * a.stride + (a.filter - 1) * a.dilation + 1;
  }

  void copy(const float* image, const Unit& u, float* out) const {
    const Int first = -s.x.before, end = first + line_ / pitch_;
    const Int from = at_most(at_least(first, 0), end), to = at_least(at_most(end, s.x.in), from);
    const Int top = s.y.cell(u.row, 0);
    for (Int y = top; y < top + reach(s.y, u.rows); ++y, out += line_) {
      if (y < 0 || y >= s.y.in) {
        zero(out, line_);
        continue;
      }
      zero(out, (from - first) * pitch_);
      copy_cells(
          image + (y * s.x.in + from) * s.in_channels, to - from, out + (from - first) * pitch_);
      zero(out + (to - first) * pitch_, (end - to) * pitch_);
    }
  }
  void copy_cells(const float* from, Int n, float* to) const {
    const Int c = s.in_channels;
    if (pitch_ == c) {
      std::memcpy(to, from, std::size_t(n * c) * sizeof(float));
      return;
    }
    for (Int i = 0; i < n; ++i)
      std::memcpy(to + i * pitch_, from + i * c, std::size_t(c) * sizeof(float));
  }
  static void zero(float* p, Int n) { std::memset(p, 0, std::size_t(n) * sizeof(float)); }

  Int pitch_;  // elements from cell to cell
  bool plain_;
  Int line_;  // elements from row to row
  Int row_parts_ = 1, images_ = 1;
};

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
