#include "plan/arena.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace weir::plan {
namespace {

constexpr std::int64_t kAlignment = 64;

std::int64_t aligned(std::int64_t n) {
  return (n + kAlignment - 1) / kAlignment * kAlignment;
}

/// The placed pieces by time, cut into spans of steps, so that the neighbours of a short-lived
/// piece are found fast.
class Timeline {
 public:
  explicit Timeline(int steps)
      : span_(std::max(1, int(std::sqrt(double(steps))))), lists_(std::size_t(steps / span_ + 1)) {}

  void add(const Lifetime& l) {
    for (int s = l.first / span_; s <= l.last / span_; ++s)
      lists_[std::size_t(s)].push_back(&l);
  }
  /// Pieces that live at the same time as `l`; some may come twice.
  void neighbours(const Lifetime& l, std::vector<const Lifetime*>& out) const {
    out.clear();
    for (int s = l.first / span_; s <= l.last / span_; ++s) {
      for (const Lifetime* other : lists_[std::size_t(s)]) {
        if (other->first <= l.last && l.first <= other->last) out.push_back(other);
      }
    }
  }

 private:
  int span_;
  std::vector<std::vector<const Lifetime*>> lists_;
};

/// The lowest gap of `bytes` between pieces sorted by offset.
std::int64_t lowest_gap(const std::vector<const Lifetime*>& sorted, std::int64_t bytes) {
  std::int64_t at = 0;
  for (const Lifetime* l : sorted) {
    if (l->offset >= at + bytes) break;
    at = std::max(at, l->offset + aligned(l->bytes));
  }
  return at;
}

}  // namespace

std::int64_t place(std::span<Lifetime> pieces) {
  int steps = 0;
  std::vector<Lifetime*> order;
  for (Lifetime& l : pieces) {
    steps = std::max(steps, l.last + 1);
    if (l.bytes > 0) order.push_back(&l);
  }
  std::stable_sort(order.begin(), order.end(), [](const Lifetime* a, const Lifetime* b) {
    return a->bytes > b->bytes;
  });
  Timeline timeline(steps);
  std::vector<const Lifetime*> neighbours;
  std::int64_t end = 0;
  for (Lifetime* l : order) {
    timeline.neighbours(*l, neighbours);
    std::sort(neighbours.begin(), neighbours.end(), [](const Lifetime* a, const Lifetime* b) {
      return a->offset < b->offset;
    });
    l->offset = lowest_gap(neighbours, aligned(l->bytes));
    end = std::max(end, l->offset + aligned(l->bytes));
    timeline.add(*l);
  }
  return end;
}

}  // namespace weir::plan
