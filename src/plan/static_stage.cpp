#include "plan/static_stage.h"

#include <algorithm>
#include <atomic>
#include <functional>

#include "dispatch/call.h"
#include "plan/step_label.h"
#include "tensor/host_context.h"
#include "tensor/variable_state.h"

namespace weir::plan {
namespace {

/// Larger constants stay where they are and are bound to slots.
constexpr std::int64_t kEmbedLimit = 4096;

rt::Program open_written(const StageProgram& written) {
  const auto program = rt::Program::open(written.blob, rt::Program::Checksum::skip);
  if (program.ok()) return *program;
  throw Error(
      {Code::internal,
       std::string("the planner wrote a program that does not open: ") + program.status().message(),
       {},
       {},
       {},
       {}});
}

/// A tensor that is `spec` at `offset` of the memory of `base`.
Tensor part_of(const Tensor& base, bool whole, const Spec& spec, std::int64_t offset) {
  return whole ? base : TensorImpl::view(base, spec.shape, offset);
}

}  // namespace

StaticStage::StaticStage(std::shared_ptr<const graph::Graph> graph, StagePlan plan)
    : graph_(std::move(graph)),
      plan_(std::move(plan)),
      program_(write_stage(*graph_, plan_, kEmbedLimit)),
      opened_(open_written(program_)) {
  // The fresh tensor has the spec of the last value that is all of the block: operands that it was
  // written over may have had another dtype.
  std::vector<int> owner(plan_.blocks.size());
  for (int v = 0; v < int(plan_.values.size()); ++v) {
    const int block = plan_.root(plan_.value(v).block);
    const bool whole = plan_.value(v).offset == 0 &&
                       plan_.value(v).bytes() == plan_.blocks[std::size_t(block)].bytes;
    if (whole) owner[std::size_t(block)] = v;
  }
  std::vector<int> output_of(plan_.blocks.size());
  for (const auto& s : program_.outputs) {
    output_of[std::size_t(s.block)] = int(outputs_.size());
    outputs_.push_back({s.slot, spec_of(owner[std::size_t(s.block)])});
  }
  for (std::size_t b = 0; b < plan_.blocks.size(); ++b) {
    if (plan_.blocks[b].kind == Block::Kind::output) plan_.blocks[b].index = output_of[b];
  }
  add_variables();
  for (int v : plan_.result_values) {
    const Source s = source_of(v);
    if (s.kind == Block::Kind::output && s.whole)
      outputs_[std::size_t(s.index)].result = int(results_.size());
    results_.push_back(s);
  }
  for (const auto& p : program_.packs) {
    const Block& b = plan_.blocks[std::size_t(p.block)];
    packs_.push_back(
        {p.slot,
         p.bytes,
         b.kind == Block::Kind::variable ? variable_order_[std::size_t(b.index)] : -1});
  }
  pack_cache_.newest.resize(packs_.size());
}

Spec StaticStage::spec_of(int value) const {
  const Value& v = plan_.value(value);
  return {v.dtype, Shape(v.dims)};
}

StaticStage::Source StaticStage::source_of(int value) const {
  const int block = plan_.root(plan_.value(value).block);
  const Block& b = plan_.blocks[std::size_t(block)];
  Source s{b.kind, b.index, false, plan_.value(value).offset, spec_of(value)};
  Spec own = s.spec;
  if (b.kind == Block::Kind::output) own = outputs_[std::size_t(b.index)].spec;
  if (b.kind == Block::Kind::input) own = graph_->spec(plan_.inputs[std::size_t(b.index)]);
  if (b.kind == Block::Kind::constant) {
    const Tensor& t = plan_.constants[std::size_t(b.index)];
    own = {t.dtype(), t.shape()};
  }
  if (b.kind == Block::Kind::variable || b.kind == Block::Kind::update) {
    s.index = variable_order_[std::size_t(b.index)];
    own = variables_[std::size_t(s.index)].spec;
  }
  s.whole = s.offset == 0 && own.shape == s.spec.shape;
  return s;
}

void StaticStage::add_variables() {
  std::vector<int> order;
  for (int i = 0; i < int(plan_.variables.size()); ++i)
    order.push_back(i);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    return std::less<>{}(plan_.variables[std::size_t(a)].state.get(),
                         plan_.variables[std::size_t(b)].state.get());
  });
  variable_order_.resize(order.size());
  for (int i : order) {
    const VariableUse& use = plan_.variables[std::size_t(i)];
    variable_order_[std::size_t(i)] = int(variables_.size());
    VariableSlots v;
    v.state = use.state;
    v.spec = {use.state->dtype(), use.state->shape()};
    v.written = use.written >= 0;
    v.in_place = use.in_place;
    if (v.written &&
        plan_.value(use.written).bytes() != v.spec.shape.size() * byte_size(v.spec.dtype))
      throw Error(
          {Code::internal,
           "the plan writes another number of bytes than variable '" + use.state->name + "' has",
           {},
           spec_of(use.written).describe(),
           v.spec.describe(),
           {}});
    v.write_step = use.write_step;
    if (use.direct) v.first_change = plan_.block_of(use.written).first;
    for (const auto& s : program_.variables) {
      if (plan_.blocks[std::size_t(s.block)].index == i) v.read = s.slot;
    }
    for (const auto& s : program_.updates) {
      if (plan_.blocks[std::size_t(s.block)].index == i) v.write = s.slot;
    }
    variables_.push_back(std::move(v));
  }
  for (int i : order) {
    const VariableUse& use = plan_.variables[std::size_t(i)];
    VariableSlots& v = variables_[std::size_t(variable_order_[std::size_t(i)])];
    if (use.written >= 0 && !use.direct) v.source = source_of(use.written);
    for (const EarlierWrite& w : use.earlier)
      v.earlier.push_back({source_of(w.value), w.step});
  }
}

/// What the allocator is asked for: small elements live with their header.
std::int64_t StaticStage::result_bytes() const {
  const auto asked = [](std::int64_t bytes) {
    return bytes <= TensorImpl::kInlineBytes ? 0 : bytes;
  };
  std::int64_t n = 0;
  for (const auto& s : program_.outputs)
    n += asked(plan_.blocks[std::size_t(s.block)].bytes);
  for (const auto& s : program_.updates) {
    const Block& b = plan_.blocks[std::size_t(s.block)];
    if (!plan_.variables[std::size_t(b.index)].in_place) n += asked(b.bytes);
  }
  return n;
}

std::int64_t StaticStage::packed_bytes() const {
  std::int64_t n = 0;
  for (const Pack& p : packs_)
    n += p.bytes;
  return n;
}

std::shared_ptr<const StageLabels> StaticStage::labels() const {
  std::call_once(labelled_, [this] {
    auto all = std::make_shared<StageLabels>();
    for (const PlannedStep& step : plan_.steps)
      all->steps.push_back(label_of(plan_, step));
    for (const auto& p : program_.packs) {
      profile::Label label = all->steps[std::size_t(p.step)];
      label.category = profile::Category::pack;
      label.flops = 0;
      label.bytes = double(plan_.blocks[std::size_t(p.block)].bytes + p.bytes);
      label.nodes.clear();
      all->packs.push_back(std::move(label));
    }
    all->run.category = profile::Category::run;
    all->run.name = graph_->name();
    labels_ = std::move(all);
  });
  return labels_;
}

/// One call. Variables that the program writes are locked for its whole time, the others while
/// their values are taken.
class StaticStage::Run {
 public:
  Run(const StaticStage& stage,
      std::span<const Tensor* const> inputs,
      const RunOptions& options,
      int first_step)
      : s_(stage),
        inputs_(inputs),
        options_(options),
        first_step_(first_step),
        lease_(stage.pool_, stage.opened_),
        outputs_(stage.outputs_.size()),
        held_(stage.variables_.size()) {
    if (!profile::active()) return;
    labels_ = stage.labels();
    begun_ = profile::now();
  }

  ~Run() {
    for (std::size_t i = 0; i < held_.size(); ++i)
      unlock(i);
    if (labels_)
      profile::record(StageLabels::pointer(labels_, labels_->run), begun_, profile::now());
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void run(std::span<Tensor> results) {
    bind_inputs();
    bind_outputs(results);
    if (!held_.empty()) bind_variables();
    const Status packed = s_.packs_.empty() ? Status() : bind_packed();
    const Status status = packed.ok() ? execute() : packed;
    const int end = status.ok()   ? int(s_.plan_.steps.size())
                    : packed.ok() ? int(instance().failed_step())
                                  : -1;
    if (status.ok()) {
      for (std::size_t i = 0; i < results.size(); ++i)
        results[i] = tensor_of(s_.results_[i]);
    }
    commit(end);
    if (!status.ok()) fail(status);
  }

 private:
  struct Held {
    Tensor old;    // the value when the run started, if the run needs it beyond the lock
    Tensor fresh;  // memory of the new value, unless it is written in place
    std::uint64_t version = 0;
    bool locked = false;
  };

  rt::Instance& instance() { return (*lease_).instance(); }

  void bind_inputs() {
    // Kernels only read their inputs: Program::open has seen to it.
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      instance().bind(std::uint32_t(i), inputs_[i]->impl()->data());
    for (const auto& c : s_.program_.constants) {
      const int index = s_.plan_.blocks[std::size_t(c.block)].index;
      instance().bind(c.slot, s_.plan_.constants[std::size_t(index)].impl()->data());
    }
  }
  void bind_outputs(std::span<Tensor> results) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Fresh& o = s_.outputs_[i];
      if (options_.reuse_results && o.result >= 0 &&
          reusable(results[std::size_t(o.result)], o.spec))
        outputs_[i] = std::move(results[std::size_t(o.result)]);
      else
        outputs_[i] = TensorImpl::concrete(o.spec.dtype, o.spec.shape);
      instance().bind(o.slot, outputs_[i].impl()->data());
    }
  }
  /// The memory may become the result's: nobody else sees it.
  static bool reusable(const Tensor& t, const Spec& spec) {
    if (!t.defined()) return false;
    TensorImpl& p = *t.impl();
    const bool fits = !p.is_symbolic() && p.unique() && (!p.buffer() || p.buffer()->owned) &&
                      p.dtype() == spec.dtype &&
                      std::ranges::equal(p.shape().dims(), spec.shape.dims());
    if (!fits) return false;
    p.forget_id();
    if (p.buffer()) p.buffer()->forget_packed();
    return true;
  }

  void unlock(std::size_t i) {
    if (!held_[i].locked) return;
    held_[i].locked = false;
    s_.variables_[i].state->mutex.unlock();
  }
  void bind_variables() {
    for (std::size_t i = 0; i < held_.size(); ++i) {
      s_.variables_[i].state->mutex.lock();
      held_[i].locked = true;
    }
    for (std::size_t i = 0; i < held_.size(); ++i)
      take(s_.variables_[i], held_[i]);
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (!s_.variables_[i].written) unlock(i);
    }
  }
  void take(const VariableSlots& v, Held& h) {
    h.version = v.state->version();
    const Tensor& value = v.state->value_locked();
    // A cancelled run must not have changed a variable whose write it did not reach.
    const bool may_stop_between = options_.cancel && v.first_change + 1 < v.write_step;
    const bool over = v.in_place && value.impl()->unique() && !may_stop_between;
    if (over && value.impl()->buffer()) value.impl()->buffer()->forget_packed();
    if (v.read != rt::format::kNone) instance().bind(v.read, value.impl()->data());
    if (v.write != rt::format::kNone) {
      if (!over) h.fresh = TensorImpl::concrete(v.spec.dtype, v.spec.shape);
      instance().bind(v.write, over ? value.impl()->data() : h.fresh.impl()->data());
    }
    if (!over) h.old = value;
  }

  /// Packs what has changed since this instance, or another of the stage, packed it.
  Status bind_packed() {
    Worker& worker = *lease_;
    worker.packed.resize(s_.packs_.size());
    for (std::size_t i = 0; i < s_.packs_.size(); ++i) {
      const Pack& p = s_.packs_[i];
      const std::uint64_t version = p.variable < 0 ? 1 : held_[std::size_t(p.variable)].version;
      if (worker.packed[i].version == version) continue;
      const std::int64_t begun = labels_ ? profile::now() : 0;
      const Status status = pack(p, version, worker.packed[i], s_.pack_cache_.newest[i]);
      if (labels_)
        profile::record(StageLabels::pointer(labels_, labels_->packs[i]), begun, profile::now());
      if (!status.ok()) return status;
    }
    return {};
  }
  Status pack(const Pack& p, std::uint64_t version, PackedOperand& mine, PackedOperand& newest) {
    std::lock_guard lock(s_.pack_cache_.mutex);
    mine = {};
    if (newest.version != version) {
      newest.version = 0;  // until it is complete
      if (!newest.memory || newest.memory.use_count() > 1)
        newest.memory = std::make_shared<OwnedBuffer>(p.bytes);
      instance().bind(p.slot, newest.memory->data());
      const Status status = instance().pack(p.slot);
      if (!status.ok()) return status;
      newest.version = version;
    }
    mine = newest;
    instance().bind(p.slot, mine.memory->data());
    return {};
  }

  Status execute() {
    rt::RunContext context = tensor::host_context();
    if (options_.cancel) {
      context.host = const_cast<std::atomic<bool>*>(options_.cancel);
      context.cancelled = [](void* flag) {
        return static_cast<const std::atomic<bool>*>(flag)->load();
      };
    }
    if (!options_.observer && !labels_) return instance().run(context);
    StepRecorder recorder(labels_, options_.observer, first_step_);
    context.profiler = &recorder.hook();
    return instance().run(context);
  }

  Tensor base(const Source& source) const {
    const auto i = std::size_t(source.index);
    switch (source.kind) {
      case Block::Kind::input:
        return *inputs_[i];
      case Block::Kind::constant:
        return s_.plan_.constants[i];
      case Block::Kind::output:
        return outputs_[i];
      case Block::Kind::variable:
        return held_[i].old;
      default:  // update
        return held_[i].fresh.defined() ? held_[i].fresh : s_.variables_[i].state->value_locked();
    }
  }
  Tensor tensor_of(const Source& s) const { return part_of(base(s), s.whole, s.spec, s.offset); }

  /// Makes the writes before step `end` visible. What is written in place has changed with its
  /// first step.
  void commit(int end) {
    for (std::size_t i = 0; i < held_.size(); ++i) {
      const VariableSlots& v = s_.variables_[i];
      if (!v.written) continue;
      const bool in_place = v.write != rt::format::kNone && !held_[i].fresh.defined();
      if (in_place && v.first_change < end) {
        v.state->touch_locked();
      } else if (!in_place && v.write_step <= end) {
        v.state->set_locked(v.write == rt::format::kNone ? tensor_of(v.source) : held_[i].fresh);
      } else {
        commit_earlier(v, end);
      }
    }
  }

  void commit_earlier(const VariableSlots& v, int end) {
    const auto last = std::find_if(
        v.earlier.rbegin(), v.earlier.rend(), [&](const auto& w) { return w.step <= end; });
    if (last != v.earlier.rend()) v.state->set_locked(tensor_of(last->source));
  }

  [[noreturn]] void fail(Status status) {
    const std::uint32_t step = instance().failed_step();
    const graph::Node& node = *s_.plan_.steps[step].node;
    const char* text = instance().error_text();
    dispatch::fail(
        *node.op, node.where, text[0] ? text : status.message(), {}, {}, {}, status.code());
  }

  const StaticStage& s_;
  std::span<const Tensor* const> inputs_;
  const RunOptions& options_;
  int first_step_;
  Lease lease_;
  base::SmallVector<Tensor, 4> outputs_;
  base::SmallVector<Held, 4> held_;
  std::shared_ptr<const StageLabels> labels_;  // null: nobody profiles
  std::int64_t begun_ = 0;
};

void StaticStage::run(std::span<const Tensor* const> inputs,
                      std::span<Tensor> results,
                      const RunOptions& options,
                      int first_step) const {
  Run(*this, inputs, options, first_step).run(results);
}

}  // namespace weir::plan
