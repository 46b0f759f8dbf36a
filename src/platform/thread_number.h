#pragma once

/// A small number for each thread, to spread what threads would otherwise share.

#include <atomic>
#include <cstddef>

namespace weir::platform {

/// 0 for the first thread that asks, 1 for the next, and so on.
inline std::size_t thread_number() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

}  // namespace weir::platform
