#pragma once

/// A planned stage that runs: its program, the instances of the calls in flight, and what they
/// share.

#include <memory>
#include <mutex>
#include <vector>

#include "plan/instance_pool.h"
#include "plan/stage.h"
#include "plan/step_recorder.h"
#include "plan/write_stage.h"
#include "runtime/program.h"

namespace weir::plan {

class StaticStage {
 public:
  /// Errors (internal): the written program does not open.
  StaticStage(std::shared_ptr<const graph::Graph> graph, StagePlan plan);

  /// `inputs` are of the dtypes and shapes of plan().inputs. `first_step` numbers the steps for the
  /// observer.
  void run(std::span<const Tensor* const> inputs,
           std::span<Tensor> results,
           const RunOptions& options,
           int first_step) const;

  const StagePlan& plan() const { return plan_; }
  const StageProgram& program() const { return program_; }
  const graph::Graph& graph() const { return *graph_; }
  /// Bytes of fresh results and of packed operands.
  std::int64_t result_bytes() const;
  std::int64_t packed_bytes() const;

 private:
  class Run;

  /// Where the elements of a value are when the run has ended.
  struct Source {
    Block::Kind kind = Block::Kind::temporary;
    int index = 0;      // of the input, constant, variable or fresh output
    bool whole = true;  // all of the block, in the block's own shape
    std::int64_t offset = 0;
    Spec spec;
  };
  struct Fresh {
    std::uint32_t slot = 0;
    Spec spec;
    int result = -1;  // that is all of it
  };
  struct Earlier {  // an earlier write: what stays if a step before the next one fails
    Source source;
    int step = 0;
  };
  struct VariableSlots {
    std::shared_ptr<VariableState> state;
    std::uint32_t read = rt::format::kNone;
    std::uint32_t write = rt::format::kNone;
    Spec spec;
    bool written = false;
    bool in_place = false;
    int first_change = 0;  // step that starts to write
    int write_step = 0;
    Source source;  // of the new value, if `write` is none
    std::vector<Earlier> earlier = {};
  };
  struct Pack {
    std::uint32_t slot = 0;
    std::int64_t bytes = 0;
    int variable = -1;  // -1: a constant, whose version is 1
  };

  Source source_of(int value) const;
  Spec spec_of(int value) const;
  void add_variables();
  /// Made when a run is first profiled.
  std::shared_ptr<const StageLabels> labels() const;

  std::shared_ptr<const graph::Graph> graph_;
  StagePlan plan_;
  StageProgram program_;
  rt::Program opened_;
  std::vector<Fresh> outputs_;
  std::vector<VariableSlots> variables_;  // by address of the state: the order of locking
  std::vector<int> variable_order_;       // plan_.variables -> variables_
  std::vector<Pack> packs_;
  std::vector<Source> results_;
  mutable PackCache pack_cache_;
  mutable InstancePool pool_;
  mutable std::once_flag labelled_;
  mutable std::shared_ptr<const StageLabels> labels_;
};

}  // namespace weir::plan
