/// A CUDA driver for tests: two GPUs, the first of them busy. FAKE_CUDA_INIT sets what cuInit
/// returns.
#include <cstdlib>
#include <cstring>

extern "C" {

__attribute__((visibility("default"))) int cuInit(unsigned) {
  const char* code = std::getenv("FAKE_CUDA_INIT");
  return code ? std::atoi(code) : 0;
}
__attribute__((visibility("default"))) int cuDeviceGetCount(int* n) {
  *n = 2;
  return 0;
}
__attribute__((visibility("default"))) int cuDeviceGet(int* device, int index) {
  *device = index;
  return 0;
}
__attribute__((visibility("default"))) int cuDeviceGetName(char* name, int size, int device) {
  std::strncpy(name, device == 0 ? "Busy GPU" : "Free GPU", std::size_t(size));
  return 0;
}
__attribute__((visibility("default"))) int cuDevicePrimaryCtxRetain(void**, int device) {
  return device == 0 ? 46 : 0;
}
__attribute__((visibility("default"))) int cuDevicePrimaryCtxRelease_v2(int) {
  return 0;
}
__attribute__((visibility("default"))) int cuGetErrorString(int code, const char** text) {
  *text = code == 46 ? "CUDA-capable device(s) is/are busy or unavailable" : "some other error";
  return 0;
}
}
