#pragma once

namespace weir::inline v0::flow {

/// Makes graph::replay able to run branches and loops. Cheap; may be called often and from any
/// thread.
void install_runner();

}  // namespace weir::inline v0::flow
