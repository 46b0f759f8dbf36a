/// Why a gradient is none: the place where the path from the source to the target was cut.

#include <algorithm>

#include "autodiff/tape.h"
#include "tensor/variable_state.h"

namespace weir::autodiff {
namespace {

std::string place(const Record& r) {
  return std::string(r.name()) + " (" + to_string(r.where) + ")";
}

std::string input_name(const Record& r, std::size_t i) {
  const bool named = r.op && i < r.op->input_defs().size();
  return named ? "'" + r.op->input_defs()[i].name + "'" : std::to_string(i);
}

/// Which slots depend on the source at all, and to which a gradient would come from there.
class Reach {
 public:
  Reach(const Log& log, std::span<const std::int32_t> sources)
      : log_(log), depends(log.slots().size()), flows(log.slots().size()) {
    for (std::int32_t s : sources)
      depends[std::size_t(s)] = flows[std::size_t(s)] = true;
    for (const Record* r : log.records()) {
      const bool reached = any(*r, depends, false);
      const bool flowing = r->live && any(*r, flows, true);
      for (const Value& v : r->outputs) {
        const auto slot = std::size_t(v.slot);
        depends[slot] = depends[slot] || reached;
        flows[slot] = flows[slot] || (flowing && log.slots()[slot].live);
      }
    }
  }

 private:
  static bool any(const Record& r, const std::vector<bool>& set, bool by_gradient) {
    return std::any_of(r.inputs.begin(), r.inputs.end(), [&](const Value& v) {
      return v.slot >= 0 && set[std::size_t(v.slot)] && !(by_gradient && v.gave_none);
    });
  }
  const Log& log_;

 public:
  std::vector<bool> depends, flows;
};

std::string reason(const Record& r, std::size_t input, DType result) {
  if (r.op && r.op->is(Trait::no_gradient)) return "no gradient passes through " + place(r);
  if (!is_differentiable(result))
    return place(r) + " makes " + name(result) +
           ", and gradients pass only through floating and complex dtypes";
  return "the gradient rule of " + place(r) + " gives none for its input " + input_name(r, input);
}

/// Walks from the target toward the source until a step where a gradient would arrive on one side
/// only.
std::string find_cut(const Log& log, const Reach& reach, std::int32_t slot) {
  std::string path;
  for (int steps = 0;; ++steps) {
    const Record& r = *log.records()[std::size_t(log.slots()[std::size_t(slot)].record)];
    std::int32_t next = -1;
    for (std::size_t i = 0; i < r.inputs.size(); ++i) {
      const std::int32_t in = r.inputs[i].slot;
      if (in < 0 || !reach.depends[std::size_t(in)]) continue;
      if (reach.flows[std::size_t(in)])
        return "cut: " + reason(r, i, log.slots()[std::size_t(slot)].dtype) + path;
      next = in;
    }
    if (steps < 4) path += (path.empty() ? "; the target comes from it by " : ", ") + place(r);
    slot = next;
  }
}

}  // namespace

std::string Tape::explain_source(const GradientSource& source) const {
  if (source.variable().defined()) {
    const VariableState& v = *source.variable().state();
    const std::string who = "variable '" + v.name + "' ";
    if (!is_differentiable(v.dtype()))
      return who + "is " + name(v.dtype()) + ": only floating and complex values have gradients";
    if (reads_count(v)) return who + "was not read while the tape recorded";
    return who +
           (v.trainable ? "is not watched: the tape was made with watch_accessed_variables = false"
                        : "is not trainable") +
           "; call tape.watch with it before it is read";
  }
  const DType dtype = source.tensor().dtype();
  if (!is_differentiable(dtype))
    return std::string("the source is ") + name(dtype) +
           ": only floating and complex tensors have gradients";
  return "the source is not watched; call tape.watch with it before it is used (an equal tensor, "
         "or a copy made by an op "
         "that the tape did not see, is another one)";
}

std::string Tape::explain(const Tensor& target, const GradientSource& source) const {
  if (!target.defined() || (!source.tensor().defined() && !source.variable().defined()))
    return "an undefined tensor or variable has no gradient";
  std::vector<std::int32_t> sources;
  each_slot(source, [&](std::int32_t s) { sources.push_back(s); });
  if (sources.empty()) return explain_source(source);
  const std::int32_t slot = log_.find(target);
  const char* outside =
      paused_once_ ? " The tape was paused: what was computed then is constant for it."
                   : " What is computed before watch, on another thread, or with the elements "
                     "read out of a tensor, is constant for it.";
  if (slot < 0)
    return std::string("the tape saw no op that computes the target from something watched.") +
           outside;
  const Reach reach(log_, sources);
  if (reach.flows[std::size_t(slot)]) return "connected";
  if (reach.depends[std::size_t(slot)]) return find_cut(log_, reach, slot);
  const std::int32_t record = log_.slots()[std::size_t(slot)].record;
  const std::string made = record < 0 ? "is watched itself"
                                      : "comes from " + place(*log_.records()[std::size_t(record)]);
  return "no recorded op leads from the source to the target, which " + made + "." + outside;
}

}  // namespace weir::autodiff
