#include "tensor/host_context.h"

#include "platform/thread_pool.h"

namespace weir::tensor {

const rt::RunContext& host_context() {
  static const rt::RunContext context{
      .parallel_for = [](void*, std::int64_t slices, void (*fn)(void*, std::int64_t), void* arg) {
        platform::parallel_for(slices, fn, arg);
      }};
  return context;
}

}  // namespace weir::tensor
