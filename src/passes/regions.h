#pragma once

/// Regions: groups of nodes that one kernel or tile program can compute, found by one walk over the
/// graph.
///
/// A region takes the place of its last member, so whatever reads one of its members must come
/// later and whatever its members read must come earlier. Both hold if no node between the members
/// reads one of them; this is checked by position, which costs little and keeps members close to
/// each other.

#include "passes/rewrite.h"

namespace weir::passes {

/// Operands of a tile program are pointers kept in registers while a tile is worked on; x86-64
/// leaves about ten.
inline constexpr int kMaxOperands = 8;
/// Results are stored while the tile is in registers; each takes a pointer too.
inline constexpr int kMaxResults = 4;
/// Values of a region live in one scratch tile each: 32 tiles of 256 floats are the first-level
/// cache.
inline constexpr int kMaxMembers = 32;

struct Fusion {
  /// Groups start with a contraction, and a node joins one of them; else groups start with
  /// element-wise nodes, and a node joins all that it can.
  bool contraction_first = false;
  const char* counted_as = "regions";
};

/// The graph with its groups of at least two nodes as regions; null if there are none.
GraphPtr fuse(const Graph& graph, Context& context, const Fusion& fusion);

}  // namespace weir::passes
