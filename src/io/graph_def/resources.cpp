#include "io/graph_def/resources.h"

#include "io/file/file.h"

namespace weir::io {

namespace {

void check_dtype(const Handle& handle, DType dtype) {
  if (handle.dtype == dtype) return;
  fail(Code::data_loss, "'" + handle.name.substr(0, 200) + "' has two dtypes");
}

}  // namespace

const Variable& Handle::initialised() const {
  if (variable.defined()) return variable;
  fail(Code::failed_precondition,
       "the variable '" + name.substr(0, 200) + "' has no value",
       "the model's checkpoint or its initial function gives it one");
}

std::shared_ptr<Handle> Resources::variable(const std::string& name, DType dtype) {
  std::shared_ptr<Handle>& handle = variables_[name];
  if (handle == nullptr) handle = std::make_shared<Handle>(Handle{.name = name, .dtype = dtype});
  check_dtype(*handle, dtype);
  return handle;
}

std::shared_ptr<Handle> Resources::table(const std::string& name, DType keys, DType values) {
  std::shared_ptr<Handle>& handle = tables_[name];
  if (handle == nullptr) {
    handle = std::make_shared<Handle>(
        Handle{.name = name, .dtype = keys, .is_table = true, .value_dtype = values});
  }
  check_dtype(*handle, keys);
  return handle;
}

std::string Resources::asset(const std::string& path) const {
  if (!asset_) fail(Code::not_found, "there are no assets to read '" + path.substr(0, 200) + "'");
  return asset_(path);
}

Tensor Resources::restore(const std::string& key, const std::string& slice) {
  if (!stored_) fail(Code::not_found, "there is no checkpoint to read '" + key + "' from");
  Tensor value = stored_(key, slice);
  restored_[value.impl()] = {value, key};
  return value;
}

std::string Resources::key_of(const Tensor& restored) const {
  const auto found = restored_.find(restored.impl());
  return found == restored_.end() ? std::string() : found->second.second;
}

}  // namespace weir::io
