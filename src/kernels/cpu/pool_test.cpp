// The vectorised pools give the bits of the reference, whatever the window holds.
#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {

namespace ref {
rt::KernelTable pool_kernels();
}
namespace baseline {
rt::KernelTable pool_kernels();
}
namespace avx2 {
rt::KernelTable pool_kernels();
}
namespace avx512 {
rt::KernelTable pool_kernels();
}

namespace {

std::vector<rt::KernelTable> tables() {
  std::vector<rt::KernelTable> tables = {baseline::pool_kernels()};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) tables.push_back(avx2::pool_kernels());
  if (platform::detect() >= platform::Isa::avx512) tables.push_back(avx512::pool_kernels());
#endif
  return tables;
}

const rt::Kernel& find(const rt::KernelTable& table, const std::string& op) {
  for (std::size_t i = 0; i < table.size; ++i) {
    if (table.data[i].op == op && table.data[i].types[0] == DType::float32) return table.data[i];
  }
  throw std::out_of_range(op);
}

struct Pool {
  std::int64_t in[4], out[4];
  std::int64_t size[4], strides[4];
  const char* padding;
  std::vector<float> x, dy;

  std::vector<std::int64_t> pads = {};

  std::vector<float> run(const rt::Kernel& kernel, const rt::Epilogue* epilogue = nullptr) const {
    const rt::Attr attrs[] = {rt::Attr::int_list(size, 4),
                              rt::Attr::int_list(strides, 4),
                              rt::Attr::string(padding, std::uint32_t(std::strlen(padding))),
                              rt::Attr::int_list(pads.data(), std::uint32_t(pads.size()))};
    const bool gradient = std::string(kernel.op) == "MaxPoolGrad";
    std::vector<float> y(gradient ? x.size() : dy.size(), 7);
    const rt::View image{const_cast<float*>(x.data()), in, DType::float32, 4};
    const rt::View cells{const_cast<float*>(dy.data()), out, DType::float32, 4};
    const rt::View inputs[] = {image, cells, cells};
    const rt::View output{y.data(), gradient ? in : out, DType::float32, 4};
    rt::KernelCall call;
    call.in = inputs;
    call.out = &output;
    call.attrs = attrs;
    call.n_in = gradient ? 3 : 1;
    call.n_out = 1;
    call.n_attrs = 4;
    call.epilogue = epilogue;
    EXPECT_TRUE(kernel.run(call).ok());
    return y;
  }
};

/// An image of few different values, so that windows have ties; NaN and both zeros among them.
Pool make(
    std::int64_t extent, std::int64_t channels, std::int64_t size, std::int64_t stride, bool same) {
  const float values[] = {-2, -0.f, 0, 1, 3, NAN, -INFINITY, INFINITY};
  const std::int64_t cells = same ? (extent + stride - 1) / stride : (extent - size) / stride + 1;
  Pool p{{2, extent, extent, channels},
         {2, cells, cells, channels},
         {1, size, size, 1},
         {1, stride, stride, 1},
         same ? "SAME" : "VALID",
         {},
         {}};
  std::mt19937 random(std::uint32_t(extent * 1000 + channels * 10 + size));
  for (std::int64_t i = 0; i < 2 * extent * extent * channels; ++i)
    p.x.push_back(values[random() % 8]);
  for (std::int64_t i = 0; i < 2 * cells * cells * channels; ++i)
    p.dy.push_back(float(int(random() % 9)) - 4);
  return p;
}

void expect_same_bits(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << i;
    } else {
      EXPECT_EQ(std::memcmp(&got[i], &expected[i], sizeof(float)), 0)
          << i << ": " << got[i] << " instead of " << expected[i];
    }
  }
}

TEST(MaxPool, GivesTheBitsOfTheReference) {
  for (const rt::KernelTable& table : tables()) {
    for (const char* op : {"MaxPool", "MaxPoolGrad"}) {
      for (const std::int64_t channels : {1, 3, 8, 19, 64}) {
        for (const bool same : {false, true}) {
          for (const auto& [size, stride] : {std::pair{2, 2}, {3, 2}, {3, 1}, {2, 3}}) {
            const Pool p = make(7, channels, size, stride, same);
            SCOPED_TRACE(find(table, op).name);
            expect_same_bits(p.run(find(table, op)), p.run(find(ref::pool_kernels(), op)));
          }
        }
      }
    }
  }
}

TEST(MaxPool, TheEpilogueOfAGradientSeesEachRowOnce) {
  Pool p = make(2, 3, 2, 2, true);
  p.out[1] = 4;  // three windows lie below the image
  p.padding = "EXPLICIT";
  p.pads = {0, 0, 0, 6, 0, 0, 0, 0};
  p.dy.assign(2 * 4 * 1 * 3, 1.f);
  for (const rt::KernelTable& table : tables()) {
    std::vector<std::int64_t> seen;
    const rt::Epilogue epilogue{
        [](void* arg,
           void*,
           std::int64_t row0,
           std::int64_t rows,
           std::int64_t,
           std::int64_t,
           std::int64_t) {
          EXPECT_GT(rows, 0);
          for (std::int64_t i = 0; i < rows; ++i)
            static_cast<std::vector<std::int64_t>*>(arg)->push_back(row0 + i);
        },
        &seen};
    p.run(find(table, "MaxPoolGrad"), &epilogue);
    EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  }
}

}  // namespace
}  // namespace weir::kernels
