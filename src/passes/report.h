#pragma once

/// What the optimiser did: printed by `weir show --passes`, offered as an object by the API.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace weir::passes {

/// Size and work of a graph, bodies included. Dimensions that are not known count as 1: figures of
/// graphs with the same inputs can be compared, not added up.
struct Totals {
  int nodes = 0;  // a region counts as one
  double flops = 0;
  double bytes = 0;      // read and written by nodes; values inside a region cost nothing
  double constants = 0;  // bytes of constants
};
Totals measure(const graph::Graph& graph);

/// One run of one pass.
struct PassReport {
  std::string name;
  double milliseconds = 0;
  bool changed = false;
  bool disabled = false;
  Totals before, after;
  std::map<std::string, int> did;  // what -> how often: "mul_one" -> 3
  std::string error;               // the pass failed, and the graph stayed as it was
};

/// What became of a node: `node` was made from `from`, or, if `from` is empty, is gone for the
/// reason in `how`.
struct Change {
  std::string pass;
  std::string node;
  std::vector<std::string> from;
  std::string how;
};

class Report {
 public:
  std::vector<PassReport> passes;
  std::vector<Change> changes;
  Totals before, after;
  double milliseconds = 0;

  /// A table with one line for each run of a pass that took part.
  std::string to_string() const;
  /// The history of the node of this name: which passes made it from what, or what became of it.
  std::string explain(std::string_view node) const;
};

}  // namespace weir::passes
