// Opens arbitrary bytes as a program (checksum aside), binds it to kernels that touch the ends of
// all their memory, and runs it: what Program::open accepts must be safe to run.
#include <cstdint>
#include <vector>

#include "plan/aligned_bytes.h"
#include "runtime/instance.h"

namespace weir {
namespace {

constexpr std::uint64_t kMostMemory = 1 << 20;

volatile unsigned char sink;

void read(const void* data, std::int64_t bytes) {
  if (bytes <= 0 || !data) return;
  const auto* p = static_cast<const unsigned char*>(data);
  sink = static_cast<unsigned char>(p[0] ^ p[bytes - 1]);
}
void write(void* data, std::int64_t bytes) {
  if (bytes <= 0 || !data) return;
  auto* p = static_cast<unsigned char*>(data);
  p[0] = p[bytes - 1] = 1;
}

Status touch(const rt::KernelCall& c) {
  for (int i = 0; i < c.n_in; ++i)
    read(c.in[i].data, c.in[i].bytes());
  for (int i = 0; i < c.n_out; ++i)
    write(c.out[i].data, c.out[i].bytes());
  for (int i = 0; i < c.n_attrs; ++i) {
    const rt::Attr& a = c.attrs[i];
    if (a.kind == rt::Attr::Kind::ints) read(a.ints, 8 * std::int64_t(a.count));
    if (a.kind == rt::Attr::Kind::string) read(a.s, a.count);
  }
  if (c.epilogue && c.out[0].size() > 0) {
    const std::int64_t cols = c.out[0].dims[c.out[0].rank - 1], rows = c.out[0].size() / cols;
    c.epilogue->run(c.epilogue->arg, c.out[0].data, 0, rows < 3 ? rows : 3, 0, cols, cols);
  }
  return {};
}

// A tile function does not learn the sizes of its elements: one byte of each is safe.
void touch_tile(
    void* dst, const void* const*, const std::uint8_t*, std::int64_t n, const rt::Attr*) {
  write(dst, n);
}

const rt::Kernel kTouch{
    .op = "Touch", .name = "Touch", .run = touch, .tile = touch_tile, .epilogue = true};

bool is_small(const rt::Program& p) {
  std::uint64_t bytes = p.arena_bytes();
  for (const auto& s : p.slots())
    bytes += s.bytes > kMostMemory ? kMostMemory + 1 : s.bytes;
  std::uint64_t elements = 0;
  for (const auto& s : p.steps()) {
    for (std::uint32_t v : p.operands(s))
      elements += p.bytes(p.values()[v]);
  }
  return bytes <= kMostMemory && elements <= 16 * kMostMemory &&
         rt::Instance::table_bytes(p) <= 16 * kMostMemory;
}

void run(const rt::Program& program) {
  const plan::AlignedBytes tables(rt::Instance::table_bytes(program)), arena(program.arena_bytes());
  const rt::KernelLookup lookup{[](void*, std::uint64_t) { return &kTouch; }};
  auto instance = rt::Instance::create(program, lookup, tables, arena);
  if (!instance.ok()) return;
  std::vector<plan::AlignedBytes> memory;
  for (std::uint32_t i = 0; i < program.slots().size(); ++i) {
    memory.emplace_back(program.slots()[i].bytes);
    (*instance)->bind(i, memory.back().data());
  }
  (void)(*instance)->run({});
  (*instance)->destroy();
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const plan::AlignedBytes blob(size);
  if (size > 0) std::memcpy(blob.data(), data, size);
  const auto program = rt::Program::open(blob, rt::Program::Checksum::skip);
  if (program.ok() && is_small(*program)) run(*program);
  return 0;
}
