#include "plan/tiles.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "kernels/select.h"
#include "runtime/program.h"
#include "runtime/tile_program.h"

namespace weir::plan {

using graph::Node;
using graph::Ref;

namespace {

template <class Dims>
rt::View view_of(const Dims& dims) {
  return {nullptr, dims.data(), DType::invalid, std::uint8_t(dims.size())};
}

}  // namespace

bool TileBuilder::is_member(int node) const {
  return std::find(members_.begin(), members_.end(), node) != members_.end();
}

/// Index in members_ of the last tile that reads; -1: none.
int TileBuilder::last_use(Ref r) const {
  int last = -1;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const Node& n = graph_.node(members_[m]);
    if (std::find(n.inputs.begin(), n.inputs.end(), r) != n.inputs.end())
      last = std::max(last, reader_[m]);
  }
  return last;
}

/// Index in members_ of the one operand that reads; -1: none, several, or a result.
int TileBuilder::only_reader(Ref r) const {
  if (std::find(results_.begin(), results_.end(), r) != results_.end()) return -1;
  int reader = -1;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    for (Ref input : graph_.node(members_[m]).inputs) {
      if (input != r) continue;
      if (reader >= 0) return -1;
      reader = int(m);
    }
  }
  return reader;
}

/// The kernel that computes two members in one pass; null if there is none. Kernels are named
/// OP/DTYPE/SET, the pair OP+OP.POSITION/DTYPE/SET.
const rt::Kernel* TileBuilder::pair_kernel(int first, int second) const {
  const Ref value{members_[std::size_t(first)], 0};
  const Node& reader = graph_.node(members_[std::size_t(second)]);
  if (graph_.spec(value).shape != reader.outputs[0].shape) return nullptr;
  const std::string_view a = kernel_of(graph_, graph_.node(value.node))->name,
                         b = kernel_of(graph_, reader)->name;
  const std::size_t end_a = a.find('/'), end_b = b.find('/');
  if (end_a == a.npos || end_b == b.npos || a.substr(end_a) != b.substr(end_b)) return nullptr;
  const auto position =
      std::find(reader.inputs.begin(), reader.inputs.end(), value) - reader.inputs.begin();
  std::string name(a.substr(0, end_a));
  name.append("+").append(b.substr(0, end_b)).append(".").append(std::to_string(position));
  return kernels::find(rt::kernel_id(name.append(a.substr(end_a)).c_str()));
}

/// A member whose value one other reads is computed by the tile of that one, if a kernel does both.
/// The ops that end a contraction stay apart: its kernel may know how to do them itself.
void TileBuilder::pair_members() {
  absorbed_.assign(members_.size(), -1);
  reader_.resize(members_.size());
  for (int m = 0; m < int(members_.size()); ++m)
    reader_[std::size_t(m)] = m;
  for (int m = 0; root_ < 0 && m < int(members_.size()); ++m) {
    const int reader = only_reader({members_[std::size_t(m)], 0});
    if (reader < 0 || absorbed_[std::size_t(reader)] >= 0 || absorbed_[std::size_t(m)] >= 0 ||
        !pair_kernel(m, reader))
      continue;
    absorbed_[std::size_t(reader)] = m;
    reader_[std::size_t(m)] = reader;
  }
}

bool TileBuilder::build(std::span<const int> members,
                        std::span<const Ref> results,
                        int root,
                        std::span<const int> root_inputs) {
  if (members.empty() || results.empty() || members.size() > 0xffff) return false;
  for (int m : members) {
    if (!is_tile_op(graph_, graph_.node(m))) return false;
  }
  members_ = members;
  root_ = root;
  results_.assign(results.begin(), results.end());
  inputs_.assign(root_inputs.begin(), root_inputs.end());
  root_inputs_ = root_inputs.size();
  if (!shapes_fit()) return false;
  pair_members();
  return (root < 0 || place_root()) && collect_inputs() && assign_registers();
}

/// All results have one shape, which is also the root's.
bool TileBuilder::shapes_fit() const {
  const Shape& shape = graph_.spec(results_[0]).shape;
  for (Ref r : results_) {
    if (graph_.spec(r).shape != shape) return false;
  }
  return root_ < 0 || graph_.spec({root_, 0}).shape == shape;
}

/// Puts the result whose memory the contraction fills first.
bool TileBuilder::place_root() {
  const Ref root{root_, 0};
  if (results_[0] == root) return true;
  const int last = last_use(root);
  if (last < 0) return false;
  for (std::size_t i = 0; i < results_.size(); ++i) {
    const auto at =
        std::find(members_.begin(), members_.end(), results_[i].node) - members_.begin();
    if (graph_.spec(results_[i]).dtype != graph_.spec(root).dtype || at < last) continue;
    std::swap(results_[0], results_[i]);
    return true;
  }
  return false;
}

bool TileBuilder::collect_inputs() {
  const Shape& shape = graph_.spec(results_[0]).shape;
  for (int m : members_) {
    for (Ref r : graph_.node(m).inputs) {
      if (is_member(r.node) || r.node == root_) continue;
      const int value = values_.get(r);
      if (input_register_.try_emplace(value, int(inputs_.size())).second) inputs_.push_back(value);
    }
    // A value of more elements than the result can only be an error of the region.
    if (graph_.node(m).outputs[0].shape.rank() > shape.rank()) return false;
  }
  const std::vector<std::int64_t> result = shape.to_vector();
  for (std::size_t i = root_inputs_; i < inputs_.size(); ++i) {
    const auto& dims = plan_.value(inputs_[i]).dims;
    const std::size_t lead =
        std::size_t(shape.rank()) - std::min(dims.size(), std::size_t(shape.rank()));
    if (dims.size() > std::size_t(shape.rank())) return false;
    for (std::size_t d = 0; d < dims.size(); ++d) {
      if (dims[d] != 1 && dims[d] != shape[int(lead + d)].value()) return false;
    }
    if (root_ >= 0 && !rt::walks_by_rows(view_of(dims), view_of(result))) return false;
  }
  return inputs_.size() + results_.size() <= std::size_t(rt::kMaxTileRegisters);
}

int TileBuilder::register_of(Ref r) const {
  if (r.node == root_) return int(inputs_.size());
  const auto member = member_register_.find(r.node);
  return member != member_register_.end() ? member->second : input_register_.at(values_.get(r));
}

/// The tile of a member, without its target.
PlannedTile TileBuilder::tile_of(int member) const {
  const Node& n = graph_.node(members_[std::size_t(member)]);
  PlannedTile tile{kernel_of(graph_, n), &n, {}, 0, n.outputs[0].dtype};
  const int first = absorbed_[std::size_t(member)];
  Ref absorbed{-1, 0};
  if (first >= 0) {
    absorbed = {members_[std::size_t(first)], 0};
    tile.kernel = pair_kernel(first, member);
    tile.ops = 2;
    for (Ref r : graph_.node(absorbed.node).inputs)
      tile.sources.push_back(std::uint8_t(register_of(r)));
  }
  for (Ref r : n.inputs) {
    if (first < 0 || r != absorbed) tile.sources.push_back(std::uint8_t(register_of(r)));
  }
  return tile;
}

/// Results have registers of their own; a temporary takes the lowest one that is free.
bool TileBuilder::assign_registers() {
  const int first = int(inputs_.size() + results_.size());
  std::vector<int> free_from(std::size_t(rt::kMaxTileRegisters),
                             0);  // member from which a register may be written
  for (int m = 0; m < int(members_.size()); ++m) {
    if (reader_[std::size_t(m)] != m) continue;
    PlannedTile tile = tile_of(m);
    const Ref own{members_[std::size_t(m)], 0};
    const auto result = std::find(results_.begin(), results_.end(), own);
    int target = int(inputs_.size()) + int(result - results_.begin());
    if (result == results_.end()) {
      const int last = last_use(own);
      if (last < 0) continue;  // nobody needs it
      for (target = first; target < rt::kMaxTileRegisters && free_from[std::size_t(target)] > m;
           ++target) {
      }
      if (target == rt::kMaxTileRegisters) return false;
      free_from[std::size_t(target)] = last + 1;
    }
    member_register_[own.node] = target;
    tile.target = std::uint8_t(target);
    tiles_.push_back(std::move(tile));
  }
  return !tiles_.empty();
}

}  // namespace weir::plan
