#include "kernels/select.h"

#include <weir/op_def.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {
namespace {

using List = std::vector<const rt::Kernel*>;

bool accepts(const rt::Kernel& k, const std::array<DType, rt::kMaxTypes>& types) {
  for (int i = 0; i < rt::kMaxTypes; ++i) {
    if (k.types[i] != DType::invalid && k.types[i] != types[std::size_t(i)]) return false;
  }
  return true;
}

std::uint32_t key_of(const std::array<DType, rt::kMaxTypes>& t) {
  return std::uint32_t(t[0]) | std::uint32_t(t[1]) << 8 | std::uint32_t(t[2]) << 16 |
         std::uint32_t(t[3]) << 24;
}

class Catalogue {
 public:
  Catalogue() {
    for (const rt::KernelTable& table : builtin_tables()) {
      for (std::size_t i = 0; i < table.size; ++i)
        insert(table.data[i], false);
    }
    // A better instruction set comes first; within one, the order of the tables.
    for (auto& [op, list] : by_op_)
      std::stable_sort(list.begin(), list.end(), [](auto* a, auto* b) { return a->isa > b->isa; });
  }

  void add(std::span<const rt::Kernel> kernels) {
    std::unique_lock lock(mutex_);
    for (auto it = kernels.rbegin(); it != kernels.rend(); ++it)
      insert(*it, true);
    for (Slot& s : slots_)
      s.clear();
  }

  const List* list(std::string_view op) const {
    const auto it = by_op_.find(op);
    return it == by_op_.end() ? nullptr : &it->second;
  }

  const rt::Kernel* select(const char* op, int id, const std::array<DType, rt::kMaxTypes>& types) {
    const std::uint32_t key = key_of(types);
    Slot* slot = id >= 0 && id < int(slots_.size()) ? &slots_[std::size_t(id)] : nullptr;
    if (slot) {
      if (const Entry* e = slot->find(key)) return e->kernel;
    }
    std::unique_lock lock(mutex_);
    const rt::Kernel* k = choose(op, types);
    if (slot && !slot->find(key)) slot->append(entries_.emplace_back(key, k));
    return k;
  }

  std::size_t remembered() const {
    std::shared_lock lock(mutex_);
    return entries_.size();
  }

  const rt::Kernel* find(std::uint64_t id) const {
    std::shared_lock lock(mutex_);
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : it->second;
  }

  std::size_t copy(const char* op, std::span<const rt::Kernel*> out) const {
    std::shared_lock lock(mutex_);
    const List* l = list(op);
    const std::size_t n = l ? std::min(l->size(), out.size()) : 0;
    for (std::size_t i = 0; i < n; ++i)
      out[i] = (*l)[i];
    return n;
  }

 private:
  /// A choice that was made before, null if there is no kernel. Entries are never changed or freed,
  /// so a reader needs no lock.
  struct Entry {
    Entry(std::uint32_t k, const rt::Kernel* chosen) : key(k), kernel(chosen) {}
    const std::uint32_t key;
    const rt::Kernel* const kernel;
    std::atomic<const Entry*> next{nullptr};
  };
  /// The choices for one op, one for each combination of dtypes that was met, in order of their
  /// first use.
  class Slot {
   public:
    void clear() {  // readers may stand on an entry: they stay
      first_ = nullptr;
      end_ = &first_;
    }
    const Entry* find(std::uint32_t key) const {
      const Entry* e = first_.load(std::memory_order_acquire);
      while (e && e->key != key)
        e = e->next.load(std::memory_order_acquire);
      return e;
    }
    void append(Entry& e) {
      end_->store(&e, std::memory_order_release);
      end_ = &e.next;
    }

   private:
    std::atomic<const Entry*> first_{nullptr};
    std::atomic<const Entry*>* end_ = &first_;  // guarded by mutex_
  };

  const rt::Kernel* choose(const char* op, const std::array<DType, rt::kMaxTypes>& types) const {
    if (const List* l = list(op)) {
      for (const rt::Kernel* k : *l) {
        if (accepts(*k, types)) return k;
      }
    }
    return nullptr;
  }

  void insert(const rt::Kernel& k, bool front) {
    if (k.isa > active_isa()) return;
    List& l = by_op_[k.op];
    l.insert(front ? l.begin() : l.end(), &k);
    by_id_[rt::kernel_id(k.name)] = &k;
  }

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string_view, List> by_op_;
  std::unordered_map<std::uint64_t, const rt::Kernel*> by_id_;
  std::array<Slot, 1024> slots_;  // by OpDef::id(); ops beyond are looked up each time
  std::deque<Entry> entries_;
};

Catalogue& catalogue() {
  static auto& c = *new Catalogue;
  return c;
}

std::array<DType, rt::kMaxTypes> signature(std::span<const DType> in, std::span<const DType> out) {
  std::array<DType, rt::kMaxTypes> t{};
  for (std::size_t i = 0; i < 2 && i < in.size(); ++i)
    t[i] = in[i];
  for (std::size_t i = 0; i < 2 && i < out.size(); ++i)
    t[2 + i] = out[i];
  return t;
}

}  // namespace

const rt::Kernel* select(const char* op,
                         int op_id,
                         std::span<const DType> inputs,
                         std::span<const DType> outputs) {
  return catalogue().select(op, op_id, signature(inputs, outputs));
}
const rt::Kernel* find(std::uint64_t id) {
  return catalogue().find(id);
}
std::size_t remembered_choices() {
  return catalogue().remembered();
}
std::size_t candidates(const char* op, std::span<const rt::Kernel*> out) {
  return catalogue().copy(op, out);
}
rt::Isa active_isa() {
  return static_cast<rt::Isa>(platform::isa());
}

}  // namespace weir::kernels

namespace weir::inline v0 {

void register_kernels(std::span<const rt::Kernel> kernels) {
  for (const rt::Kernel& k : kernels) {
    if (k.op && k.name && k.run && k.abi == rt::kAbiVersion) continue;
    throw Error({Code::invalid_argument,
                 "register_kernels: incomplete kernel",
                 {},
                 k.name ? k.name : "no name",
                 "op, name, run and abi = rt::kAbiVersion",
                 {}});
  }
  kernels::catalogue().add(kernels);
}

}  // namespace weir::inline v0
