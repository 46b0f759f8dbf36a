/// Initial values of weights, with the formulas of Keras 3. Sources: Glorot and Bengio, AISTATS
/// 2010; He et al., ICCV 2015; LeCun et al., "Efficient backprop", 1998.
#include <weir/keras/layer.h>
#include <weir/random.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "keras/error.h"

namespace weir::inline v0::keras {
namespace {

struct Fans {
  double in = 1, out = 1;
};
/// Of a kernel [..., in, out]; leading dimensions are the receptive field.
Fans fans(const Shape& shape) {
  const int n = shape.rank();
  if (n == 0) return {};
  if (n == 1) return {double(shape[0].value()), double(shape[0].value())};
  double field = 1;
  for (int i = 0; i < n - 2; ++i)
    field *= double(shape[i].value());
  return {field * double(shape[n - 2].value()), field * double(shape[n - 1].value())};
}

enum class Mode { fan_in, fan_avg };

Tensor scaled_uniform(const Shape& shape, DType dtype, double scale, Mode mode) {
  const Fans f = fans(shape);
  const double n = mode == Mode::fan_in ? f.in : (f.in + f.out) / 2;
  const double limit = std::sqrt(3 * scale / std::max(1.0, n));
  return random::uniform(shape, -limit, limit, dtype);
}

/// The standard deviation of a normal cut at two deviations is 0.8796 of the uncut one.
Tensor scaled_normal(const Shape& shape, DType dtype, double scale, Mode mode) {
  const Fans f = fans(shape);
  const double n = mode == Mode::fan_in ? f.in : (f.in + f.out) / 2;
  const double deviation = std::sqrt(scale / std::max(1.0, n)) / 0.87962566103423978;
  return random::truncated_normal(shape, 0, deviation, dtype);
}

using Fn = Tensor (*)(const Shape&, DType);

const std::map<std::string, Fn>& initializers() {
  static const std::map<std::string, Fn> table{
      {"zeros", [](const Shape& s, DType t) { return Tensor::zeros(s, t); }},
      {"ones", [](const Shape& s, DType t) { return Tensor::ones(s, t); }},
      {"glorot_uniform",
       [](const Shape& s, DType t) { return scaled_uniform(s, t, 1, Mode::fan_avg); }},
      {"glorot_normal",
       [](const Shape& s, DType t) { return scaled_normal(s, t, 1, Mode::fan_avg); }},
      {"he_uniform", [](const Shape& s, DType t) { return scaled_uniform(s, t, 2, Mode::fan_in); }},
      {"he_normal", [](const Shape& s, DType t) { return scaled_normal(s, t, 2, Mode::fan_in); }},
      {"lecun_uniform",
       [](const Shape& s, DType t) { return scaled_uniform(s, t, 1, Mode::fan_in); }},
      {"lecun_normal",
       [](const Shape& s, DType t) { return scaled_normal(s, t, 1, Mode::fan_in); }},
      {"random_uniform",
       [](const Shape& s, DType t) { return random::uniform(s, -0.05, 0.05, t); }},
      {"random_normal", [](const Shape& s, DType t) { return random::normal(s, 0, 0.05, t); }},
  };
  return table;
}

}  // namespace

Initializer::Initializer(const char* name) : Initializer(std::string(name)) {}
Initializer::Initializer(const std::string& name) {
  const auto it = initializers().find(name);
  if (it == initializers().end()) throw_unknown("initializer", name, initializers());
  function_ = it->second;
}

}  // namespace weir::inline v0::keras
