#pragma once

#include <functional>
#include <map>

#include "io/graph_def/value.h"

namespace weir::io {

/// The state that the functions of one file share.
class Resources {
 public:
  /// Reads a stored tensor: its key, and the slice that is wanted ("" for all of it).
  using Stored = std::function<Tensor(const std::string& key, const std::string& slice)>;
  /// Reads an asset, which must lie in the model's directory.
  using Asset = std::function<std::string(const std::string& path)>;

  explicit Resources(Stored stored = {}, Asset asset = {})
      : stored_(std::move(stored)), asset_(std::move(asset)) {}

  /// The variable or table of this name, made at its first use.
  std::shared_ptr<Handle> variable(const std::string& name, DType dtype);
  std::shared_ptr<Handle> table(const std::string& name, DType keys, DType values);
  /// By name.
  const std::map<std::string, std::shared_ptr<Handle>>& variables() const { return variables_; }

  std::string asset(const std::string& path) const;
  /// What RestoreV2 gives. Throws weir::Error: not_found where nothing is stored.
  Tensor restore(const std::string& key, const std::string& slice);
  /// The key of a tensor that `restore` gave; empty for any other.
  std::string key_of(const Tensor& restored) const;

 private:
  Stored stored_;
  Asset asset_;
  std::map<std::string, std::shared_ptr<Handle>> variables_, tables_;
  std::map<const void*, std::pair<Tensor, std::string>> restored_;
};

}  // namespace weir::io
