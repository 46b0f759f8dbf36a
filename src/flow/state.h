#pragma once

/// Bodies of branches and loops as functions of the variables that they change.

#include "graph/builder.h"

namespace weir::inline v0::flow {

using Variables = std::vector<std::shared_ptr<VariableState>>;

/// Variables that the bodies, and the bodies in them, write, and read for a result, in order of
/// first use. Reads of all others have been captured.
Variables carried_variables(std::span<const std::shared_ptr<graph::Graph>> bodies);
/// True if `a` writes a variable that `b` reads.
bool writes_what_is_read(const graph::Graph& a, const graph::Graph& b);

/// A copy of `g` without effects: the values of `variables` are further inputs, what they end up
/// with further outputs; other writes are left out. A gradient does not flow from a variable to
/// what was assigned, so a differentiable one must not be read after it was written. Error
/// (unimplemented): it is; or the condition of a loop in `g` writes one.
std::shared_ptr<graph::Graph> with_state(const graph::Graph& g, const Variables& variables);

}  // namespace weir::inline v0::flow
