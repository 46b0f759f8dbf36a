/// Source of names, signatures and numbers: CUDA driver API reference manual.
#include "platform/gpu_probe.h"

#include <dlfcn.h>

#include <cstdlib>

namespace weir::platform {
namespace {

using CuResult = int;
constexpr CuResult kSuccess = 0;
constexpr CuResult kNoDevice = 100;

/// A library for the time of a question.
class Driver {
 public:
  Driver() {
    const char* path = std::getenv("WEIR_CUDA_LIBRARY");
    handle_ = dlopen(path && *path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  }
  ~Driver() {
    if (handle_) dlclose(handle_);
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  bool loaded() const { return handle_ != nullptr; }
  template <class Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(dlsym(handle_, name));
  }

 private:
  void* handle_;
};

std::string error_text(const Driver& driver, const char* call, CuResult code) {
  const char* text = nullptr;
  if (auto* describe = driver.find<CuResult(CuResult, const char**)>("cuGetErrorString"))
    describe(code, &text);
  return (text ? std::string(text) : "driver error") + " (" + call + ", CUDA error " +
         std::to_string(code) + ")";
}

GpuInfo failed(std::string reason) {
  return {"NVIDIA GPU", false, std::move(reason)};
}

/// A device is usable if its primary context can be made: a busy or exclusive one refuses here.
GpuInfo probe_device(const Driver& driver, int index) {
  auto* get = driver.find<CuResult(int*, int)>("cuDeviceGet");
  auto* get_name = driver.find<CuResult(char*, int, int)>("cuDeviceGetName");
  auto* retain = driver.find<CuResult(void**, int)>("cuDevicePrimaryCtxRetain");
  auto* release = driver.find<CuResult(int)>("cuDevicePrimaryCtxRelease_v2");
  if (!release) release = driver.find<CuResult(int)>("cuDevicePrimaryCtxRelease");
  if (!get || !get_name || !retain || !release)
    return failed("the driver lacks functions that are needed");
  int device = 0;
  if (const CuResult r = get(&device, index); r != kSuccess)
    return failed(error_text(driver, "cuDeviceGet", r));
  char name[256] = {};
  get_name(name, int(sizeof name) - 1, device);
  void* context = nullptr;
  if (const CuResult r = retain(&context, device); r != kSuccess)
    return {name, false, error_text(driver, "cuDevicePrimaryCtxRetain", r)};
  release(device);
  return {name, true, {}};
}

}  // namespace

std::vector<GpuInfo> probe_gpus() {
  const Driver driver;
  if (!driver.loaded()) return {};
  auto* init = driver.find<CuResult(unsigned)>("cuInit");
  auto* count = driver.find<CuResult(int*)>("cuDeviceGetCount");
  if (!init || !count) return {failed("the library is no CUDA driver")};
  if (const CuResult r = init(0); r != kSuccess) {
    if (r == kNoDevice) return {};
    return {failed(error_text(driver, "cuInit", r))};
  }
  int n = 0;
  if (const CuResult r = count(&n); r != kSuccess)
    return {failed(error_text(driver, "cuDeviceGetCount", r))};
  std::vector<GpuInfo> gpus;
  for (int i = 0; i < n; ++i)
    gpus.push_back(probe_device(driver, i));
  return gpus;
}

}  // namespace weir::platform
