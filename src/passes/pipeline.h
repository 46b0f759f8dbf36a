#pragma once

/// The optimiser: a graph in, an equivalent graph out.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "passes/report.h"

namespace weir::passes {

#ifdef NDEBUG
inline constexpr bool kVerify = false;
#else
inline constexpr bool kVerify = true;
#endif

struct Options {
  /// Names of passes and rules that must not run. The environment variable WEIR_DISABLE_PASSES
  /// (names separated by commas, or "all") adds to them.
  std::vector<std::string> disabled;
  /// Also apply what changes rounding.
  bool fast = false;
  /// Check the graph after every pass that changed it: in builds with assertions, unless asked for.
  bool verify = kVerify;
  /// A constant larger than this, in bytes, is made only where it replaces constants at least as
  /// large.
  std::int64_t fold_limit = 64 << 10;
};

/// The optimised form of `graph`, which stays as it is. It computes the same bits (unless `fast`),
/// has the same inputs and outputs, and the same effects in the same order. A pass that fails
/// leaves the graph as it was and says so in the report; nothing that a graph can contain makes
/// this function throw, save for want of memory.
std::shared_ptr<graph::Graph> optimise(const graph::Graph& graph,
                                       const Options& options = {},
                                       Report* report = nullptr);

/// Names of the passes, in order of their first run.
std::vector<std::string> pass_names();

}  // namespace weir::passes
