#include "plan/write_stage.h"

#include "plan/program_writer.h"
#include "tensor/variable_state.h"

namespace weir::plan {
namespace {

using rt::format::SlotKind;
using rt::format::Storage;

class StageWriter {
 public:
  StageWriter(const graph::Graph& graph, const StagePlan& plan, std::int64_t embed_limit)
      : graph_(graph),
        p_(plan),
        embed_limit_(embed_limit),
        place_(plan.blocks.size()),
        record_(plan.values.size(), kNew) {}

  StageProgram run() {
    for (graph::Ref r : p_.inputs) {
      const Spec& s = graph_.spec(r);
      writer_.slot(SlotKind::input,
                   std::uint64_t(s.shape.size() * byte_size(s.dtype)),
                   graph_.node(r.node).name);
    }
    place_blocks();
    for (std::size_t s = 0; s < p_.steps.size(); ++s)
      write_step(p_.steps[s], int(s));
    out_.blob = writer_.finish(std::uint64_t(p_.arena_bytes));
    return std::move(out_);
  }

 private:
  static constexpr std::uint32_t kNew = rt::format::kNone;
  struct Place {
    Storage storage = Storage::arena;
    std::uint32_t slot = rt::format::kNone;
    std::uint64_t offset = 0;
  };

  /// Variables come before their updates, whose partners they are.
  void place_blocks() {
    for (std::size_t b = 0; b < p_.blocks.size(); ++b)
      place_read(int(b));
    for (std::size_t b = 0; b < p_.blocks.size(); ++b)
      place_written(int(b));
  }
  void place_read(int index) {
    const Block& b = p_.blocks[std::size_t(index)];
    Place& place = place_[std::size_t(index)];
    if (b.kind == Block::Kind::input) place = {Storage::slot, std::uint32_t(b.index), 0};
    if (b.kind == Block::Kind::constant) {
      const Tensor& t = p_.constants[std::size_t(b.index)];
      if (b.bytes <= embed_limit_) {
        place = {Storage::constant,
                 rt::format::kNone,
                 writer_.constant(t.raw_data(), std::size_t(b.bytes))};
      } else {
        place = add_slot(SlotKind::read, index, "constant", out_.constants);
      }
    }
    if (b.kind == Block::Kind::variable) {
      const VariableUse& use = p_.variables[std::size_t(b.index)];
      place = add_slot(SlotKind::read, index, use.state->name, out_.variables);
    }
  }
  void place_written(int index) {
    const Block& b = p_.blocks[std::size_t(index)];
    Place& place = place_[std::size_t(index)];
    if (b.kind == Block::Kind::temporary) place.offset = std::uint64_t(b.offset);
    if (b.kind == Block::Kind::output)
      place = add_slot(SlotKind::output, index, result_name(index), out_.outputs);
    if (b.kind == Block::Kind::update) {
      const VariableUse& use = p_.variables[std::size_t(b.index)];
      const bool over = use.in_place && use.block >= 0;
      const std::uint32_t partner = over ? place_[std::size_t(use.block)].slot : rt::format::kNone;
      place = add_slot(SlotKind::write, index, use.state->name, out_.updates, partner);
    }
  }
  Place add_slot(SlotKind kind,
                 int block,
                 const std::string& name,
                 std::vector<StageProgram::BlockSlot>& list,
                 std::uint32_t partner = rt::format::kNone) {
    const std::uint32_t slot =
        writer_.slot(kind, std::uint64_t(p_.blocks[std::size_t(block)].bytes), name, partner);
    list.push_back({slot, block});
    return {Storage::slot, slot, 0};
  }
  std::string result_name(int block) const {
    for (std::size_t i = 0; i < p_.results.size(); ++i) {
      if (p_.root(p_.value(p_.result_values[i]).block) == block)
        return graph_.node(p_.results[i].node).name;
    }
    return "output";
  }

  std::uint32_t value(int index) {
    std::uint32_t& record = record_[std::size_t(index)];
    if (record != kNew) return record;
    const Value& v = p_.value(index);
    const Place& place = place_[std::size_t(p_.root(v.block))];
    return record = writer_.value(
               place.storage, place.slot, place.offset + std::uint64_t(v.offset), v.dtype, v.dims);
  }

  void write_step(const PlannedStep& s, int index) {
    rt::format::Step record{};
    record.packed = rt::format::kNone;
    if (s.kernel) {
      const ProgramWriter::Attrs attrs = writer_.attrs(s.node->attrs.view());
      record.kernel = rt::kernel_id(s.kernel->name);
      record.attrs = attrs.first;
      record.attr_count = attrs.count;
      record.root_inputs = std::uint16_t(s.root_inputs);
    }
    record.workspace = std::uint64_t(s.workspace_offset);
    record.workspace_bytes = std::uint64_t(s.workspace);
    record.tiles = writer_.next_tile();
    record.tile_count = std::uint16_t(s.tiles.size());
    record.chain = std::uint16_t(s.chain);
    for (const PlannedTile& t : s.tiles)
      write_tile(t);
    if (s.packed_input >= 0) record.packed = add_pack(s, index);
    std::vector<std::uint32_t> inputs, outputs;
    for (int v : s.inputs)
      inputs.push_back(value(v));
    for (int v : s.outputs)
      outputs.push_back(value(v));
    writer_.step(record, inputs, outputs, s.whole->name);
  }
  std::uint32_t add_pack(const PlannedStep& s, int index) {
    const int block = p_.root(p_.value(s.inputs[std::size_t(s.packed_input)]).block);
    const std::uint32_t slot = writer_.slot(
        SlotKind::packed, std::uint64_t(s.packed_bytes), s.whole->name, std::uint32_t(index));
    out_.packs.push_back({slot, index, block, s.packed_bytes});
    return slot;
  }
  void write_tile(const PlannedTile& t) {
    rt::format::Tile record{};
    const ProgramWriter::Attrs attrs = writer_.attrs(t.node->attrs.view());
    record.kernel = rt::kernel_id(t.kernel->name);
    record.attrs = attrs.first;
    record.attr_count = attrs.count;
    record.sources = std::uint8_t(t.sources.size());
    record.target = t.target;
    record.dtype = std::uint8_t(t.dtype);
    for (std::size_t i = 0; i < t.sources.size(); ++i)
      record.source[i] = t.sources[i];
    writer_.tile(record);
  }

  const graph::Graph& graph_;
  const StagePlan& p_;
  std::int64_t embed_limit_;
  std::vector<Place> place_;           // by block
  std::vector<std::uint32_t> record_;  // of each value
  ProgramWriter writer_;
  StageProgram out_;
};

}  // namespace

StageProgram write_stage(const graph::Graph& graph,
                         const StagePlan& plan,
                         std::int64_t embed_limit) {
  return StageWriter(graph, plan, embed_limit).run();
}

}  // namespace weir::plan
