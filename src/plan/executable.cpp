#include "plan/executable.h"

#include <algorithm>
#include <unordered_map>

#include "dispatch/handler.h"
#include "graph/replay.h"
#include "plan/control_stage.h"
#include "plan/partition.h"
#include "plan/static_stage.h"
#include "tensor/profile.h"
#include "tensor/specs.h"

namespace weir::plan {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Ref;

[[noreturn]] void fail_input(const Graph& g,
                             std::size_t i,
                             const std::string& got,
                             const std::string& expected) {
  throw Error({Code::invalid_argument,
               "run of '" + g.name() + "': input " + std::to_string(i) + " does not fit",
               {},
               got,
               expected,
               {}});
}

bool fits(const TensorImpl& t, const Spec& s) {
  return !t.is_symbolic() && tensor::fits(t.spec(), s);
}

/// Nodes that are replayed eagerly.
struct HostStage {
  std::shared_ptr<Graph> graph;

  const graph::Node& first() const {
    const auto own = [](const graph::Node& n) {
      return n.kind != Kind::input && n.kind != Kind::constant;
    };
    return *std::find_if(graph->nodes().begin(), graph->nodes().end(), own);
  }

  void run(std::span<const Tensor* const> inputs, std::span<Tensor> results) const {
    std::vector<Tensor> arguments;
    for (const Tensor* t : inputs)
      arguments.push_back(*t);
    dispatch::PauseRecording pause;
    dispatch::HandlerScope eager(dispatch::default_handler());
    std::vector<Tensor> values = graph::replay(*graph, arguments);
    std::move(values.begin(), values.end(), results.begin());
  }
};

/// A stage and where, among all values that pass between stages, its inputs and results are.
struct Stage {
  std::unique_ptr<StaticStage> planned;
  std::unique_ptr<ControlStage> control;
  HostStage host;  // neither of them
  std::vector<int> inputs;
  std::vector<int> results;
  int first_step = 0;

  const graph::Node& first() const { return control ? control->node() : host.first(); }
  int steps() const { return planned ? int(planned->plan().steps.size()) : 1; }
  void run(std::span<const Tensor* const> in,
           std::span<Tensor> out,
           const RunOptions& options) const {
    if (planned) return planned->run(in, out, options, first_step);
    if (options.cancel && options.cancel->load())
      throw Error({Code::cancelled, "the run was cancelled", {}, {}, {}, {}});
    if (options.observer) options.observer->begin(first_step);
    const profile::Span span(profile::Category::stage, first().name);
    if (control)
      control->run(in, out, options);
    else
      host.run(in, out);
    if (options.observer) options.observer->end(first_step);
  }
};

class Plan final : public Executable {
 public:
  Plan(std::shared_ptr<const Graph> graph, const PlanOptions& options)
      : graph_(std::move(graph)), options_(options) {
    for (int i : graph_->inputs)
      number({i, 0});
    for (const StageNodes& nodes : partition(*graph_))
      add_stage(nodes);
    for (Ref r : graph_->outputs)
      outputs_.push_back(number(r));
    for (std::size_t i = 0; i < graph_->inputs.size(); ++i)
      input_specs_.push_back(&graph_->spec({graph_->inputs[i], 0}));
    direct_ = stages_.size() == 1 && stages_[0].results == outputs_ && !has_constants_;
  }

  void run_into(std::span<const Tensor> inputs,
                std::span<Tensor> results,
                const RunOptions& options) const override {
    check(inputs, results);
    if (direct_) return run_one(inputs, results, options);
    std::vector<Tensor> values = constants_;
    std::copy(inputs.begin(), inputs.end(), values.begin());
    for (const Stage& s : stages_)
      run_stage(s, values, options);
    for (std::size_t i = 0; i < results.size(); ++i)
      results[i] = values[std::size_t(outputs_[i])];
  }

  const Graph& graph() const override { return *graph_; }
  bool is_static() const override { return stages_.size() == 1 && stages_[0].planned; }
  int kernels_per_call() const override {
    int n = 0;
    for (const Stage& s : stages_)
      n += s.planned ? s.steps() : 0;
    return n;
  }
  std::int64_t peak_bytes() const override;
  std::vector<StepInfo> steps() const override;
  std::vector<StageInfo> stages() const override;
  std::vector<std::byte> program() const override;

 private:
  using Pointers = base::SmallVector<const Tensor*, 8>;

  int number(Ref r) {
    const auto [it, fresh] = numbers_.try_emplace(
        std::uint64_t(r.node) << 32 | std::uint64_t(r.output), int(constants_.size()));
    if (!fresh) return it->second;
    const graph::Node& n = graph_->node(r.node);
    constants_.push_back(n.kind == Kind::constant ? n.value : Tensor());
    has_constants_ = has_constants_ || n.kind == Kind::constant;
    return it->second;
  }

  void add_stage(const StageNodes& nodes) {
    Stage s;
    if (nodes.kind == StageNodes::Kind::host) {
      s.host.graph = extract(*graph_, nodes);
    } else if (nodes.kind == StageNodes::Kind::control) {
      s.control = std::make_unique<ControlStage>(graph_, nodes, options_);
    } else {
      StagePlan plan = lower(*graph_, nodes.nodes, nodes.inputs, nodes.results, options_);
      lay_out(plan, options_);
      s.planned = std::make_unique<StaticStage>(graph_, std::move(plan));
    }
    for (Ref r : nodes.inputs)
      s.inputs.push_back(number(r));
    for (Ref r : nodes.results)
      s.results.push_back(number(r));
    s.first_step = step_count_;
    step_count_ += s.steps();
    stages_.push_back(std::move(s));
  }

  void check(std::span<const Tensor> inputs, std::span<Tensor> results) const {
    if (inputs.size() != input_specs_.size())
      throw Error({Code::invalid_argument,
                   "run of '" + graph_->name() + "': wrong number of inputs",
                   {},
                   std::to_string(inputs.size()),
                   std::to_string(input_specs_.size()),
                   {}});
    if (results.size() != outputs_.size())
      throw Error({Code::internal,
                   "run of '" + graph_->name() + "': wrong number of results",
                   {},
                   std::to_string(results.size()),
                   std::to_string(outputs_.size()),
                   {}});
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].defined() && fits(*inputs[i].impl(), *input_specs_[i])) continue;
      fail_input(*graph_, i, inputs[i].describe(), input_specs_[i]->describe());
    }
  }

  void run_one(std::span<const Tensor> inputs,
               std::span<Tensor> results,
               const RunOptions& options) const {
    Pointers in;
    for (int i : stages_[0].inputs)
      in.push_back(&inputs[std::size_t(i)]);
    stages_[0].run(in, results, options);
  }
  static void run_stage(const Stage& s, std::vector<Tensor>& values, const RunOptions& options) {
    Pointers in;
    for (int i : s.inputs)
      in.push_back(&values[std::size_t(i)]);
    base::SmallVector<Tensor, 8> out(s.results.size());
    s.run(in, out, options);
    for (std::size_t i = 0; i < out.size(); ++i)
      values[std::size_t(s.results[i])] = std::move(out[i]);
  }

  std::shared_ptr<const Graph> graph_;
  PlanOptions options_;
  std::vector<Stage> stages_;
  std::vector<int> outputs_;
  std::vector<const Spec*> input_specs_;
  std::unordered_map<std::uint64_t, int>
      numbers_;                    // of the values that pass between stages; the inputs are first
  std::vector<Tensor> constants_;  // by number: those that are known
  bool has_constants_ = false;
  bool direct_ = false;
  int step_count_ = 0;
};

/// Bytes of the values that stages pass to each other, all held until the end.
std::int64_t passed_bytes(const StagePlan& p) {
  std::int64_t n = 0;
  for (int v : p.result_values)
    n += p.value(v).bytes();
  return n;
}

std::int64_t Plan::peak_bytes() const {
  std::int64_t peak = 0, held = 0;
  for (const Stage& s : stages_) {
    if (s.control) peak = std::max(peak, held + s.control->peak_bytes());
    if (!s.planned) continue;
    held += s.planned->packed_bytes();
    peak = std::max(peak, held + s.planned->plan().arena_bytes + s.planned->result_bytes());
    held += passed_bytes(s.planned->plan());
  }
  return peak;
}

StepInfo describe_step(const StaticStage& stage, const PlannedStep& s, int index) {
  StepInfo info;
  info.node = s.whole->name;
  info.op = s.whole->type();
  info.kernel = s.kernel ? s.kernel->name : s.tiles.size() == 1 ? s.tiles[0].kernel->name : "tile";
  for (const PlannedTile& t : s.tiles)
    info.tile_ops += t.ops;
  info.chain = s.chain;
  info.packed = s.packed_input >= 0;
  info.workspace = s.workspace;
  info.stage = index;
  const Value& v = stage.plan().value(s.outputs[0]);
  info.result = Spec{v.dtype, Shape(v.dims)}.describe();
  return info;
}

std::vector<StepInfo> Plan::steps() const {
  std::vector<StepInfo> list;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const Stage& s = stages_[i];
    if (!s.planned) {
      const char* op = s.control ? s.control->node().type() : "host";
      list.push_back({s.first().name, op, s.control ? "bodies" : "replay", {}, int(i)});
      continue;
    }
    for (const PlannedStep& step : s.planned->plan().steps)
      list.push_back(describe_step(*s.planned, step, int(i)));
  }
  return list;
}

std::vector<StageInfo> Plan::stages() const {
  std::vector<StageInfo> list;
  for (const Stage& s : stages_) {
    StageInfo info;
    info.control = s.control != nullptr;
    info.host = !s.planned && !s.control;
    info.steps = s.steps();
    if (s.control) {
      info.nodes.push_back(s.control->node().name);
    } else if (!s.planned) {
      for (const graph::Node& n : s.host.graph->nodes()) {
        if (n.kind != Kind::input && n.kind != Kind::constant) info.nodes.push_back(n.name);
      }
    } else {
      const StagePlan& p = s.planned->plan();
      info.arena_bytes = p.arena_bytes;
      for (const Tensor& t : p.constants)
        info.constant_bytes += t.nbytes();
      info.packed_bytes = s.planned->packed_bytes();
    }
    list.push_back(std::move(info));
  }
  return list;
}

std::vector<std::byte> Plan::program() const {
  if (!is_static()) {
    std::string why = stages_.empty() ? "no step" : "";
    for (const Stage& s : stages_) {
      if (!s.planned && why.empty()) why = "node '" + s.first().name + "' runs on the host";
    }
    throw Error({Code::failed_precondition,
                 "'" + graph_->name() + "' is not one static program",
                 {},
                 why,
                 "nodes of static shapes with kernels",
                 {}});
  }
  const StageProgram p = write_stage(*graph_, stages_[0].planned->plan(), INT64_MAX);
  return {p.blob.data(), p.blob.data() + p.blob.size()};
}

}  // namespace

std::vector<Tensor> Executable::run(std::span<const Tensor> inputs,
                                    const RunOptions& options) const {
  std::vector<Tensor> results(graph().outputs.size());
  run_into(inputs, results, options);
  return results;
}

std::shared_ptr<const Executable> plan(std::shared_ptr<const Graph> graph,
                                       const PlanOptions& options) {
  return std::make_shared<Plan>(std::move(graph), options);
}

}  // namespace weir::plan
