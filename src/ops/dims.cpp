#include "ops/dims.h"

#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <algorithm>

namespace weir::ops {

Ints DimsOf::get(bool one_unknown) {
  const Shape all = t_.shape();
  if (!all.has_rank()) {
    symbolic_ = shape(t_);
    if (begin_ > 0 || end_ < kMaxRank)
      symbolic_ = slice(symbolic_, begin_, end_ < kMaxRank ? end_ - begin_ : -1);
    return Ints(symbolic_);
  }
  const int end = std::min(end_, all.rank());
  std::vector<std::int64_t> dims;
  for (int i = begin_; i < end; ++i)
    dims.push_back(all[i].value());
  const auto unknown = std::count(dims.begin(), dims.end(), -1);
  const bool empty = std::find(dims.begin(), dims.end(), 0) !=
                     dims.end();  // what is left of 0 elements is undefined
  if (unknown == 0 || (one_unknown && unknown == 1 && !empty)) return Ints(dims);
  symbolic_ = shape(t_);
  if (begin_ > 0 || end < all.rank()) symbolic_ = slice(symbolic_, begin_, end - begin_);
  return Ints(symbolic_);
}

void DimList::add_product(const Tensor& t, int begin, int end) {
  const Shape shape = t.shape();
  std::int64_t product = 1;
  for (int i = begin; i < end; ++i)
    product = product < 0 || !shape[i].known() ? -1 : product * shape[i].value();
  parts_.push_back({product, t, begin, end});
}

Ints DimList::for_reshape() {
  std::vector<std::int64_t> dims;
  for (const Part& p : parts_)
    dims.push_back(p.known);
  const auto unknown = std::count(dims.begin(), dims.end(), -1);
  const bool empty = std::find(dims.begin(), dims.end(), 0) != dims.end();
  if (unknown == 0 || (unknown == 1 && !empty)) return Ints(dims);
  std::vector<Tensor> pieces;
  for (const Part& p : parts_) {
    pieces.push_back(p.known >= 0
                         ? Tensor{std::int32_t(p.known)}
                         : reshape(prod(slice(shape(p.of), p.begin, p.end - p.begin)), {1}));
  }
  symbolic_ = concat(pieces, 0);
  return Ints(symbolic_);
}

}  // namespace weir::ops
