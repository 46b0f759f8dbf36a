#pragma once

/// Writes programs in the format of runtime/program_format.h, record by record.

#include <weir/kernel.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plan/aligned_bytes.h"
#include "runtime/program_format.h"

namespace weir::plan {

class ProgramWriter {
 public:
  using SlotKind = rt::format::SlotKind;
  static constexpr std::uint32_t kNone = rt::format::kNone;

  ProgramWriter() { text_.push_back('\0'); }

  std::uint32_t slot(SlotKind kind,
                     std::uint64_t bytes,
                     std::string_view name,
                     std::uint32_t partner = kNone);
  /// Offset of elements that are copied into the program, 64-byte aligned.
  std::uint64_t constant(const void* data, std::size_t bytes);
  std::uint32_t value(rt::format::Storage storage,
                      std::uint32_t slot,
                      std::uint64_t offset,
                      DType dtype,
                      std::span<const std::int64_t> dims);

  struct Attrs {
    std::uint32_t first = 0;
    std::uint16_t count = 0;
  };
  Attrs attrs(std::span<const rt::Attr> list);
  /// The index that the next tile gets; the tiles of a step follow each other.
  std::uint32_t next_tile() const { return std::uint32_t(tiles_.size()); }
  void tile(const rt::format::Tile& tile) { tiles_.push_back(tile); }
  /// Appends a step. `record` has everything but `operands`, `inputs`, `outputs` and `name`.
  std::uint32_t step(rt::format::Step record,
                     std::span<const std::uint32_t> inputs,
                     std::span<const std::uint32_t> outputs,
                     std::string_view name);

  AlignedBytes finish(std::uint64_t arena_bytes) const;

 private:
  std::uint32_t text(std::string_view s);
  std::uint32_t words(std::span<const std::int64_t> list);
  std::uint32_t real_words(const rt::Attr& a);

  std::vector<rt::format::Slot> slots_;
  std::vector<rt::format::Value> values_;
  std::vector<std::uint32_t> operands_;
  std::vector<rt::format::Step> steps_;
  std::vector<rt::format::Tile> tiles_;
  std::vector<rt::format::Attribute> attrs_;
  std::vector<std::int64_t> words_;
  std::vector<char> text_;
  std::vector<std::byte> constants_;
  std::map<std::vector<std::int64_t>, std::uint32_t> shapes_;
};

}  // namespace weir::plan
