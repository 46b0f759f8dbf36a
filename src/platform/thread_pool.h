#pragma once

#include <cstdint>
#include <type_traits>

/// The one thread pool of the process. It runs leaf loops and nothing else: a slice computes, it
/// never waits for other work of the pool and never throws. Whoever finds the pool busy (another
/// thread, or a slice that calls parallel_for itself) runs its slices inline. What a slice computes
/// must depend on its index alone, so the number of threads never changes a result.
///
/// Threads start at the first loop that needs them, spin for about 50 us after each loop, then
/// sleep without using the CPU. A child made by fork() starts its own; fork() from inside a slice
/// leaves the child fit for exec and _exit only.
namespace weir::platform {

using SliceFn = void (*)(void* ctx, int64_t slice);

/// Runs fn(ctx, 0) ... fn(ctx, slices - 1), in any order and on any thread, and returns when all
/// have finished. Nearby calls give the same slices to the same threads where they can, so that a
/// core finds its share of the data in its own cache. No slices: does nothing.
void parallel_for(int64_t slices, SliceFn fn, void* ctx);

/// The same for a callable `body(int64_t slice)`, borrowed for the time of the call.
template <typename Body>
void parallel_for(int64_t slices, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  parallel_for(
      slices,
      [](void* ctx, int64_t slice) { (*static_cast<Plain*>(ctx))(slice); },
      const_cast<std::remove_const_t<Plain>*>(&body));
}

/// Threads that a loop may use, the caller included. The default is the environment variable
/// WEIR_NUM_THREADS or else the number of CPUs that this process may run on.
int threads();

/// Sets the number of threads, clamped to [1, kMaxThreads]; 1 keeps everything on the caller.
/// Threads already running are stopped now, or at the next loop if one is running at the moment.
void set_threads(int n);

inline constexpr int kMaxThreads = 256;

}  // namespace weir::platform
