#include <algorithm>
#include <map>
#include <set>

#include "base/crc32c.h"
#include "io/bundle/bundle.h"
#include "io/bundle/layout.h"
#include "io/bundle/strings.h"
#include "io/bundle/table.h"
#include "io/file/file.h"
#include "platform/file.h"
#include "platform/file_lock.h"
#include "platform/file_writer.h"

namespace weir::io::bundle {
namespace {

constexpr std::int64_t kMaxAlignment = 4096;

void remove_quietly(const std::string& path) {
  static_cast<void>(platform::remove_all(path));
}

// Calls body(path, number of shards) for every data file of a prefix, complete or not.
template <class Body>
void for_each_data_file(const std::string& prefix, Body body) {
  const std::string directory = platform::parent_path(prefix);
  const std::string base = platform::base_name(prefix);
  std::vector<std::string> names;
  if (!platform::list_directory(directory, &names).ok()) return;
  for (const std::string& name : names) {
    const int shards = shards_of(name, base);
    if (shards > 0) body(platform::join_path(directory, name), shards);
  }
}

}  // namespace

class Writer::Impl {
 public:
  Impl(const std::string& prefix, const WriterOptions& options)
      : prefix_(prefix), options_(options) {
    const std::string base = platform::base_name(prefix);
    if (prefix.empty() || prefix.back() == '/' || base.empty()) {
      fail(Code::invalid_argument, "checkpoint: '" + prefix + "' names no file", "DIRECTORY/NAME");
    }
    if (options.alignment < 1 || options.alignment > kMaxAlignment || options.shard_bytes < 1) {
      fail(Code::invalid_argument, "checkpoint '" + prefix + "': alignment or shard_bytes");
    }
    check(platform::make_directories(platform::parent_path(prefix)));
    open_shard();
  }

  void add(std::string_view name, const Tensor& value) {
    check_name(name);
    if (entries_.contains(std::string(name))) refuse(name, "is there twice");
    store(std::string(name), name, value);
  }

  void add_part(std::string_view name, const Shape& full, const Part& part, const Tensor& value) {
    check_name(name);
    if (part.begin.size() != part.size.size() || value.shape() != Shape(part.size) ||
        full.rank() != value.rank()) {
      refuse(name, "has a part of another shape than its value");
    }
    const auto known = entries_.find(std::string(name));
    const bool is_whole = known != entries_.end() && known->second.slices_size() == 0;
    const proto::TensorSliceProto slice = slice_of(full, part);
    const std::string key = part_key(name, slice);
    if (is_whole || entries_.contains(key)) refuse(name, "is there twice");
    store(key, name, value);
    proto::BundleEntryProto& entry = entries_[std::string(name)];
    entry.set_dtype(static_cast<proto::DataType>(value.dtype()));
    set_shape(full, &entry);
    *entry.add_slices() = slice;
  }

  // Data first, then the index, whose rename is the moment at which the new bundle replaces an old
  // one. No file of the old one is touched before: data files get a count of shards that is free.
  void commit() {
    platform::DirectoryLock lock;
    check(platform::DirectoryLock::acquire(platform::parent_path(prefix_), &lock));
    const int count = free_count();
    const std::string index = format_index(count);
    std::vector<std::string> published;
    try {
      for (platform::AtomicFile& shard : shards_) {
        published.push_back(shard_path(prefix_, static_cast<int>(published.size()), count));
        check(shard.commit_as(published.back()));
      }
      check(platform::write_file_atomic(index_path(prefix_), index));
    } catch (const Error&) {
      withdraw(published, index);
      throw;
    }
    for_each_data_file(prefix_, [&](const std::string& path, int shards) {
      if (shards != count) remove_quietly(path);
    });
  }

 private:
  struct Place {
    std::int64_t offset;
    std::int64_t size;
    std::uint32_t crc;
  };

  [[noreturn]] void refuse(std::string_view name, const std::string& cause) const {
    fail(Code::invalid_argument,
         "checkpoint '" + prefix_ + "': tensor '" + std::string(name) + "' " + cause);
  }

  static void set_shape(const Shape& shape, proto::BundleEntryProto* entry) {
    entry->mutable_shape()->Clear();  // present for scalars as well
    for (const Dim dim : shape.dims())
      entry->mutable_shape()->add_dim()->set_size(dim.value());
  }

  static proto::TensorSliceProto slice_of(const Shape& full, const Part& part) {
    proto::TensorSliceProto slice;
    for (int d = 0; d < full.rank(); ++d) {
      const auto i = static_cast<std::size_t>(d);
      auto& extent = *slice.add_extent();
      if (part.begin[i] == 0 && full[d] == Dim(part.size[i])) continue;  // the whole dimension
      extent.set_start(part.begin[i]);
      extent.set_length(part.size[i]);
    }
    return slice;
  }

  void check_name(std::string_view name) const {
    if (name.empty() || name[0] == '\0') refuse(name, "has no name");
  }

  void open_shard() {
    shards_.emplace_back();
    check(shards_.back().open(shard_path(prefix_, static_cast<int>(shards_.size()) - 1, 1)));
    end_ = 0;
  }

  void append(std::string_view bytes) {
    check(shards_.back().append(bytes));
    end_ += static_cast<std::int64_t>(bytes.size());
  }

  void store(const std::string& key, std::string_view name, const Tensor& value) {
    if (!value.defined() || value.is_symbolic()) refuse(name, "has no value");
    if (end_ >= options_.shard_bytes) open_shard();
    const Place place =
        value.dtype() == DType::string ? append_strings(value) : append_plain(value);
    proto::BundleEntryProto& entry = entries_[key];
    entry.set_dtype(static_cast<proto::DataType>(value.dtype()));
    set_shape(value.shape(), &entry);
    entry.set_shard_id(static_cast<int>(shards_.size()) - 1);
    entry.set_offset(place.offset);
    entry.set_size(place.size);
    entry.set_crc32c(mask_crc32c(place.crc));
  }

  Place append_plain(const Tensor& value) {
    const std::int64_t gap = (options_.alignment - end_ % options_.alignment) % options_.alignment;
    append(std::string(static_cast<std::size_t>(gap), '\0'));
    const std::int64_t offset = end_;
    const auto size = static_cast<std::size_t>(value.nbytes());
    append({static_cast<const char*>(value.raw_data()), size});
    return {offset, value.nbytes(), crc32c(value.raw_data(), size)};
  }

  Place append_strings(const Tensor& value) {
    std::string bytes;
    const std::uint32_t crc = format_strings(value, &bytes);
    const std::int64_t offset = end_;
    append(bytes);
    return {offset, static_cast<std::int64_t>(bytes.size()), crc};
  }

  std::string format_index(int shards) const {
    proto::BundleHeaderProto header;
    header.set_num_shards(shards);
    header.mutable_version()->set_producer(1);
    std::vector<TableEntry> table{{"", header.SerializeAsString()}};
    for (const auto& [key, entry] : entries_)
      table.emplace_back(key, entry.SerializeAsString());
    return format_table(table);
  }

  // The smallest count of shards that no data file has. Without an index there is no bundle: data
  // files are what a crash left, and are written over.
  int free_count() const {
    const int needed = static_cast<int>(shards_.size());
    if (!platform::file_exists(index_path(prefix_))) return needed;
    std::set<int> taken;
    for_each_data_file(prefix_, [&](const std::string&, int shards) { taken.insert(shards); });
    int count = needed;
    while (taken.contains(count))
      ++count;
    return count;
  }

  // After a failure: the new index may be in place all the same, when only its directory could not
  // be made durable. Then both bundles' data stay, since either may be there after a power loss;
  // and so they do if the index cannot be read.
  void withdraw(const std::vector<std::string>& published, const std::string& index) const {
    std::string found;
    const bool there = platform::file_exists(index_path(prefix_));
    if (there && !(platform::read_file(index_path(prefix_), &found).ok() && found != index)) return;
    for (const std::string& path : published)
      remove_quietly(path);
  }

  std::string prefix_;
  WriterOptions options_;
  std::vector<platform::AtomicFile> shards_;
  std::int64_t end_ = 0;  // of the last shard
  std::map<std::string, proto::BundleEntryProto> entries_;
};

Writer::Writer(const std::string& prefix, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(prefix, options)) {}
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;

void Writer::add(std::string_view name, const Tensor& value) {
  impl_->add(name, value);
}

void Writer::add_part(std::string_view name,
                      const Shape& full,
                      const Part& part,
                      const Tensor& value) {
  impl_->add_part(name, full, part, value);
}

void Writer::commit() {
  impl_->commit();
}

bool exists(const std::string& prefix) {
  return platform::file_exists(index_path(prefix));
}

void remove(const std::string& prefix) {
  if (!platform::is_directory(platform::parent_path(prefix))) return;
  platform::DirectoryLock lock;
  check(platform::DirectoryLock::acquire(platform::parent_path(prefix), &lock));
  check(platform::remove_all(index_path(prefix)));
  for_each_data_file(prefix, [](const std::string& path, int) { remove_quietly(path); });
}

}  // namespace weir::io::bundle
