#include "dispatch/autocast.h"

#include <weir/autocast.h>
#include <weir/ops/math.h>

#include <utility>

#include "dispatch/handler.h"
#include "tensor/tensor_impl.h"

namespace weir::inline v0 {
namespace {

using tensor::Buffer;
using tensor::PackedForm;

/// A smaller variable is converted faster than its copy is found.
constexpr std::int64_t kWorthKeeping = 16384;

/// Of a copy in `to` of these elements, among the other forms that a buffer may keep.
std::uint64_t key_of(const TensorImpl& t, DType to) {
  const std::uint64_t key = reinterpret_cast<std::uintptr_t>(t.data()) ^
                            std::uint64_t(t.size()) << 20 ^ std::uint64_t(to) << 56;
  return key * 0x9e3779b97f4a7c15ull | 1;
}

/// Keeps `copy` with the elements it was made of, until they change.
void keep(Buffer& owner, std::uint64_t key, const Tensor& copy) {
  Buffer* memory = copy.impl()->buffer();
  if (!memory) return;
  auto* form = new PackedForm{key, memory};
  memory->retain();
  PackedForm* other = nullptr;
  if (owner.packed.compare_exchange_strong(other, form, std::memory_order_acq_rel)) return;
  memory->release();  // another thread was first
  delete form;
}

/// A variable that is read again before it changes, as at inference, is converted once.
Tensor convert(const Tensor& value, DType to, std::source_location where) {
  const TensorImpl& t = *value.impl();
  Buffer* owner = t.is_symbolic() ? nullptr : t.buffer();
  if (!owner || !owner->owned || t.size() * byte_size(t.dtype()) < kWorthKeeping ||
      !dispatch::active_recorders().empty())
    return cast(Operand(value, where), to);
  const std::uint64_t key = key_of(t, to);
  const PackedForm* form = owner->packed.load(std::memory_order_acquire);
  if (form && form->key == key) {
    form->memory->retain();
    return TensorImpl::over(form->memory, to, t.shape());
  }
  Tensor copy = cast(Operand(value, where), to);
  const bool again = owner->packed_key.exchange(key, std::memory_order_relaxed) == key;
  if (!form && again) keep(*owner, key, copy);
  return copy;
}

}  // namespace

AutocastScope::AutocastScope(DType dtype)
    : outer_(std::exchange(dispatch::autocast().dtype, dtype)) {
  dispatch::autocast().convert = convert;
}
AutocastScope::~AutocastScope() {
  dispatch::autocast().dtype = outer_;
}

}  // namespace weir::inline v0
