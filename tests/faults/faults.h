#pragma once

/// The fault programs: what saving and loading of checkpoints must survive. Each runs a number of
/// rounds and counts what went wrong.

#include <weir/checkpoint.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace weir::faults {

struct Options {
  int rounds = 0;
  std::uint64_t seed = 1;
};

/// Prints what went wrong, when it did.
bool expect(bool ok, const std::string& what);
/// How often `expect` was wrong.
int failures();

/// For programs that this machine does not let run; the reason is printed.
inline constexpr int kSkipped = 77;

/// Some variables whose values follow from one number, so that any mix of two states is noticed.
class State {
 public:
  State();
  void set(int number) const;
  /// The number, -1 when the values do not belong together.
  int number() const;
  const Checkpoint& checkpoint() const { return checkpoint_; }
  /// The number in a checkpoint; throws what loading it throws.
  static int load(const std::string& path);

 private:
  std::vector<Variable> variables_;
  Checkpoint checkpoint_;
};

/// Files under names that only a save in progress has.
int leftovers(const std::string& directory);

int kill_while_saving(const Options& options);
int failing_calls(const Options& options);
int full_disk(const Options& options);
int corruption(const Options& options);
int power_loss(const Options& options);
int several_at_once(const Options& options);
int failing_allocations(const Options& options);

}  // namespace weir::faults
