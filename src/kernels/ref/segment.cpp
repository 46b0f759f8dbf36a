/// Reductions over rows that share an id, in the order of the rows. Half types are accumulated in
/// float32.
#include "kernels/scalar/any_kernel.h"
#include "kernels/scalar/combine.h"
#include "kernels/scalar/index_error.h"
#include "kernels/scalar/movement.h"

namespace weir::kernels::ref {
namespace {

template <class T>
constexpr bool kHalf = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;
template <class T>
using Sum = std::conditional_t<kHalf<T>, float, T>;

template <class T>
Sum<T> load(T v) {
  if constexpr (kHalf<T>)
    return compute(v);
  else
    return v;
}

template <class T>
rt::Needs need_sums(const rt::KernelCall& c) {
  return {.workspace = kHalf<T> ? c.out[0].size() * std::int64_t(sizeof(float)) : 0};
}

/// Where sums are kept: the result itself, or the workspace.
template <class T>
Sum<T>* sums(const rt::KernelCall& c) {
  if constexpr (kHalf<T>)
    return static_cast<float*>(c.workspace);
  else
    return c.out[0].as<T>();
}
template <class T>
void store(const rt::KernelCall& c) {
  if constexpr (kHalf<T>) {
    for (std::int64_t i = 0; i < c.out[0].size(); ++i)
      c.out[0].as<T>()[i] = wrap<T>(sums<T>(c)[i]);
  }
}

/// data [rows, row], ids [rows]; negative ids are skipped.
template <class Op, class T>
void reduce_rows(const rt::KernelCall& c, std::int64_t row) {
  const std::int64_t n = c.in[1].size();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t id = load_index(c.in[1], i);
    if (id < 0) continue;
    Sum<T>* to = sums<T>(c) + id * row;
    const T* from = c.in[0].as<T>() + i * row;
    for (std::int64_t j = 0; j < row; ++j)
      to[j] = Op::template apply<Sum<T>>(to[j], load(from[j]));
  }
}

std::int64_t row_size(const rt::View& out) {
  std::int64_t n = 1;
  for (int i = 1; i < out.rank; ++i)
    n *= out.dims[i];
  return n;
}

template <class Op, class T>
Status unsorted(const rt::KernelCall& c) {
  const rt::View &ids = c.in[1], &y = c.out[0];
  const std::int64_t n = ids.size(), bound = y.dims[0];
  for (std::int64_t i = 0; i < n; ++i) {
    if (load_index(ids, i) >= bound)
      return index_error(c, "segment_ids", ids, ids.rank, i, load_index(ids, i), bound);
  }
  const T empty = Op::template none<T>();
  const Sum<T> start = load(empty);
  for (std::int64_t i = 0; i < y.size(); ++i)
    sums<T>(c)[i] = start;
  reduce_rows<Op, T>(c, row_size(y));
  store<T>(c);
  return {};
}

/// Ids must not decrease, nor be negative.
Status check_sorted(const rt::KernelCall& c) {
  const rt::View& ids = c.in[1];
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < ids.size(); ++i) {
    const std::int64_t id = load_index(ids, i);
    if (id < last || id == INT64_MAX) {
      rt::Message(c) << "segment_ids[" << i << "] = " << id << " comes after " << last
                     << "; ids must be sorted and not negative";
      return rt::invalid("segment ids are not sorted");
    }
    last = id;
  }
  return {};
}

Status segment_dims(const rt::KernelCall& c, std::int64_t* const* dims) {
  if (Status s = check_sorted(c); !s.ok()) return s;
  const std::int64_t n = c.in[1].size();
  dims[0][0] = n == 0 ? 0 : load_index(c.in[1], n - 1) + 1;
  return {};
}

template <class T>
Status segment_sum(const rt::KernelCall& c) {
  if (Status s = check_sorted(c); !s.ok()) return s;
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    sums<T>(c)[i] = {};
  reduce_rows<Plus, T>(c, row_size(c.out[0]));
  store<T>(c);
  return {};
}

template <class T>
Sum<T> divide(Sum<T> v, std::int64_t n) {
  if constexpr (std::is_integral_v<T>)
    return T(v / T(n));
  else
    return v / Sum<T>(n);
}

template <class T>
Status segment_mean(const rt::KernelCall& c) {
  if (Status s = check_sorted(c); !s.ok()) return s;
  const std::int64_t row = row_size(c.out[0]), n = c.in[1].size();
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    sums<T>(c)[i] = {};
  reduce_rows<Plus, T>(c, row);
  for (std::int64_t begin = 0, end = 0; begin < n; begin = end) {
    const std::int64_t id = load_index(c.in[1], begin);
    while (end < n && load_index(c.in[1], end) == id)
      ++end;
    for (std::int64_t j = 0; j < row; ++j)
      sums<T>(c)[id * row + j] = divide<T>(sums<T>(c)[id * row + j], end - begin);
  }
  store<T>(c);
  return {};
}

template <Text Name, class Op, class... Ts>
constexpr auto unsorted_table(Types<Ts...>) {
  return std::array{rt::Kernel{.op = Named<Name>::kOp,
                               .name = kKernelName<Named<Name>, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .need = need_sums<Ts>,
                               .run = unsorted<Op, Ts>}...};
}
template <class... Ts>
constexpr auto segment_table(Types<Ts...>) {
  using Total = Named<"SegmentSum">;
  using Mean = Named<"SegmentMean">;
  return concatenate(std::array{rt::Kernel{.op = Total::kOp,
                                           .name = kKernelName<Total, Ts>.text,
                                           .types = {dtype_of<Ts>},
                                           .need = need_sums<Ts>,
                                           .output_dims = segment_dims,
                                           .run = segment_sum<Ts>}...},
                     std::array{rt::Kernel{.op = Mean::kOp,
                                           .name = kKernelName<Mean, Ts>.text,
                                           .types = {dtype_of<Ts>},
                                           .need = need_sums<Ts>,
                                           .output_dims = segment_dims,
                                           .run = segment_mean<Ts>}...});
}

}  // namespace

rt::KernelTable segment_kernels() {
  static const auto table = concatenate(segment_table(Numeric{}),
                                        unsorted_table<"UnsortedSegmentSum", Plus>(Numeric{}),
                                        unsorted_table<"UnsortedSegmentProd", Times>(Numeric{}),
                                        unsorted_table<"UnsortedSegmentMax", Greater>(Real{}),
                                        unsorted_table<"UnsortedSegmentMin", Smaller>(Real{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
