#include "consumption.h"

#include <weir/tensor.h>

#include <cstdlib>
#include <new>

#include "dispatch/handler.h"

namespace weir::bench {
namespace {

thread_local std::int64_t news = 0;

/// The eager handler, and how often it is asked.
class CountingHandler final : public dispatch::Handler {
 public:
  void run(const dispatch::Invocation& call, std::span<Tensor> results) override {
    ++ops;
    dispatch::default_handler().run(call, results);
  }
  Tensor read(const std::shared_ptr<VariableState>& v, std::source_location where) override {
    return dispatch::default_handler().read(v, where);
  }
  Tensor write(const std::shared_ptr<VariableState>& v,
               const Tensor& value,
               std::source_location where) override {
    return dispatch::default_handler().write(v, value, where);
  }
  std::int64_t ops = 0;
};

}  // namespace

Figures consumption_of(const std::function<void()>& call) {
  CountingHandler counter;
  {
    dispatch::HandlerScope scope(counter);
    call();
  }
  const MemoryStats before = memory_stats();
  const std::int64_t news_before = news;
  call();
  const std::int64_t taken = news - news_before;
  return {{"ops", double(counter.ops)},
          {"news", double(taken)},
          {"allocated", double(memory_stats().allocated - before.allocated)}};
}

}  // namespace weir::bench

// Of the whole program: the count above needs them all.
void* operator new(std::size_t size) {
  ++weir::bench::news;
  if (void* p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
