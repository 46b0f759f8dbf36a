#include "runtime/program.h"

#include <weir/shape.h>

#include <cstring>

#include "base/crc32c.h"
#include "runtime/elementwise.h"
#include "runtime/tile_program.h"

namespace weir::rt {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "programs are used in place, in little-endian order");

namespace {

using namespace format;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 46;
constexpr std::size_t kCheckedFrom = offsetof(Header, checksum) + sizeof(Header::checksum);

constexpr bool within(std::uint64_t offset, std::uint64_t count, std::uint64_t limit) {
  return offset <= limit && count <= limit - offset;
}

}  // namespace

/// The checks of `open`: each function returns false at the first rule that is broken and says
/// which.
class ProgramCheck {
 public:
  explicit ProgramCheck(std::span<const std::byte> blob)
      : blob_(blob), program_(blob.data()), h_(*program_.header_) {}

  Status run(Program::Checksum checksum) {
    const bool valid =
        tables() && checked_sum(checksum) && slots() && attrs() && values() && steps();
    if (valid) return {};
    return version_ ? Status(Code::unimplemented, why_) : Status(Code::data_loss, why_);
  }
  const Program& program() const { return program_; }

 private:
  bool fail(const char* why) {
    why_ = why;
    return false;
  }
  bool require(bool ok, const char* why) { return ok || fail(why); }

  bool tables() {
    if (std::memcmp(h_.magic, kMagic, sizeof kMagic) != 0)
      return fail("not a program: the magic number is missing");
    if (h_.version != kVersion) {
      version_ = true;
      return fail("a program of another format version");
    }
    if (h_.bytes != blob_.size())
      return fail("the program is truncated or has bytes behind its end");
    return require(h_.arena_bytes <= kMaxBytes, "the arena is too large") &&
           table(h_.slots, sizeof(Slot)) && table(h_.values, sizeof(Value)) &&
           table(h_.operands, sizeof(std::uint32_t)) && table(h_.steps, sizeof(Step)) &&
           table(h_.tiles, sizeof(Tile)) && table(h_.attrs, sizeof(Attribute)) &&
           table(h_.words, sizeof(std::uint64_t)) && table(h_.text, 1) && table(h_.constants, 1) &&
           terminated();
  }
  bool table(const Table& t, std::uint64_t record) {
    return require(t.offset % kAlignment == 0 && t.offset <= h_.bytes &&
                       t.count <= (h_.bytes - t.offset) / record &&
                       t.count < kNone * (record == 1 ? std::uint64_t{kNone} : 1),
                   "a table lies outside the program");
  }
  bool terminated() {
    return require(h_.text.count > 0 && program_.text(0)[h_.text.count - 1] == 0,
                   "text without an end");
  }
  bool checked_sum(Program::Checksum mode) {
    if (mode == Program::Checksum::skip) return true;
    const std::uint32_t sum = crc32c(blob_.data() + kCheckedFrom, blob_.size() - kCheckedFrom);
    return require(sum == h_.checksum, "the checksum of the program is wrong");
  }
  bool text(std::uint32_t offset) {
    return require(offset < h_.text.count, "a name lies outside the text");
  }

  bool slots() {
    for (const Slot& s : program_.slots()) {
      if (!text(s.name)) return false;
      if (s.bytes > kMaxBytes || s.kind > SlotKind::packed)
        return fail("a slot of unknown kind or too large");
      if (!partner(s)) return fail("a slot whose partner does not fit");
    }
    return true;
  }
  bool partner(const Slot& s) const {
    const auto all = program_.slots();
    if (s.kind == SlotKind::packed) {
      return s.partner < h_.steps.count &&
             program_.steps()[s.partner].packed == std::uint32_t(&s - all.data());
    }
    if (s.partner == kNone) return true;
    return s.kind == SlotKind::write && s.partner < all.size() &&
           all[s.partner].kind == SlotKind::read && all[s.partner].bytes == s.bytes;
  }

  bool attrs() {
    const auto* first = reinterpret_cast<const Attribute*>(blob_.data() + h_.attrs.offset);
    for (std::uint64_t i = 0; i < h_.attrs.count; ++i) {
      if (!attr(first[i])) return fail("an attribute that is not valid");
    }
    return true;
  }
  bool attr(const Attribute& a) const {
    using Kind = rt::Attr::Kind;
    switch (Kind(a.kind)) {
      case Kind::none:
      case Kind::integer:
      case Kind::real:
        return true;
      case Kind::boolean:
        return a.payload <= 1;
      case Kind::dtype:
        return a.payload < 256 && is_valid(DType(a.payload));
      case Kind::ints:
      case Kind::reals:
        return within(a.payload, a.count, h_.words.count);
      case Kind::string:
        return within(a.payload, a.count, h_.text.count);
      case Kind::operand:
        break;
    }
    return false;
  }

  bool values() {
    for (const Value& v : program_.values()) {
      std::uint64_t size = 0, extent = 0;
      if (!element_type(v) || !value_bytes(v, size) || !value_extent(v, extent)) return false;
      if (!within(v.offset, size, extent)) return fail("a value lies outside its storage");
    }
    return true;
  }
  bool element_type(const Value& v) {
    const DType t = DType(v.dtype);
    if (!is_valid(t) || t == DType::string)
      return fail("a value of a dtype that programs do not have");
    return require(v.offset % std::uint64_t(byte_size(t)) == 0, "a value is not aligned");
  }
  bool value_bytes(const Value& v, std::uint64_t& bytes) {
    if (v.rank > kMaxRank || !within(v.dims, v.rank, h_.words.count))
      return fail("a shape lies outside its table");
    const View view = program_.view(v);
    std::uint64_t n = std::uint64_t(byte_size(view.dtype));  // with dimensions of 0 taken as 1
    bool empty = false;
    for (int i = 0; i < view.rank; ++i) {
      const std::int64_t d = view.dims[i];
      if (d < 0 || std::uint64_t(d) > kMaxBytes / n)
        return fail("a shape is negative or too large");
      empty = empty || d == 0;
      if (d > 1) n *= std::uint64_t(d);
    }
    bytes = empty ? 0 : n;
    return true;
  }
  bool value_extent(const Value& v, std::uint64_t& extent) {
    if (v.storage > Storage::slot) return fail("a value in an unknown storage");
    if ((v.storage == Storage::slot) != (v.slot != kNone))
      return fail("a value whose slot and storage disagree");
    if (v.storage == Storage::arena) extent = h_.arena_bytes;
    if (v.storage == Storage::constant) extent = h_.constants.count;
    if (v.storage != Storage::slot) return true;
    if (v.slot >= h_.slots.count) return fail("a value in a slot that does not exist");
    const Slot& s = program_.slots()[v.slot];
    extent = s.bytes;
    return require(s.kind != SlotKind::packed, "a value in a slot for packed operands");
  }

  bool steps() {
    std::uint64_t next_operand = 0;
    std::uint16_t chain = 0;
    for (const Step& s : program_.steps()) {
      if (s.chain > chain + 1 || (s.chain > 1 && s.chain < chain))
        return fail("the chains of a group are not in order");
      chain = s.chain;
      if (s.operands != next_operand) return fail("the operands of the steps are not in order");
      next_operand += std::uint64_t(s.inputs) + s.outputs;
      if (!ranges(s) || !operands(s) || !apart(s) || !tile_step(s)) return false;
    }
    return require(next_operand == h_.operands.count, "operands that belong to no step") &&
           groups();
  }
  bool ranges(const Step& s) {
    const std::uint64_t n = std::uint64_t(s.inputs) + s.outputs;
    if (n > kMaxStepOperands || !within(s.operands, n, h_.operands.count) ||
        !within(s.attrs, s.attr_count, h_.attrs.count) ||
        !within(s.tiles, s.tile_count, h_.tiles.count))
      return fail("a step refers to records that do not exist");
    if (s.workspace % kAlignment != 0 || !within(s.workspace, s.workspace_bytes, h_.arena_bytes))
      return fail("a workspace lies outside the arena");
    if (s.packed != kNone && (s.packed >= h_.slots.count || !packs(s)))
      return fail("a packed operand without its slot");
    return text(s.name);
  }
  bool packs(const Step& s) const {
    const Slot& slot = program_.slots()[s.packed];
    return slot.kind == SlotKind::packed &&
           slot.partner == std::uint32_t(&s - program_.steps().data()) && s.kernel != 0;
  }
  bool operands(const Step& s) {
    const auto list = program_.operands(s);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i] >= h_.values.count) return fail("an operand that does not exist");
      if (i >= s.inputs && !writable(value(list[i])))
        return fail("a result in memory that is only read");
    }
    return true;
  }
  const Value& value(std::uint32_t i) const { return program_.values()[i]; }
  bool writable(const Value& v) const {
    if (v.storage != Storage::slot) return v.storage == Storage::arena;
    const SlotKind kind = program_.slots()[v.slot].kind;
    return kind == SlotKind::output || kind == SlotKind::write;
  }

  /// Bytes [begin, end) of one memory; the read and write slots of a variable count as one.
  struct Extent {
    std::uint64_t memory, begin, end;
    bool overlaps(const Extent& o) const {
      return memory == o.memory && begin < o.end && o.begin < end && begin < end && o.begin < o.end;
    }
    friend bool operator==(const Extent&, const Extent&) = default;
  };
  Extent extent(std::uint32_t index) const {
    const Value& v = value(index);
    std::uint64_t memory = v.storage == Storage::arena ? 0 : 1;
    if (v.storage == Storage::slot) {
      const std::uint32_t partner = program_.slots()[v.slot].partner;
      memory = 2 + std::uint64_t(partner == kNone ? v.slot : partner);
    }
    return {memory, v.offset, v.offset + program_.bytes(v)};
  }
  /// Results overlap neither each other nor the workspace; an operand they overlap is overwritten
  /// as a whole.
  bool apart(const Step& s) {
    const auto list = program_.operands(s);
    const Extent work = workspace(s);
    for (std::size_t o = s.inputs; o < list.size(); ++o) {
      const Extent out = extent(list[o]);
      if (out.overlaps(work)) return fail("a result overlaps the workspace");
      for (std::size_t i = 0; i < o; ++i) {
        const Extent other = extent(list[i]);
        if (out.overlaps(other) && (i >= s.inputs || !(out == other)))
          return fail("a result overlaps another operand");
      }
    }
    for (std::size_t i = 0; i < s.inputs; ++i) {
      if (extent(list[i]).overlaps(work)) return fail("an operand overlaps the workspace");
    }
    return true;
  }

  /// What runs side by side shares no memory that one of them writes. Groups are small, so that all
  /// pairs can be looked at.
  bool groups() {
    const auto all = program_.steps();
    for (std::size_t first = 0, end = 0; first < all.size(); first = end) {
      end = end_of_group(first);
      if (all[first].chain == 0) continue;
      int operands = 0;
      for (const Step& s : all.subspan(first, end - first))
        operands += s.inputs + s.outputs;
      if (operands > kMaxGroupOperands) return fail("a group of steps that is too large");
      if (!apart(all.subspan(first, end - first))) return false;
    }
    return true;
  }
  std::size_t end_of_group(std::size_t first) const {
    const auto all = program_.steps();
    std::size_t end = first + 1;
    while (all[first].chain > 0 && end < all.size() && all[end].chain >= all[end - 1].chain)
      ++end;
    return end;
  }
  bool apart(std::span<const Step> group) {
    for (const Step& a : group) {
      for (const Step& b : group) {
        if (a.chain != b.chain && writes_into(a, b))
          return fail("steps that run side by side share memory");
      }
    }
    return true;
  }
  /// A result or the workspace of `a` overlaps something of `b`.
  bool writes_into(const Step& a, const Step& b) const {
    const auto list = program_.operands(a);
    const Extent work = workspace(a);
    if (touches(b, work)) return true;
    for (std::size_t o = a.inputs; o < list.size(); ++o) {
      if (touches(b, extent(list[o]))) return true;
    }
    return false;
  }
  bool touches(const Step& s, const Extent& memory) const {
    if (workspace(s).overlaps(memory)) return true;
    for (std::uint32_t index : program_.operands(s)) {
      if (extent(index).overlaps(memory)) return true;
    }
    return false;
  }
  static Extent workspace(const Step& s) {
    return {0, s.workspace, s.workspace + s.workspace_bytes};
  }

  bool tile_step(const Step& s) {
    if (s.root_inputs > s.inputs) return fail("a step with more inputs of its root than inputs");
    if (s.tile_count == 0)
      return require(s.kernel != 0 && s.root_inputs == s.inputs, "a step without kernel");
    if (s.outputs == 0 || s.inputs + s.outputs > kMaxTileRegisters)
      return fail("a tile program without results or too large");
    const View out = program_.view(value(program_.operands(s)[s.inputs]));
    if (s.kernel == 0 && s.root_inputs != 0)
      return fail("a tile program with a root but no kernel");
    if (s.kernel != 0 && out.rank < 2) return fail("tiles on a result that is no matrix");
    return shapes_fit(s, out) && tile_list(s);
  }
  bool shapes_fit(const Step& s, const View& out) {
    const auto list = program_.operands(s);
    for (std::size_t i = s.root_inputs; i < list.size(); ++i) {
      const View v = program_.view(value(list[i]));
      const bool fits = i < s.inputs ? broadcasts(v, out) : v.rank == out.rank && same_dims(v, out);
      if (!fits || (s.kernel != 0 && !walks_by_rows(v, out)))
        return fail("operands of a tile program whose shapes do not fit");
    }
    return true;
  }
  static bool same_dims(const View& a, const View& b) {
    for (int i = 0; i < a.rank; ++i) {
      if (a.dims[i] != b.dims[i]) return false;
    }
    return true;
  }
  static bool broadcasts(const View& v, const View& out) {
    if (v.rank > out.rank) return false;
    for (int i = 0; i < v.rank; ++i) {
      if (v.dims[i] != 1 && v.dims[i] != out.dims[out.rank - v.rank + i]) return false;
    }
    return true;
  }
  bool tile_list(const Step& s) {
    std::uint64_t written = 0;  // registers that hold a value
    for (int i = s.root_inputs; i < s.inputs; ++i)
      written |= std::uint64_t{1} << i;
    if (s.kernel != 0) written |= std::uint64_t{1} << s.inputs;
    int registers = s.inputs + s.outputs;
    for (const Tile& t : program_.tiles(s)) {
      if (!tile(s, t, written)) return false;
      if (t.target > registers) return fail("temporaries that are not numbered in order");
      if (t.target == registers) ++registers;
      written |= std::uint64_t{1} << t.target;
    }
    for (int i = s.inputs; i < s.inputs + s.outputs; ++i) {
      if (!(written >> i & 1)) return fail("a result that no tile computes");
    }
    return true;
  }
  bool tile(const Step& s, const Tile& t, std::uint64_t written) {
    const DType type = DType(t.dtype);
    if (t.kernel == 0 || t.sources > kMaxOperands ||
        !within(t.attrs, t.attr_count, h_.attrs.count) || !is_valid(type) ||
        type == DType::string || t.target < s.inputs || t.target >= kMaxTileRegisters)
      return fail("a tile that is not valid");
    if (t.target < s.inputs + s.outputs && value(program_.operands(s)[t.target]).dtype != t.dtype)
      return fail("a tile writes another dtype than its result has");
    for (int i = 0; i < t.sources; ++i) {
      if (t.source[i] >= kMaxTileRegisters || !(written >> t.source[i] & 1))
        return fail("a tile reads what nothing wrote");
    }
    return true;
  }

  std::span<const std::byte> blob_;
  Program program_;
  const Header& h_;
  const char* why_ = "";
  bool version_ = false;
};

Result<Program> Program::open(std::span<const std::byte> blob, Checksum checksum) {
  if (blob.size() < sizeof(Header))
    return Status(Code::data_loss, "not a program: shorter than a header");
  if (reinterpret_cast<std::uintptr_t>(blob.data()) % kAlignment != 0)
    return Status(Code::invalid_argument,
                  "a program must lie at an address that is a multiple of 64");
  ProgramCheck check(blob);
  const Status status = check.run(checksum);
  if (!status.ok()) return status;
  return check.program();
}

View Program::view(const format::Value& v) const {
  const auto* words = reinterpret_cast<const std::int64_t*>(base_ + header_->words.offset);
  return {nullptr, words + v.dims, DType(v.dtype), v.rank};
}

rt::Attr Program::attr(std::size_t index) const {
  const format::Attribute& a = table<format::Attribute>(header_->attrs)[index];
  const std::byte* words = base_ + header_->words.offset;
  rt::Attr out;
  out.kind = rt::Attr::Kind(a.kind);
  out.count = a.count;
  switch (out.kind) {
    case rt::Attr::Kind::ints:
      out.ints = reinterpret_cast<const std::int64_t*>(words) + a.payload;
      break;
    case rt::Attr::Kind::reals:
      out.reals = reinterpret_cast<const double*>(words) + a.payload;
      break;
    case rt::Attr::Kind::string:
      out.s = text(0) + a.payload;
      break;
    default:
      out.i = 0;
      std::memcpy(
          &out.i, &a.payload, sizeof a.payload);  // integer, real, boolean, dtype: one union
  }
  return out;
}

}  // namespace weir::rt
