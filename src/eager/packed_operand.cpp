#include "eager/packed_operand.h"

namespace weir::eager {
namespace {

using tensor::Buffer;
using tensor::PackedForm;

/// A smaller operand lies in the first cache in any layout.
constexpr std::int64_t kWorthPacking = 16384;

class Key {
 public:
  void add(std::uint64_t v) { hash_ = (hash_ ^ v) * 0x9e3779b97f4a7c15ull, hash_ ^= hash_ >> 29; }
  void add(const rt::Attr& a) {
    add(std::uint64_t(a.kind) << 32 | a.count);
    if (a.kind == rt::Attr::Kind::ints) {
      for (std::uint32_t i = 0; i < a.count; ++i)
        add(std::uint64_t(a.ints[i]));
    } else if (a.kind == rt::Attr::Kind::string) {
      for (std::uint32_t i = 0; i < a.count; ++i)
        add(std::uint64_t(static_cast<unsigned char>(a.s[i])));
    } else if (a.kind == rt::Attr::Kind::boolean) {
      add(std::uint64_t(a.b));
    } else {
      add(std::uint64_t(a.i));
    }
  }
  std::uint64_t value() const { return hash_ | 1; }

 private:
  std::uint64_t hash_ = 0;
};

/// All that the layout of the operand depends on: of the other operands no more than their last
/// axis, so that the batch may change.
std::uint64_t key_of(const rt::KernelCall& call, const rt::Needs& needs) {
  Key key;
  key.add(reinterpret_cast<std::uintptr_t>(call.kernel));
  key.add(std::uint64_t(needs.packed_bytes));
  const rt::View& operand = call.in[needs.packed_operand];
  key.add(reinterpret_cast<std::uintptr_t>(operand.data));
  for (int i = 0; i < operand.rank; ++i)
    key.add(std::uint64_t(operand.dims[i]));
  for (int i = 0; i < call.n_in; ++i)
    key.add(call.in[i].rank > 0 ? std::uint64_t(call.in[i].dims[call.in[i].rank - 1]) : 0);
  for (int i = 0; i < call.n_attrs; ++i)
    key.add(call.attrs[i]);
  return key.value();
}

/// Null where there is no memory: the plain operand serves as well.
Buffer* allocate(std::int64_t bytes) noexcept try {
  return tensor::allocate_buffer(bytes);
} catch (const Error&) {
  return nullptr;
}

const PackedForm* pack(const rt::KernelCall& call,
                       const rt::Needs& needs,
                       std::uint64_t key,
                       Buffer& owner) {
  Buffer* memory = allocate(needs.packed_bytes);
  if (!memory) return nullptr;
  if (!call.kernel->pack(call, memory->data).ok()) {
    memory->release();
    return nullptr;
  }
  auto* form = new PackedForm{key, memory};
  PackedForm* other = nullptr;
  if (owner.packed.compare_exchange_strong(other, form, std::memory_order_acq_rel)) return form;
  memory->release();  // another thread was first
  delete form;
  return other;
}

}  // namespace

const void* packed_operand(const rt::KernelCall& call,
                           const rt::Needs& needs,
                           const Tensor& operand) {
  Buffer* owner = operand.impl()->buffer();
  if (!owner || !owner->owned || !call.kernel->pack || needs.packed_bytes < kWorthPacking)
    return nullptr;
  const std::uint64_t key = key_of(call, needs);
  const PackedForm* form = owner->packed.load(std::memory_order_acquire);
  if (!form) {
    if (owner->packed_key.exchange(key, std::memory_order_relaxed) != key) return nullptr;
    form = pack(call, needs, key, *owner);
  }
  return form && form->key == key ? form->memory->data : nullptr;
}

}  // namespace weir::eager
