/// Random numbers.
///
///   Tensor w = random::normal({784, 256}, 0, 0.05);
///   random::set_seed(42);                                // the default generator, from here on
///   auto g = Generator::from_seed(7);                    // one of your own
///   Tensor u = g.uniform({2, 3});
///
/// A generator is a seed and the index of the next draw. A draw takes one index, which is an
/// effect: draws keep their order and each happens once per run of a graph. Its numbers are a
/// function of (seed, index) alone, so they are the same eagerly and in a graph, on any device and
/// for any number of threads. Threads may share a generator.
#pragma once

#include <weir/operand.h>
#include <weir/variable.h>

namespace weir::inline v0 {

class Generator {
 public:
  using Where = std::source_location;
  /// No generator.
  Generator() = default;
  static Generator from_seed(std::int64_t seed);
  /// Another seed each time, from the operating system.
  static Generator from_entropy();
  /// Continues from `state`: int64[2], seed and index of the next draw.
  explicit Generator(Variable state) : state_(std::move(state)) {}

  /// The state, for checkpoints.
  const Variable& state() const { return state_; }
  /// Back to index 0 with another seed.
  void reset(std::int64_t seed) const;
  /// Takes the next index: the key int64[2] for a stateless op.
  Tensor next(Where where = Where::current()) const;

  /// In [minval, maxval). Errors: a dtype that is not floating; a dimension that is negative.
  Tensor uniform(const Ints& shape,
                 Operand minval = 0,
                 Operand maxval = 1,
                 DType dtype = DType::float32) const;
  Tensor normal(const Ints& shape,
                Operand mean = 0,
                Operand stddev = 1,
                DType dtype = DType::float32) const;
  /// As normal, but numbers beyond two deviations are drawn again.
  Tensor truncated_normal(const Ints& shape,
                          Operand mean = 0,
                          Operand stddev = 1,
                          DType dtype = DType::float32) const;
  /// Integers in [minval, maxval). Errors: minval >= maxval; a dtype other than int32, int64.
  Tensor uniform_int(const Ints& shape,
                     Operand minval,
                     Operand maxval,
                     DType dtype = DType::int32) const;
  /// The slices of axis 0 in random order. Errors: a scalar.
  Tensor shuffle(Operand x) const;
  /// Classes drawn with the probabilities softmax(logits): [batch, classes] -> int64 [batch,
  /// num_samples].
  Tensor categorical(Operand logits, const Ints& num_samples) const;

 private:
  Variable state_;
};

namespace random {

/// The generator of the functions below. Its seed comes from the operating system until set_seed is
/// called.
const Generator& default_generator();
/// Restarts the default generator with this seed.
void set_seed(std::int64_t seed);

Tensor uniform(const Ints& shape,
               Operand minval = 0,
               Operand maxval = 1,
               DType dtype = DType::float32);
Tensor normal(const Ints& shape,
              Operand mean = 0,
              Operand stddev = 1,
              DType dtype = DType::float32);
Tensor truncated_normal(const Ints& shape,
                        Operand mean = 0,
                        Operand stddev = 1,
                        DType dtype = DType::float32);
Tensor uniform_int(const Ints& shape, Operand minval, Operand maxval, DType dtype = DType::int32);
Tensor shuffle(Operand x);
Tensor categorical(Operand logits, const Ints& num_samples);

}  // namespace random
}  // namespace weir::inline v0
