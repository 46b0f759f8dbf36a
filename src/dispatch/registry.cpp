#include "dispatch/registry.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace weir::dispatch {
namespace {

/// The built-in ops, each made at its first use. They never move or change, so that every call may
/// look at them without a lock.
class Builtins {
 public:
  int size() const { return int(table_.ops.size()); }
  const OpDef& at(int index) {
    const OpDef* op = made_[std::size_t(index)].load(std::memory_order_acquire);
    return op ? *op : make(index);
  }
  /// -1: none of that name.
  int index_of(std::string_view name) const {
    const auto found = std::lower_bound(
        table_.by_name.begin(), table_.by_name.end(), name, [&](int i, std::string_view n) {
          return table_.ops[std::size_t(i)].name < n;
        });
    const bool same = found != table_.by_name.end() && table_.ops[std::size_t(*found)].name == name;
    return same ? *found : -1;
  }

 private:
  const OpDef& make(int index) {
    const BuiltinOp& builtin = table_.ops[std::size_t(index)];
    auto op = std::make_unique<OpDef>(builtin.define());
    builtin.implement(*op);
    op->set_id(index);
    const OpDef* other = nullptr;
    if (!made_[std::size_t(index)].compare_exchange_strong(
            other, op.get(), std::memory_order_acq_rel))
      return *other;  // another thread was first
    return *op.release();
  }

  const BuiltinOps table_ = builtin_ops();
  const std::unique_ptr<std::atomic<const OpDef*>[]> made_ =
      std::make_unique<std::atomic<const OpDef*>[]>(table_.ops.size());
};

/// All ops; the program's may be added meanwhile.
class Registry {
 public:
  void add(std::span<const OpDef> ops) {
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < ops.size(); ++i)
      check(ops[i], ops.first(i));
    for (const OpDef& op : ops)
      insert(op);
  }
  const OpDef* find(std::string_view name) {
    if (const int i = builtins_.index_of(name); i >= 0) return &builtins_.at(i);
    std::shared_lock lock(mutex_);
    const auto it = added_by_name_.find(name);
    return it == added_by_name_.end() ? nullptr : it->second;
  }
  const OpDef& builtin(int index) { return builtins_.at(index); }
  std::vector<const OpDef*> all() {
    std::vector<const OpDef*> list;
    for (int i = 0; i < builtins_.size(); ++i)
      list.push_back(&builtins_.at(i));
    std::shared_lock lock(mutex_);
    for (const OpDef& op : added_)
      list.push_back(&op);
    return list;
  }

 private:
  /// `before`: those that come with it.
  void check(const OpDef& op, std::span<const OpDef> before) const {
    ErrorInfo e;
    e.got = op.name();
    const bool again = std::any_of(
        before.begin(), before.end(), [&](const OpDef& o) { return o.name() == op.name(); });
    if (again || builtins_.index_of(op.name()) >= 0 || added_by_name_.contains(op.name())) {
      e.code = Code::already_exists;
      e.what = "register_ops: an op of this name exists";
      e.fix = "give the new op a name of its own; the meaning of a name never changes";
      throw Error(e);
    }
    if (op.name().empty() || !op.infer_fn() || op.output_defs().empty()) {
      e.what = "register_ops: incomplete definition";
      e.expected = "a name, at least one output, and infer";
      throw Error(e);
    }
    if (op.types().size() > kMaxTypes) {
      e.what = "register_ops: too many type parameters";
      e.got += " with " + std::to_string(op.types().size());
      e.expected = "at most " + std::to_string(kMaxTypes);
      throw Error(e);
    }
  }
  void insert(OpDef op) {
    op.set_id(builtins_.size() + int(added_.size()));
    const OpDef& stored = added_.emplace_back(std::move(op));
    added_by_name_.emplace(stored.name(), &stored);
  }

  Builtins builtins_;
  mutable std::shared_mutex mutex_;
  std::deque<OpDef> added_;  // references stay valid
  std::unordered_map<std::string_view, const OpDef*> added_by_name_;
};

Registry& registry() {
  static auto& r = *new Registry;
  return r;
}

/// Levenshtein distance, case ignored.
int distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = int(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = int(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int change = diagonal + (std::tolower(a[i - 1]) != std::tolower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

const OpDef& builtin_op(int index) {
  static Registry& r = registry();
  return r.builtin(index);
}

std::vector<const OpDef*> all_ops() {
  return registry().all();
}

std::vector<std::string> similar_op_names(std::string_view name, int count) {
  std::vector<std::pair<int, std::string>> ranked;
  for (const OpDef* op : all_ops())
    ranked.emplace_back(distance(name, op->name()), op->name());
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> names;
  for (int i = 0; i < count && i < int(ranked.size()); ++i)
    names.push_back(ranked[std::size_t(i)].second);
  return names;
}

const OpDef& require_op(std::string_view name, std::source_location where) {
  if (const OpDef* op = registry().find(name)) return *op;
  ErrorInfo e;
  e.code = Code::unimplemented;
  e.what = "unknown op '" + std::string(name) + "'";
  e.where = to_string(where);
  for (const std::string& s : similar_op_names(name, 3))
    e.expected += (e.expected.empty() ? "one like " : ", ") + s;
  e.fix = "register it with weir::register_ops, or use one that `weir ops` lists";
  throw Error(e);
}

}  // namespace weir::dispatch

namespace weir::inline v0 {

void register_ops(std::span<const OpDef> ops) {
  dispatch::registry().add(ops);
}
const OpDef* find_op(std::string_view name) {
  return dispatch::registry().find(name);
}

}  // namespace weir::inline v0
