#pragma once

/// Element-wise nodes become the tiles of one step: registers for what they read, compute and keep.

#include <cstdint>
#include <unordered_map>

#include "plan/stage.h"

namespace weir::plan {

/// The planned value of each output of a graph's nodes.
class Values {
 public:
  void set(graph::Ref r, int value) { map_[key(r)] = value; }
  int get(graph::Ref r) const { return map_.at(key(r)); }

 private:
  static std::uint64_t key(graph::Ref r) {
    return std::uint64_t(std::uint32_t(r.node)) << 32 | std::uint32_t(r.output);
  }
  std::unordered_map<std::uint64_t, int> map_;
};

/// The kernel that eager would choose; null if there is none.
const rt::Kernel* kernel_of(const graph::Graph& graph, const graph::Node& node);
/// True if the node can be a tile: element-wise, with a tile function.
bool is_tile_op(const graph::Graph& graph, const graph::Node& node);

class TileBuilder {
 public:
  TileBuilder(const graph::Graph& graph, const Values& values, const StagePlan& plan)
      : graph_(graph), values_(values), plan_(plan) {}

  /// Tiles that compute `results` with `members` (in program order). False if one program cannot: a
  /// member that is not is_tile_op, results of several shapes, too many registers. With `root`, a
  /// contraction whose inputs are `root_inputs`, its result is the first result's memory, or the
  /// memory of a result that its last use computes.
  bool build(std::span<const int> members,
             std::span<const graph::Ref> results,
             int root = -1,
             std::span<const int> root_inputs = {});

  const graph::Graph& graph() const { return graph_; }
  const std::vector<int>& inputs() const { return inputs_; }  // values
  const std::vector<graph::Ref>& results() const {
    return results_;
  }  // in the order of the step's outputs
  std::vector<PlannedTile> take_tiles() { return std::move(tiles_); }

 private:
  bool is_member(int node) const;
  void pair_members();
  int only_reader(graph::Ref r) const;
  const rt::Kernel* pair_kernel(int first, int second) const;
  PlannedTile tile_of(int member) const;
  bool shapes_fit() const;
  bool place_root();
  bool collect_inputs();
  bool assign_registers();
  int last_use(graph::Ref r) const;
  int register_of(graph::Ref r) const;

  const graph::Graph& graph_;
  const Values& values_;
  const StagePlan& plan_;
  std::span<const int> members_;
  std::vector<int> reader_;    // by member: the one that computes it too, in one tile; else itself
  std::vector<int> absorbed_;  // by member: the one that it computes too; -1: none
  int root_ = -1;
  std::vector<graph::Ref> results_;
  std::vector<int> inputs_;
  std::size_t root_inputs_ = 0;
  std::unordered_map<int, int> input_register_;   // by value
  std::unordered_map<int, int> member_register_;  // by node
  std::vector<PlannedTile> tiles_;
};

}  // namespace weir::plan
