// The n-th allocation fails, of a save, a load, a step of training.
#include <weir/error.h>
#include <weir/keras.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "faults.h"
#include "platform/test_directory.h"

namespace {

thread_local long allocations_left = 0;  // 0: no limit

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left > 0 && --allocations_left == 0) throw std::bad_alloc();
  void* block = alignment <= alignof(std::max_align_t)
                    ? std::malloc(size)
                    : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size == 0 ? 1 : size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size == 0 ? 1 : size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}

namespace weir::faults {
namespace {

// Runs `call` with its n-th allocation failing; true if that made it fail.
bool fails_at(long n, const std::string& what, const auto& call) {
  bool failed = true;
  try {
    allocations_left = n;
    call();
    failed = false;
  } catch (const Error& error) {
    allocations_left = 0;
    expect(error.code() == Code::resource_exhausted, what + ": " + error.what());
  } catch (const std::bad_alloc&) {
    allocations_left = 0;
    expect(false, what + ": std::bad_alloc came out");
  }
  allocations_left = 0;
  return failed;
}

long count_allocations(const auto& call) {
  allocations_left = LONG_MAX;
  call();
  const long count = LONG_MAX - allocations_left;
  allocations_left = 0;
  return count;
}

// Calls body(n) for `rounds` of the allocations, or all.
long for_each_allocation(long count, long rounds, const auto& body) {
  const long step = std::max(1L, count / rounds);
  for (long n = 1; n <= count; n += step)
    body(n);
  return count;
}

long save_without_memory(long rounds) {
  const platform::TestDirectory directory;
  const std::string prefix = directory / "ck";
  const State state;
  const auto save = [&] { state.checkpoint().write(prefix); };
  state.set(1);
  save();
  state.set(2);
  return for_each_allocation(count_allocations(save), rounds, [&](long n) {
    const std::string what = "save, allocation " + std::to_string(n);
    fails_at(n, what, save);
    expect(State::load(prefix) == 2, what);
    expect(leftovers(directory.path()) == 0, what + ": files are left");
  });
}

long load_without_memory(long rounds) {
  const platform::TestDirectory directory;
  const std::string prefix = directory / "ck";
  const State state;
  const auto load = [&] { state.checkpoint().read(prefix).expect_partial(); };
  state.set(2);
  state.checkpoint().write(prefix);
  return for_each_allocation(count_allocations(load), rounds, [&](long n) {
    const std::string what = "load, allocation " + std::to_string(n);
    state.set(1);
    const bool failed = fails_at(n, what, load);
    expect(state.number() == 2 || (failed && state.number() == 1), what + ": a part is changed");
    load();
    expect(state.number() == 2, what + ": no load works afterwards");
  });
}

// A step that fails leaves a model that can be trained on. How it fails is not the business of
// checkpoints: std::bad_alloc passes.
long train_without_memory(long rounds) {
  using namespace keras;
  const Sequential model(Input({3}), {layers::Dense(4, "relu"), layers::Dense(2)});
  model.compile(optimizers::Adam(), Loss("mse"));
  const Tensor x = Tensor::full({4, 3}, 0.5f), y = Tensor::zeros({4, 2});
  long n = 1;
  for (bool failed = true; failed && n <= rounds; ++n) {
    try {
      allocations_left = n;
      model.train_on_batch(x, y);
      failed = allocations_left <= 0;
    } catch (const std::exception&) {
    }
    allocations_left = 0;
  }
  expect(model.train_on_batch(x, y)[0] >= 0, "step: the model is not usable afterwards");
  return n;
}

}  // namespace

int failing_allocations(const Options& options) {
  const long saves = save_without_memory(options.rounds);
  const long loads = load_without_memory(options.rounds);
  const long steps = train_without_memory(options.rounds);
  std::printf("memory: %ld allocations of a save, %ld of a load, %ld of a first step of training\n",
              saves,
              loads,
              steps);
  return failures();
}

}  // namespace weir::faults
