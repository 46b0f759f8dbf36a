#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>
#include <map>
#include <unordered_map>

#include "base/crc32c.h"
#include "io/bundle/bundle.h"
#include "io/bundle/layout.h"
#include "io/bundle/strings.h"
#include "io/bundle/table.h"
#include "io/file/file.h"
#include "platform/file.h"
#include "tensor/tensor_impl.h"

namespace weir::io::bundle {
namespace {

constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{1} << 31;
constexpr int kVersion = 1;
constexpr int kAttempts = 100;   // of a reader that meets a writer
constexpr int kMaxParts = 4096;  // of one tensor

// A file's bytes and what keeps them.
struct Shard {
  std::string path;
  std::shared_ptr<const void> owner;
  std::string_view bytes;
};

struct Entry {
  proto::BundleEntryProto proto;
  std::vector<std::int64_t> dims;
};

[[noreturn]] void damaged(const std::string& what, const std::string& cause) {
  fail(Code::data_loss, what + ": " + cause, "restore another checkpoint");
}

proto::BundleHeaderProto read_header(const std::vector<TableEntry>& table,
                                     const std::string& name) {
  const std::string what = "index '" + name + "'";
  proto::BundleHeaderProto header;
  if (table.empty() || !table[0].first.empty() || !header.ParseFromString(table[0].second)) {
    damaged(what, "it has no header");
  }
  const auto& version = header.version();
  const auto& bad = version.bad_consumers();
  if (version.min_consumer() > kVersion ||
      std::find(bad.begin(), bad.end(), kVersion) != bad.end()) {
    fail(Code::unimplemented, what + ": written in a later version of the format");
  }
  if (header.num_shards() < 1 || header.num_shards() > kMaxShards) {
    damaged(what, "a number of shards of " + std::to_string(header.num_shards()));
  }
  return header;
}

Entry read_entry(const std::string& bytes, int shards, const std::string& what) {
  Entry entry;
  proto::BundleEntryProto& p = entry.proto;
  if (!p.ParseFromString(bytes)) damaged(what, "its entry cannot be read");
  if (p.shape().unknown_rank() || p.shape().dim_size() > kMaxRank) damaged(what, "a damaged shape");
  for (const auto& dim : p.shape().dim()) {
    if (dim.size() < 0) damaged(what, "a negative dimension");
    entry.dims.push_back(dim.size());
  }
  std::int64_t count = 0;
  std::int64_t size = 0;
  if (!checked_size(entry.dims, 16, &count, &size)) damaged(what, "a shape of 2^63 bytes or more");
  if (p.shard_id() < 0 || p.shard_id() >= shards || p.offset() < 0 || p.size() < 0) {
    damaged(what, "a place that is in no file");
  }
  return entry;
}

DType dtype_of_number(int number) {
  const auto dtype = static_cast<DType>(number);
  return number > 0 && number < 256 && is_valid(dtype) ? dtype : DType::invalid;
}

Shard map_shard(const std::string& path) {
  auto file = std::make_shared<platform::MappedFile>();
  check(platform::MappedFile::open(path, file.get()));
  const auto bytes = file->bytes();
  return {path, file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

void release_owner(void*, void* context) {
  delete static_cast<std::shared_ptr<const void>*>(context);
}

// A tensor over bytes that it keeps alive.
Tensor view(const Shard& shard, std::string_view bytes, DType dtype, const Shape& shape) {
  auto owner = std::make_unique<std::shared_ptr<const void>>(shard.owner);
  char* data = const_cast<char*>(bytes.data());  // never written: Tensor::wrap is for reading
  Tensor t = Tensor::wrap(data, dtype, shape, release_owner, owner.get());
  static_cast<void>(owner.release());
  return t;
}

// A word of the file's byte order: a complex number is two.
std::int64_t word_size(DType dtype) {
  const bool complex = dtype == DType::complex64 || dtype == DType::complex128;
  return complex ? byte_size(dtype) / 2 : byte_size(dtype);
}

void swap_words(char* data, std::int64_t bytes, std::int64_t word) {
  for (char* at = data; word > 1 && at + word <= data + bytes; at += word)
    std::reverse(at, at + word);
}

bool has_odd_booleans(std::string_view bytes, DType dtype) {
  return dtype == DType::boolean &&
         std::any_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c > 1; });
}

Tensor copy(std::string_view bytes, DType dtype, const Shape& shape, bool swap) {
  Tensor t = TensorImpl::concrete(dtype, shape);
  char* data = static_cast<char*>(t.impl()->data());
  std::memcpy(data, bytes.data(), bytes.size());
  if (swap) swap_words(data, static_cast<std::int64_t>(bytes.size()), word_size(dtype));
  if (dtype == DType::boolean) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      data[i] = bytes[i] != 0;
  }
  return t;
}

Part whole(const std::vector<std::int64_t>& dims) {
  return {std::vector<std::int64_t>(dims.size(), 0), dims};
}

}  // namespace

class Reader::Impl {
 public:
  explicit Impl(std::string prefix) : name_(std::move(prefix)) {}

  void load(std::string_view index) {
    std::vector<TableEntry> table = parse_table(index, name_);
    header_ = read_header(table, name_);
    for (std::size_t i = 1; i < table.size(); ++i) {
      const std::string& key = table[i].first;
      const bool part = key[0] == '\0';
      Entry entry =
          read_entry(table[i].second, header_.num_shards(), what(part ? "of parts" : key));
      if (!part) tensors_.push_back({key, dtype_of_number(entry.proto.dtype()), Shape(entry.dims)});
      entries_.emplace(key, std::move(entry));
    }
  }

  // The shards that entries use, by number.
  void map_shards() {
    for (const auto& [key, entry] : entries_) {
      const int id = entry.proto.shard_id();
      if (entry.proto.slices_size() > 0 || shards_.contains(id)) continue;
      shards_.emplace(id, map_shard(shard_path(name_, id, header_.num_shards())));
    }
  }

  void use_shards(std::vector<std::string> shards) {
    for (std::size_t i = 0; i < shards.size(); ++i) {
      auto bytes = std::make_shared<const std::string>(std::move(shards[i]));
      const int id = static_cast<int>(i);
      shards_.emplace(id, Shard{shard_path(name_, id, header_.num_shards()), bytes, *bytes});
    }
  }

  const std::vector<TensorInfo>& tensors() const { return tensors_; }

  Tensor read(std::string_view tensor, const Part* part) const {
    const std::string name(tensor);
    const auto it = entries_.find(name);
    if (it == entries_.end() || name[0] == '\0') {
      fail(Code::not_found, "checkpoint '" + name_ + "' has no tensor '" + name + "'");
    }
    const Entry& entry = it->second;
    if (part != nullptr) check_part(name, entry, *part);
    if (entry.proto.slices_size() > 0) return assemble(name, entry, part);
    const Tensor value = decode(name, entry);
    return part == nullptr ? value : cut(name, entry, value, *part);
  }

 private:
  std::string what(const std::string& tensor) const {
    return "checkpoint '" + name_ + "', tensor '" + tensor + "'";
  }

  void check_part(const std::string& name, const Entry& entry, const Part& part) const {
    bool inside = part.begin.size() == entry.dims.size() && part.size.size() == entry.dims.size();
    for (std::size_t d = 0; inside && d < entry.dims.size(); ++d) {
      inside = part.begin[d] >= 0 && part.size[d] >= 0 && part.begin[d] <= entry.dims[d] &&
               part.size[d] <= entry.dims[d] - part.begin[d];
    }
    if (!inside)
      fail(Code::out_of_range, what(name) + ": a part outside " + Shape(entry.dims).to_string());
  }

  DType checked_dtype(const std::string& name, const Entry& entry) const {
    const DType dtype = dtype_of_number(entry.proto.dtype());
    if (dtype == DType::invalid) {
      fail(Code::unimplemented,
           what(name) + ": dtype number " + std::to_string(entry.proto.dtype()) + " of TensorFlow");
    }
    return dtype;
  }

  const Shard& shard_of(const std::string& name, const Entry& entry) const {
    const auto it = shards_.find(entry.proto.shard_id());
    if (it == shards_.end()) damaged(what(name), "its file is missing");
    return it->second;
  }

  // The stored bytes of an entry.
  std::string_view stored(const std::string& name, const Entry& entry, const Shard& shard) const {
    const auto offset = static_cast<std::uint64_t>(entry.proto.offset());
    const auto size = static_cast<std::uint64_t>(entry.proto.size());
    if (offset > shard.bytes.size() || size > shard.bytes.size() - offset) {
      damaged(what(name), "'" + shard.path + "' is too short");
    }
    return shard.bytes.substr(offset, size);
  }

  Tensor decode(const std::string& name, const Entry& entry) const {
    const DType dtype = checked_dtype(name, entry);
    const Shard& shard = shard_of(name, entry);
    const std::string_view bytes = stored(name, entry, shard);
    std::int64_t count = 0;
    std::int64_t size = 0;
    static_cast<void>(checked_size(entry.dims, byte_size(dtype), &count, &size));
    const Shape shape(entry.dims);
    if (dtype == DType::string) return decode_strings(name, entry, bytes, shape, count);
    if (size != entry.proto.size()) {
      damaged(what(name),
              "it has " + std::to_string(entry.proto.size()) + " bytes, its shape needs " +
                  std::to_string(size));
    }
    if (mask_crc32c(crc32c(bytes.data(), bytes.size())) != entry.proto.crc32c()) {
      damaged(what(name), "the checksum does not match, in '" + shard.path + "'");
    }
    const bool swap = header_.endianness() != proto::BundleHeaderProto::LITTLE;
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    const bool aligned = address % static_cast<std::uintptr_t>(word_size(dtype)) == 0;
    if (swap || !aligned || count == 0 || has_odd_booleans(bytes, dtype)) {
      return copy(bytes, dtype, shape, swap);
    }
    return view(shard, bytes, dtype, shape);
  }

  Tensor decode_strings(const std::string& name,
                        const Entry& entry,
                        std::string_view bytes,
                        const Shape& shape,
                        std::int64_t count) const {
    Tensor t;
    const std::string cause = parse_strings(bytes, shape, count, entry.proto.crc32c(), &t);
    if (!cause.empty()) damaged(what(name), cause);
    return t;
  }

  Tensor cut(const std::string& name,
             const Entry& entry,
             const Tensor& value,
             const Part& part) const {
    refuse_strings(name, value.dtype());
    Tensor t = TensorImpl::concrete(value.dtype(), Shape(part.size));
    copy_common(whole(entry.dims),
                static_cast<const char*>(value.raw_data()),
                part,
                static_cast<char*>(t.impl()->data()),
                byte_size(value.dtype()));
    return t;
  }

  void refuse_strings(const std::string& name, DType dtype) const {
    if (dtype == DType::string) fail(Code::unimplemented, what(name) + ": parts of strings");
  }

  Part box_of(const std::string& name,
              const Entry& entry,
              const proto::TensorSliceProto& slice) const {
    Part box = whole(entry.dims);
    if (slice.extent_size() != static_cast<int>(entry.dims.size())) {
      damaged(what(name), "a part of another rank");
    }
    for (std::size_t d = 0; d < entry.dims.size(); ++d) {
      const auto& extent = slice.extent(static_cast<int>(d));
      const bool has_length =
          extent.has_length_case() == proto::TensorSliceProto::Extent::kLength &&
          extent.length() != -1;
      if (!has_length && extent.start() == 0) continue;
      if (extent.start() < 0 || extent.length() <= 0 || extent.start() > entry.dims[d] ||
          extent.length() > entry.dims[d] - extent.start()) {
        damaged(what(name), "a part outside the tensor");
      }
      box.begin[d] = extent.start();
      box.size[d] = extent.length();
    }
    return box;
  }

  struct Piece {
    Part box;
    const Entry* entry;
  };

  // All pieces of a tensor, which fill it without overlap: nothing is allocated before.
  std::vector<Piece> pieces_of(const std::string& name, const Entry& entry) const {
    std::vector<Piece> pieces;
    std::int64_t total = 0;
    if (entry.proto.slices_size() > kMaxParts) damaged(what(name), "too many parts");
    for (const auto& slice : entry.proto.slices()) {
      const auto it = entries_.find(part_key(name, slice));
      if (it == entries_.end()) damaged(what(name), "a part is missing");
      Piece piece{box_of(name, entry, slice), &it->second};
      if (it->second.dims != piece.box.size || it->second.proto.dtype() != entry.proto.dtype()) {
        damaged(what(name), "a part of another shape or dtype");
      }
      for (const Piece& other : pieces) {
        if (overlap(piece.box, other.box)) damaged(what(name), "parts that overlap");
      }
      total += Shape(piece.box.size).size();
      pieces.push_back(std::move(piece));
    }
    if (total != Shape(entry.dims).size()) damaged(what(name), "parts that do not fill it");
    return pieces;
  }

  Tensor assemble(const std::string& name, const Entry& entry, const Part* part) const {
    const DType dtype = checked_dtype(name, entry);
    refuse_strings(name, dtype);
    const Part box = part == nullptr ? whole(entry.dims) : *part;
    std::vector<std::pair<Part, Tensor>> values;
    for (Piece& piece : pieces_of(name, entry)) {
      if (overlap(piece.box, box)) values.emplace_back(piece.box, decode(name, *piece.entry));
    }
    Tensor t = TensorImpl::concrete(dtype, Shape(box.size));
    for (const auto& [from, value] : values) {
      copy_common(from,
                  static_cast<const char*>(value.raw_data()),
                  box,
                  static_cast<char*>(t.impl()->data()),
                  byte_size(dtype));
    }
    return t;
  }

  std::string name_;
  proto::BundleHeaderProto header_;
  std::vector<TensorInfo> tensors_;
  std::unordered_map<std::string, Entry> entries_;
  std::map<int, Shard> shards_;
};

namespace {

std::string read_index(const std::string& prefix) {
  std::string bytes;
  check(platform::read_file(index_path(prefix), &bytes, kMaxIndexBytes));
  return bytes;
}

}  // namespace

// A writer that replaces the bundle puts its index in place, then removes the shards of the one
// before, whose names may come up again later. So an index holds only if it is still the same when
// its shards are open; else the reader starts again.
Reader::Reader(const std::string& prefix) {
  std::string index = read_index(prefix);
  for (int attempt = 1;; ++attempt) {
    std::exception_ptr missing;
    auto impl = std::make_shared<Impl>(prefix);
    impl->load(index);
    try {
      impl->map_shards();
    } catch (const Error&) {
      missing = std::current_exception();
    }
    std::string again = read_index(prefix);
    if (again == index || attempt == kAttempts) {
      if (missing) std::rethrow_exception(missing);
      impl_ = std::move(impl);
      return;
    }
    index = std::move(again);
  }
}

Reader::Reader(const std::string& name, std::string_view index, std::vector<std::string> shards) {
  auto impl = std::make_shared<Impl>(name);
  impl->load(index);
  impl->use_shards(std::move(shards));
  impl_ = std::move(impl);
}

const std::vector<TensorInfo>& Reader::tensors() const {
  return impl_->tensors();
}

const TensorInfo* Reader::find(std::string_view name) const {
  const auto& list = tensors();
  const auto it = std::lower_bound(
      list.begin(), list.end(), name, [](const TensorInfo& info, std::string_view key) {
        return info.name < key;
      });
  return it != list.end() && it->name == name ? &*it : nullptr;
}

Tensor Reader::read(std::string_view name) const {
  return impl_->read(name, nullptr);
}

Tensor Reader::read(std::string_view name, const Part& part) const {
  return impl_->read(name, &part);
}

}  // namespace weir::io::bundle
