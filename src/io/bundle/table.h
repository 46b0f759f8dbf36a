#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::io::bundle {

// LevelDB's table format, a sorted list of keys and values, as TensorFlow uses it for the index of
// a checkpoint. Format: https://github.com/google/leveldb/blob/main/doc/table_format.md
// The file is held in memory as a whole; docs/adr/0009 says why the code is our own.

using TableEntry = std::pair<std::string, std::string>;

/// All entries of a table, in order. Errors (`data_loss`, naming `name`): anything that is not a
/// table, checksums that do not match, keys out of order. Memory stays within a small multiple of
/// the file.
std::vector<TableEntry> parse_table(std::string_view file, const std::string& name);

/// The entries of one block without its trailer, added to `entries`, whose keys come before.
/// `budget` limits the bytes of keys and is lowered by them.
void parse_block(std::string_view block,
                 const std::string& name,
                 std::size_t* budget,
                 std::vector<TableEntry>* entries);

/// A table of entries with strictly increasing keys, uncompressed.
std::string format_table(const std::vector<TableEntry>& entries);

}  // namespace weir::io::bundle
