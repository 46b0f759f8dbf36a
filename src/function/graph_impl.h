#pragma once

#include <weir/graph.h>

#include "graph/builder.h"

namespace weir::inline v0 {

class Graph::Impl {
 public:
  explicit Impl(std::string name) : builder(graph::Builder::create(std::move(name))) {}
  std::shared_ptr<graph::Builder> builder;
};

}  // namespace weir::inline v0
