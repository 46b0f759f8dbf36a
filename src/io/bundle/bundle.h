#pragma once

/// TensorBundle, the tensors of a TensorFlow checkpoint: `PREFIX.index`, a table of names, and
/// `PREFIX.data-00000-of-00001`, their bytes, in one or more shards. A checkpoint is named by its
/// prefix. What the tensors mean is the business of others (io/checkpoint, io/saved_model).

#include <weir/named_tensors.h>
#include <weir/tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::io::bundle {

struct TensorInfo {
  std::string name;
  DType dtype;  // invalid: one that Weir does not have; reading the tensor is an error then
  Shape shape;
};

/// A box of a tensor: begin and size in each dimension.
struct Part {
  std::vector<std::int64_t> begin;
  std::vector<std::int64_t> size;
};

/// An open bundle. A handle; tensors read from it stay valid without it. Replacing the files on
/// disk (as a writer does) leaves it untouched; cutting them off in place does not.
class Reader {
 public:
  /// Opens the index and all shards. Errors: `not_found`; `data_loss` for a damaged index.
  explicit Reader(const std::string& prefix);
  /// A bundle in memory; `name` stands for its prefix in errors.
  Reader(const std::string& name, std::string_view index, std::vector<std::string> shards);

  /// All tensors, sorted by name.
  const std::vector<TensorInfo>& tensors() const;
  /// Null if there is none of this name.
  const TensorInfo* find(std::string_view name) const;
  /// The value, its checksum verified. Elements are used in place in the mapped file where they are
  /// aligned. A tensor stored in parts is put together. Errors: `not_found`; `data_loss`, naming
  /// file and tensor; `unimplemented` for a dtype that Weir does not have.
  Tensor read(std::string_view name) const;
  /// A part of a value. Error: outside the tensor (`out_of_range`).
  Tensor read(std::string_view name, const Part& part) const;

  class Impl;

 private:
  std::shared_ptr<const Impl> impl_;
};

struct WriterOptions {
  std::int64_t alignment = 64;  // of a tensor in its file, so that readers can use it in place
  std::int64_t shard_bytes = INT64_MAX;  // a shard that reaches this is the last tensor's
};

/// Writes a bundle. It appears when it is complete and on disk, and one of the same name that was
/// there stays valid until then; without `commit`, or after an error, nothing is left.
class Writer {
 public:
  explicit Writer(const std::string& prefix, const WriterOptions& options = {});
  ~Writer();
  Writer(Writer&&) noexcept;

  /// Errors: an empty name, or one that is there already; a symbolic tensor.
  void add(std::string_view name, const Tensor& value);
  /// A part of a tensor of shape `full`; parts of one tensor must not overlap and together fill it.
  void add_part(std::string_view name, const Shape& full, const Part& part, const Tensor& value);
  void commit();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether a bundle of this prefix is there.
bool exists(const std::string& prefix);

/// Removes the files of a bundle, the index first. What does not exist is no error.
void remove(const std::string& prefix);

}  // namespace weir::io::bundle
