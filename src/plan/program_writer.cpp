#include "plan/program_writer.h"

#include "base/crc32c.h"

namespace weir::plan {

using namespace rt::format;

namespace {

std::size_t aligned(std::size_t n) {
  return (n + kAlignment - 1) / kAlignment * kAlignment;
}

/// Lays the tables out one after the other.
class Layout {
 public:
  explicit Layout(std::size_t start) : end_(start) {}
  template <class T>
  void add(Table& table, const std::vector<T>& records) {
    end_ = aligned(end_);
    table = {end_, records.size()};
    end_ += records.size() * sizeof(T);
  }
  std::size_t end() const { return end_; }

 private:
  std::size_t end_;
};

template <class T>
void copy(std::byte* blob, const Table& table, const std::vector<T>& records) {
  if (!records.empty())
    std::memcpy(blob + table.offset, records.data(), records.size() * sizeof(T));
}

}  // namespace

std::uint32_t ProgramWriter::slot(SlotKind kind,
                                  std::uint64_t bytes,
                                  std::string_view name,
                                  std::uint32_t partner) {
  Slot s{};
  s.bytes = bytes;
  s.name = text(name);
  s.partner = partner;
  s.kind = kind;
  slots_.push_back(s);
  return std::uint32_t(slots_.size() - 1);
}

std::uint64_t ProgramWriter::constant(const void* data, std::size_t bytes) {
  const std::size_t offset = aligned(constants_.size());
  constants_.resize(offset + bytes);
  if (bytes > 0) std::memcpy(constants_.data() + offset, data, bytes);
  return offset;
}

std::uint32_t ProgramWriter::value(Storage storage,
                                   std::uint32_t slot,
                                   std::uint64_t offset,
                                   DType dtype,
                                   std::span<const std::int64_t> dims) {
  Value v{};
  v.offset = offset;
  v.slot = slot;
  v.dims = words(dims);
  v.dtype = std::uint8_t(dtype);
  v.rank = std::uint8_t(dims.size());
  v.storage = storage;
  values_.push_back(v);
  return std::uint32_t(values_.size() - 1);
}

std::uint32_t ProgramWriter::words(std::span<const std::int64_t> list) {
  const auto [it, fresh] =
      shapes_.try_emplace({list.begin(), list.end()}, std::uint32_t(words_.size()));
  if (fresh) words_.insert(words_.end(), list.begin(), list.end());
  return it->second;
}

std::uint32_t ProgramWriter::real_words(const rt::Attr& a) {
  std::vector<std::int64_t> bits(a.count);
  if (a.count > 0) std::memcpy(bits.data(), a.reals, a.count * sizeof(double));
  return words(bits);
}

std::uint32_t ProgramWriter::text(std::string_view s) {
  const auto offset = std::uint32_t(text_.size());
  text_.insert(text_.end(), s.begin(), s.end());
  text_.push_back('\0');
  return offset;
}

ProgramWriter::Attrs ProgramWriter::attrs(std::span<const rt::Attr> list) {
  const Attrs range{std::uint32_t(attrs_.size()), std::uint16_t(list.size())};
  for (const rt::Attr& a : list) {
    Attribute record{};
    record.kind = std::uint8_t(a.kind);
    record.count = a.count;
    switch (a.kind) {
      case rt::Attr::Kind::ints:
        record.payload = words({a.ints, a.count});
        break;
      case rt::Attr::Kind::reals:
        record.payload = real_words(a);
        break;
      case rt::Attr::Kind::string:
        record.payload = text({a.s, a.count});
        break;
      case rt::Attr::Kind::boolean:
        record.payload = a.b;
        break;
      case rt::Attr::Kind::dtype:
        record.payload = std::uint64_t(a.t);
        break;
      default:
        std::memcpy(&record.payload, &a.i, sizeof record.payload);
    }
    attrs_.push_back(record);
  }
  return range;
}

std::uint32_t ProgramWriter::step(Step record,
                                  std::span<const std::uint32_t> inputs,
                                  std::span<const std::uint32_t> outputs,
                                  std::string_view name) {
  record.operands = std::uint32_t(operands_.size());
  record.inputs = std::uint16_t(inputs.size());
  record.outputs = std::uint16_t(outputs.size());
  record.name = text(name);
  operands_.insert(operands_.end(), inputs.begin(), inputs.end());
  operands_.insert(operands_.end(), outputs.begin(), outputs.end());
  steps_.push_back(record);
  return std::uint32_t(steps_.size() - 1);
}

AlignedBytes ProgramWriter::finish(std::uint64_t arena_bytes) const {
  Header h{};
  std::memcpy(h.magic, kMagic, sizeof h.magic);
  h.version = kVersion;
  h.arena_bytes = arena_bytes;
  Layout layout(sizeof h);
  layout.add(h.slots, slots_);
  layout.add(h.values, values_);
  layout.add(h.operands, operands_);
  layout.add(h.steps, steps_);
  layout.add(h.tiles, tiles_);
  layout.add(h.attrs, attrs_);
  layout.add(h.words, words_);
  layout.add(h.text, text_);
  layout.add(h.constants, constants_);
  h.bytes = layout.end();
  AlignedBytes blob(h.bytes);
  std::byte* p = blob.data();
  copy(p, h.slots, slots_);
  copy(p, h.values, values_);
  copy(p, h.operands, operands_);
  copy(p, h.steps, steps_);
  copy(p, h.tiles, tiles_);
  copy(p, h.attrs, attrs_);
  copy(p, h.words, words_);
  copy(p, h.text, text_);
  copy(p, h.constants, constants_);
  std::memcpy(p, &h, sizeof h);
  constexpr std::size_t from = offsetof(Header, checksum) + sizeof h.checksum;
  h.checksum = crc32c(p + from, h.bytes - from);
  std::memcpy(p + offsetof(Header, checksum), &h.checksum, sizeof h.checksum);
  return blob;
}

}  // namespace weir::plan
