#pragma once

#include "flow/body.h"
#include "graph/graph.h"

namespace weir::inline v0::flow {

/// If or Case as a node of `outer`, from bodies that take no arguments. Recorded on the tapes.
Flat branch_node(const std::shared_ptr<graph::Builder>& outer,
                 graph::Kind kind,
                 const Tensor& selector,
                 std::span<const Body> branches,
                 std::source_location where);

/// The number of the branch that a concrete selector takes.
std::size_t taken_branch(graph::Kind kind, const Tensor& selector, std::size_t branches);

}  // namespace weir::inline v0::flow
