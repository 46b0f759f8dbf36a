#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {

using Figures = std::vector<std::pair<std::string, double>>;

/// Runs `call` once and says what it took, on this thread and from the allocator of tensors:
/// "ops" run eagerly, "news" (calls of operator new), "allocated" (bytes handed out by the
/// allocator: headers and values of up to 64 bytes left out).
Figures consumption_of(const std::function<void()>& call);

}  // namespace weir::bench
