#include "plan/step_label.h"

#include "dispatch/cost.h"

namespace weir::plan {
namespace {

/// Names of ops in a fusion beyond which only their number is told.
constexpr std::size_t kMaxOps = 4;

Spec spec_of(const StagePlan& plan, int value) {
  const Value& v = plan.value(value);
  return {v.dtype, Shape(v.dims)};
}

/// Of the kernel alone; nothing for a tile program.
Cost root_cost(const StagePlan& plan, const PlannedStep& step) {
  if (step.is_tiles()) return {};
  std::vector<Spec> in, out;
  for (int i = 0; i < step.root_inputs; ++i)
    in.push_back(spec_of(plan, step.inputs[std::size_t(i)]));
  std::vector<SpecView> views;
  for (const Spec& s : in)
    views.push_back({s.dtype, s.shape});
  return dispatch::cost(*step.node->op, views, step.node->outputs, step.node->attrs.view());
}

double tile_flops(const PlannedTile& tile) {
  return dispatch::bytes(DType::uint8, tile.node->outputs[0].shape);
}

std::string describe(const StagePlan& plan, const std::vector<int>& values) {
  std::string text;
  for (int v : values)
    text += (text.empty() ? "" : ", ") + spec_of(plan, v).describe();
  return text;
}

std::string ops_of(const PlannedStep& step) {
  std::vector<const char*> ops;
  if (step.kernel) ops.push_back(step.node->type());
  for (const PlannedTile& t : step.tiles)
    ops.push_back(t.node->type());
  std::string text;
  for (std::size_t i = 0; i < std::min(ops.size(), kMaxOps); ++i)
    text += (i ? "+" : "") + std::string(ops[i]);
  if (ops.size() > kMaxOps) text += "+" + std::to_string(ops.size() - kMaxOps) + " more";
  return text;
}

profile::NodeShare share_of(const graph::Node& node, double flops) {
  double bytes = 0;
  for (const Spec& s : node.outputs)
    bytes += dispatch::bytes(s.dtype, s.shape);
  return {node.name, flops, std::int64_t(bytes)};
}

/// The time of a fusion is shared out by flops.
std::vector<profile::NodeShare> nodes_of(const PlannedStep& step, double root_flops) {
  std::vector<profile::NodeShare> nodes;
  if (!step.is_tiles()) nodes.push_back(share_of(*step.node, root_flops));
  for (const PlannedTile& t : step.tiles)
    nodes.push_back(share_of(*t.node, tile_flops(t)));
  double total = 0;
  for (const profile::NodeShare& n : nodes)
    total += n.share;
  for (profile::NodeShare& n : nodes)
    n.share = total > 0 ? n.share / total : 1.0 / double(nodes.size());
  return nodes;
}

}  // namespace

Cost cost_of(const StagePlan& plan, const PlannedStep& step) {
  Cost c = root_cost(plan, step);
  for (const PlannedTile& t : step.tiles)
    c.flops += tile_flops(t);
  c.bytes = 0;
  for (const auto* values : {&step.inputs, &step.outputs}) {
    for (int v : *values)
      c.bytes += double(plan.value(v).bytes());
  }
  return c;
}

profile::Label label_of(const StagePlan& plan, const PlannedStep& step) {
  const Cost cost = cost_of(plan, step);
  profile::Label label;
  label.category = profile::Category::step;
  label.name = step.whole->name;
  label.op = ops_of(step);
  label.kernel = step.kernel              ? step.kernel->name
                 : step.tiles.size() == 1 ? step.tiles[0].kernel->name
                                          : "tile";
  label.inputs = describe(plan, step.inputs);
  label.result = describe(plan, step.outputs);
  label.where = to_string(step.node->where);
  label.flops = cost.flops;
  label.bytes = cost.bytes;
  label.nodes = nodes_of(step, root_cost(plan, step).flops);
  return label;
}

}  // namespace weir::plan
