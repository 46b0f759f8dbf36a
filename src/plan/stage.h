#pragma once

/// What the planner knows of a static stage while it is made: steps on values, values in blocks of
/// memory.
///
///   lower      nodes -> steps, values and blocks (lower.h)
///   lay_out    decides who overwrites whom, what goes where in the arena (lay_out.h)
///   write_stage  the rt::Program (write_stage.h)

#include <weir/kernel.h>

#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "plan/executable.h"
#include "runtime/tile_program.h"

namespace weir::plan {

/// Memory with one lifetime.
struct Block {
  enum class Kind : std::uint8_t {
    temporary,  // in the arena
    input,      // of the stage: given for each run
    output,     // allocated for each run, because a result lies in it
    constant,
    variable,  // its value when the stage starts
    update,    // a new value of a variable
    merged,    // gone: `index` is the block that it became a part of
  };
  Kind kind = Kind::temporary;
  int index = -1;  // input, constant, variable, output: number in the stage's list; update: the
                   // variable
  std::int64_t bytes = 0;
  int first = -1;           // step that writes it first; -1: before the stage
  int last = -1;            // last step that uses it
  std::int64_t offset = 0;  // in the arena
};

/// A typed array: part of a block.
struct Value {
  int block = -1;
  std::int64_t offset = 0;
  DType dtype = DType::invalid;
  std::vector<std::int64_t> dims;

  std::int64_t bytes() const;
};

/// An element-wise op inside a step; registers as in runtime/tile_program.h.
struct PlannedTile {
  const rt::Kernel* kernel = nullptr;
  const graph::Node* node = nullptr;  // gives the attributes
  std::vector<std::uint8_t> sources;
  std::uint8_t target = 0;
  DType dtype = DType::invalid;
  int ops = 1;  // that it computes
};

struct PlannedStep {
  const rt::Kernel* kernel = nullptr;  // null: tiles alone
  const graph::Node* node = nullptr;   // who is named when it fails
  const graph::Node* whole = nullptr;  // the region or op that the graph shows
  std::vector<int> inputs;             // values
  std::vector<int> outputs;
  int root_inputs = 0;
  std::vector<PlannedTile> tiles;
  std::int64_t workspace = 0;
  std::int64_t plain_workspace = 0;  // without the packed operand
  std::int64_t workspace_offset = 0;
  int packed_input = -1;
  std::int64_t packed_bytes = 0;
  int chain = 0;  // as in runtime/program_format.h

  bool is_tiles() const { return !kernel; }
};

/// A write that a later one of the stage replaces: what stays if a step between the two fails.
struct EarlierWrite {
  int value = -1;
  int step = -1;  // it happens before this step
};

/// A variable that the stage reads or writes.
struct VariableUse {
  std::shared_ptr<VariableState> state;
  int block = -1;         // of its old value, if that is used
  int written = -1;       // value that it ends up with; -1: only read
  int write_step = -1;    // the write happens before this step
  bool direct = false;    // `written` is a block of its own, of kind update
  bool in_place = false;  // which may be the memory of the old value
  std::vector<EarlierWrite> earlier = {};
};

struct StagePlan {
  std::vector<Block> blocks;
  std::vector<Value> values;
  std::vector<PlannedStep> steps;
  std::vector<graph::Ref> inputs;   // what the stage takes from outside
  std::vector<graph::Ref> results;  // what it gives
  std::vector<int> result_values;   // by result
  std::vector<Tensor> constants;
  std::vector<VariableUse> variables;
  std::int64_t arena_bytes = 0;

  /// The block that `block` has become a part of.
  int root(int block) const;
  /// Makes every merged block point to its root: a chain of in-place ops would make `root` walk.
  void flatten();
  Block& block_of(int value) { return blocks[std::size_t(root(values[std::size_t(value)].block))]; }
  const Block& block_of(int value) const {
    return blocks[std::size_t(root(values[std::size_t(value)].block))];
  }
  const Value& value(int i) const { return values[std::size_t(i)]; }
};

/// True if the node can be part of a static stage: static shapes, a kernel, no strings, no effects
/// of the host.
bool is_static_node(const graph::Graph& graph, const graph::Node& node);

/// Steps for nodes (indices in program order), which use the values `inputs` and must give
/// `results`. The nodes are static, or of the kinds constant, read and write.
StagePlan lower(const graph::Graph& graph,
                std::span<const int> nodes,
                std::span<const graph::Ref> inputs,
                std::span<const graph::Ref> results,
                const PlanOptions& options);

/// Decides what each block is, lets results overwrite operands that die, and places temporaries in
/// the arena.
void lay_out(StagePlan& plan, const PlanOptions& options);

}  // namespace weir::plan
