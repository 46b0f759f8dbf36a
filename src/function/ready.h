#pragma once

/// The plans that calls run again and again, found without anything that threads share.

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "function/trace.h"

namespace weir::tracing {

/// A trace and its plan for arguments of certain shapes.
struct Ready {
  std::vector<Spec> shapes;
  std::shared_ptr<Trace> trace;
  std::shared_ptr<const Compiled> compiled;
  const plan::Executable* executable = nullptr;
};

/// A few plans for each of several groups of threads. Each group has entries of its own, also where
/// they stand for the same plan: a reference count that two processors write costs more than a
/// call.
class ReadyPlans {
 public:
  /// Counts a call, and finds its plan; null if it is not here.
  std::shared_ptr<const Ready> find(std::span<const Tensor> arguments, std::string_view key);
  void add(const std::shared_ptr<Trace>& trace, std::span<const Tensor> arguments);
  void clear();
  std::size_t calls() const;

 private:
  static constexpr std::size_t kGroups = 16;
  static constexpr std::size_t kMost = 4;
  struct alignas(64) Group {
    mutable std::mutex mutex;
    std::size_t calls = 0;
    std::vector<std::shared_ptr<const Ready>> plans;  // most recently used first
  };

  Group& mine();

  Group groups_[kGroups];
};

}  // namespace weir::tracing
