#include <snappy.h>

#include "base/crc32c.h"
#include "io/bundle/cursor.h"
#include "io/bundle/table.h"
#include "io/bundle/table_format.h"
#include "io/file/file.h"

namespace weir::io::bundle {
namespace {

// Keys share prefixes, so that a table can hold more bytes of keys than it has itself. Real ones
// stay below four times.
constexpr std::size_t kKeyBudget = 64;
constexpr std::size_t kSmallKeyBudget = 1 << 20;
constexpr std::size_t kMaxSnappyRatio = 22;  // 64 bytes copied by three

[[noreturn]] void damaged(const std::string& name, const std::string& cause) {
  fail(Code::data_loss, "index '" + name + "': " + cause);
}

struct Handle {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

Handle read_handle(Cursor& from, const std::string& name) {
  const Handle handle{from.varint(), from.varint()};
  if (!from.ok()) damaged(name, "a damaged block handle");
  return handle;
}

std::string uncompress(std::string_view stored, const std::string& name) {
  std::size_t size = 0;
  const bool sized = snappy::GetUncompressedLength(stored.data(), stored.size(), &size);
  if (!sized || size / kMaxSnappyRatio > stored.size())
    damaged(name, "a block with a wrong length");
  std::string block(size, '\0');
  if (!snappy::RawUncompress(stored.data(), stored.size(), block.data())) {
    damaged(name, "a block that cannot be decompressed");
  }
  return block;
}

std::string read_block(std::string_view file, const Handle& handle, const std::string& name) {
  const std::uint64_t end = file.size() - kFooterSize;
  if (handle.offset > end || end - handle.offset < kTrailerSize ||
      handle.size > end - handle.offset - kTrailerSize) {
    damaged(name, "a block outside the file");
  }
  const std::string_view stored = file.substr(handle.offset, handle.size);
  const char* trailer = stored.data() + stored.size();
  if (mask_crc32c(crc32c(stored.data(), stored.size() + 1)) != load_u32(trailer + 1)) {
    damaged(name, "the checksum of a block does not match");
  }
  if (*trailer == kSnappy) return uncompress(stored, name);
  if (*trailer != kUncompressed) damaged(name, "a block of an unknown compression");
  return std::string(stored);
}

// The entries' bytes, without the restart points behind them.
std::string_view entries_of(std::string_view block, const std::string& name) {
  if (block.size() < 4) damaged(name, "a block of less than four bytes");
  const std::uint64_t restarts = load_u32(block.data() + block.size() - 4);
  if (restarts > (block.size() - 4) / 4) damaged(name, "a block with too many restart points");
  return block.substr(0, block.size() - 4 - 4 * restarts);
}

}  // namespace

void parse_block(std::string_view block,
                 const std::string& name,
                 std::size_t* budget,
                 std::vector<TableEntry>* entries) {
  Cursor from(entries_of(block, name));
  std::string key;
  while (!from.rest().empty()) {
    const std::uint64_t shared = from.varint();
    const std::uint64_t added = from.varint();
    const std::uint64_t value_size = from.varint();
    const std::string_view suffix = from.take(added);
    const std::string_view value = from.take(value_size);
    if (!from.ok() || shared > key.size()) damaged(name, "a damaged entry");
    key.resize(shared);
    key += suffix;
    if (!entries->empty() && key <= entries->back().first) damaged(name, "keys out of order");
    if (key.size() > *budget) damaged(name, "keys of an unlikely length");
    *budget -= key.size();
    entries->emplace_back(key, value);
  }
}

std::vector<TableEntry> parse_table(std::string_view file, const std::string& name) {
  if (file.size() < kFooterSize || file.substr(file.size() - kMagic.size()) != kMagic) {
    damaged(name, "not an index of a checkpoint, or cut off");
  }
  std::size_t budget = file.size() * kKeyBudget + kSmallKeyBudget;
  Cursor footer(file.substr(file.size() - kFooterSize));
  static_cast<void>(read_handle(footer, name));  // of the block with meta data, which is empty
  std::vector<TableEntry> blocks;
  parse_block(read_block(file, read_handle(footer, name), name), name, &budget, &blocks);
  std::vector<TableEntry> entries;
  std::uint64_t end = 0;
  for (const TableEntry& block : blocks) {
    Cursor value(block.second);
    const Handle handle = read_handle(value, name);
    if (handle.offset < end) damaged(name, "blocks that overlap");
    parse_block(read_block(file, handle, name), name, &budget, &entries);
    end = handle.offset + handle.size;
  }
  return entries;
}

}  // namespace weir::io::bundle
