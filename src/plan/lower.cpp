/// Nodes become steps: kernels chosen, views resolved, regions turned into tile programs and
/// epilogues.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "kernels/select.h"
#include "plan/stage.h"
#include "plan/tiles.h"
#include "runtime/elementwise.h"
#include "runtime/program.h"
#include "tensor/variable_state.h"

namespace weir::plan {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

using Types = base::SmallVector<DType, 6>;

Types types_of(const Graph& g, std::span<const Ref> refs) {
  Types list;
  for (Ref r : refs)
    list.push_back(g.spec(r).dtype);
  return list;
}

/// Offset of a result that is part of input 0, as the eager handler finds it; -1: a kernel computes
/// it.
std::int64_t alias_offset(const Graph& g, const Node& n) {
  if (n.is(Trait::view)) return 0;
  if (!n.op->alias_fn()) return -1;
  const Spec& in = g.spec(n.inputs[0]);
  return n.op->alias_fn()({in.dtype, in.shape}, n.outputs[0], n.attrs.view());
}

bool plain(const Spec& s) {
  return s.shape.is_static() && s.dtype != DType::string;
}

bool static_specs(const Graph& g, const Node& n) {
  for (Ref r : n.inputs) {
    if (!plain(g.spec(r))) return false;
  }
  return std::all_of(n.outputs.begin(), n.outputs.end(), plain);
}

bool static_op(const Graph& g, const Node& n) {
  if (n.is(Trait::host_effect) || n.outputs.empty() || !static_specs(g, n)) return false;
  if (n.inputs.size() + n.outputs.size() > std::size_t(rt::kMaxStepOperands)) return false;
  for (const rt::Attr& a : n.attrs.view()) {
    if (a.kind == rt::Attr::Kind::operand) return false;
  }
  return alias_offset(g, n) >= 0 || kernel_of(g, n);
}

class Lowering {
 public:
  Lowering(const Graph& g, const PlanOptions& options) : graph_(g), options_(options) {}

  StagePlan run(std::span<const int> nodes,
                std::span<const Ref> inputs,
                std::span<const Ref> results) {
    Values values;
    for (Ref r : inputs) {
      plan_.inputs.push_back(r);
      values.set(r, whole_block(Block::Kind::input, int(plan_.inputs.size()) - 1, graph_.spec(r)));
    }
    for (int i : nodes)
      lower_node(graph_, i, values, nullptr);
    for (Ref r : results) {
      plan_.results.push_back(r);
      plan_.result_values.push_back(values.get(r));
    }
    drop_conversions();
    return std::move(plan_);
  }

 private:
  int whole_block(Block::Kind kind, int index, const Spec& spec) {
    Value v{int(plan_.blocks.size()), 0, spec.dtype, spec.shape.to_vector()};
    plan_.blocks.push_back({kind, index, v.bytes()});
    return add(std::move(v));
  }
  int add(Value v) {
    plan_.values.push_back(std::move(v));
    return int(plan_.values.size()) - 1;
  }

  void lower_node(const Graph& g, int index, Values& values, const Node* whole) {
    const Node& n = g.node(index);
    switch (n.kind) {
      case Kind::constant:
        plan_.constants.push_back(n.value);
        return values.set(
            {index, 0},
            whole_block(Block::Kind::constant, int(plan_.constants.size()) - 1, n.outputs[0]));
      case Kind::read:
        return values.set({index, 0}, read(n));
      case Kind::write:
        return values.set({index, 0}, write(n, values.get(n.inputs[0])));
      case Kind::output:
        return values.set({index, 0}, values.get(n.inputs[0]));
      case Kind::region:
        return lower_region(n, index, values, whole ? whole : &n);
      case Kind::op:
        return lower_op(g, n, index, values, whole ? whole : &n);
      default:
        return;  // inputs of a region's body have their values already
    }
  }

  VariableUse& use_of(const Node& n) {
    const auto [it, fresh] = variable_index_.try_emplace(n.variable.get(), plan_.variables.size());
    if (fresh) plan_.variables.push_back({n.variable});
    return plan_.variables[it->second];
  }
  int read(const Node& n) {
    VariableUse& use = use_of(n);
    if (use.written >= 0) return use.written;
    if (use.block >= 0) return old_value_[n.variable.get()];
    use.block = int(plan_.blocks.size());
    const int number = int(&use - plan_.variables.data());
    return old_value_[n.variable.get()] = whole_block(Block::Kind::variable, number, n.outputs[0]);
  }
  int write(const Node& n, int value) {
    VariableUse& use = use_of(n);
    if (use.written >= 0) use.earlier.push_back({use.written, use.write_step});
    use.written = value;
    use.write_step = int(plan_.steps.size());
    return value;
  }

  void lower_op(const Graph& g, const Node& n, int index, Values& values, const Node* whole) {
    if (const std::int64_t offset = alias_offset(g, n); offset >= 0) {
      const Value& base = plan_.value(values.get(n.inputs[0]));
      return values.set(
          {index, 0},
          add({base.block, base.offset + offset, base.dtype, n.outputs[0].shape.to_vector()}));
    }
    if (is_tile_op(g, n)) {
      TileBuilder tiles(g, values, plan_);
      const int member[] = {index};
      const Ref result[] = {{index, 0}};
      if (tiles.build(member, result)) return add_tiles(tiles, n, whole, values);
    }
    add_kernel_step(g, n, index, values, whole);
  }

  void add_tiles(TileBuilder& tiles, const Node& node, const Node* whole, Values& values) {
    PlannedStep step;
    step.node = &node;
    step.whole = whole;
    step.inputs = tiles.inputs();
    step.tiles = tiles.take_tiles();
    for (Ref r : tiles.results())
      step.outputs.push_back(new_value(tiles.graph().spec(r), r, values));
    if (step.tiles.size() == 1 && is_conversion(node) && is_kept(step.inputs[0]))
      converted_from_[step.outputs[0]] = step.inputs[0];
    plan_.steps.push_back(std::move(step));
  }
  /// An element-wise op of one operand whose one attribute is the dtype of the result.
  static bool is_conversion(const Node& n) {
    const auto attrs = n.attrs.view();
    return n.inputs.size() == 1 && attrs.size() == 1 && attrs[0].kind == rt::Attr::Kind::dtype &&
           attrs[0].t == n.outputs[0].dtype;
  }
  bool is_kept(int value) const {
    const Block::Kind kind = plan_.block_of(value).kind;
    return kind == Block::Kind::constant || kind == Block::Kind::variable;
  }
  int new_value(const Spec& spec, Ref r, Values& values) {
    const int v = whole_block(Block::Kind::temporary, -1, spec);
    values.set(r, v);
    return v;
  }

  void add_kernel_step(
      const Graph& g, const Node& n, int index, Values& values, const Node* whole) {
    PlannedStep step = root_step(g, n, values, whole);
    for (std::size_t o = 0; o < n.outputs.size(); ++o)
      step.outputs.push_back(new_value(n.outputs[o], {index, int(o)}, values));
    ask_needs(step, n);
    plan_.steps.push_back(std::move(step));
  }
  PlannedStep root_step(const Graph& g, const Node& n, Values& values, const Node* whole) {
    PlannedStep step;
    step.kernel = kernel_of(g, n);
    step.node = &n;
    step.whole = whole;
    for (Ref r : n.inputs)
      step.inputs.push_back(values.get(r));
    step.root_inputs = int(step.inputs.size());
    take_unconverted(step, g, n);
    return step;
  }
  /// A kernel that packs its second operand may take weights as they are kept, where a conversion
  /// stands between: it does the rounding when it packs them.
  void take_unconverted(PlannedStep& step, const Graph& g, const Node& n) const {
    if (!step.kernel || !step.kernel->pack || step.inputs.size() < 2) return;
    const auto source = converted_from_.find(step.inputs[1]);
    if (source == converted_from_.end()) return;
    Types in = types_of(g, n.inputs), out;
    in[1] = plan_.value(source->second).dtype;
    for (const Spec& s : n.outputs)
      out.push_back(s.dtype);
    const rt::Kernel* k = kernels::select(n.op->name().c_str(), n.op->id(), in, out);
    if (!k || k->types[1] != in[1]) return;
    step.kernel = k;
    step.inputs[1] = source->second;
  }

  /// Removes the conversions that nobody reads any more.
  void drop_conversions() {
    if (converted_from_.empty()) return;
    std::vector<bool> read(plan_.blocks.size());
    const auto mark = [&](int value) {
      if (value >= 0) read[std::size_t(plan_.value(value).block)] = true;
    };
    for (const PlannedStep& s : plan_.steps)
      std::for_each(s.inputs.begin(), s.inputs.end(), mark);
    std::for_each(plan_.result_values.begin(), plan_.result_values.end(), mark);
    for (const VariableUse& use : plan_.variables) {
      mark(use.written);
      for (const EarlierWrite& w : use.earlier)
        mark(w.value);
    }
    std::vector<int> place;  // of each step among those that stay
    std::vector<PlannedStep> kept;
    for (PlannedStep& s : plan_.steps) {
      place.push_back(int(kept.size()));
      const bool unread = !s.outputs.empty() && converted_from_.contains(s.outputs[0]) &&
                          !read[std::size_t(plan_.value(s.outputs[0]).block)];
      if (!unread) kept.push_back(std::move(s));
    }
    place.push_back(int(kept.size()));
    plan_.steps = std::move(kept);
    for (VariableUse& use : plan_.variables) {
      if (use.write_step >= 0) use.write_step = place[std::size_t(use.write_step)];
      for (EarlierWrite& w : use.earlier)
        w.step = place[std::size_t(w.step)];
    }
  }

  rt::View view(int value) const {
    const Value& v = plan_.value(value);
    return {nullptr, v.dims.data(), v.dtype, std::uint8_t(v.dims.size())};
  }
  void ask_needs(PlannedStep& step, const Node& n) {
    if (!step.kernel->need) return;
    std::vector<rt::View> in, out;
    for (int i = 0; i < step.root_inputs; ++i)
      in.push_back(view(step.inputs[std::size_t(i)]));
    for (int v : step.outputs)
      out.push_back(view(v));
    rt::KernelCall c;
    c.kernel = step.kernel;
    c.in = in.data();
    c.out = out.data();
    c.n_in = std::uint16_t(in.size());
    c.n_out = step.tiles.empty() ? std::uint16_t(out.size()) : std::uint16_t(1);
    c.attrs = n.attrs.view().data();
    c.n_attrs = std::uint16_t(n.attrs.size());
    const rt::Needs needs = step.kernel->need(c);
    step.workspace = step.plain_workspace = std::max<std::int64_t>(needs.workspace, 0);
    if (!options_.pack || needs.packed_bytes <= 0 || needs.packed_operand < 0 || !step.kernel->pack)
      return;
    if (!is_kept(step.inputs[std::size_t(needs.packed_operand)])) return;
    step.packed_input = needs.packed_operand;
    step.packed_bytes = needs.packed_bytes;
    static constexpr char kPacked = 0;
    c.packed = &kPacked;  // any: a kernel asks only whether there is one
    step.workspace = std::max<std::int64_t>(step.kernel->need(c).workspace, 0);
  }

  /// Leading members that are not element-wise are steps of their own, or the root of an epilogue;
  /// the rest is one tile program if it can be. Whatever cannot is computed member by member.
  void lower_region(const Node& n, int index, Values& values, const Node* whole) {
    const Graph& body = *n.bodies[0];
    Values inner;
    for (std::size_t i = 0; i < body.inputs.size(); ++i)
      inner.set({body.inputs[i], 0}, values.get(n.inputs[i]));
    std::vector<int> members;
    for (int i = 0; i < int(body.size()); ++i) {
      if (body.node(i).kind == Kind::op)
        members.push_back(i);
      else
        lower_node(body, i, inner, whole);
    }
    std::size_t first = 0;
    while (first < members.size() && !is_tile_op(body, body.node(members[first])))
      ++first;
    const std::span<const int> lead(members.data(), first),
        rest(members.data() + first, members.size() - first);
    if (!(options_.regions && first == 1 && try_epilogue(body, lead[0], rest, inner, whole))) {
      for (int i : lead)
        lower_node(body, i, inner, whole);
      if (!(options_.regions && try_tiles(body, rest, inner, whole))) {
        for (int i : rest)
          lower_node(body, i, inner, whole);
      }
    }
    for (std::size_t o = 0; o < body.outputs.size(); ++o)
      values.set({index, int(o)}, inner.get(body.outputs[o]));
  }

  /// The body's results that `members` compute.
  static std::vector<Ref> wanted(const Graph& body, std::span<const int> members) {
    std::vector<Ref> list;
    for (Ref r : body.outputs) {
      const bool own = std::find(members.begin(), members.end(), r.node) != members.end();
      if (own && std::find(list.begin(), list.end(), r) == list.end()) list.push_back(r);
    }
    return list;
  }
  bool try_tiles(const Graph& body,
                 std::span<const int> members,
                 Values& values,
                 const Node* whole) {
    TileBuilder tiles(body, values, plan_);
    const std::vector<Ref> results = wanted(body, members);
    if (!tiles.build(members, results)) return false;
    add_tiles(tiles, body.node(members[0]), whole, values);
    return true;
  }
  bool try_epilogue(const Graph& body,
                    int root,
                    std::span<const int> members,
                    Values& values,
                    const Node* whole) {
    const Node& n = body.node(root);
    const rt::Kernel* kernel = n.is(Trait::contraction) ? kernel_of(body, n) : nullptr;
    if (!kernel || !kernel->epilogue || n.outputs.size() != 1 || n.outputs[0].shape.rank() < 2)
      return false;
    std::vector<Ref> results = wanted(body, members);
    if (std::find(body.outputs.begin(), body.outputs.end(), Ref{root, 0}) != body.outputs.end())
      results.insert(results.begin(), Ref{root, 0});
    PlannedStep step = root_step(body, n, values, whole);
    TileBuilder tiles(body, values, plan_);
    if (!tiles.build(members, results, root, step.inputs)) return false;
    step.inputs = tiles.inputs();
    step.tiles = tiles.take_tiles();
    for (Ref r : tiles.results())
      step.outputs.push_back(new_value(body.spec(r), r, values));
    ask_needs(step, n);
    plan_.steps.push_back(std::move(step));
    return true;
  }

  const Graph& graph_;
  const PlanOptions& options_;
  StagePlan plan_;
  std::unordered_map<const VariableState*, std::size_t> variable_index_;
  std::unordered_map<const VariableState*, int> old_value_;
  std::unordered_map<int, int> converted_from_;  // results of conversions of weights
};

}  // namespace

std::int64_t Value::bytes() const {
  std::int64_t n = byte_size(dtype);
  for (std::int64_t d : dims)
    n *= d;
  return n;
}

int StagePlan::root(int block) const {
  while (blocks[std::size_t(block)].kind == Block::Kind::merged)
    block = blocks[std::size_t(block)].index;
  return block;
}

void StagePlan::flatten() {
  for (int b = 0; b < int(blocks.size()); ++b) {
    const int last = root(b);
    for (int at = b; at != last;)
      at = std::exchange(blocks[std::size_t(at)].index, last);
  }
}

const rt::Kernel* kernel_of(const Graph& g, const Node& n) {
  const Types in = types_of(g, n.inputs);
  Types out;
  for (const Spec& s : n.outputs)
    out.push_back(s.dtype);
  return kernels::select(n.op->name().c_str(), n.op->id(), in, out);
}

bool is_tile_op(const Graph& g, const Node& n) {
  if (!n.is(Trait::elementwise) || n.outputs.size() != 1 || n.inputs.empty() ||
      n.inputs.size() > rt::kMaxOperands || n.is(Trait::view))
    return false;
  const rt::Kernel* k = kernel_of(g, n);
  return k && k->tile && k->run == rt::run_elementwise;
}

bool is_static_node(const Graph& g, const Node& n) {
  switch (n.kind) {
    case Kind::constant:
    case Kind::read:
    case Kind::input:
    case Kind::output:
      return static_specs(g, n);
    case Kind::write:  // one of an unknown shape is checked when it happens, on the host
      return static_specs(g, n) && g.spec(n.inputs[0]).shape == n.outputs[0].shape;
    case Kind::op:
      return static_op(g, n);
    case Kind::region:
      return static_specs(g, n) &&
             std::all_of(
                 n.bodies[0]->nodes().begin(), n.bodies[0]->nodes().end(), [&](const Node& m) {
                   return m.kind != Kind::read && m.kind != Kind::write &&
                          is_static_node(*n.bodies[0], m);
                 });
    default:
      return false;
  }
}

StagePlan lower(const Graph& graph,
                std::span<const int> nodes,
                std::span<const Ref> inputs,
                std::span<const Ref> results,
                const PlanOptions& options) {
  return Lowering(graph, options).run(nodes, inputs, results);
}

}  // namespace weir::plan
