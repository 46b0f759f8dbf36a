#include <algorithm>
#include <unordered_map>

#include "passes/attributes.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace weir::passes {
namespace {

/// Larger constants are compared by address: reading all weights of a model would cost more than it
/// finds.
constexpr std::int64_t kMaxComparedBytes = 64 << 10;

class Hash {
 public:
  void add(std::uint64_t v) { h_ = (std::rotl(h_, 5) ^ v) * 0x9e3779b97f4a7c15ull; }
  void add(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (; bytes >= 8; p += 8, bytes -= 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      add(word);
    }
    std::uint64_t tail = 0;
    if (bytes > 0) std::memcpy(&tail, p, bytes);
    add(tail);
  }
  std::uint64_t value() const { return h_ ^ (h_ >> 29); }

 private:
  std::uint64_t h_ = 0x243f6a8885a308d3ull;
};

bool comparable(const Tensor& t) {
  return t.dtype() != DType::string && t.nbytes() <= kMaxComparedBytes;
}

bool equal(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.raw_data() == b.raw_data()) return true;
  return comparable(a) && std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0;
}

class Merger {
 public:
  Merger(const Graph& graph, Context& context)
      : graph_(graph), context_(context), rewrite_(graph, context) {}

  GraphPtr run() {
    std::size_t slots = 16;
    while (slots < 2 * graph_.size())
      slots *= 2;
    seen_.assign(slots, {});
    for (int i = 0; i < int(graph_.size()); ++i)
      visit(i);
    return rewrite_.finish();
  }

 private:
  using Inputs = base::SmallVector<Ref, 3>;

  void visit(int i) {
    const Node& n = graph_.node(i);
    if (n.kind == Kind::read) return visit_read(i);
    if (n.kind == Kind::write) {
      rewrite_.keep(i);
      values_[n.variable.get()] = rewrite_.at({i, 0});
      return;
    }
    if (!n.bodies.empty() && n.must_stay()) values_.clear();  // may write any variable
    const bool mergeable =
        n.kind == Kind::constant || (n.kind == Kind::op && !n.is(Trait::host_effect));
    if (!mergeable) return rewrite_.keep(i);
    const Inputs inputs = mapped_inputs(n);
    const std::uint64_t h = hash(n, inputs);
    Seen& slot = find(h, n, inputs);
    if (slot.node >= 0) return merge(i, slot.node);
    rewrite_.keep(i);
    slot = {h, rewrite_.at({i, 0}).node};
  }

  /// A node of the new graph and the hash of what it computes.
  struct Seen {
    std::uint64_t hash = 0;
    int node = -1;
  };

  /// The slot of an equal node, or the free one where it belongs. The table is at most half full.
  Seen& find(std::uint64_t h, const Node& n, const Inputs& inputs) {
    for (std::size_t k = h;; ++k) {
      Seen& slot = seen_[k & (seen_.size() - 1)];
      if (slot.node < 0 || (slot.hash == h && same(n, inputs, rewrite_.graph().node(slot.node))))
        return slot;
    }
  }

  void visit_read(int i) {
    const Node& n = graph_.node(i);
    const auto it = values_.find(n.variable.get());
    if (it == values_.end()) {
      rewrite_.keep(i);
      values_[n.variable.get()] = rewrite_.at({i, 0});
      return;
    }
    const Ref now = it->second;
    rewrite_.replace(i, now);
    context_.count("reads");
    context_.removed(n, "reads what is known already as ", rewrite_.name(now));
  }

  void merge(int i, int now) {
    std::vector<Ref> by;
    for (int o = 0; o < int(graph_.node(i).outputs.size()); ++o)
      by.push_back({now, o});
    rewrite_.replace(i, by);
    context_.count(graph_.node(i).kind == Kind::constant ? "constants" : "ops");
    context_.removed(graph_.node(i), "computes the same as ", rewrite_.name(by[0]));
  }

  /// The inputs; those of a commutative op in one order. The order of two NaN operands can decide
  /// which of them is the result, so the exact build exchanges the operands of other dtypes only.
  Inputs mapped_inputs(const Node& n) const {
    Inputs inputs;
    for (Ref r : n.inputs)
      inputs.push_back(rewrite_.at(r));
    return ordered(n, std::move(inputs));
  }
  Inputs ordered(const Node& n, Inputs inputs) const {
    if (!n.is(Trait::commutative) || inputs.size() != 2) return inputs;
    const bool exchange = context_.options().fast || !is_differentiable(graph_dtype(n));
    const auto before = [](Ref a, Ref b) {
      return a.node != b.node ? a.node < b.node : a.output < b.output;
    };
    if (exchange && before(inputs[1], inputs[0])) std::swap(inputs[0], inputs[1]);
    return inputs;
  }
  static DType graph_dtype(const Node& n) { return n.outputs[0].dtype; }

  static std::uint64_t hash(const Node& n, const Inputs& inputs) {
    Hash h;
    if (n.kind == Kind::constant) {
      h.add(std::uint64_t(n.value.dtype()) << 32 | std::uint64_t(n.value.rank()));
      for (Dim d : n.outputs[0].shape.dims())
        h.add(std::uint64_t(d.raw()));
      if (comparable(n.value)) {
        h.add(n.value.raw_data(), std::size_t(n.value.nbytes()));
      } else {
        h.add(std::uint64_t(reinterpret_cast<std::uintptr_t>(n.value.raw_data())));
      }
      return h.value();
    }
    h.add(std::uint64_t(n.op->id()));
    for (Ref r : inputs)
      h.add(std::uint64_t(r.node) << 32 | std::uint64_t(r.output));
    for (const rt::Attr& a : n.attrs.view()) {
      h.add(value_bits(a));
      h.add(list_bytes(a).data(), list_bytes(a).size());
    }
    return h.value();
  }

  bool same(const Node& n, const Inputs& inputs, const Node& other) const {
    if (n.kind != other.kind) return false;
    if (n.kind == Kind::constant) return equal(n.value, other.value);
    if (n.op != other.op) return false;
    const Inputs others = ordered(other, other.inputs);
    if (!std::equal(inputs.begin(), inputs.end(), others.begin(), others.end())) return false;
    return same_attrs(n.attrs.view(), other.attrs.view());
  }

  const Graph& graph_;
  Context& context_;
  Rewrite rewrite_;
  std::vector<Seen> seen_;                                // open addressing
  std::unordered_map<const VariableState*, Ref> values_;  // what a read would give
};

}  // namespace

GraphPtr merge_duplicates(const Graph& graph, Context& context) {
  return Merger(graph, context).run();
}

}  // namespace weir::passes
