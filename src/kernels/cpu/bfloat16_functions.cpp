/// Functions of bfloat16, by way of float32: tiles that stay in the first cache are widened, given
/// to the vectorised loop of float32, and rounded once.
#include <utility>

#include "kernels/cpu/bfloat16.h"

namespace weir::kernels::WEIR_ISA {

rt::KernelTable bfloat16_arithmetic_kernels();
rt::KernelTable elementwise_functions_kernels();

namespace {

constexpr std::int64_t kTile = 512;
constexpr std::size_t kMostFunctions = 128;

struct Function {
  rt::TileFn tile = nullptr;
  int operands = 1;
};
Function functions[kMostFunctions];

void run_function(const Function& f,
                  void* dst,
                  const void* const* src,
                  const std::uint8_t* step,
                  std::int64_t n,
                  const rt::Attr* attrs) {
  alignas(64) float wide[3][kTile];
  const void* in[] = {wide[0], wide[1]};
  for (std::int64_t at = 0; at < n; at += kTile) {
    const std::int64_t count = n - at < kTile ? n - at : kTile;
    for (int k = 0; k < f.operands; ++k)
      widen(static_cast<const bfloat16*>(src[k]) + at * step[k], wide[k], step[k] ? count : 1);
    f.tile(wide[2], in, step, count, attrs);
    narrow(wide[2], static_cast<bfloat16*>(dst) + at, count);
  }
}

/// A tile function knows nothing of its kernel, so each function has one of its own.
template <std::size_t I>
void function_tile(void* dst,
                   const void* const* src,
                   const std::uint8_t* step,
                   std::int64_t n,
                   const rt::Attr* attrs) {
  run_function(functions[I], dst, src, step, n, attrs);
}

template <std::size_t... I>
constexpr std::array<rt::TileFn, sizeof...(I)> function_tiles(std::index_sequence<I...>) {
  return {function_tile<I>...};
}
constexpr auto kFunctionTiles = function_tiles(std::make_index_sequence<kMostFunctions>{});

/// The kernels of float32 functions of one or two operands, for bfloat16.
class Functions {
 public:
  explicit Functions(const rt::KernelTable& wide) {
    for (std::size_t i = 0; i < wide.size && size_ < kMostFunctions; ++i) {
      const rt::Kernel& k = wide.data[i];
      if (k.tile && k.types[0] == DType::float32 && !has_own_loop(k.op)) add(k);
    }
  }
  rt::KernelTable kernels() const { return {kernels_, size_}; }

 private:
  static bool has_own_loop(const char* op) {
    const rt::KernelTable own = bfloat16_arithmetic_kernels();
    for (std::size_t i = 0; i < own.size; ++i) {
      if (__builtin_strcmp(own.data[i].op, op) == 0) return true;
    }
    return false;
  }
  void add(const rt::Kernel& wide) {
    const std::size_t i = size_++;
    functions[i] = {wide.tile, wide.types[1] == DType::float32 ? 2 : 1};
    names_[i] = HalfName(wide.name, "bfloat16");
    rt::Kernel& k = kernels_[i] = wide;
    k.name = names_[i].text;
    k.tile = kFunctionTiles[i];
    for (DType& t : k.types) {
      if (t == DType::float32) t = DType::bfloat16;
    }
  }

  HalfName names_[kMostFunctions];
  rt::Kernel kernels_[kMostFunctions];
  std::size_t size_ = 0;
};

}  // namespace

rt::KernelTable bfloat16_functions_kernels() {
  static const Functions table(elementwise_functions_kernels());
  return table.kernels();
}

}  // namespace weir::kernels::WEIR_ISA
