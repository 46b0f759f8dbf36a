// The vectorised convolutions against the reference, and their numeric contract.
#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/window.h"
#include "platform/cpu_features.h"
#include "platform/thread_pool.h"

namespace weir::kernels {

namespace ref {
rt::KernelTable conv_kernels();
}
namespace baseline {
rt::KernelTable conv_kernels();
rt::KernelTable conv_filter_kernels();
}  // namespace baseline
namespace avx2 {
rt::KernelTable conv_kernels();
rt::KernelTable conv_filter_kernels();
}  // namespace avx2
namespace avx512 {
rt::KernelTable conv_kernels();
rt::KernelTable conv_filter_kernels();
}  // namespace avx512

namespace {

using Int = std::int64_t;
using Floats = std::vector<float>;

const char* const kOps[] = {"Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"};

const rt::Kernel* find(const rt::KernelTable& table, const std::string& op) {
  for (std::size_t i = 0; i < table.size; ++i) {
    if (table.data[i].op == op && table.data[i].types[0] == DType::float32) return &table.data[i];
  }
  return nullptr;
}

// One for each instruction set that this machine has.
std::vector<const rt::Kernel*> kernels(const std::string& op) {
  std::vector<rt::KernelTable> tables = {baseline::conv_kernels(), baseline::conv_filter_kernels()};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2)
    tables.insert(tables.end(), {avx2::conv_kernels(), avx2::conv_filter_kernels()});
  if (platform::detect() >= platform::Isa::avx512)
    tables.insert(tables.end(), {avx512::conv_kernels(), avx512::conv_filter_kernels()});
#endif
  std::vector<const rt::Kernel*> found;
  for (const rt::KernelTable& t : tables) {
    if (const rt::Kernel* k = find(t, op)) found.push_back(k);
  }
  return found;
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Memory = std::unique_ptr<void, Free>;
Memory memory(Int bytes) {
  return Memory(std::aligned_alloc(64, std::size_t(bytes + 63) / 64 * 64 + 64));
}

struct Options {
  bool packed = false;
  const rt::Epilogue* epilogue = nullptr;
  const rt::RunContext* context = nullptr;
};

struct Case {
  const char* name;
  Int batch, height, width, in, out;
  Int filter[2], stride[2] = {1, 1}, dilation[2] = {1, 1};
  const char* padding = "SAME";
  Int groups = 1;
  Int border[4] = {0, 0, 0, 0};  // top, bottom, left, right of EXPLICIT
};

// A convolution of random values: operands 0 image, 1 filter, 2 result.
class Convolution {
 public:
  explicit Convolution(const Case& c)
      : strides_{1, c.stride[0], c.stride[1], 1},
        dilations_{1, c.dilation[0], c.dilation[1], 1},
        borders_{0, 0, c.border[0], c.border[1], c.border[2], c.border[3], 0, 0},
        padding_(c.padding),
        dims_{{c.batch, c.height, c.width, c.in},
              {c.filter[0], c.filter[1], c.in / c.groups, c.out},
              {c.batch, extent(c, 0), extent(c, 1), c.out}} {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (int i = 0; i < 3; ++i) {
      data_[i].resize(std::size_t(view(i).size()));
      for (float& v : data_[i])
        v = uniform(random);
    }
  }

  rt::View view(int i) { return {data_[i].data(), dims_[i], DType::float32, 4}; }
  Floats& data(int i) { return data_[i]; }

  Floats run(const rt::Kernel& kernel, const Options& options = {}) {
    const int op = number(kernel);
    const rt::View in[] = {view(op == 0 ? 0 : op == 1 ? 1 : 0), view(op == 0 ? 1 : 2)};
    rt::View out = view(op == 0 ? 2 : op == 1 ? 0 : 1);
    Floats result(std::size_t(out.size()), NAN);
    out.data = result.data();
    const std::vector<rt::Attr> attrs = attributes(op, out);
    rt::KernelCall c;
    c.kernel = &kernel;
    c.in = in;
    c.out = &out;
    c.attrs = attrs.data();
    c.n_in = 2;
    c.n_out = 1;
    c.n_attrs = std::uint16_t(attrs.size());
    c.epilogue = options.epilogue;
    c.context = options.context;
    rt::Needs needs = kernel.need ? kernel.need(c) : rt::Needs{};
    const Memory packed = memory(needs.packed_bytes);
    if (options.packed && kernel.pack) {
      EXPECT_TRUE(kernel.pack(c, packed.get()).ok());
      c.packed = packed.get();
      needs = kernel.need(c);
    }
    const Memory space = memory(needs.workspace);
    std::memset(space.get(), 0xff, std::size_t(needs.workspace));  // NaN
    auto* guard = static_cast<unsigned char*>(space.get()) + needs.workspace;
    std::memset(guard, 0x5a, 64);
    c.workspace = space.get();
    EXPECT_TRUE(kernel.run(c).ok());
    for (int i = 0; i < 64; ++i)
      EXPECT_EQ(guard[i], 0x5a) << "written behind the workspace";
    return result;
  }

 private:
  static int number(const rt::Kernel& k) {
    return std::string(k.op) == kOps[0] ? 0 : std::string(k.op) == kOps[1] ? 1 : 2;
  }
  static Int extent(const Case& c, int axis) {
    const base::Window window{c.filter[axis], c.stride[axis], c.dilation[axis]};
    return base::slide(axis == 0 ? c.height : c.width,
                       window,
                       base::padding_of(c.padding),
                       c.border[2 * axis],
                       c.border[2 * axis + 1])
        .out;
  }
  std::vector<rt::Attr> attributes(int op, const rt::View& out) const {
    std::vector<rt::Attr> list;
    if (op != 0) list.push_back(rt::Attr::int_list(out.dims, 4));
    list.push_back(rt::Attr::int_list(strides_, 4));
    list.push_back(rt::Attr::string(padding_, std::uint32_t(std::strlen(padding_))));
    list.push_back(rt::Attr::int_list(borders_, 8));
    list.push_back(rt::Attr::string("NHWC", 4));
    list.push_back(rt::Attr::int_list(dilations_, 4));
    return list;
  }

  Int strides_[4], dilations_[4], borders_[8];
  const char* padding_;
  Int dims_[3][4];
  Floats data_[3];
};

const Case kCases[] = {
    {"one channel", 3, 28, 28, 1, 32, {3, 3}},
    {"many channels", 2, 14, 14, 32, 64, {3, 3}},
    {"odd everything", 2, 9, 7, 5, 13, {3, 2}},
    {"one output", 2, 6, 5, 3, 1, {3, 3}},
    {"narrow panel", 1, 8, 8, 4, 23, {5, 5}},
    {"points", 3, 7, 5, 19, 40, {1, 1}, {1, 1}, {1, 1}, "VALID"},
    {"strided points", 2, 9, 8, 6, 10, {1, 1}, {2, 3}},
    {"valid", 2, 11, 12, 3, 9, {4, 3}, {1, 1}, {1, 1}, "VALID"},
    {"strides", 2, 13, 12, 3, 17, {3, 3}, {2, 3}},
    {"strides beyond the filter", 2, 11, 10, 2, 8, {2, 2}, {3, 4}, {1, 1}, "VALID"},
    {"dilations", 2, 13, 15, 3, 8, {3, 2}, {1, 1}, {2, 3}},
    {"both", 2, 15, 17, 3, 8, {3, 3}, {2, 3}, {2, 2}},
    {"common divisor", 1, 19, 19, 2, 5, {3, 4}, {4, 6}, {6, 4}},
    {"groups", 2, 9, 8, 12, 18, {3, 3}, {1, 1}, {1, 1}, "SAME", 3},
    {"depthwise", 2, 9, 8, 7, 14, {3, 3}, {2, 2}, {1, 1}, "SAME", 7},
    {"border", 2, 5, 4, 3, 6, {3, 3}, {1, 1}, {1, 1}, "EXPLICIT", 1, {3, 0, 0, 5}},
    {"wide border", 1, 4, 4, 2, 3, {2, 2}, {2, 1}, {1, 1}, "EXPLICIT", 1, {4, 5, 3, 6}},
    {"small images", 40, 2, 2, 3, 8, {2, 2}},
    {"one pixel", 300, 1, 1, 9, 11, {3, 3}},
    {"deep", 1, 5, 6, 200, 33, {3, 3}},
    {"wide", 1, 3, 300, 2, 6, {3, 5}},
    {"tall", 2, 200, 9, 64, 48, {3, 3}},
};

// Outputs whose terms are cut or summed in another order differ by roundings only.
void expect_near(const Floats& got, const Floats& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], expected[i], tolerance) << "element " << i;
}

class ConvTest : public testing::TestWithParam<Case> {};

TEST_P(ConvTest, AgreesWithTheReference) {
  Convolution conv(GetParam());
  for (const char* op : kOps) {
    const Floats expected = conv.run(*find(ref::conv_kernels(), op));
    for (const rt::Kernel* k : kernels(op)) {
      SCOPED_TRACE(k->name);
      expect_near(conv.run(*k), expected, 1e-3);
      expect_near(conv.run(*k, {.packed = true}), expected, 1e-3);
    }
  }
}

TEST_P(ConvTest, PackingAndThreadsChangeNoBit) {
  Convolution conv(GetParam());
  for (const char* op : kOps) {
    for (const rt::Kernel* k : kernels(op)) {
      SCOPED_TRACE(k->name);
      const Floats expected = conv.run(*k);
      EXPECT_EQ(conv.run(*k, {.packed = true}), expected);
      for (const int threads : {2, 3}) {
        platform::set_threads(threads);
        rt::RunContext context;
        context.parallel_for = [](void*, Int n, void (*fn)(void*, Int), void* arg) {
          platform::parallel_for(n, fn, arg);
        };
        EXPECT_EQ(conv.run(*k, {.context = &context}), expected) << threads;
      }
      platform::set_threads(1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvTest, testing::ValuesIn(kCases), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name)
    c = c == ' ' ? '_' : c;
  return name;
});

TEST(Conv, ASampleDoesNotDependOnItsBatch) {
  const Case one = {"", 1, 14, 13, 5, 20, {3, 3}, {2, 1}};
  Case many = one;
  many.batch = 37;
  for (const char* op : {kOps[0], kOps[1]}) {
    for (const rt::Kernel* k : kernels(op)) {
      Convolution single(one), batch(many);
      single.data(1) = batch.data(1);
      const int source = op == kOps[0] ? 0 : 2;
      const std::size_t size = single.data(source).size(), at = 30 * size;
      std::copy_n(
          batch.data(source).begin() + std::ptrdiff_t(at), size, single.data(source).begin());
      const Floats expected = single.run(*k), all = batch.run(*k);
      EXPECT_EQ(
          std::memcmp(
              expected.data(), all.data() + 30 * expected.size(), expected.size() * sizeof(float)),
          0)
          << k->name;
    }
  }
}

TEST(Conv, RunsTheEpilogueOnceOnEachElement) {
  const Case cases[] = {{"", 5, 14, 13, 5, 20, {3, 3}},
                        {"", 5, 14, 13, 6, 20, {3, 3}, {2, 3}, {1, 1}, "SAME", 2}};
  const auto run = [](void* arg, void* c, Int row0, Int rows, Int col0, Int cols, Int ldc) {
    for (Int i = 0; i < rows; ++i) {
      for (Int j = 0; j < cols; ++j) {
        const Int at = (row0 + i) * *static_cast<Int*>(arg) + col0 + j;
        static_cast<float*>(c)[i * ldc + j] += float(at % 1000);
      }
    }
  };
  for (const Case& shape : cases) {
    Convolution conv(shape);
    for (const char* op : {kOps[0], kOps[1]}) {
      for (const rt::Kernel* k : kernels(op)) {
        Int columns = op == kOps[0] ? shape.out : shape.in;
        const rt::Epilogue epilogue{run, &columns};
        Floats expected = conv.run(*k);
        for (std::size_t i = 0; i < expected.size(); ++i)
          expected[i] += float(i % 1000);
        EXPECT_EQ(conv.run(*k, {.epilogue = &epilogue}), expected) << k->name;
      }
    }
  }
}

}  // namespace
}  // namespace weir::kernels
