#pragma once

/// The program format, version 1: one little-endian blob that is used in place, from memory or
/// flash.
///
/// A Header, then tables of fixed-width records at 64-byte aligned offsets, in any order. Offsets
/// count bytes from the start of the blob, indices count records of a table. Numbers that no rule
/// below gives a meaning are zero.
///
///   slots     memory that the caller binds: inputs, results, variables, packed operands
///   values    typed arrays in a slot, in the arena or among the constants
///   operands  value indices, the inputs and then the outputs of each step
///   steps     kernel calls in the order in which they run
///   tiles     element-wise ops of the steps that are tile programs or end in one (tile_program.h)
///   attrs     attributes of kernels and tiles
///   words     8-byte numbers: dimensions, lists of attributes
///   text      zero-terminated names and strings of attributes
///   constants elements, each value 64-byte aligned

#include <cstddef>
#include <cstdint>

namespace weir::rt::format {

inline constexpr char kMagic[8] = {'W', 'E', 'I', 'R', 'P', 'R', 'O', 'G'};
inline constexpr std::uint32_t kVersion = 1;
/// Alignment of the blob, the tables, the arena, its values and each constant.
inline constexpr std::size_t kAlignment = 64;
inline constexpr std::uint32_t kNone = 0xffffffff;

struct Table {
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
};

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t checksum;  // CRC-32C of all bytes that follow this field
  std::uint64_t bytes;     // of the whole blob
  std::uint64_t arena_bytes;
  Table slots, values, operands, steps, tiles, attrs, words, text, constants;
};

enum class SlotKind : std::uint8_t {
  input,   // read; bound for each run
  output,  // written; bound for each run
  read,    // a variable or constant kept outside, as it is when the run starts
  write,   // the new value of a variable; may be the memory of the `read` slot `partner`
  packed,  // an operand in its kernel's layout, written by the prologue
};

/// 24 bytes.
struct Slot {
  std::uint64_t bytes;
  std::uint32_t name;     // offset in text
  std::uint32_t partner;  // write: the read slot of the same variable, or kNone; packed: the step
                          // that packs it
  SlotKind kind;
  std::uint8_t zero[7];
};

enum class Storage : std::uint8_t { arena, constant, slot };

/// 24 bytes.
struct Value {
  std::uint64_t offset;  // within its storage
  std::uint32_t slot;    // kNone unless storage is `slot`
  std::uint32_t dims;    // first of `rank` words
  std::uint8_t dtype;
  std::uint8_t rank;
  Storage storage;
  std::uint8_t zero[5];
};

/// 56 bytes. `chain` 0: the step runs alone, after those before it. A group of steps whose chains
/// are 1, 1 ... 2, 2 ... n may run chain beside chain, each in order; the group ends where the
/// number is 0 or goes back to 1. No step of a group reads or writes what one of another chain
/// writes, in the arena or elsewhere. Without tiles: one call of `kernel`. With tiles: `kernel`
/// computes output 0 from the first `root_inputs` inputs and runs the tiles on its blocks; kernel
/// 0: the tiles alone.
struct Step {
  std::uint64_t kernel;     // kernel_id of its name
  std::uint64_t workspace;  // offset in the arena
  std::uint64_t workspace_bytes;
  std::uint32_t operands;
  std::uint16_t inputs;
  std::uint16_t outputs;
  std::uint32_t attrs;
  std::uint16_t attr_count;
  std::uint16_t root_inputs;
  std::uint32_t tiles;
  std::uint16_t tile_count;
  std::uint16_t chain;
  std::uint32_t packed;  // slot, or kNone
  std::uint32_t name;    // offset in text
};

/// 32 bytes. Registers: the step's inputs, then its outputs, then temporaries.
struct Tile {
  std::uint64_t kernel;
  std::uint32_t attrs;
  std::uint16_t attr_count;
  std::uint8_t sources;
  std::uint8_t target;
  std::uint8_t dtype;  // of target
  std::uint8_t zero[7];
  std::uint8_t source[8];
};

/// 16 bytes. `payload`: the number, the bits of a float64, or the first word or text byte of a
/// list.
struct Attribute {
  std::uint64_t payload;
  std::uint32_t count;
  std::uint8_t kind;  // rt::Attr::Kind
  std::uint8_t zero[3];
};

static_assert(sizeof(Header) == 176 && sizeof(Slot) == 24 && sizeof(Value) == 24 &&
              sizeof(Step) == 56);
static_assert(sizeof(Tile) == 32 && sizeof(Attribute) == 16);

}  // namespace weir::rt::format
