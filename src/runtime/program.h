#pragma once

/// A program in memory: the checked view of a blob in the format of program_format.h. Nothing is
/// copied; the blob must outlive the Program. What `open` accepts can be bound and run without
/// further checks of sizes, offsets or indices.

#include <weir/kernel.h>

#include <span>

#include "base/status.h"
#include "runtime/program_format.h"

namespace weir::rt {

inline constexpr int kMaxTileRegisters = 64;
inline constexpr int kMaxStepOperands = 4096;
/// Of the steps of one group together.
inline constexpr int kMaxGroupOperands = 1024;

class Program {
 public:
  /// Checksums are for files; a program that was just written need not be read twice.
  enum class Checksum : std::uint8_t { verify, skip };

  /// Errors: data_loss for bytes that are no valid program, invalid_argument for memory that is not
  /// 64-byte aligned, unimplemented for another version.
  static Result<Program> open(std::span<const std::byte> blob,
                              Checksum checksum = Checksum::verify);

  std::span<const format::Slot> slots() const { return table<format::Slot>(header_->slots); }
  std::span<const format::Value> values() const { return table<format::Value>(header_->values); }
  std::span<const format::Step> steps() const { return table<format::Step>(header_->steps); }
  std::size_t operand_count() const { return std::size_t(header_->operands.count); }
  std::size_t attr_count() const { return std::size_t(header_->attrs.count); }
  std::uint64_t arena_bytes() const { return header_->arena_bytes; }
  std::uint64_t constant_bytes() const { return header_->constants.count; }
  std::span<const std::byte> blob() const { return {base_, std::size_t(header_->bytes)}; }

  /// Values of the inputs of a step, then of its outputs.
  std::span<const std::uint32_t> operands(const format::Step& s) const {
    return table<std::uint32_t>(header_->operands)
        .subspan(s.operands, std::size_t(s.inputs) + s.outputs);
  }
  std::span<const format::Tile> tiles(const format::Step& s) const {
    return table<format::Tile>(header_->tiles).subspan(s.tiles, s.tile_count);
  }
  /// Zero-terminated.
  const char* text(std::uint32_t offset) const {
    return reinterpret_cast<const char*>(base_ + header_->text.offset) + offset;
  }
  const std::byte* constants() const { return base_ + header_->constants.offset; }
  /// Shape and dtype of a value; data is null.
  View view(const format::Value& v) const;
  /// Attribute number `index` of the table; its list points into the blob.
  Attr attr(std::size_t index) const;
  std::uint64_t bytes(const format::Value& v) const { return std::uint64_t(view(v).bytes()); }

 private:
  explicit Program(const std::byte* base)
      : base_(base), header_(reinterpret_cast<const format::Header*>(base)) {}
  template <class T>
  std::span<const T> table(const format::Table& t) const {
    return {reinterpret_cast<const T*>(base_ + t.offset), std::size_t(t.count)};
  }
  friend class ProgramCheck;

  const std::byte* base_;
  const format::Header* header_;
};

}  // namespace weir::rt
