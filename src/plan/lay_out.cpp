/// Which block is what, who overwrites whom, and what lies where in the arena.
#include <algorithm>

#include "plan/arena.h"
#include "plan/chains.h"
#include "plan/stage.h"

namespace weir::plan {
namespace {

using Kind = Block::Kind;

class Layout {
 public:
  Layout(StagePlan& plan, const PlanOptions& options) : p_(plan), options_(options) {}

  void run() {
    find_lifetimes();
    for (int v : p_.result_values)
      escape(v);
    for (VariableUse& use : p_.variables)
      keep_earlier(use);
    for (std::size_t i = 0; i < p_.variables.size(); ++i)
      place_update(int(i));
    if (options_.side_by_side) find_chains(p_);
    find_groups();
    for (VariableUse& use : p_.variables)
      use.in_place = options_.in_place && use.direct && may_overwrite(use);
    if (options_.in_place) {
      for (int s = 0; s < int(p_.steps.size()); ++s)
        reuse_operands(s);
      p_.flatten();
    }
    for (PlannedStep& step : p_.steps)
      keep_packing(step);
    place_temporaries();
  }

 private:
  void find_lifetimes() {
    for (int s = 0; s < int(p_.steps.size()); ++s) {
      const PlannedStep& step = p_.steps[std::size_t(s)];
      for (int v : step.inputs)
        p_.block_of(v).last = s;
      for (int v : step.outputs)
        p_.block_of(v).first = p_.block_of(v).last = s;
    }
  }

  /// The group of each step: of one that runs alone, that step.
  void find_groups() {
    const int n = int(p_.steps.size());
    for (int s = 0; s < n;) {
      int end = s + 1;
      for (int c = chain(s); c > 0 && end < n && chain(end) >= c; ++end)
        c = chain(end);
      groups_.insert(groups_.end(), std::size_t(end - s), {s, end - 1});
      s = end;
    }
  }
  int chain(int s) const { return p_.steps[std::size_t(s)].chain; }
  /// A step that runs beside `s` uses the block.
  bool used_beside(int s, int block) const {
    if (chain(s) == 0) return false;
    const Group g = groups_[std::size_t(s)];
    for (int other = g.first; other <= g.last; ++other) {
      if (chain(other) == chain(s)) continue;
      const PlannedStep& step = p_.steps[std::size_t(other)];
      const auto in_block = [&](int v) { return p_.root(p_.value(v).block) == block; };
      if (std::any_of(step.inputs.begin(), step.inputs.end(), in_block) ||
          std::any_of(step.outputs.begin(), step.outputs.end(), in_block))
        return true;
    }
    return false;
  }

  /// A result in temporary memory gets memory of its own.
  void escape(int value) {
    Block& b = p_.block_of(value);
    if (b.kind == Kind::temporary) b.kind = Kind::output;
  }

  /// Values of earlier writes live on if a step before the next write can fail.
  void keep_earlier(VariableUse& use) {
    std::vector<EarlierWrite> kept;
    for (std::size_t i = 0; i < use.earlier.size(); ++i) {
      const bool last = i + 1 == use.earlier.size();
      const int next = last ? use.write_step : use.earlier[i + 1].step;
      const auto steps = p_.steps.begin();
      if (!std::all_of(steps + use.earlier[i].step, steps + next, is_infallible))
        kept.push_back(use.earlier[i]);
    }
    use.earlier = std::move(kept);
    for (const EarlierWrite& w : use.earlier)
      escape(w.value);
  }

  bool is_whole(int value) const {
    return p_.value(value).offset == 0 && p_.value(value).bytes() == p_.block_of(value).bytes;
  }

  /// What a variable ends up with is its own block if a step makes it; else the variable shares it,
  /// as eagerly.
  void place_update(int variable) {
    VariableUse& use = p_.variables[std::size_t(variable)];
    if (use.written < 0) return;
    Block& b = p_.block_of(use.written);
    use.direct = is_whole(use.written) && b.first >= 0 &&
                 (b.kind == Kind::temporary || b.kind == Kind::output);
    if (!use.direct) return escape(use.written);
    b.kind = Kind::update;
    b.index = variable;
  }

  /// A step that cannot fail once the program is bound.
  static bool is_infallible(const PlannedStep& step) {
    return step.is_tiles() || step.node->is(Trait::contraction) || step.node->is(Trait::reduction);
  }
  /// The new value may be written over the old one: nobody reads the old value later, and no
  /// failure can come between the first change and the write.
  bool may_overwrite(const VariableUse& use) const {
    const Block& b = p_.block_of(use.written);
    for (int s = b.first; s < use.write_step; ++s) {
      if (!is_infallible(p_.steps[std::size_t(s)])) return false;
    }
    if (use.block < 0) return true;
    const Block& old = p_.blocks[std::size_t(use.block)];
    if (escapes(use.block)) return false;
    return old.last < b.first ||
           (old.last == b.first && may_take_over(b.first, use.written, use.block));
  }
  bool escapes(int block) const {
    const auto in_block = [&](int v) { return v >= 0 && p_.root(p_.value(v).block) == block; };
    return std::any_of(p_.result_values.begin(), p_.result_values.end(), in_block) ||
           std::any_of(p_.variables.begin(), p_.variables.end(), [&](const VariableUse& u) {
             return in_block(u.written) ||
                    std::any_of(u.earlier.begin(), u.earlier.end(), [&](const EarlierWrite& w) {
                      return in_block(w.value);
                    });
           });
  }

  /// Step s may write output value `out` over block `block`, of which it is the last reader: every
  /// operand in the block is all of it, walks it as the output does, and is not read after the
  /// output has been written. A kernel that is not element-wise promises so for one operand only:
  /// scattering into `t` the rows of `t` must not read what it has written.
  bool may_take_over(int s, int out, int block) const {
    const PlannedStep& step = p_.steps[std::size_t(s)];
    const int shared = step.is_tiles() ? -1 : shared_input(step, out);
    if (!step.is_tiles() && (shared < 0 || block_of(step, std::size_t(shared)) != block))
      return false;
    const bool any_operand = step.is_tiles() || step.node->is(Trait::elementwise);
    const Value& o = p_.value(out);
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (block_of(step, i) != block) continue;
      if (!any_operand && int(i) != shared) return false;
      const Value& v = p_.value(step.inputs[i]);
      if (v.offset != 0 || v.dims != o.dims || byte_size(v.dtype) != byte_size(o.dtype))
        return false;
      if (step.is_tiles() && read_after_write(step, int(i), out)) return false;
    }
    return true;
  }
  int block_of(const PlannedStep& step, std::size_t input) const {
    return p_.root(p_.value(step.inputs[input]).block);
  }
  /// The input in whose memory this output may be, as the op's definition says; -1: none.
  static int shared_input(const PlannedStep& step, int out) {
    if (!step.tiles.empty() || !step.node->op) return -1;
    const auto o = std::find(step.outputs.begin(), step.outputs.end(), out) - step.outputs.begin();
    return step.node->op->shared_input(int(o));
  }
  static bool read_after_write(const PlannedStep& step, int input, int out) {
    const auto o = std::find(step.outputs.begin(), step.outputs.end(), out) - step.outputs.begin();
    const auto target = std::uint8_t(step.inputs.size() + std::size_t(o));
    bool written = false;
    for (const PlannedTile& t : step.tiles) {
      const bool reads =
          std::find(t.sources.begin(), t.sources.end(), std::uint8_t(input)) != t.sources.end();
      if (written && reads) return true;
      written = written || t.target == target;
    }
    return false;
  }

  void reuse_operands(int s) {
    const PlannedStep& step = p_.steps[std::size_t(s)];
    for (int out : step.outputs) {
      const Block& o = p_.block_of(out);
      if (o.kind == Kind::update && p_.variables[std::size_t(o.index)].in_place) continue;
      if (o.first != s) continue;  // has taken over an operand already
      for (int in : step.inputs) {
        const Block& b = p_.block_of(in);
        if (b.kind != Kind::temporary || b.last != s || !is_whole(in) || b.bytes != o.bytes ||
            is_output(step, in))
          continue;
        const int block = p_.root(p_.value(in).block);
        if (!may_take_over(s, out, block) || used_beside(s, block)) continue;
        merge(p_.root(p_.value(out).block), block);
        break;
      }
    }
  }
  /// Another output has taken over the memory of value `v`.
  bool is_output(const PlannedStep& step, int v) const {
    const int block = p_.root(p_.value(v).block);
    return std::any_of(step.outputs.begin(), step.outputs.end(), [&](int o) {
      return p_.root(p_.value(o).block) == block;
    });
  }
  /// The two blocks become one, which is what the output is.
  void merge(int out, int in) {
    Block& o = p_.blocks[std::size_t(out)];
    Block& i = p_.blocks[std::size_t(in)];
    o.first = i.first;
    i.kind = Kind::merged;
    i.index = out;
  }

  /// A variable that the stage writes is never packed.
  void keep_packing(PlannedStep& step) {
    if (step.packed_input < 0) return;
    const Block& b = p_.block_of(step.inputs[std::size_t(step.packed_input)]);
    if (b.kind != Kind::variable || p_.variables[std::size_t(b.index)].written < 0) return;
    step.packed_input = -1;
    step.workspace = step.plain_workspace;
  }

  /// What a step of a group uses is in use as long as the group runs.
  Lifetime lifetime(std::int64_t bytes, int first, int last) const {
    return {bytes, groups_[std::size_t(first)].first, groups_[std::size_t(last)].last};
  }

  void place_temporaries() {
    std::vector<Lifetime> lives;
    std::vector<std::int64_t*> offsets;
    for (Block& b : p_.blocks) {
      if (b.kind != Kind::temporary || b.first < 0) continue;
      lives.push_back(lifetime(b.bytes, b.first, b.last));
      offsets.push_back(&b.offset);
    }
    for (int s = 0; s < int(p_.steps.size()); ++s) {
      lives.push_back(lifetime(p_.steps[std::size_t(s)].workspace, s, s));
      offsets.push_back(&p_.steps[std::size_t(s)].workspace_offset);
    }
    p_.arena_bytes = place(lives);
    for (std::size_t i = 0; i < lives.size(); ++i)
      *offsets[i] = lives[i].offset;
  }

  struct Group {
    int first, last;
  };

  StagePlan& p_;
  const PlanOptions& options_;
  std::vector<Group> groups_;  // by step
};

}  // namespace

void lay_out(StagePlan& plan, const PlanOptions& options) {
  Layout(plan, options).run();
}

}  // namespace weir::plan
