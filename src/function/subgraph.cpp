#include "function/subgraph.h"

#include <algorithm>

namespace weir::tracing {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

bool contains(std::span<const Ref> list, Ref r) {
  return std::find(list.begin(), list.end(), r) != list.end();
}

/// Nodes that the fetches need, found backwards; a fed output needs nothing.
std::vector<bool> needed_nodes(const Graph& g,
                               std::span<const Ref> feeds,
                               std::span<const Ref> fetches) {
  std::vector<bool> needed(g.size(), false);
  for (Ref r : fetches) {
    if (!contains(feeds, r)) needed[std::size_t(r.node)] = true;
  }
  for (int i = int(g.size()) - 1; i >= 0; --i) {
    if (!needed[std::size_t(i)]) continue;
    for (Ref r : g.node(i).inputs) {
      if (!contains(feeds, r)) needed[std::size_t(r.node)] = true;
    }
  }
  return needed;
}

}  // namespace

Subgraph extract(const Graph& g, std::span<const Ref> feeds, std::span<const Ref> fetches) {
  Subgraph out{std::make_shared<Graph>(g.name()), {}};
  std::vector<int> place(g.size(), -1);
  std::vector<int> fed;
  for (Ref r : feeds) {
    Node n;
    n.kind = Kind::input;
    n.name = g.node(r.node).name;
    n.where = g.node(r.node).where;
    n.outputs.push_back(g.spec(r));
    fed.push_back(out.graph->add(std::move(n)));
  }
  const auto map = [&](Ref r) {
    const auto it = std::find(feeds.begin(), feeds.end(), r);
    return it != feeds.end() ? Ref{fed[std::size_t(it - feeds.begin())], 0}
                             : Ref{place[std::size_t(r.node)], r.output};
  };
  const std::vector<bool> needed = needed_nodes(g, feeds, fetches);
  for (int i = 0; i < int(g.size()); ++i) {
    if (!needed[std::size_t(i)]) continue;
    Node n = g.node(i);
    if (n.kind == Kind::input) {
      out.missing.push_back(n.name);
      continue;
    }
    for (Ref& r : n.inputs) {
      // An input that is missing has no place; the caller reports it.
      if (!contains(feeds, r) && place[std::size_t(r.node)] < 0)
        return out.missing.empty() ? out : Subgraph{nullptr, out.missing};
      r = map(r);
    }
    place[std::size_t(i)] = out.graph->add(std::move(n));
  }
  if (!out.missing.empty()) return {nullptr, out.missing};
  for (Ref r : fetches)
    out.graph->outputs.push_back(map(r));
  return out;
}

}  // namespace weir::tracing
