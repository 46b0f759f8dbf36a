#include <algorithm>

#include "base/crc32c.h"
#include "io/bundle/cursor.h"
#include "io/bundle/table.h"
#include "io/bundle/table_format.h"

namespace weir::io::bundle {
namespace {

constexpr std::size_t kBlockSize = 262144;  // as TensorFlow
constexpr int kRestartInterval = 16;

std::size_t shared_prefix(std::string_view a, std::string_view b) {
  const std::size_t limit = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<long>(limit), b.begin()).first - a.begin());
}

class Block {
 public:
  explicit Block(int restart_interval) : interval_(restart_interval) {}

  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }

  void add(std::string_view key, std::string_view value) {
    std::size_t shared = 0;
    if (count_++ % interval_ == 0) {
      if (count_ > 1) append_u32(static_cast<std::uint32_t>(bytes_.size()), &restarts_);
    } else {
      shared = shared_prefix(last_key_, key);
    }
    append_varint(shared, &bytes_);
    append_varint(key.size() - shared, &bytes_);
    append_varint(value.size(), &bytes_);
    bytes_ += key.substr(shared);
    bytes_ += value;
    last_key_ = key;
  }

  /// The block as stored; empty again afterwards.
  std::string finish() {
    std::string block = std::move(bytes_) + std::string(4, '\0') + restarts_;
    append_u32(static_cast<std::uint32_t>(restarts_.size() / 4 + 1), &block);
    block.push_back(kUncompressed);
    append_u32(mask_crc32c(crc32c(block.data(), block.size())), &block);
    *this = Block(interval_);
    return block;
  }

 private:
  int interval_;
  int count_ = 0;
  std::string bytes_, restarts_, last_key_;
};

// A short key that is at least `last` and below `next`.
std::string separator(const std::string& last, const std::string& next) {
  const std::size_t at = shared_prefix(last, next);
  if (at >= std::min(last.size(), next.size())) return last;
  const auto byte = static_cast<unsigned char>(last[at]);
  if (byte == 0xff || byte + 1 >= static_cast<unsigned char>(next[at])) return last;
  return last.substr(0, at) + static_cast<char>(byte + 1);
}

// A short key that is at least `last`.
std::string successor(const std::string& last) {
  const std::size_t at = last.find_first_not_of('\xff');
  if (at == std::string::npos) return last;
  return last.substr(0, at) + static_cast<char>(static_cast<unsigned char>(last[at]) + 1);
}

// Appends a finished block and returns its handle.
std::string append_block(Block& block, std::string* file) {
  std::string handle;
  append_varint(file->size(), &handle);
  const std::string stored = block.finish();
  append_varint(stored.size() - kTrailerSize, &handle);
  *file += stored;
  return handle;
}

}  // namespace

std::string format_table(const std::vector<TableEntry>& entries) {
  std::string file;
  Block data(kRestartInterval), index(1), meta(1);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& key = entries[i].first;
    data.add(key, entries[i].second);
    const bool last = i + 1 == entries.size();
    if (data.size() < kBlockSize && !last) continue;
    const std::string bound = last ? successor(key) : separator(key, entries[i + 1].first);
    index.add(bound, append_block(data, &file));
  }
  std::string footer = append_block(meta, &file);
  footer += append_block(index, &file);
  footer.resize(kFooterSize - kMagic.size(), '\0');
  return file + footer + std::string(kMagic);
}

}  // namespace weir::io::bundle
