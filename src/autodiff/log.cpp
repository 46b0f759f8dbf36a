#include "autodiff/log.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace weir::autodiff {

void Record::release_values() {
  for (Value& v : inputs)
    v.tensor = Tensor();
  for (Value& v : outputs)
    v.tensor = Tensor();
  if (!backward) return;
  released = std::make_unique<std::string>(backward->name());
  backward = nullptr;
}

std::int32_t Log::add_slot(const Slot& slot) {
  slots_.push_back(slot);
  return std::int32_t(slots_.size() - 1);
}

std::int32_t Log::follow(const Tensor& t, const Slot& slot) {
  const std::int32_t number = add_slot(slot);
  by_id_.set(t.impl()->id(), number);
  return number;
}

Record& Log::new_record(std::size_t inputs, std::size_t outputs, std::source_location where) {
  auto* r = new (arena_.allocate<Record>(1)) Record;
  auto* values = arena_.allocate<Value>(inputs + outputs);
  std::uninitialized_default_construct_n(values, inputs + outputs);
  r->inputs = {values, inputs};
  r->outputs = {values + inputs, outputs};
  r->where = where;
  records_.push_back(r);
  return *r;
}

void Log::describe(Value& v, const Tensor& t) {
  const TensorImpl& p = *t.impl();
  const auto dims = p.shape().dims();
  auto* copy = arena_.allocate<Dim>(dims.size());
  std::copy(dims.begin(), dims.end(), copy);
  v.dims = copy;
  v.rank = std::uint8_t(dims.size());
  v.known_rank = p.shape().has_rank();
  v.dtype = p.dtype();
}

rt::Attr Log::own(const rt::Attr& a) {
  rt::Attr copy = a;
  const auto take = [&](auto*& p) {
    auto* memory =
        arena_.allocate<std::remove_const_t<std::remove_reference_t<decltype(*p)>>>(a.count);
    if (a.count) std::memcpy(memory, p, a.count * sizeof *p);
    p = memory;
  };
  if (a.kind == rt::Attr::Kind::ints) take(copy.ints);
  if (a.kind == rt::Attr::Kind::reals) take(copy.reals);
  if (a.kind == rt::Attr::Kind::string) take(copy.s);
  return copy;
}

void Log::set_outputs(Record& r, std::span<const Tensor> results) {
  const auto number = std::int32_t(records_.size() - 1);
  for (std::size_t o = 0; o < results.size(); ++o) {
    Value& v = r.outputs[o];
    describe(v, results[o]);
    v.slot = follow(results[o], {number, -1, v.dtype, r.live && is_differentiable(v.dtype)});
  }
}

void Log::add(const dispatch::Invocation& call,
              std::span<const Tensor> results,
              std::span<const std::int32_t> slots,
              bool any_live) {
  const OpDef& op = call.op;
  Record& r = new_record(slots.size(), results.size(), call.where);
  r.op = &op;
  r.live = any_live && !op.is(Trait::no_gradient);
  // An op without a rule of its own is differentiated through its decomposition, from its inputs.
  const bool save_all = r.live && !op.gradient_fn() && op.decompose_fn();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Value& v = r.inputs[i];
    const Tensor& t = *call.inputs[i];
    v.slot = slots[i];
    describe(v, t);
    if (save_all || (r.live && op.saves_input(int(i))) || t.impl()->is_symbolic()) v.tensor = t;
  }
  set_outputs(r, results);
  if (!r.live) return;
  for (std::size_t o = 0; o < results.size(); ++o) {
    if (op.saves_output(int(o)) || results[o].impl()->is_symbolic())
      r.outputs[o].tensor = results[o];
  }
  r.attrs = {arena_.allocate<rt::Attr>(call.attrs.size()), call.attrs.size()};
  for (std::size_t a = 0; a < call.attrs.size(); ++a)
    new (&r.attrs[a]) rt::Attr(own(call.attrs[a]));
}

void Log::add(std::span<const Tensor> inputs,
              std::span<const std::int32_t> slots,
              std::span<const Tensor> results,
              std::shared_ptr<Backward> backward,
              std::source_location where) {
  Record& r = new_record(slots.size(), results.size(), where);
  r.backward = std::move(backward);
  r.live = false;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Value& v = r.inputs[i];
    v.slot = slots[i];
    if (i < inputs.size()) describe(v, inputs[i]);
    if (v.slot < 0) continue;
    v.dtype = slots_[std::size_t(v.slot)].dtype;
    r.live = r.live || slots_[std::size_t(v.slot)].live;
  }
  set_outputs(r, results);
  for (std::size_t o = 0; o < results.size(); ++o) {
    if (results[o].impl()->is_symbolic()) r.outputs[o].tensor = results[o];
  }
}

void Log::clear() {
  for (Record* r : records_) {
    std::destroy(r->inputs.begin(), r->inputs.end());
    std::destroy(r->outputs.begin(), r->outputs.end());
    r->~Record();
  }
  records_.clear();
  slots_.clear();
  by_id_.clear();
  arena_.reset();
}

}  // namespace weir::autodiff
