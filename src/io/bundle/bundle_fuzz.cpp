#include <weir/error.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "io/bundle/bundle.h"
#include "io/bundle/cursor.h"
#include "io/bundle/table.h"

// Any bytes give tensors or a weir::Error. The first byte chooses what they are: 0 whole files, 1
// entries of a table that is made of them, so that its checksums are right, else one block.

namespace {

using namespace weir::io::bundle;

void read_all(std::string_view index, std::string_view data) {
  const Reader reader("fuzz", index, {std::string(data)});
  for (const TensorInfo& info : reader.tensors()) {
    try {
      reader.read(info.name);
      Part part;
      part.begin.assign(static_cast<std::size_t>(info.shape.rank()), 0);
      part.size.assign(static_cast<std::size_t>(info.shape.rank()), 1);
      reader.read(info.name, part);
    } catch (const weir::Error&) {
    }
  }
}

void try_files(Cursor input) {
  const std::string_view size = input.take(4);
  if (size.size() != 4) return;
  const std::string_view index = input.take(load_u32(size.data()));
  read_all(index, input.rest());
}

std::string_view take_text(Cursor& input) {
  const std::string_view size = input.take(1);
  return size.empty() ? size : input.take(static_cast<unsigned char>(size[0]));
}

void try_entries(Cursor input) {
  std::map<std::string, std::string> entries;
  const std::string_view count = input.take(1);
  for (int i = 0; !count.empty() && i < static_cast<unsigned char>(count[0]); ++i) {
    const std::string key(take_text(input));
    entries[key] = take_text(input);
  }
  read_all(format_table({entries.begin(), entries.end()}), input.rest());
}

void try_block(std::string_view block) {
  std::size_t budget = 1 << 16;
  std::vector<TableEntry> entries;
  parse_block(block, "fuzz", &budget, &entries);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] == 0) try_files(Cursor(input));
    if (data[0] == 1) try_entries(Cursor(input));
    if (data[0] > 1) try_block(input);
  } catch (const weir::Error&) {
  }
  return 0;
}
