#pragma once

/// A hash table from identities (never 0) to small numbers: open addressing, nothing is ever
/// removed singly.

#include <cstdint>
#include <vector>

namespace weir::autodiff {

class IdMap {
 public:
  /// The number stored for `id`; -1 if there is none.
  std::int32_t find(std::uint64_t id) const {
    if (size_ == 0) return -1;
    const Entry& e = entries_[position(id)];
    return e.id == id ? e.number : -1;
  }

  void set(std::uint64_t id, std::int32_t number) {
    if (2 * (size_ + 1) > entries_.size()) grow();
    Entry& e = entries_[position(id)];
    if (e.id == 0) ++size_;
    e = {id, number};
  }

  void clear() {
    if (size_ == 0) return;
    size_ = 0;
    if (entries_.size() > kKept) entries_.resize(kKept);
    for (Entry& e : entries_)
      e.id = 0;
  }

 private:
  struct Entry {
    std::uint64_t id = 0;
    std::int32_t number = -1;
  };
  static constexpr std::size_t kKept = 64;

  std::size_t position(std::uint64_t id) const {
    const std::size_t mask = entries_.size() - 1;
    std::size_t i = (id * 0x9e3779b97f4a7c15ull >> 32) & mask;
    while (entries_[i].id != 0 && entries_[i].id != id)
      i = (i + 1) & mask;
    return i;
  }

  void grow() {
    std::vector<Entry> old(entries_.empty() ? kKept : 2 * entries_.size());
    old.swap(entries_);
    for (const Entry& e : old) {
      if (e.id != 0) entries_[position(e.id)] = e;
    }
  }

  std::vector<Entry> entries_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace weir::autodiff
