#include "platform/gpu_probe.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace weir::platform {
namespace {

/// Another driver for the time of a test.
struct FakeDriver {
  explicit FakeDriver(const char* path) { setenv("WEIR_CUDA_LIBRARY", path, 1); }
  ~FakeDriver() {
    unsetenv("WEIR_CUDA_LIBRARY");
    unsetenv("FAKE_CUDA_INIT");
  }
};

TEST(GpuProbe, ABusyGpuIsListedWithItsReason) {
  FakeDriver fake(WEIR_FAKE_CUDA);
  const auto gpus = probe_gpus();
  ASSERT_EQ(gpus.size(), 2u);
  EXPECT_FALSE(gpus[0].available);
  EXPECT_EQ(gpus[0].reason,
            "CUDA-capable device(s) is/are busy or unavailable (cuDevicePrimaryCtxRetain, CUDA "
            "error 46)");
  EXPECT_TRUE(gpus[1].available);
  EXPECT_EQ(gpus[1].name, "Free GPU");
}

TEST(GpuProbe, ADriverThatDoesNotStartIsReported) {
  FakeDriver fake(WEIR_FAKE_CUDA);
  setenv("FAKE_CUDA_INIT", "999", 1);
  const auto gpus = probe_gpus();
  ASSERT_EQ(gpus.size(), 1u);
  EXPECT_NE(gpus[0].reason.find("cuInit, CUDA error 999"), std::string::npos);
  setenv("FAKE_CUDA_INIT", "100", 1);  // no device
  EXPECT_TRUE(probe_gpus().empty());
}

TEST(GpuProbe, WithoutADriverThereAreNoGpus) {
  FakeDriver fake("/nonexistent/libcuda.so");
  EXPECT_TRUE(probe_gpus().empty());
}

}  // namespace
}  // namespace weir::platform
