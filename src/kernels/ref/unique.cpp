/// Distinct elements in order of first appearance, with a hash table in the workspace.
#include "kernels/scalar/any_kernel.h"
#include "kernels/scalar/movement.h"

namespace weir::kernels::ref {
namespace {

std::int64_t slots_for(std::int64_t n) {
  std::int64_t slots = 16;
  while (slots < 2 * n)
    slots *= 2;
  return slots;
}

rt::Needs need_table(const rt::KernelCall& c) {
  return {.workspace = slots_for(c.in[0].size()) * std::int64_t(sizeof(std::int64_t))};
}

std::uint64_t hash_bytes(const void* p, std::int64_t n) {
  std::uint64_t h = 14695981039346656037ull;  // FNV-1a, then a final mix: slots are the low bits
  for (std::int64_t i = 0; i < n; ++i)
    h = (h ^ static_cast<const unsigned char*>(p)[i]) * 1099511628211ull;
  h ^= h >> 32;
  return h * 0x9e3779b97f4a7c15ull >> 16;
}

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, StringView>)
    return std::string_view(a) == std::string_view(b);
  else if constexpr (std::is_same_v<T, bool>)
    return a == b;
  else
    return compute(a) == compute(b);
}
template <class T>
std::uint64_t hash(const T& v) {
  if constexpr (std::is_same_v<T, StringView>)
    return hash_bytes(v.data, v.size);
  else if (same(v, T{}))
    return 0;  // -0 equals 0
  else
    return hash_bytes(&v, sizeof v);
}

/// Calls found(element, number of its value, whether it is new).
template <class T, class Found>
std::int64_t number_values(const rt::KernelCall& c, Found&& found) {
  const T* x = c.in[0].as<T>();
  const std::int64_t n = c.in[0].size(), slots = slots_for(n);
  // A slot holds 1 + an element's position; the number of a value is that of its first appearance
  // among such.
  auto* table = static_cast<std::int64_t*>(c.workspace);
  for (std::int64_t i = 0; i < slots; ++i)
    table[i] = 0;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    auto at = std::int64_t(hash(x[i]) & std::uint64_t(slots - 1));
    while (table[at] != 0 && !same(x[table[at] - 1], x[i]))
      at = (at + 1) & (slots - 1);
    const bool fresh = table[at] == 0;
    if (fresh) table[at] = i + 1;
    found(i, table[at] - 1, fresh);
    count += fresh;
  }
  return count;
}

template <class T>
Status unique_dims(const rt::KernelCall& c, std::int64_t* const* dims) {
  const std::int64_t count = number_values<T>(c, [](std::int64_t, std::int64_t, bool) {});
  dims[0][0] = count;
  if (c.n_out > 2) dims[2][0] = count;
  return {};
}

std::int64_t load_number(const rt::View& v, std::int64_t i) {
  return v.dtype == DType::int64 ? v.as<std::int64_t>()[i] : v.as<std::int32_t>()[i];
}
void store_number(const rt::View& v, std::int64_t i, std::int64_t value) {
  if (v.dtype == DType::int64)
    v.as<std::int64_t>()[i] = value;
  else
    v.as<std::int32_t>()[i] = std::int32_t(value);
}

/// The number of a value is stored at its first element, where later ones look it up.
template <class T>
Status unique(const rt::KernelCall& c) {
  const rt::View &y = c.out[0], &idx = c.out[1];
  if (idx.dtype == DType::int32 && c.in[0].size() > INT32_MAX)
    return rt::invalid("positions do not fit int32");
  if (c.n_out > 2) fill_zero(c.out[2]);
  std::int64_t count = 0;
  number_values<T>(c, [&](std::int64_t i, std::int64_t first, bool fresh) {
    const std::int64_t number = fresh ? count++ : load_number(idx, first);
    store_number(idx, i, number);
    if (fresh) y.as<T>()[number] = c.in[0].as<T>()[i];
    if (c.n_out > 2) store_number(c.out[2], number, load_number(c.out[2], number) + 1);
  });
  return {};
}

template <Text Name, class... Ts>
constexpr auto unique_table(Types<Ts...>) {
  return std::array{rt::Kernel{.op = Named<Name>::kOp,
                               .name = kKernelName<Named<Name>, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .need = need_table,
                               .output_dims = unique_dims<Ts>,
                               .run = unique<Ts>}...};
}

}  // namespace

rt::KernelTable unique_kernels() {
  using All = decltype(join(Plain{}, Types<StringView>{}));
  static const auto table =
      concatenate(unique_table<"Unique">(All{}), unique_table<"UniqueWithCounts">(All{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
