#include "plan/partition.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "plan/stage.h"

namespace weir::plan {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

/// Runs as well in a host stage as in a static one, and costs nothing there.
bool is_neutral(const Node& n) {
  return n.kind == Kind::read || n.kind == Kind::write || n.kind == Kind::output ||
         n.is(Trait::view);
}

std::uint64_t key(Ref r) {
  return std::uint64_t(std::uint32_t(r.node)) << 32 | std::uint32_t(r.output);
}

/// Finds what each stage takes and gives.
class Edges {
 public:
  explicit Edges(const Graph& g) : graph_(g), stage_of_(g.size(), kOutside) {}

  void connect(std::vector<StageNodes>& stages) {
    for (int s = 0; s < int(stages.size()); ++s) {
      for (int i : stages[std::size_t(s)].nodes)
        stage_of_[std::size_t(i)] = s;
    }
    for (int s = 0; s < int(stages.size()); ++s)
      connect_inputs(stages, s);
    for (Ref r : graph_.outputs)
      give(stages, r, kOutside);
  }

 private:
  static constexpr int kOutside = -1;

  void connect_inputs(std::vector<StageNodes>& stages, int s) {
    StageNodes& stage = stages[std::size_t(s)];
    std::unordered_set<std::uint64_t> seen;
    std::vector<int> constants;
    for (int i : stage.nodes) {
      for (Ref r : graph_.node(i).inputs) {
        if (stage_of_[std::size_t(r.node)] == s || !seen.insert(key(r)).second) continue;
        if (graph_.node(r.node).kind == Kind::constant) {
          constants.push_back(r.node);
        } else {
          stage.inputs.push_back(r);
          give(stages, r, s);
        }
      }
    }
    stage.nodes.insert(stage.nodes.begin(), constants.begin(), constants.end());
  }
  /// `r` is read by stage `reader`: the stage that computes it must give it.
  void give(std::vector<StageNodes>& stages, Ref r, int reader) {
    const int s = stage_of_[std::size_t(r.node)];
    if (s == kOutside || s == reader || !given_.insert(key(r)).second) return;
    stages[std::size_t(s)].results.push_back(r);
  }

  const Graph& graph_;
  std::vector<int> stage_of_;
  std::unordered_set<std::uint64_t> given_;
};

StageNodes::Kind kind_of(const Graph& g, const Node& n) {
  if (n.kind == Kind::if_ || n.kind == Kind::while_ || n.kind == Kind::case_)
    return StageNodes::Kind::control;
  return is_static_node(g, n) ? StageNodes::Kind::program : StageNodes::Kind::host;
}

/// Neutral nodes at the start of a stage that follows are as good at the end of the stage before:
/// fewer stages.
void append(std::vector<StageNodes>& stages, const Graph& g, int i) {
  using Stage = StageNodes::Kind;
  const Node& n = g.node(i);
  const Stage kind = kind_of(g, n);
  const bool joins = !stages.empty() && kind != Stage::control &&
                     stages.back().kind != Stage::control &&
                     (stages.back().kind == kind || (kind == Stage::program && is_neutral(n)));
  if (!joins) stages.push_back({kind, {}, {}, {}});
  stages.back().nodes.push_back(i);
}

}  // namespace

std::vector<StageNodes> partition(const Graph& g) {
  const std::vector<bool> needed = graph::needed_nodes(g);
  std::vector<StageNodes> stages;
  for (int i = 0; i < int(g.size()); ++i) {
    const Kind kind = g.node(i).kind;
    if (needed[std::size_t(i)] && kind != Kind::input && kind != Kind::constant)
      append(stages, g, i);
  }
  Edges(g).connect(stages);
  return stages;
}

std::shared_ptr<Graph> extract(const Graph& g, const StageNodes& stage) {
  auto part = std::make_shared<Graph>(g.name());
  std::unordered_map<std::uint64_t, Ref> moved;
  for (Ref r : stage.inputs) {
    Node input;
    input.kind = Kind::input;
    input.name = g.node(r.node).name;
    input.outputs.push_back(g.spec(r));
    moved[key(r)] = {part->add(std::move(input)), 0};
  }
  for (int i : stage.nodes) {
    Node copy = g.node(i);
    for (Ref& r : copy.inputs)
      r = moved.at(key(r));
    const int at = part->add(std::move(copy));
    for (int o = 0; o < int(g.node(i).outputs.size()); ++o)
      moved[key({i, o})] = {at, o};
  }
  for (Ref r : stage.results)
    part->outputs.push_back(moved.at(key(r)));
  return part;
}

}  // namespace weir::plan
