#include "plan/chains.h"

#include <algorithm>

#include "plan/step_label.h"
#include "runtime/program.h"

namespace weir::plan {
namespace {

// One thread, roughly: what is compared are orders of magnitude.
constexpr double kFlopsPerNs = 50;
constexpr double kBytesPerNs = 20;
constexpr double kStepNs = 150;
/// A step that takes longer is cut into slices by its kernel, and needs no company.
constexpr double kOwnSlicesNs = 40'000;
/// What two threads must save at least, by this estimate, which is high for products: four branches
/// of 32 x 32 products, worth 11 us in all, lost a tenth; those of 64 x 64 gained a third.
constexpr double kGainNs = 15'000;
/// Memory of a group is not shared between its chains, so groups stay small.
constexpr int kMaxSteps = 64;

class ChainFinder {
 public:
  explicit ChainFinder(StagePlan& plan) : p_(plan) {}

  void run() {
    for (const PlannedStep& s : p_.steps)
      ns_.push_back(nanoseconds(s));
    for (int s = 0; s < int(p_.steps.size());)
      s = take(s);
    finish(int(p_.steps.size()));
  }

 private:
  double nanoseconds(const PlannedStep& s) const {
    const Cost c = cost_of(p_, s);
    return kStepNs + std::max(c.flops / kFlopsPerNs, c.bytes / kBytesPerNs);
  }
  /// The value of a variable must be there, or not yet there, wherever the run stops.
  bool eligible(int s) const {
    const PlannedStep& step = p_.steps[std::size_t(s)];
    return ns_[std::size_t(s)] <= kOwnSlicesNs && operands(s) <= rt::kMaxGroupOperands &&
           std::none_of(step.outputs.begin(), step.outputs.end(), [&](int v) {
             return p_.block_of(v).kind == Block::Kind::update;
           });
  }
  int operands(int s) const {
    const PlannedStep& step = p_.steps[std::size_t(s)];
    return int(step.inputs.size() + step.outputs.size());
  }
  /// The open group has no room for step `s`.
  bool full(int s) const {
    int sum = operands(s);
    for (int i = first_; i < s; ++i)
      sum += operands(i);
    return s - first_ >= kMaxSteps || sum > rt::kMaxGroupOperands;
  }
  /// The last step of the open group that `s` needs; -1: none. `chain` is the only chain it needs,
  /// or -1 if it needs several.
  int last_needed(int s, int& chain) const {
    int last = -1;
    chain = -1;
    bool several = false;
    for (int v : p_.steps[std::size_t(s)].inputs) {
      const int writer = p_.block_of(v).first;
      if (writer < first_) continue;
      const int c = chain_of(writer);
      several = several || (chain >= 0 && c != chain);
      chain = c;
      last = std::max(last, writer);
    }
    if (several) chain = -1;
    return last;
  }
  int chain_of(int s) const {
    return int(std::upper_bound(starts_.begin(), starts_.end(), s) - starts_.begin()) - 1;
  }

  /// Looks at step `s`; returns the step to look at next.
  int take(int s) {
    if (!eligible(s)) {
      finish(s);
      first_ = s + 1;
      return s + 1;
    }
    if (full(s)) finish(s);
    int chain = 0;
    const int needed = last_needed(s, chain);
    if (needed < 0) {
      starts_.push_back(s);
    } else if (chain != int(starts_.size()) - 1 || needed != s - 1) {
      return part(s, needed);
    }
    return s + 1;
  }
  /// Step `s` cannot go on with the group. If that is a single chain, `s` may run beside what
  /// follows the step that it needs.
  int part(int s, int needed) {
    const bool one = starts_.size() == 1 && needed < s - 1;
    finish(one ? first_ : s);
    if (!one) return s;
    first_ = needed + 1;
    return first_;
  }

  /// Ends the group before step `end` and keeps it if it pays.
  void finish(int end) {
    if (starts_.size() > 1 && gain(end) >= kGainNs) {
      for (int s = first_; s < end; ++s)
        p_.steps[std::size_t(s)].chain = chain_of(s) + 1;
    }
    starts_.clear();
    first_ = end;
  }
  double gain(int end) const {
    double total = 0, longest = 0;
    for (std::size_t c = 0; c < starts_.size(); ++c) {
      const int stop = c + 1 < starts_.size() ? starts_[c + 1] : end;
      double ns = 0;
      for (int s = starts_[c]; s < stop; ++s)
        ns += ns_[std::size_t(s)];
      total += ns;
      longest = std::max(longest, ns);
    }
    return total - std::max(longest, total / 2);
  }

  StagePlan& p_;
  std::vector<double> ns_;
  int first_ = 0;            // step of the open group
  std::vector<int> starts_;  // of its chains
};

}  // namespace

void find_chains(StagePlan& plan) {
  ChainFinder(plan).run();
}

}  // namespace weir::plan
