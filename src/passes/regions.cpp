#include "passes/regions.h"

#include <algorithm>

#include "passes/attributes.h"

namespace weir::passes {
namespace {

bool is_simple(const Node& n) {
  return n.kind == Kind::op && n.outputs.size() == 1 && n.outputs[0].dtype != DType::string &&
         !n.inputs.empty() && !n.is(Trait::host_effect) && !n.is(Trait::data_shape) &&
         !has_operand_attr(n);
}

class Fuser {
 public:
  Fuser(const Graph& graph, Context& context, const Fusion& fusion)
      : graph_(graph),
        context_(context),
        fusion_(fusion),
        rewrite_(graph, context),
        consumers_(graph.consumers()),
        group_(graph.size(), -1) {}

  GraphPtr run() {
    for (int i = 0; i < int(graph_.size()); ++i)
      find_group(i);
    for (int i = 0; i < int(graph_.size()); ++i)
      emit(i);
    return rewrite_.finish();
  }

 private:
  using Members = std::vector<int>;  // in order

  void find_group(int i) {
    const Node& n = graph_.node(i);
    if (!is_simple(n)) return;
    if (fusion_.contraction_first && n.is(Trait::contraction)) return start({i});
    if (!n.is(Trait::elementwise)) return;
    Members members = {i};
    for (int g : groups_before(n)) {
      Members both = united(groups_[std::size_t(g)], members);
      if (!fits(both)) continue;
      members = std::move(both);
      groups_[std::size_t(g)].clear();
      if (fusion_.contraction_first) break;
    }
    if (members.size() > 1 || !fusion_.contraction_first) start(std::move(members));
  }

  void start(Members members) {
    for (int m : members)
      group_[std::size_t(m)] = int(groups_.size());
    groups_.push_back(std::move(members));
  }

  /// The groups that n reads and whose elements are its own; those that end last come first.
  std::vector<int> groups_before(const Node& n) const {
    std::vector<int> found;
    for (Ref r : n.inputs) {
      const int g = group_[std::size_t(r.node)];
      if (g < 0 || !same_shape(graph_.spec(r).shape, n.outputs[0].shape)) continue;
      if (std::find(found.begin(), found.end(), g) == found.end()) found.push_back(g);
    }
    const auto last = [&](int g) { return groups_[std::size_t(g)].back(); };
    std::sort(found.begin(), found.end(), [&](int a, int b) { return last(a) > last(b); });
    return found;
  }

  static Members united(const Members& a, const Members& b) {
    Members both;
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both;
  }

  static bool has(const Members& members, int i) {
    return std::binary_search(members.begin(), members.end(), i);
  }

  bool fits(const Members& members) const {
    if (int(members.size()) > kMaxMembers || int(operands(members).size()) > kMaxOperands)
      return false;
    int results = 0;
    for (int m : members) {
      if (read_before_end(members, m)) return false;
      results += is_result(members, m);
    }
    return results <= kMaxResults;
  }

  /// A node that is no member reads m before the region stands.
  bool read_before_end(const Members& members, int m) const {
    for (int c : consumers_[std::size_t(m)]) {
      if (c < 0 || c > members.back()) return false;
      if (!has(members, c)) return true;
    }
    return false;
  }

  /// Some node outside reads m. Consumers are in order, so one of them is soon found to be no
  /// member.
  bool is_result(const Members& members, int m) const {
    const auto& users = consumers_[std::size_t(m)];
    return users.empty() || std::any_of(users.begin(), users.end(), [&](int c) {
             return c < 0 || !has(members, c);
           });
  }

  std::vector<Ref> operands(const Members& members) const {
    std::vector<Ref> found;
    for (int m : members) {
      for (Ref r : graph_.node(m).inputs) {
        if (has(members, r.node) || std::find(found.begin(), found.end(), r) != found.end())
          continue;
        found.push_back(r);
        if (int(found.size()) > kMaxOperands) return found;
      }
    }
    return found;
  }

  void emit(int i) {
    const int g = group_[std::size_t(i)];
    if (g < 0 || groups_[std::size_t(g)].size() < 2) return rewrite_.keep(i);
    const Members& members = groups_[std::size_t(g)];
    rewrite_.drop(i);
    if (i == members.back()) add_region(members);
  }

  void add_region(const Members& members) {
    const Node& last = graph_.node(members.back());
    Node region;
    region.kind = Kind::region;
    region.name = last.name;
    region.where = last.where;
    const std::vector<Ref> from_outside = operands(members);
    for (Ref r : from_outside)
      region.inputs.push_back(rewrite_.at(r));
    std::vector<Ref> results;
    for (int m : members) {
      if (!is_result(members, m)) continue;
      results.push_back({m, 0});
      region.outputs.push_back(graph_.node(m).outputs[0]);
    }
    region.bodies.push_back(make_body(members, from_outside, results));
    std::vector<const Node*> from;
    for (int m : members)
      from.push_back(&graph_.node(m));
    annotate(region, context_.pass(), from);
    context_.made(region, "is a region that was made");
    context_.count(fusion_.counted_as);
    context_.count("members", int(members.size()));
    const int now = rewrite_.add(std::move(region)).node;
    for (int o = 0; o < int(results.size()); ++o)
      rewrite_.place(results[std::size_t(o)], {now, o});
  }

  GraphPtr make_body(const Members& members,
                     std::span<const Ref> operands,
                     std::span<const Ref> results) const {
    auto body = std::make_shared<Graph>(graph_.node(members.back()).name);
    const auto moved = [&](Ref r) {
      const auto member = std::lower_bound(members.begin(), members.end(), r.node);
      if (member != members.end() && *member == r.node)
        return Ref{int(operands.size() + (member - members.begin())), 0};
      return Ref{int(std::find(operands.begin(), operands.end(), r) - operands.begin()), 0};
    };
    for (Ref r : operands) {
      Node input;
      input.kind = Kind::input;
      input.name = graph_.node(r.node).name + "/in";
      input.where = graph_.node(r.node).where;
      input.outputs.push_back(graph_.spec(r));
      body->add(std::move(input));
    }
    for (int m : members) {
      Node n = graph_.node(m);
      for (Ref& r : n.inputs)
        r = moved(r);
      body->add(std::move(n));
    }
    for (Ref r : results)
      body->outputs.push_back(moved(r));
    return body;
  }

  const Graph& graph_;
  Context& context_;
  const Fusion& fusion_;
  Rewrite rewrite_;
  std::vector<std::vector<int>> consumers_;
  std::vector<int> group_;  // by node: its group, or -1
  std::vector<Members> groups_;
};

}  // namespace

GraphPtr fuse(const Graph& graph, Context& context, const Fusion& fusion) {
  return Fuser(graph, context, fusion).run();
}

}  // namespace weir::passes
