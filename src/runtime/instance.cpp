#include "runtime/instance.h"

#include <new>

namespace weir::rt {
namespace {

using namespace format;

constexpr std::size_t round_up(std::size_t n) {
  return (n + 7) / 8 * 8;
}

// What KernelCall::kernel of a tile program points to.
constexpr Kernel kOneTile{.op = "Region", .name = "tile", .run = run_tile};
constexpr Kernel kManyTiles{.op = "Region", .name = "tiles", .run = run_tiles};

bool is_tiles(const Kernel* k) {
  return k == &kOneTile || k == &kManyTiles;
}

/// A contraction's epilogue, as KernelCall points to it.
struct BoundEpilogue {
  Epilogue epilogue;
  TileEpilogue tiles;
};

/// Memory of the tile program of a step, its ops excepted.
std::size_t tiles_bytes(const Program& program, const Step& s) {
  if (s.tile_count == 0) return 0;
  const View out = program.view(program.values()[program.operands(s)[s.inputs]]);
  return tile_program_bytes(s.inputs, s.outputs, s.tile_count, out.rank) +
         (s.kernel != 0 ? round_up(sizeof(BoundEpilogue)) : 0);
}

struct ChainCount {
  std::size_t groups = 0, chains = 0;
};

/// Whether step `i` begins a group of steps that may run side by side.
bool begins_group(std::span<const Step> steps, std::size_t i) {
  return steps[i].chain == 1 && (i == 0 || steps[i - 1].chain != 1);
}

ChainCount count_chains(std::span<const Step> steps) {
  ChainCount n;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool first = begins_group(steps, i);
    n.groups += first;
    n.chains += first || (steps[i].chain > 0 && steps[i].chain != steps[i - 1].chain);
  }
  return n;
}

bool accepts(DType kernel, std::span<const View> views, std::size_t i) {
  return kernel == DType::invalid || i >= views.size() || views[i].dtype == kernel;
}

bool accepts(const Kernel& k, std::span<const View> in, std::span<const View> out) {
  return accepts(k.types[0], in, 0) && accepts(k.types[1], in, 1) && accepts(k.types[2], out, 0) &&
         accepts(k.types[3], out, 1);
}

}  // namespace

/// Steps that run one after the other, and how that went.
struct Instance::Chain {
  std::uint32_t first = 0, end = 0;
  std::uint32_t failed = 0;
  Status status;
  ErrorText error;
};

/// Chains that may run side by side.
struct Instance::Group {
  std::uint32_t first = 0, end = 0;
  Chain* chains = nullptr;
  std::uint32_t count = 0;
};

std::size_t Instance::table_bytes(const Program& program) {
  const std::size_t operands = program.operand_count(), slots = program.slots().size();
  std::size_t tiles = 0, bytes = 0;
  for (const Step& s : program.steps()) {
    tiles += s.tile_count;
    bytes += tiles_bytes(program, s);
  }
  const ChainCount n = count_chains(program.steps());
  return bytes + round_up(n.groups * sizeof(Group)) + round_up(n.chains * sizeof(Chain)) +
         round_up(sizeof(Instance)) + round_up(operands * sizeof(View)) +
         round_up(operands * sizeof(Patch)) +
         round_up(program.steps().size() * sizeof(KernelCall)) +
         round_up(program.attr_count() * sizeof(rt::Attr)) + round_up(slots * sizeof(void*)) +
         round_up((slots + 1) * sizeof(std::uint32_t)) + round_up(tiles * sizeof(TileOp));
}

/// Fills an instance, table by table.
class Instance::Binder {
 public:
  Binder(const Program& program,
         KernelLookup kernels,
         std::span<std::byte> tables,
         std::span<std::byte> arena)
      : p_(program), kernels_(kernels), next_(tables.data()), arena_(arena.data()) {}

  Result<Instance*> run() {
    me_ = new (take_bytes(sizeof(Instance))) Instance(p_);
    const std::size_t slots = p_.slots().size();
    me_->bound_ = take<void*>(slots);
    me_->patches_of_ = take<std::uint32_t>(slots + 1);
    me_->patches_ = take<Patch>(p_.operand_count());
    me_->calls_ = take<KernelCall>(p_.steps().size());
    place_groups();
    attrs_ = take<rt::Attr>(p_.attr_count());
    views_ = take<View>(p_.operand_count());
    for (std::size_t i = 0; i < p_.attr_count(); ++i)
      attrs_[i] = p_.attr(i);
    place_views();
    for (const Step& s : p_.steps()) {
      const Status status = bind_step(s, me_->calls_[me_->step_count_]);
      if (!status.ok()) {
        me_->destroy();
        return status;
      }
      ++me_->step_count_;
    }
    return me_;
  }

 private:
  void* take_bytes(std::size_t n) {
    void* p = next_;
    next_ += round_up(n);
    return p;
  }
  template <class T>
  T* take(std::size_t n) {
    T* p = static_cast<T*>(take_bytes(n * sizeof(T)));
    for (std::size_t i = 0; i < n; ++i)
      new (p + i) T{};
    return p;
  }

  /// Kernels that run at once must not write into one error text: each chain has its own.
  void place_groups() {
    const std::span<const Step> steps = p_.steps();
    const ChainCount n = count_chains(steps);
    me_->groups_ = take<Group>(n.groups);
    auto* chains = take<Chain>(n.chains);
    std::size_t groups = 0, placed = 0;
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
      me_->calls_[i].error = &me_->error_;
      if (steps[i].chain == 0) continue;
      const bool first = begins_group(steps, i);
      if (first) me_->groups_[groups++] = {i, i, chains + placed, 0};
      Group& group = me_->groups_[groups - 1];
      if (first || steps[i].chain != steps[i - 1].chain) {
        chains[placed++].first = i;
        ++group.count;
      }
      Chain& chain = chains[placed - 1];
      chain.end = group.end = i + 1;
      me_->calls_[i].error = &chain.error;
    }
    me_->group_count_ = std::uint32_t(n.groups);
  }

  /// All views, and the list of those that `bind` sets, sorted by slot.
  void place_views() {
    View* view = views_;
    for (const Step& s : p_.steps()) {
      for (std::uint32_t index : p_.operands(s))
        place(p_.values()[index], *view++);
    }
    for (std::size_t slot = 0; slot < p_.slots().size(); ++slot)
      me_->patches_of_[slot + 1] += me_->patches_of_[slot];
    view = views_;
    for (const Step& s : p_.steps()) {
      for (std::uint32_t index : p_.operands(s))
        add_patch(p_.values()[index], view++);
    }
    // add_patch has moved each start to the next slot's.
    for (std::size_t slot = p_.slots().size(); slot > 0; --slot)
      me_->patches_of_[slot] = me_->patches_of_[slot - 1];
    if (!p_.slots().empty()) me_->patches_of_[0] = 0;
  }
  void place(const Value& v, View& view) {
    view = p_.view(v);
    if (v.storage == Storage::arena) view.data = arena_ + v.offset;
    // Constants are never written: `open` has seen to it.
    if (v.storage == Storage::constant)
      view.data = const_cast<std::byte*>(p_.constants() + v.offset);
    if (v.storage == Storage::slot) ++me_->patches_of_[v.slot + 1];
  }
  void add_patch(const Value& v, View* view) {
    if (v.storage == Storage::slot) me_->patches_[me_->patches_of_[v.slot]++] = {view, v.offset};
  }

  Status bind_step(const Step& s, KernelCall& c) {
    c.in = views_ + s.operands;
    c.out = c.in + s.inputs;
    c.n_in = s.kernel != 0 ? s.root_inputs : s.inputs;
    c.n_out = s.kernel != 0 && s.tile_count > 0 ? std::uint16_t(1) : s.outputs;
    c.attrs = attrs_ + s.attrs;
    c.n_attrs = s.attr_count;
    c.workspace = s.workspace_bytes > 0 ? arena_ + s.workspace : nullptr;
    c.context = &me_->context_;
    if (s.tile_count > 0) {
      const Status status = bind_tile_program(s, c);
      if (!status.ok()) return status;
    }
    return s.kernel == 0 ? Status() : bind_kernel(s, c);
  }

  Status bind_kernel(const Step& s, KernelCall& c) {
    const Kernel* k = kernels_.find(kernels_.arg, s.kernel);
    if (!k || k->abi != kAbiVersion)
      return {Code::not_found, "the program needs a kernel that is not available here"};
    if (!accepts(*k, {c.in, c.n_in}, {c.out, c.n_out}) || (s.tile_count > 0 && !k->epilogue))
      return {Code::failed_precondition, "a kernel does not take the operands of its step"};
    c.kernel = k;
    c.packed = s.packed != kNone ? &s : nullptr;  // any, until the slot is bound
    const Needs needs = k->need ? k->need(c) : Needs{};
    c.packed = nullptr;
    if (needs.workspace > 0 && std::uint64_t(needs.workspace) > s.workspace_bytes)
      return {Code::failed_precondition,
              "a kernel needs a larger workspace than the program has for it"};
    if (s.packed != kNone &&
        (!k->pack || needs.packed_operand < 0 || needs.packed_operand >= c.n_in ||
         std::uint64_t(needs.packed_bytes) > p_.slots()[s.packed].bytes))
      return {Code::failed_precondition,
              "a kernel packs its operand in another way than the program expects"};
    if (k->prepare) c.state = k->prepare(c);
    return {};
  }

  /// The tile ops, in the registers' terms, and their walk over the result.
  Status bind_tile_program(const Step& s, KernelCall& c) {
    const auto tiles = p_.tiles(s);
    auto* ops = take<TileOp>(tiles.size());
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      if (!bind_tile(s, tiles, i, c, ops[i]))
        return {Code::not_found,
                "the program needs an element-wise kernel that is not available here"};
    }
    const std::span<const View> in(c.in, s.inputs), out(c.out, s.outputs);
    void* memory = take_bytes(tile_program_bytes(s.inputs, s.outputs, s.tile_count, out[0].rank));
    const TileProgram* program = bind_tiles({ops, tiles.size()}, in, out, memory, s.root_inputs);
    if (s.kernel != 0) {
      auto* e = take<BoundEpilogue>(1);
      e->tiles = {program, c.in, c.out};
      e->epilogue = {run_tile_epilogue, &e->tiles};
      c.epilogue = &e->epilogue;
    } else {
      c.kernel = tiles.size() == 1 && s.outputs == 1 ? &kOneTile : &kManyTiles;
      c.state = const_cast<TileProgram*>(program);  // run_tiles only reads it
    }
    return {};
  }
  bool bind_tile(const Step& s,
                 std::span<const Tile> tiles,
                 std::size_t index,
                 const KernelCall& c,
                 TileOp& op) {
    const Tile& t = tiles[index];
    const Kernel* k = kernels_.find(kernels_.arg, t.kernel);
    if (!k || !k->tile || k->abi != kAbiVersion) return false;
    op.fn = k->tile;
    op.kernel = t.kernel;
    op.attrs = attrs_ + t.attrs;
    op.type = DType(t.dtype);
    op.sources = t.sources;
    op.target = t.target;
    for (int i = 0; i < t.sources; ++i) {
      op.source[i] = t.source[i];
      const DType type = register_type(s, tiles.first(index), c, t.source[i]);
      if (i < 2 && k->types[i] != DType::invalid && k->types[i] != type) return false;
    }
    return k->types[2] == DType::invalid || k->types[2] == op.type;
  }
  /// Dtype of a register after the tiles so far.
  static DType register_type(const Step& s,
                             std::span<const Tile> before,
                             const KernelCall& c,
                             int r) {
    if (r < s.inputs + s.outputs) return c.in[r].dtype;
    for (std::size_t i = before.size(); i-- > 0;) {
      if (before[i].target == r) return DType(before[i].dtype);
    }
    return DType::invalid;
  }

  const Program& p_;
  KernelLookup kernels_;
  std::byte* next_;
  std::byte* arena_;
  Instance* me_ = nullptr;
  rt::Attr* attrs_ = nullptr;
  View* views_ = nullptr;
};

Result<Instance*> Instance::create(const Program& program,
                                   KernelLookup kernels,
                                   std::span<std::byte> tables,
                                   std::span<std::byte> arena) {
  const auto address = [](std::span<std::byte> s) {
    return reinterpret_cast<std::uintptr_t>(s.data());
  };
  if (tables.size() < table_bytes(program) || address(tables) % alignof(std::uint64_t) != 0)
    return Status(Code::invalid_argument, "the memory for the tables is too small or not aligned");
  if (arena.size() < program.arena_bytes() || address(arena) % kAlignment != 0)
    return Status(Code::invalid_argument, "the arena is too small or not aligned");
  return Binder(program, kernels, tables, arena).run();
}

void Instance::destroy() {
  for (std::uint32_t i = 0; i < step_count_; ++i) {
    const KernelCall& c = calls_[i];
    if (!is_tiles(c.kernel) && c.kernel->release && c.state) c.kernel->release(c.state);
  }
  step_count_ = 0;
}

void Instance::bind(std::uint32_t slot, void* memory) {
  if (bound_[slot] == memory) return;
  bound_[slot] = memory;
  const Slot& s = program_.slots()[slot];
  if (s.kind == SlotKind::packed) {
    calls_[s.partner].packed = memory;
    return;
  }
  for (Patch *p = patches_ + patches_of_[slot], *end = patches_ + patches_of_[slot + 1]; p != end;
       ++p)
    p->view->data = static_cast<std::byte*>(memory) + p->offset;
}

Status Instance::pack(std::uint32_t slot) {
  const std::uint32_t step = program_.slots()[slot].partner;
  failed_step_ = step;
  const Status status = calls_[step].kernel->pack(calls_[step], bound_[slot]);
  if (!status.ok()) error_ = *calls_[step].error;
  return status;
}

Status Instance::run(const RunContext& context) {
  context_ = context;
  error_.text[0] = 0;
  if (context.profiler || context.cancelled || group_count_ > 0) return run_watched();
  for (const KernelCall *c = calls_, *end = calls_ + step_count_; c != end; ++c) {
    const Status status = c->kernel->run(*c);
    if (status.ok()) continue;
    failed_step_ = std::uint32_t(c - calls_);
    return status;
  }
  return {};
}

Status Instance::run_watched() {
  const Group *group = groups_, *last = groups_ + group_count_;
  for (failed_step_ = 0; failed_step_ < step_count_;) {
    if (context_.cancelled && context_.cancelled(context_.host))
      return {Code::cancelled, "the run was cancelled"};
    const bool grouped = group != last && group->first == failed_step_;
    const Status status = grouped ? run_group(*group) : run_step(failed_step_);
    if (!status.ok()) return status;
    failed_step_ = grouped ? (group++)->end : failed_step_ + 1;
  }
  return {};
}

Status Instance::run_step(std::uint32_t step) const {
  const StepHook* hook = context_.profiler;
  if (hook && hook->begin) hook->begin(hook->arg, step);
  const KernelCall& c = calls_[step];
  const Status status = c.kernel->run(c);
  if (hook && hook->end) hook->end(hook->arg, step);
  return status;
}

void Instance::run_chain(Chain& chain) const {
  chain.error.text[0] = 0;
  chain.status = {};
  for (chain.failed = chain.first; chain.failed < chain.end; ++chain.failed) {
    chain.status = run_step(chain.failed);
    if (!chain.status.ok()) return;
  }
}

/// The failure that is reported is that of the first step in program order, whatever ran first.
Status Instance::run_group(const Group& group) {
  struct Job {
    const Instance* me;
    Chain* chains;
  } job{this, group.chains};
  const auto run = [](void* arg, std::int64_t i) {
    const Job& j = *static_cast<Job*>(arg);
    j.me->run_chain(j.chains[i]);
  };
  if (context_.parallel_for) {
    context_.parallel_for(context_.host, group.count, run, &job);
  } else {
    for (std::uint32_t i = 0; i < group.count; ++i)
      run(&job, i);
  }
  for (std::uint32_t i = 0; i < group.count; ++i) {
    const Chain& c = group.chains[i];
    if (c.status.ok()) continue;
    failed_step_ = c.failed;
    error_ = c.error;
    return c.status;
  }
  return {};
}

const Kernel* Instance::kernel(std::uint32_t step) const {
  return is_tiles(calls_[step].kernel) ? nullptr : calls_[step].kernel;
}

}  // namespace weir::rt
