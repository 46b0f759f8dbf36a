#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

// Optimisers of ai.onnx.preview.training: rate R, step T, then for n tensors the values, their
// gradients, and each kind of state; the results are new values, then new states.

constexpr const char* kDomain = "ai.onnx.preview.training";

struct Step {
  std::size_t count = 0, kinds = 0;
  Tensor rate, number;
  Tensor x(NodeContext& c, std::size_t i) const { return c.in(2 + i); }
  Tensor gradient(NodeContext& c, std::size_t i) const { return c.in(2 + count + i); }
  Tensor state(NodeContext& c, std::size_t kind, std::size_t i) const {
    return c.in(2 + (2 + kind) * count + i);
  }
};

Step read_step(NodeContext& c, std::size_t kinds) {
  Step s;
  s.kinds = kinds;
  if (c.inputs() < 2 + 2 + kinds || (c.inputs() - 2) % (2 + kinds) != 0) {
    c.damaged("its number of operands");
  }
  s.count = (c.inputs() - 2) / (2 + kinds);
  s.rate = as_scalar(c.in(0));
  s.number = cast(as_scalar(c.in(1)), s.rate.dtype());
  return s;
}

Tensor with_decay(NodeContext& c, const Step& s, std::size_t i) {
  return s.gradient(c, i) + s.x(c, i) * double(c.f("norm_coefficient", 0));
}

Values convert_momentum(NodeContext& c) {
  const Step s = read_step(c, 1);
  const double alpha = c.f("alpha", 0);
  const Tensor first = s.number > 0;
  const Tensor beta = where(first, zeros_like(s.rate) + double(c.f("beta", 0)), ones_like(s.rate));
  const bool nesterov = c.s("mode", "standard") == "nesterov";
  Values x(s.count), v(s.count);
  for (std::size_t i = 0; i < s.count; ++i) {
    const Tensor g = with_decay(c, s, i);
    const Tensor next = s.state(c, 0, i) * alpha + g * beta;
    v[i] = next;
    x[i] = s.x(c, i) - s.rate * (nesterov ? g + next * alpha : next);
  }
  x.insert(x.end(), v.begin(), v.end());
  return x;
}

Values convert_adagrad(NodeContext& c) {
  const Step s = read_step(c, 1);
  const Tensor rate = s.rate / (s.number * double(c.f("decay_factor", 0)) + 1.0);
  Values x(s.count), h(s.count);
  for (std::size_t i = 0; i < s.count; ++i) {
    const Tensor g = with_decay(c, s, i);
    const Tensor next = s.state(c, 0, i) + square(g);
    h[i] = next;
    x[i] = s.x(c, i) - rate * g / (sqrt(next) + double(c.f("epsilon", 1e-6f)));
  }
  x.insert(x.end(), h.begin(), h.end());
  return x;
}

Values convert_adam(NodeContext& c) {
  const Step s = read_step(c, 2);
  const double alpha = c.f("alpha", 0.9f), beta = c.f("beta", 0.999f);
  const Tensor power_a = pow(zeros_like(s.rate) + alpha, s.number);
  const Tensor power_b = pow(zeros_like(s.rate) + beta, s.number);
  const Tensor corrected = s.rate * sqrt(1.0 - power_b) / (1.0 - power_a);
  const Tensor rate = where(s.number > 0, corrected, s.rate);
  Values x(s.count), v(s.count), h(s.count);
  for (std::size_t i = 0; i < s.count; ++i) {
    const Tensor g = with_decay(c, s, i);
    const Tensor mean = s.state(c, 0, i) * alpha + g * (1 - alpha);
    const Tensor power = s.state(c, 1, i) * beta + square(g) * (1 - beta);
    v[i] = mean;
    h[i] = power;
    const Tensor next = s.x(c, i) - rate * mean / (sqrt(power) + double(c.f("epsilon", 1e-6f)));
    x[i] = next * (1 - double(c.f("norm_coefficient_post", 0)));
  }
  x.insert(x.end(), v.begin(), v.end());
  x.insert(x.end(), h.begin(), h.end());
  return x;
}

Values convert_binarizer(NodeContext& c) {
  const Tensor& x = c.in(0);
  return {cast(x > double(c.f("threshold", 0)), x.dtype())};
}

constexpr Converter kConverters[] = {
    {"Adagrad", convert_adagrad, 1, true, kDomain},
    {"Adam", convert_adam, 1, true, kDomain},
    {"Binarizer", convert_binarizer, 1, true, "ai.onnx.ml"},
    {"Momentum", convert_momentum, 1, true, kDomain},
};

}  // namespace

std::span<const Converter> training_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
