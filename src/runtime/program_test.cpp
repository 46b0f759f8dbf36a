#include "runtime/program.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "base/crc32c.h"
#include "plan/program_writer.h"
#include "runtime/instance.h"

namespace weir::rt {
namespace {

using format::Storage;
using plan::AlignedBytes;
using plan::ProgramWriter;

void add_tile(
    void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const Attr*) {
  const auto *a = static_cast<const float*>(src[0]), *b = static_cast<const float*>(src[1]);
  for (std::int64_t i = 0; i < n; ++i)
    static_cast<float*>(dst)[i] = a[i * step[0]] + b[i * step[1]];
}
Status scale(const KernelCall& c) {
  if (c.attrs[0].f == 0) return {Code::invalid_argument, "scale by zero"};
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    c.out[0].as<float>()[i] = c.in[0].as<float>()[i] * float(c.attrs[0].f);
  return {};
}

const Kernel kAdd{.op = "Add",
                  .name = "Add",
                  .types = {DType::float32, DType::float32, DType::float32},
                  .run = run_tile,
                  .tile = add_tile};
const Kernel kScale{.op = "Scale", .name = "Scale", .types = {DType::float32}, .run = scale};

const Kernel* find(void*, std::uint64_t id) {
  return id == kernel_id("Add") ? &kAdd : id == kernel_id("Scale") ? &kScale : nullptr;
}

/// y = (x + [1, 2, 3]) * factor, x of [2, 3], the sum in the arena.
AlignedBytes small_program(double factor, const char* scale_kernel = "Scale") {
  ProgramWriter w;
  const std::int64_t dims[] = {2, 3};
  const float row[] = {1, 2, 3};
  const auto x = w.slot(format::SlotKind::input, 24, "x");
  const auto y = w.slot(format::SlotKind::output, 24, "y");
  const std::uint32_t in[] = {w.value(Storage::slot, x, 0, DType::float32, dims),
                              w.value(Storage::constant,
                                      format::kNone,
                                      w.constant(row, sizeof row),
                                      DType::float32,
                                      std::span(dims).subspan(1))};
  const std::uint32_t sum[] = {w.value(Storage::arena, format::kNone, 0, DType::float32, dims)};
  const std::uint32_t out[] = {w.value(Storage::slot, y, 0, DType::float32, dims)};
  format::Step add{};
  add.packed = format::kNone;
  add.tiles = w.next_tile();
  add.tile_count = 1;
  format::Tile tile{};
  tile.kernel = kernel_id("Add");
  tile.sources = 2;
  tile.source[1] = 1;
  tile.target = 2;
  tile.dtype = std::uint8_t(DType::float32);
  w.tile(tile);
  w.step(add, in, sum, "add");
  const Attr attrs[] = {Attr::real(factor)};
  format::Step mul{};
  mul.packed = format::kNone;
  mul.kernel = kernel_id(scale_kernel);
  mul.attrs = w.attrs(attrs).first;
  mul.attr_count = 1;
  mul.root_inputs = 1;
  w.step(mul, sum, out, "scale");
  return w.finish(64);
}

struct Bound {
  explicit Bound(const AlignedBytes& blob)
      : program(*Program::open(blob)),
        tables(Instance::table_bytes(program)),
        arena(program.arena_bytes()),
        instance(Instance::create(program, {find}, tables, arena)) {}
  ~Bound() {
    if (instance.ok()) (*instance)->destroy();
  }
  Program program;
  AlignedBytes tables, arena;
  Result<Instance*> instance;
};

TEST(Program, RunsInPlace) {
  const AlignedBytes blob = small_program(10);
  Bound b(blob);
  ASSERT_TRUE(b.instance.ok());
  float x[] = {0, 0, 0, 1, 1, 1}, y[6] = {}, z[6] = {};
  (*b.instance)->bind(0, x);
  (*b.instance)->bind(1, y);
  ASSERT_TRUE((*b.instance)->run({}).ok());
  EXPECT_EQ(std::vector<float>(y, y + 6), (std::vector<float>{10, 20, 30, 20, 30, 40}));
  (*b.instance)->bind(1, z);
  ASSERT_TRUE((*b.instance)->run({}).ok());
  EXPECT_EQ(z[5], 40);
}

TEST(Program, ErrorsNameTheStep) {
  const AlignedBytes blob = small_program(0);
  Bound b(blob);
  float x[6] = {}, y[6] = {};
  (*b.instance)->bind(0, x);
  (*b.instance)->bind(1, y);
  const Status s = (*b.instance)->run({});
  EXPECT_EQ(s.code(), Code::invalid_argument);
  EXPECT_EQ((*b.instance)->failed_step(), 1u);
  EXPECT_STREQ(b.program.text(b.program.steps()[1].name), "scale");
}

/// x * a, then that * b; beside it x * c, then that * d: two chains on [4] floats. What the chains
/// have in the arena lies `apart` bytes apart.
AlignedBytes two_chains(std::array<double, 4> factors,
                        std::array<int, 4> chains = {1, 1, 2, 2},
                        std::size_t apart = 64) {
  ProgramWriter w;
  const std::int64_t dims[] = {4};
  const auto x = w.slot(format::SlotKind::input, 16, "x");
  const std::uint32_t y[] = {w.slot(format::SlotKind::output, 16, "y"),
                             w.slot(format::SlotKind::output, 16, "z")};
  const std::uint32_t in = w.value(Storage::slot, x, 0, DType::float32, dims);
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t half =
        w.value(Storage::arena, format::kNone, apart * (i / 2), DType::float32, dims);
    const std::uint32_t from[] = {i % 2 == 0 ? in : half};
    const std::uint32_t to[] = {
        i % 2 == 0 ? half : w.value(Storage::slot, y[i / 2], 0, DType::float32, dims)};
    format::Step step{};
    const rt::Attr factor = rt::Attr::real(factors[i]);
    const auto attrs = w.attrs({&factor, 1});
    step.kernel = kernel_id("Scale");
    step.attrs = attrs.first;
    step.attr_count = attrs.count;
    step.root_inputs = 1;
    step.packed = format::kNone;
    step.chain = std::uint16_t(chains[i]);
    w.step(step, from, to, "step " + std::to_string(i));
  }
  return w.finish(128);
}

/// Runs slices last first.
RunContext backwards() {
  return {.parallel_for = [](void*, std::int64_t n, void (*fn)(void*, std::int64_t), void* arg) {
    for (std::int64_t i = n; i-- > 0;)
      fn(arg, i);
  }};
}

TEST(Program, ChainsRunInAnyOrderAndReportTheFirstFailure) {
  float x[] = {1, 2, 3, 4}, y[4] = {}, z[4] = {};
  const auto bind = [&](Bound& b) {
    (*b.instance)->bind(0, x);
    (*b.instance)->bind(1, y);
    (*b.instance)->bind(2, z);
  };
  const AlignedBytes good = two_chains({2, 3, 5, 7});
  Bound b(good);
  ASSERT_TRUE(b.instance.ok());
  bind(b);
  for (const RunContext& context : {RunContext{}, backwards()}) {
    ASSERT_TRUE((*b.instance)->run(context).ok());
    EXPECT_EQ(y[1], 12);
    EXPECT_EQ(z[3], 140);
  }
  const AlignedBytes bad = two_chains({2, 0, 0, 7});
  Bound failing(bad);
  bind(failing);
  EXPECT_EQ((*failing.instance)->run(backwards()).code(), Code::invalid_argument);
  EXPECT_EQ((*failing.instance)->failed_step(), 1u);
}

TEST(Program, ChainsOutOfOrderAreRefused) {
  for (const std::array<int, 4>& chains :
       {std::array<int, 4>{2, 2, 3, 3}, {1, 3, 3, 3}, {1, 2, 3, 2}})
    EXPECT_EQ(Program::open(two_chains({1, 1, 1, 1}, chains)).code(), Code::data_loss);
}

TEST(Program, ChainsThatShareMemoryAreRefused) {
  EXPECT_TRUE(Program::open(two_chains({1, 1, 1, 1})).ok());
  EXPECT_TRUE(Program::open(two_chains({1, 1, 1, 1}, {0, 0, 0, 0}, 0)).ok())
      << "one after the other";
  EXPECT_EQ(Program::open(two_chains({1, 1, 1, 1}, {1, 1, 2, 2}, 0)).code(), Code::data_loss);
  EXPECT_EQ(Program::open(two_chains({1, 1, 1, 1}, {1, 2, 2, 2})).code(), Code::data_loss)
      << "step 1 reads what step 0 writes";
}

TEST(Program, AProfilerSeesEveryStep) {
  const AlignedBytes blob = two_chains({2, 3, 5, 7});
  Bound b(blob);
  float x[4] = {}, y[4] = {}, z[4] = {};
  (*b.instance)->bind(0, x);
  (*b.instance)->bind(1, y);
  (*b.instance)->bind(2, z);
  std::vector<int> seen;
  const StepHook hook{
      [](void* arg, std::uint32_t s) { static_cast<std::vector<int>*>(arg)->push_back(int(s)); },
      [](void* arg, std::uint32_t s) { static_cast<std::vector<int>*>(arg)->push_back(-int(s)); },
      &seen};
  RunContext context = backwards();
  context.profiler = &hook;
  ASSERT_TRUE((*b.instance)->run(context).ok());
  EXPECT_EQ(seen, (std::vector<int>{2, -2, 3, -3, 0, 0, 1, -1}));
}

TEST(Program, CancelsBetweenSteps) {
  const AlignedBytes blob = small_program(1);
  Bound b(blob);
  float x[6] = {}, y[6] = {};
  (*b.instance)->bind(0, x);
  (*b.instance)->bind(1, y);
  int left = 1;
  RunContext context{.host = &left,
                     .cancelled = [](void* n) { return (*static_cast<int*>(n))-- == 0; }};
  EXPECT_EQ((*b.instance)->run(context).code(), Code::cancelled);
  EXPECT_EQ((*b.instance)->failed_step(), 1u);
}

TEST(Program, MissingKernelsAndSmallMemoryAreErrors) {
  const AlignedBytes blob = small_program(1, "Unknown");
  const Program p = *Program::open(blob);
  const AlignedBytes tables(Instance::table_bytes(p)), arena(p.arena_bytes());
  EXPECT_EQ(Instance::create(p, {find}, tables, arena).code(), Code::not_found);
  EXPECT_EQ(Instance::create(p, {find}, std::span<std::byte>(tables).first(64), arena).code(),
            Code::invalid_argument);
  EXPECT_EQ(Instance::create(p, {find}, tables, std::span<std::byte>(arena).first(8)).code(),
            Code::invalid_argument);
}

TEST(Program, RefusesOtherBytes) {
  const AlignedBytes blob = small_program(1);
  const std::span<const std::byte> all = blob;
  for (std::size_t n = 0; n < all.size(); ++n)
    EXPECT_EQ(Program::open(all.first(n)).code(), Code::data_loss) << n;
  AlignedBytes shifted(blob.size() + 8);
  std::memcpy(shifted.data() + 8, blob.data(), blob.size());
  EXPECT_EQ(Program::open(std::span<const std::byte>(shifted).subspan(8)).code(),
            Code::invalid_argument);
  blob.data()[8] = std::byte{2};
  EXPECT_EQ(Program::open(blob).code(), Code::unimplemented);
}

TEST(Program, EveryChangedByteIsNoticed) {
  const AlignedBytes blob = small_program(1);
  for (std::size_t i = 0; i < blob.size(); ++i) {
    blob.data()[i] ^= std::byte{0x10};
    EXPECT_FALSE(Program::open(blob).ok()) << i;
    blob.data()[i] ^= std::byte{0x10};
  }
}

TEST(Program, NoChangeOfABitMakesOpenCrash) {
  const AlignedBytes blob = small_program(1);
  int accepted = 0;
  for (std::size_t i = 0; i < 8 * blob.size(); ++i) {
    blob.data()[i / 8] ^= std::byte(1 << i % 8);
    const auto p = Program::open(blob, Program::Checksum::skip);
    if (p.ok()) {
      ++accepted;
      for (const auto& s : p->steps())
        EXPECT_LE(std::string(p->text(s.name)).size(), blob.size());
    }
    blob.data()[i / 8] ^= std::byte(1 << i % 8);
  }
  EXPECT_GT(accepted, 0) << "constants and names may be anything";
}

/// One record changed at a time: every rule of the format is enforced.
template <class Record, class Change>
Code after(format::Table format::Header::*table, std::size_t index, Change change) {
  const AlignedBytes blob = small_program(1);
  auto* header = reinterpret_cast<format::Header*>(blob.data());
  change(reinterpret_cast<Record*>(blob.data() + (header->*table).offset)[index]);
  return Program::open(blob, Program::Checksum::skip).code();
}

TEST(Program, EnforcesTheRulesOfTheFormat) {
  using H = format::Header;
  using V = format::Value;
  using S = format::Step;
  using T = format::Tile;
  const auto value = [](std::size_t i, auto change) { return after<V>(&H::values, i, change); };
  const auto step = [](std::size_t i, auto change) { return after<S>(&H::steps, i, change); };
  const auto tile = [](auto change) { return after<T>(&H::tiles, 0, change); };
  EXPECT_EQ(value(2, [](V&) {}), Code::ok);
  EXPECT_EQ(value(2, [](V& v) { v.offset = 48; }), Code::data_loss) << "past the arena";
  EXPECT_EQ(value(2, [](V& v) { v.offset = 2; }), Code::data_loss) << "not aligned";
  EXPECT_EQ(value(2, [](V& v) { v.dtype = std::uint8_t(DType::string); }), Code::data_loss);
  EXPECT_EQ(value(2, [](V& v) { v.dtype = 99; }), Code::data_loss);
  EXPECT_EQ(value(2, [](V& v) { v.dims = 1u << 30; }), Code::data_loss);
  EXPECT_EQ(value(2, [](V& v) { v.storage = Storage::constant; }), Code::data_loss)
      << "a result among the constants";
  EXPECT_EQ(value(0, [](V& v) { v.slot = 7; }), Code::data_loss);
  EXPECT_EQ(value(3, [](V& v) { v.slot = 0; }), Code::data_loss) << "a result in an input";
  EXPECT_EQ(step(1, [](S& s) { s.operands = 0; }), Code::data_loss);
  EXPECT_EQ(step(1, [](S& s) { s.workspace_bytes = 64; }), Code::data_loss)
      << "a workspace over an operand";
  EXPECT_EQ(step(1, [](S& s) { s.workspace = 1; }), Code::data_loss);
  EXPECT_EQ(step(1, [](S& s) { s.packed = 0; }), Code::data_loss);
  EXPECT_EQ(step(1, [](S& s) { s.attr_count = 9; }), Code::data_loss);
  EXPECT_EQ(step(1, [](S& s) { s.name = 1u << 20; }), Code::data_loss);
  EXPECT_EQ(step(0, [](S& s) { s.tile_count = 0; }), Code::data_loss) << "no kernel";
  EXPECT_EQ(tile([](T& t) { t.target = 0; }), Code::data_loss) << "an input is written";
  EXPECT_EQ(tile([](T& t) { t.target = 3; }), Code::data_loss) << "the result is not written";
  EXPECT_EQ(tile([](T& t) { t.source[0] = 5; }), Code::data_loss) << "nothing wrote it";
  EXPECT_EQ(tile([](T& t) { t.sources = 9; }), Code::data_loss);
  EXPECT_EQ(tile([](T& t) { t.dtype = std::uint8_t(DType::int8); }), Code::data_loss);
}

}  // namespace
}  // namespace weir::rt
