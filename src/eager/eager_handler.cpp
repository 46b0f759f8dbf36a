/// The handler that runs one op now: kernel from the cache, one block for each result, run.

#include <algorithm>
#include <mutex>

#include "dispatch/call.h"
#include "dispatch/handler.h"
#include "eager/op_label.h"
#include "eager/packed_operand.h"
#include "kernels/select.h"
#include "tensor/host_context.h"
#include "tensor/tensor_impl.h"
#include "tensor/variable_state.h"

namespace weir::eager {
namespace {

using dispatch::Invocation;

constexpr std::size_t kFew = 6;

template <class T>
using Few = base::SmallVector<T, kFew>;

/// Null if there is none.
const rt::Kernel* find_kernel(const Invocation& call) {
  const auto in = [&](std::size_t i) {
    return i < call.inputs.size() ? call.inputs[i]->impl()->dtype() : DType::invalid;
  };
  const auto out = [&](std::size_t o) {
    return o < call.outputs.size() ? call.outputs[o].dtype : DType::invalid;
  };
  return kernels::select(
      call.op.name().c_str(), call.op.id(), kernels::Types{in(0), in(1), out(0), out(1)});
}

const rt::Kernel& kernel_for(const Invocation& call) {
  if (const rt::Kernel* k = find_kernel(call)) return *k;
  std::string got;
  for (const Tensor* t : call.inputs)
    got += (got.empty() ? "" : ", ") + std::string(name(t->impl()->dtype()));
  dispatch::fail(call.op,
                 call.where,
                 "no kernel for these dtypes on this machine",
                 got,
                 {},
                 "cast the operands, or register a kernel with weir::register_kernels",
                 Code::unimplemented);
}

/// True if `t` may become the result: nobody else sees it, and its memory has the right size.
bool can_steal(const Invocation& call, std::size_t i, const Spec& out) {
  const TensorImpl& t = *call.inputs[i]->impl();
  if (out.dtype == DType::string) return false;  // its buffer owns the bytes of its strings
  return (call.stealable >> i & 1u) && t.unique() && t.dtype() == out.dtype &&
         t.shape().to_shape() == out.shape;
}

Tensor steal(const Tensor* operand) {
  operand->impl()->forget_id();
  if (tensor::Buffer* b = operand->impl()->buffer()) b->forget_packed();
  return std::move(*const_cast<Tensor*>(operand));  // a temporary of the caller's expression
}

void keep_strings_alive(const Invocation& call, Tensor& result) {
  auto* owners = new std::vector<tensor::Buffer*>;
  for (const Tensor* t : call.inputs) {
    tensor::Buffer* b = t->impl()->buffer();
    if (t->dtype() != DType::string || !b) continue;
    b->retain();
    owners->push_back(b);
  }
  result.impl()->buffer()->keep_alive = owners;
}

Tensor allocate(const Spec& spec) {
  return TensorImpl::concrete(spec.dtype, spec.shape);
}

struct Outputs {
  Few<rt::View> in, out;
};

void check_static(const Invocation& call, const Spec& s) {
  if (!s.shape.is_static())
    dispatch::fail(call.op,
                   call.where,
                   "the shape of the result is not known",
                   s.describe(),
                   "a static shape",
                   {},
                   Code::internal);
}

[[noreturn]] void throw_status(const Invocation& call, Status status, const rt::ErrorText& text) {
  dispatch::fail(
      call.op, call.where, text.text[0] ? text.text : status.message(), {}, {}, {}, status.code());
}

/// Kernel state, workspace and packed operand for the time of one call.
class Scratch {
 public:
  Scratch(const rt::Kernel& k, rt::KernelCall& c, const Invocation& call) : kernel_(k), call_(c) {
    if (k.need) {
      rt::Needs needs = k.need(c);
      if (needs.packed_operand >= 0) {
        c.packed = packed_operand(c, needs, *call.inputs[std::size_t(needs.packed_operand)]);
        if (c.packed) needs = k.need(c);  // which may be less
      }
      if (needs.workspace > kSmall) buffer_ = tensor::allocate_buffer(needs.workspace);
      if (needs.workspace > 0) c.workspace = buffer_ ? buffer_->data : small_;
    }
    if (k.prepare) c.state = k.prepare(c);
  }
  ~Scratch() {
    if (kernel_.release && call_.state) kernel_.release(call_.state);
    if (buffer_) buffer_->release();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

 private:
  static constexpr std::int64_t kSmall = 1024;

  const rt::Kernel& kernel_;
  rt::KernelCall& call_;
  tensor::Buffer* buffer_ = nullptr;
  alignas(64) std::byte small_[kSmall];
};

rt::KernelCall kernel_call(const rt::Kernel& kernel,
                           const Invocation& call,
                           std::span<const rt::View> in,
                           std::span<const rt::View> out,
                           rt::ErrorText& text) {
  rt::KernelCall c;
  c.kernel = &kernel;
  c.in = in.data();
  c.out = out.data();
  c.attrs = call.attrs.data();
  c.n_in = std::uint16_t(in.size());
  c.n_out = std::uint16_t(out.size());
  c.n_attrs = std::uint16_t(call.attrs.size());
  c.context = &tensor::host_context();
  c.error = &text;
  return c;
}

void run_kernel(const rt::Kernel& kernel,
                const Invocation& call,
                std::span<const rt::View> in,
                std::span<const rt::View> out) {
  rt::ErrorText text;
  rt::KernelCall c = kernel_call(kernel, call, in, out, text);
  Scratch scratch(kernel, c, call);
  const Status status = kernel.run(c);
  if (!status.ok()) throw_status(call, status, text);
}

bool try_alias(const Invocation& call, std::span<Tensor> results) {
  std::int64_t offset = call.op.is(Trait::view) ? 0 : -1;
  if (offset < 0 && call.op.alias_fn())
    offset = call.op.alias_fn()(call.inputs[0]->impl()->spec(), call.outputs[0], call.attrs);
  if (offset < 0) return false;
  results[0] = TensorImpl::view(*call.inputs[0], call.outputs[0].shape, offset);
  return true;
}

/// Ops without a kernel of their own are computed with others.
bool try_decompose(const Invocation& call, std::span<Tensor> results) {
  if (!call.op.decompose_fn() || find_kernel(call)) return false;
  dispatch::PauseRecording pause;
  std::vector<Tensor> inputs;
  for (const Tensor* t : call.inputs)
    inputs.push_back(*t);
  std::vector<Tensor> values = call.op.decompose_fn()(inputs, call.attrs);
  for (std::size_t o = 0; o < results.size(); ++o) {
    // A result that is an input handed through is a new value for tapes.
    const bool same = std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& t) {
      return t.impl() == values[o].impl();
    });
    results[o] =
        same ? TensorImpl::view(values[o], values[o].impl()->shape()) : std::move(values[o]);
  }
  return true;
}

/// Gives the outputs that infer left open the shapes that the kernel derives from the values of the
/// inputs.
void resolve_shapes(const rt::Kernel& kernel,
                    const Invocation& call,
                    std::span<const rt::View> in,
                    std::span<Spec> outputs) {
  Few<std::vector<std::int64_t>> dims(outputs.size());
  Few<std::int64_t*> writable(outputs.size());
  Few<rt::View> out(outputs.size());
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (!kernel.output_dims || !outputs[o].shape.has_rank()) check_static(call, outputs[o]);
    dims[o] = outputs[o].shape.to_vector();
    writable[o] = dims[o].data();
    out[o] = {nullptr, dims[o].data(), outputs[o].dtype, std::uint8_t(outputs[o].shape.rank())};
  }
  rt::ErrorText text;
  rt::KernelCall c = kernel_call(kernel, call, in, out, text);
  Scratch scratch(kernel, c, call);
  const Status status = kernel.output_dims(c, writable.data());
  if (!status.ok()) throw_status(call, status, text);
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    outputs[o].shape = Shape(dims[o]);
    check_static(call, outputs[o]);
  }
}

bool is_static(const Invocation& call) {
  return std::all_of(
      call.outputs.begin(), call.outputs.end(), [](const Spec& s) { return s.shape.is_static(); });
}

class EagerHandler final : public dispatch::Handler {
 public:
  void run(const Invocation& call, std::span<Tensor> results) override {
    if (profile::active()) [[unlikely]]
      return run_profiled(call, results);
    run_now(call, results);
  }

  void run_now(const Invocation& call, std::span<Tensor> results) {
    if (!is_static(call)) return run_data_shaped(call, results);
    if (try_alias(call, results) || try_decompose(call, results)) return;
    const rt::Kernel& kernel = kernel_for(call);
    Few<rt::View> in, out;
    for (const Tensor* t : call.inputs)
      in.push_back(t->impl()->as_view());
    place_results(call, results);
    for (const Tensor& t : results)
      out.push_back(t.impl()->as_view());
    run_kernel(kernel, call, in, out);
  }

  void run_profiled(const Invocation& call, std::span<Tensor> results) {
    const profile::LabelPtr label = label_of(call, find_kernel(call));
    const std::int64_t begin = profile::now();
    run_now(call, results);
    profile::record(label, begin, profile::now());
  }

  Tensor read(const std::shared_ptr<VariableState>& variable, std::source_location) override {
    return variable->snapshot();
  }

  Tensor write(const std::shared_ptr<VariableState>& variable,
               const Tensor& value,
               std::source_location) override {
    std::lock_guard lock(variable->mutex);
    variable->set_locked(value);
    return value;
  }

 private:
  void run_data_shaped(const Invocation& call, std::span<Tensor> results) {
    if (try_decompose(call, results)) return;
    Few<rt::View> in;
    for (const Tensor* t : call.inputs)
      in.push_back(t->impl()->as_view());
    base::SmallVector<Spec, 2> outputs(call.outputs);
    resolve_shapes(kernel_for(call), call, in, outputs);
    Invocation sized{call.op, call.inputs, call.attrs, outputs, call.where};
    run_now(sized, results);
  }

  static void place_results(const Invocation& call, std::span<Tensor> results) {
    for (std::size_t o = 0; o < results.size(); ++o) {
      const Spec& spec = call.outputs[o];
      if (o == 0 && call.stealable && call.op.is(Trait::elementwise)) {
        for (std::size_t i = 0; i < call.inputs.size() && !results[0].defined(); ++i) {
          if (can_steal(call, i, spec)) results[0] = steal(call.inputs[i]);
        }
      }
      if (!results[o].defined()) results[o] = allocate(spec);
      if (spec.dtype == DType::string && results[o].impl()->buffer())
        keep_strings_alive(call, results[o]);
    }
  }
};

}  // namespace
}  // namespace weir::eager

namespace weir::dispatch {

Handler& default_handler() {
  static auto& handler = *new eager::EagerHandler;
  return handler;
}

}  // namespace weir::dispatch
