/// Every op of the table: its gradient is that of the function, measured by difference quotients in
/// float64, first and second order, and in complex128; it reads no value that its definition does
/// not save.
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <algorithm>
#include <cmath>

#include "op_suite/kernel_check.h"
#include "op_suite/traces.h"
#include "tensor/convert.h"
#include "tensor/tensor_impl.h"

namespace weir::op_suite {
namespace {

constexpr double kStep = 1e-6;
constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-5;
constexpr std::int64_t kMostElements = 48;  // of one input that are varied

/// sum(weight * value) over all float64 results; huge values (the maximum of nothing) have no
/// weight.
struct Weighted {
  std::vector<Tensor> weights;

  explicit Weighted(const std::vector<Tensor>& results) {
    double w = 0.3;
    for (const Tensor& t : results) {
      std::vector<double> values;
      for (std::int64_t i = 0; i < t.size(); ++i) {
        w = std::fmod(w * 1.7 + 0.31, 2.0) - (w > 1 ? 0.9 : 0.1);
        values.push_back(
            t.dtype() == DType::float64 && std::abs(t.data<double>()[std::size_t(i)]) > 1e100 ? 0
                                                                                              : w);
      }
      weights.push_back(t.dtype() == DType::float64 ? Tensor::from(values, t.shape()) : Tensor());
    }
  }
  double operator()(const std::vector<Tensor>& results) const {
    double sum = 0;
    for (std::size_t r = 0; r < results.size(); ++r) {
      if (!weights[r].defined()) continue;
      const auto v = results[r].data<double>(), w = weights[r].data<double>();
      for (std::size_t i = 0; i < v.size(); ++i)
        sum += w[i] == 0 ? 0 : v[i] * w[i];
    }
    return sum;
  }
};

/// Gradients of the weighted sum of the results, one for each float64 input (undefined otherwise,
/// or if none).
std::vector<Tensor> gradients_of(const Case& c,
                                 const std::vector<Tensor>& inputs,
                                 const Weighted& weighted) {
  GradientTape tape;
  std::vector<GradientSource> sources;
  for (const Tensor& t : inputs) {
    tape.watch(t);
    sources.emplace_back(t);
  }
  const std::vector<Tensor> results = c.call(inputs);
  std::vector<Tensor> targets, dys;
  for (std::size_t r = 0; r < results.size(); ++r) {
    if (!weighted.weights[r].defined()) continue;
    targets.push_back(results[r]);
    dys.push_back(weighted.weights[r]);
  }
  return tape.gradient(targets, sources, dys);
}

Tensor shifted(const Tensor& t, std::int64_t element, double by) {
  const auto d = t.data<double>();
  std::vector<double> values(d.begin(), d.end());
  values[std::size_t(element)] += by;
  return Tensor::from(values, t.shape());
}

/// Compares gradient[i] with (f(x + h) - f(x - h)) / 2h for the elements of each float64 input.
template <class Function>
void expect_quotients(const Case& c,
                      const std::vector<Tensor>& gradient,
                      const std::string& order,
                      Function f) {
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.inputs[i].dtype() != DType::float64) continue;
    for (std::int64_t e = 0; e < std::min(c.inputs[i].size(), kMostElements); ++e) {
      std::vector<Tensor> up = c.inputs, down = c.inputs;
      up[i] = shifted(c.inputs[i], e, kStep);
      down[i] = shifted(c.inputs[i], e, -kStep);
      const double expected = (f(up) - f(down)) / (2 * kStep);
      const double got = gradient[i].defined() ? gradient[i].data<double>()[std::size_t(e)] : 0;
      ASSERT_NEAR(got, expected, kAbsolute + kRelative * std::abs(expected))
          << c.label << ": " << order << " gradient of input " << i << ", element " << e
          << (gradient[i].defined() ? "" : " (none)");
    }
  }
}

tensor::Number number_at(const Tensor& t, std::int64_t i) {
  return tensor::load(static_cast<const char*>(t.raw_data()) + i * byte_size(t.dtype()), t.dtype());
}
void set_number(const Tensor& t, std::int64_t i, const tensor::Number& n) {
  tensor::store(static_cast<char*>(t.impl()->data()) + i * byte_size(t.dtype()), t.dtype(), n);
}

bool has_float64(const std::vector<Tensor>& tensors) {
  return std::any_of(
      tensors.begin(), tensors.end(), [](const Tensor& t) { return t.dtype() == DType::float64; });
}

/// The sum of all gradients, weighted: what the second order differentiates.
double sum_of(const std::vector<Tensor>& gradients) {
  double sum = 0, weight = 1;
  for (const Tensor& g : gradients) {
    if (!g.defined() || g.dtype() != DType::float64) continue;
    for (double v : g.data<double>())
      sum += v * (weight = std::fmod(weight * 1.3 + 0.7, 2.0));
  }
  return sum;
}
std::vector<Tensor> weights_of(const std::vector<Tensor>& gradients) {
  std::vector<Tensor> weights;
  double weight = 1;
  for (const Tensor& g : gradients) {
    std::vector<double> values;
    for (std::int64_t i = 0; g.defined() && i < g.size(); ++i)
      values.push_back(weight = std::fmod(weight * 1.3 + 0.7, 2.0));
    weights.push_back(g.defined() ? Tensor::from(values, g.shape()) : Tensor());
  }
  return weights;
}

TEST_P(OpTest, GradientIsTheDifferenceQuotient) {
  if (op().is(Trait::no_gradient)) return;
  for (const Case& c : float64_cases_of(op())) {
    try {
      const std::vector<Tensor> results = c.call();
      if (!has_float64(results)) continue;
      const Weighted weighted(results);
      const auto gradient = gradients_of(c, c.inputs, weighted);
      expect_quotients(
          c, gradient, "first", [&](const std::vector<Tensor>& x) { return weighted(c.call(x)); });
    } catch (const Error& e) {
      EXPECT_TRUE(forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

TEST_P(OpTest, SecondGradientIsTheDifferenceQuotientOfTheFirst) {
  if (op().is(Trait::no_gradient)) return;
  for (const Case& c : float64_cases_of(op())) {
    try {
      const std::vector<Tensor> results = c.call();
      if (!has_float64(results)) continue;
      const Weighted weighted(results);
      GradientTape outer;
      std::vector<GradientSource> sources;
      for (const Tensor& t : c.inputs) {
        outer.watch(t);
        sources.emplace_back(t);
      }
      const std::vector<Tensor> first = gradients_of(c, c.inputs, weighted);
      std::vector<Tensor> targets, weights;
      const std::vector<Tensor> all = weights_of(first);
      for (std::size_t i = 0; i < first.size(); ++i) {
        if (!first[i].defined() || first[i].dtype() != DType::float64) continue;
        targets.push_back(first[i]);
        weights.push_back(all[i]);
      }
      const std::vector<Tensor> second = outer.gradient(targets, sources, weights);
      expect_quotients(c, second, "second", [&](const std::vector<Tensor>& x) {
        return sum_of(gradients_of(c, x, weighted));
      });
    } catch (const Error& e) {
      // An op may have no second order; it must say so.
      const bool says_so =
          std::string(e.what()).find("no gradient is registered") != std::string::npos;
      EXPECT_TRUE(says_so || forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

/// Re(sum(conj(weight) * value)): what the gradient `weight` of complex results means.
double complex_sum(const std::vector<Tensor>& results, const std::vector<Tensor>& weights) {
  double sum = 0;
  for (std::size_t r = 0; r < results.size(); ++r) {
    for (std::int64_t i = 0; i < results[r].size(); ++i) {
      const tensor::Number v = number_at(results[r], i), w = number_at(weights[r], i);
      sum += v.re * w.re + v.im * w.im;
    }
  }
  return sum;
}

std::vector<Tensor> complex_weights(const std::vector<Tensor>& results) {
  std::vector<Tensor> weights;
  double w = 0.3;
  for (const Tensor& t : results) {
    Tensor& weight = weights.emplace_back(Tensor::zeros(t.shape(), t.dtype()));
    for (std::int64_t i = 0; i < t.size(); ++i) {
      w = std::fmod(w * 1.7 + 0.31, 2.0) - (w > 1 ? 0.9 : 0.1);
      set_number(weight, i, {false, 0, w, is_complex(t.dtype()) ? 0.4 - w : 0});
    }
  }
  return weights;
}

/// The gradient g of a complex input z: the sum changes by Re(conj(g) dz), as in TensorFlow.
void expect_complex_quotients(const Case& c,
                              std::size_t input,
                              const Tensor& gradient,
                              const std::vector<Tensor>& weights) {
  for (std::int64_t e = 0; e < std::min<std::int64_t>(c.inputs[input].size(), 8); ++e) {
    for (bool imaginary : {false, true}) {
      const auto moved = [&](double by) {
        std::vector<Tensor> x = c.inputs;
        tensor::Number n = number_at(x[input], e);
        (imaginary ? n.im : n.re) += by;
        x[input] = Tensor::zeros(x[input].shape(), x[input].dtype());
        for (std::int64_t i = 0; i < x[input].size(); ++i)
          set_number(x[input], i, i == e ? n : number_at(c.inputs[input], i));
        return complex_sum(c.call(x), weights);
      };
      const double expected = (moved(kStep) - moved(-kStep)) / (2 * kStep);
      const tensor::Number g = gradient.defined() ? number_at(gradient, e) : tensor::Number{};
      ASSERT_NEAR(imaginary ? g.im : g.re, expected, kAbsolute + kRelative * std::abs(expected))
          << c.label << ": gradient of input " << input << ", element " << e
          << (imaginary ? ", imaginary part" : ", real part")
          << (gradient.defined() ? "" : " (none)");
    }
  }
}

TEST_P(OpTest, ComplexGradientIsTheDifferenceQuotient) {
  if (op().is(Trait::no_gradient)) return;
  for (const Case& c : complex_cases_of(op())) {
    try {
      GradientTape tape;
      std::vector<GradientSource> sources;
      for (const Tensor& t : c.inputs) {
        tape.watch(t);
        sources.emplace_back(t);
      }
      const std::vector<Tensor> results = c.call();
      if (!std::all_of(results.begin(), results.end(), [](const Tensor& t) {
            return t.dtype() == DType::float64 || t.dtype() == DType::complex128;
          }))
        continue;
      const std::vector<Tensor> weights = complex_weights(results);
      const std::vector<Tensor> gradients = tape.gradient(results, sources, weights);
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (is_complex(c.inputs[i].dtype())) expect_complex_quotients(c, i, gradients[i], weights);
      }
    } catch (const Error& e) {
      EXPECT_TRUE(forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

/// Overwrites the elements of a tensor that nobody else may read.
void poison(const Tensor& t) {
  for (std::int64_t i = 0; i < t.size(); ++i)
    set_number(t, i, {is_integer(t.dtype()), -1, std::nan(""), std::nan("")});
}

bool share_memory(const Tensor& a, const Tensor& b) {
  const auto* x = static_cast<const char*>(a.raw_data());
  const auto* y = static_cast<const char*>(b.raw_data());
  return x < y + b.nbytes() && y < x + a.nbytes();
}

/// Poisons the inputs and results that the definition does not save, but for those in the memory of
/// one that it does.
void poison_unsaved(const Case& c, const std::vector<Tensor>& results) {
  std::vector<Tensor> saved, unsaved;
  for (std::size_t i = 0; i < c.inputs.size(); ++i)
    (c.op->saves_input(int(i)) ? saved : unsaved).push_back(c.inputs[i]);
  for (std::size_t i = 0; i < results.size(); ++i)
    (c.op->saves_output(int(i)) ? saved : unsaved).push_back(results[i]);
  for (const Tensor& t : unsaved) {
    const bool shared = std::any_of(
        saved.begin(), saved.end(), [&](const Tensor& s) { return share_memory(s, t); });
    if (!shared && t.dtype() != DType::string && t.dtype() != DType::boolean) poison(t);
  }
}

TEST_P(OpTest, GradientReadsOnlyWhatIsSaved) {
  if (op().is(Trait::no_gradient) || !op().gradient_fn()) return;
  for (const Case& c : cases_of(op())) {
    if (!any_differentiable(c.inputs)) continue;
    try {
      const std::vector<Tensor> expected = all_gradients(c, c.inputs);
      GradientTape tape;
      std::vector<GradientSource> sources;
      for (const Tensor& t : c.inputs) {
        tape.watch(t);
        sources.emplace_back(t);
      }
      const std::vector<Tensor> results = c.call();
      std::vector<Tensor> targets;
      for (const Tensor& t : results) {
        if (is_differentiable(t.dtype())) targets.push_back(t);
      }
      poison_unsaved(c, results);
      std::size_t next = 0;
      for (const Tensor& g : tape.gradient(targets, sources)) {
        if (!g.defined()) continue;
        EXPECT_TRUE(same_bits(g, expected[next]))
            << c.label << ": " << g << " against " << expected[next] << ", which saw all values";
        ++next;
      }
    } catch (const Error& e) {
      EXPECT_TRUE(forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

TEST_P(OpTest, GradientKeepsDtypeAndShapeOfTheInputs) {
  if (op().is(Trait::no_gradient)) return;
  for (const Case& c : cases_of(op())) {
    try {
      GradientTape tape;
      std::vector<GradientSource> sources;
      for (const Tensor& t : c.inputs) {
        tape.watch(t);
        sources.emplace_back(t);
      }
      std::vector<Tensor> targets;
      for (Tensor& t : c.call()) {
        if (is_differentiable(t.dtype())) targets.push_back(std::move(t));
      }
      const std::vector<Tensor> gradients = tape.gradient(targets, sources);
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (!gradients[i].defined()) continue;
        EXPECT_EQ(gradients[i].dtype(), c.inputs[i].dtype()) << c.label << ", input " << i;
        EXPECT_EQ(gradients[i].shape(), c.inputs[i].shape()) << c.label << ", input " << i;
      }
    } catch (const Error& e) {
      EXPECT_TRUE(forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

TEST_P(OpTest, EmptyInputsHaveEmptyGradients) {
  if (op().is(Trait::no_gradient)) return;
  for (const Case& c : empty_cases_of(op())) {
    GradientTape tape({.persistent = true});
    std::vector<Tensor> results;
    for (const Tensor& t : c.inputs)
      tape.watch(t);
    try {
      results = c.call();
    } catch (const Error&) {
      continue;  // not legal for this op
    }
    try {
      for (const Tensor& t : c.inputs) {
        const Tensor g = tape.gradient({results.begin(), results.end()}, {t})[0];
        if (g.defined()) {
          EXPECT_EQ(g.shape(), t.shape()) << c.label;
        }
      }
    } catch (const Error& e) {
      EXPECT_TRUE(forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

TEST_P(OpTest, OpsWithoutGradientCutThePath) {
  if (!op().is(Trait::no_gradient)) return;
  EXPECT_EQ(op().gradient_fn(), nullptr) << "an op with Trait::no_gradient needs no rule";
  for (const Case& c : float64_cases_of(op())) {
    const Weighted weighted(c.call());
    for (const Tensor& g : gradients_of(c, c.inputs, weighted))
      EXPECT_FALSE(g.defined()) << c.label;
  }
}

}  // namespace
}  // namespace weir::op_suite
