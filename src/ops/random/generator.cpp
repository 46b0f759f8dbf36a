/// Generators: an index counted in a variable, and the pure ops that it keys.
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/random.h>
#include <weir/random.h>

#include <mutex>
#include <random>

#include "dispatch/handler.h"
#include "ops/dims.h"
#include "tensor/convert.h"
#include "tensor/tensor_impl.h"
#include "tensor/variable_state.h"

namespace weir::inline v0 {
namespace {

using Where = std::source_location;

Tensor make_state(std::int64_t seed, std::int64_t next) {
  return Tensor{seed, next};
}

VariableState& checked(const Variable& state, Where where) {
  if (!state.defined())
    throw Error({Code::failed_precondition,
                 "use of an undefined Generator",
                 to_string(where),
                 "a default-constructed Generator",
                 "Generator::from_seed(seed)",
                 {}});
  VariableState& v = *state.state();
  if (v.dtype() == DType::int64 && v.shape() == Shape{2}) return v;
  throw Error({Code::invalid_argument,
               "Generator: the state is not one",
               to_string(where),
               v.snapshot().describe(),
               "int64[2]",
               {}});
}

/// Reads and counts up under the variable's lock: no two draws share an index.
Tensor take_now(VariableState& v) {
  std::lock_guard lock(v.mutex);
  Tensor key = v.value_locked();
  const auto state = key.data<std::int64_t>();
  v.set_locked(make_state(state[0], state[1] + 1));
  return key;
}

/// `value` as an operand of dtype `dtype`: scalars adopt it.
Tensor bound(const Operand& value, DType dtype) {
  return value.is_scalar() ? tensor::adopt_scalar(value.scalar(), dtype) : value.to_tensor();
}

bool is_scalar(const Operand& o, double value) {
  return o.is_scalar() && o.scalar().kind != Scalar::Kind::complex && o.scalar().f == value;
}

/// standard * scale + offset, without the steps that do nothing.
Tensor scale_and_shift(Tensor standard, const Operand& scale, const Operand& offset) {
  if (!is_scalar(scale, 1)) standard = multiply(std::move(standard), scale);
  if (!is_scalar(offset, 0)) standard = add(std::move(standard), offset);
  return standard;
}

}  // namespace

Generator Generator::from_seed(std::int64_t seed) {
  return Generator(Variable(make_state(seed, 0), "generator", false));
}

Generator Generator::from_entropy() {
  std::random_device device;
  return from_seed(std::int64_t(std::uint64_t(device()) << 32 | device()));
}

void Generator::reset(std::int64_t seed) const {
  checked(state_, Where::current());
  state_.assign(make_state(seed, 0));
}

Tensor Generator::next(Where where) const {
  VariableState& v = checked(state_, where);
  dispatch::Handler& handler = dispatch::current_handler();
  if (!handler.is_tracing()) return take_now(v);
  dispatch::PauseRecording pause;
  const Tensor key = handler.read(state_.state(), where);
  handler.write(
      state_.state(), add(Operand(key, where), Tensor{std::int64_t(0), std::int64_t(1)}), where);
  return key;
}

Tensor Generator::uniform(const Ints& shape, Operand minval, Operand maxval, DType dtype) const {
  const dispatch::CalledFrom line(dispatch::called_from(shape.where()));
  const Tensor u = stateless_uniform(shape, next(minval.where()), dtype);
  if (is_scalar(minval, 0)) return scale_and_shift(u, maxval, 0);
  return scale_and_shift(u, subtract(bound(maxval, dtype), bound(minval, dtype)), minval);
}

Tensor Generator::normal(const Ints& shape, Operand mean, Operand stddev, DType dtype) const {
  const dispatch::CalledFrom line(dispatch::called_from(shape.where()));
  return scale_and_shift(stateless_normal(shape, next(mean.where()), dtype), stddev, mean);
}

Tensor Generator::truncated_normal(const Ints& shape,
                                   Operand mean,
                                   Operand stddev,
                                   DType dtype) const {
  const dispatch::CalledFrom line(dispatch::called_from(shape.where()));
  return scale_and_shift(
      stateless_truncated_normal(shape, next(mean.where()), dtype), stddev, mean);
}

Tensor Generator::uniform_int(const Ints& shape,
                              Operand minval,
                              Operand maxval,
                              DType dtype) const {
  const dispatch::CalledFrom line(dispatch::called_from(shape.where()));
  return stateless_uniform_int(
      shape, next(minval.where()), bound(minval, dtype), bound(maxval, dtype));
}

Tensor Generator::shuffle(Operand x) const {
  const Tensor t = x.to_tensor();
  if (t.rank() == 0)
    throw Error({Code::invalid_argument,
                 "shuffle: nothing to shuffle",
                 to_string(x.where()),
                 t.describe(),
                 "rank 1 or more",
                 {}});
  ops::DimsOf count(t, 0, 1);
  return gather(Operand(t, x.where()), stateless_permutation(count.exact(), next(x.where())));
}

Tensor Generator::categorical(Operand logits, const Ints& num_samples) const {
  return stateless_categorical(logits, num_samples, next(logits.where()));
}

namespace random {

const Generator& default_generator() {
  static const auto& generator = *new Generator(Generator::from_entropy());
  return generator;
}

void set_seed(std::int64_t seed) {
  default_generator().reset(seed);
}

Tensor uniform(const Ints& shape, Operand minval, Operand maxval, DType dtype) {
  return default_generator().uniform(shape, minval, maxval, dtype);
}
Tensor normal(const Ints& shape, Operand mean, Operand stddev, DType dtype) {
  return default_generator().normal(shape, mean, stddev, dtype);
}
Tensor truncated_normal(const Ints& shape, Operand mean, Operand stddev, DType dtype) {
  return default_generator().truncated_normal(shape, mean, stddev, dtype);
}
Tensor uniform_int(const Ints& shape, Operand minval, Operand maxval, DType dtype) {
  return default_generator().uniform_int(shape, minval, maxval, dtype);
}

Tensor shuffle(Operand x) {
  return default_generator().shuffle(x);
}
Tensor categorical(Operand logits, const Ints& num_samples) {
  return default_generator().categorical(logits, num_samples);
}

}  // namespace random
}  // namespace weir::inline v0
