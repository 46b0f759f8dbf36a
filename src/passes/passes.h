#pragma once

/// The passes, in the order of the pipeline. Each is one file of the same name.

#include "passes/pass.h"

namespace weir::passes {

/// Replaces calls of graphs by the nodes of those graphs, so that all later passes see across the
/// call. Traces keep nested functions as calls because a reader wants to see them; a program gains
/// nothing from them. Calls that recur, and calls that would make the graph larger than
/// kMaxInlinedNodes, stay.
GraphPtr inline_calls(const Graph& graph, Context& context);

/// Gives each unknown dimension of an input a name, and infers all shapes anew. Two values whose
/// shapes are equal for every input then have equal shapes in the graph, which is what rules and
/// fusion ask.
GraphPtr name_dimensions(const Graph& graph, Context& context);

/// Removes pure nodes that nothing uses. Writes, prints and asserts stay, and so do inputs: they
/// are the signature.
GraphPtr prune(const Graph& graph, Context& context);

/// Removes the arguments of If and Case that no branch reads any more. Each would keep a value
/// alive, and the nodes that compute it.
GraphPtr drop_arguments(const Graph& graph, Context& context);

/// Replaces ops that read only the shapes of their inputs by constants where those shapes are
/// known. Gradients are full of them, and each would keep an activation alive.
GraphPtr materialise_shapes(const Graph& graph, Context& context);

/// Computes what depends on constants only, with the kernels that the program would use, hence to
/// the same bits. A static operand that has become constant becomes an attribute; a branch with a
/// known predicate replaces its If. An op that fails stays: its error belongs to the run. Constants
/// do not grow: see Options::fold_limit.
GraphPtr fold_constants(const Graph& graph, Context& context);

/// Applies the rewrite rules of rules/, each of which saves work without changing a bit
/// (Options::fast adds those that change rounding). No rule raises the number of nodes.
GraphPtr apply_rules(const Graph& graph, Context& context);

/// Merges nodes that compute the same thing: ops with equal inputs and attributes, constants of
/// equal content, reads of a variable with no write between them. A read behind a write is the
/// value written.
GraphPtr merge_duplicates(const Graph& graph, Context& context);

/// Makes a region of each contraction and the element-wise nodes that follow it (bias, activation,
/// their gradients), so that they are applied to each tile of the product while it is in cache.
GraphPtr fuse_contractions(const Graph& graph, Context& context);

/// Makes regions of connected element-wise nodes of one shape: one pass over memory instead of one
/// for each node.
GraphPtr fuse_elementwise(const Graph& graph, Context& context);

}  // namespace weir::passes
