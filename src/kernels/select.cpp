#include "kernels/select.h"

#include <weir/op_def.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {
namespace {

using List = std::vector<const rt::Kernel*>;

bool accepts(const rt::Kernel& k, const Types& types) {
  for (int i = 0; i < rt::kMaxTypes; ++i) {
    if (k.types[i] != DType::invalid && k.types[i] != types[std::size_t(i)]) return false;
  }
  return true;
}

std::uint32_t key_of(const Types& t) {
  return std::uint32_t(t[0]) | std::uint32_t(t[1]) << 8 | std::uint32_t(t[2]) << 16 |
         std::uint32_t(t[3]) << 24;
}

bool same_text(const char* a, const char* b) {
  return *a == *b && std::strcmp(a, b) == 0;  // most names differ at once
}

class Catalogue {
 public:
  void add(std::span<const rt::Kernel> kernels) {
    std::lock_guard lock(mutex_);
    for (auto it = kernels.rbegin(); it != kernels.rend(); ++it) {
      if (it->isa > active_isa()) continue;
      List& l = list(it->op);
      l.insert(l.begin(), &*it);
      by_id_[rt::kernel_id(it->name)] = &*it;
    }
    for (Slot& s : slots_)
      s.clear();
  }

  const rt::Kernel* select(const char* op, int id, const Types& types) {
    const std::uint32_t key = key_of(types);
    Slot* slot = id >= 0 && id < int(slots_.size()) ? &slots_[std::size_t(id)] : nullptr;
    if (slot) {
      if (const Entry* e = slot->find(key)) return e->kernel;
    }
    std::lock_guard lock(mutex_);
    const rt::Kernel* k = choose(op, types);
    if (slot && !slot->find(key)) slot->append(entries_.emplace_back(key, k));
    return k;
  }

  std::size_t remembered() const {
    std::lock_guard lock(mutex_);
    return entries_.size();
  }

  const rt::Kernel* find(std::uint64_t id) {
    std::lock_guard lock(mutex_);
    auto it = by_id_.find(id);
    if (it == by_id_.end() && !indexed_) {
      index_builtins();
      it = by_id_.find(id);
    }
    return it == by_id_.end() ? nullptr : it->second;
  }

  std::size_t copy(const char* op, std::span<const rt::Kernel*> out) {
    std::lock_guard lock(mutex_);
    const List& l = list(op);
    const std::size_t n = std::min(l.size(), out.size());
    std::copy_n(l.begin(), n, out.begin());
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

  const rt::Kernel* choose(const char* op, const Types& types) {
    for (const rt::Kernel* k : list(op)) {
      if (!accepts(*k, types)) continue;
      by_id_.emplace(rt::kernel_id(k->name), k);
      return k;
    }
    return nullptr;
  }

  /// Kernels of an op, best first. The tables are gone through when an op is first asked for: most
  /// programs use few ops.
  List& list(const char* op) {
    if (const auto it = by_op_.find(op); it != by_op_.end()) return it->second;
    List found;
    for_each_builtin([&](const rt::Kernel& k) {
      if (same_text(k.op, op)) found.push_back(&k);
    });
    // A better instruction set comes first; within one, the order of the tables.
    std::stable_sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->isa > b->isa; });
    return by_op_.emplace(op, std::move(found)).first->second;
  }

  void index_builtins() {
    for_each_builtin([&](const rt::Kernel& k) { by_id_.emplace(rt::kernel_id(k.name), &k); });
    indexed_ = true;
  }

  template <class F>
  static void for_each_builtin(F f) {
    const rt::Isa isa = active_isa();
    for (const rt::KernelTable& table : builtin_tables()) {
      for (const rt::Kernel& k : std::span(table.data, table.size)) {
        if (k.isa <= isa) f(k);
      }
    }
  }

  mutable std::mutex mutex_;
  std::unordered_map<std::string, List> by_op_;  // those asked for
  /// Those chosen or added, all built-in ones after the first search for another.
  std::unordered_map<std::uint64_t, const rt::Kernel*> by_id_;
  bool indexed_ = false;
  std::array<Slot, 1024> slots_;  // by OpDef::id(); ops beyond are looked up each time
  std::deque<Entry> entries_;
};

Catalogue& catalogue() {
  static auto& c = *new Catalogue;
  return c;
}

Types signature(std::span<const DType> in, std::span<const DType> out) {
  Types t{};
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
const rt::Kernel* select(const char* op, int op_id, const Types& types) {
  return catalogue().select(op, op_id, types);
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
