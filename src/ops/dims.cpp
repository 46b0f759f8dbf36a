#include "ops/dims.h"

#include <weir/ops/array.h>

#include <algorithm>

namespace weir::ops {

Ints DimsOf::get(bool one_unknown) {
  const Shape all = t_.shape();
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

}  // namespace weir::ops
