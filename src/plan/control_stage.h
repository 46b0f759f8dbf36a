#pragma once

/// A branch or a loop between the stages of a plan: its bodies are planned as well, for the shapes
/// that come.

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "plan/executable.h"
#include "plan/partition.h"

namespace weir::plan {

/// The branch that a selector takes: for If the first if it is true, for Case an index, where one
/// out of range takes the last.
std::size_t taken_branch(graph::Kind kind, const Tensor& selector, std::size_t branches);

/// A body and its plans. Shapes that come for the first time are replayed: a loop whose shapes
/// change with each iteration would spend its time planning.
class PlannedBody {
 public:
  /// `fixed`: the arguments always have the static shapes of the body's inputs.
  PlannedBody(std::shared_ptr<const graph::Graph> body, bool fixed, const PlanOptions& options)
      : graph_(std::move(body)), fixed_(fixed), options_(options) {}

  void run(std::span<const Tensor> arguments,
           std::span<Tensor> results,
           const RunOptions& options) const;
  const graph::Graph& graph() const { return *graph_; }
  /// Of the plan for fixed shapes, once it has been made; else 0.
  std::int64_t peak_bytes() const;

 private:
  using Plan = std::shared_ptr<const Executable>;
  struct Entry {
    std::vector<Spec> shapes;
    Plan plan;
    bool failed = false;  // the eager run says why, when it comes to that node
  };

  const Executable* fixed_plan() const;
  Plan plan_for(std::span<const Tensor> arguments) const;
  Plan make(std::span<const Spec> shapes) const;

  std::shared_ptr<const graph::Graph> graph_;
  bool fixed_;
  PlanOptions options_;
  mutable std::once_flag made_;
  mutable Plan only_;
  mutable std::atomic<bool> ready_{false};
  mutable std::mutex mutex_;
  mutable std::vector<Entry> plans_;  // most recently used first
};

class ControlStage {
 public:
  /// `stage` holds one node of a kind with bodies, and the constants it reads.
  ControlStage(std::shared_ptr<const graph::Graph> graph,
               const StageNodes& stage,
               const PlanOptions& options);

  void run(std::span<const Tensor* const> inputs,
           std::span<Tensor> results,
           const RunOptions& options) const;
  const graph::Node& node() const { return *node_; }
  /// The most that one of the bodies needs.
  std::int64_t peak_bytes() const;

 private:
  /// An operand of the node: an input of the stage, or a constant.
  struct Operand {
    int input = -1;
    Tensor constant;
  };
  /// Where a state tensor of the next iteration comes from.
  struct Next {
    enum class From : std::uint8_t { same, state, constant, result } from = From::same;
    int index = 0;  // of the state tensor or the result
    Tensor constant;
  };

  void add_branches(const PlanOptions& options);
  void add_loop(const PlanOptions& options);
  bool fixed(std::size_t first_operand) const;
  std::vector<Tensor> operands(std::span<const Tensor* const> inputs) const;
  void run_branch(std::span<const Tensor> operands,
                  std::span<Tensor> results,
                  const RunOptions& options) const;
  void run_loop(std::vector<Tensor> state,
                std::span<Tensor> results,
                const RunOptions& options) const;
  void advance(std::vector<Tensor>& state, std::vector<Tensor>& results) const;

  std::shared_ptr<const graph::Graph> graph_;
  const graph::Node* node_;
  std::vector<Operand> operands_;
  std::vector<int> wanted_;  // outputs of the node that the stage gives
  std::vector<std::unique_ptr<PlannedBody>> bodies_;
  std::vector<Next> next_;  // of a loop
};

}  // namespace weir::plan
