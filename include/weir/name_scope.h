/// NameScope: the names of nodes in a graph, in groups that TensorBoard can close.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::inline v0 {

/// Names of nodes made while it lives get `name/` in front: `NameScope scope("encoder");`
class NameScope {
 public:
  explicit NameScope(std::string_view name);
  ~NameScope();
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;

 private:
  std::size_t outer_size_;
};

}  // namespace weir::inline v0
