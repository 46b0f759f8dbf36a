/// GradientTape: records the calls of this thread, then runs them backwards.
///
///   GradientTape tape;
///   Tensor loss = mean(square(matmul(a, w) - b));
///   Tensor dw = tape.gradient(loss, w);        // w: a trainable Variable, watched when it is read
///
/// Tapes nest: the gradient computed while an outer tape records is itself recorded, which gives
/// higher derivatives. A tape belongs to the thread that made it.
#pragma once

#include <weir/callable.h>
#include <weir/slices.h>
#include <weir/variable.h>

#include <source_location>
#include <string>
#include <vector>

namespace weir::autodiff {
class Tape;
}

namespace weir::inline v0 {

enum class UnconnectedGradients : std::uint8_t { none, zero };

struct TapeOptions {
  bool persistent = false;  // several gradient() calls
  bool watch_accessed_variables = true;
};

/// A source of a gradient: a watched tensor or a variable.
class GradientSource {
 public:
  GradientSource(const Tensor& t) : tensor_(t) {}
  GradientSource(const Variable& v) : variable_(v) {}
  const Tensor& tensor() const { return tensor_; }
  const Variable& variable() const { return variable_; }

 private:
  Tensor tensor_;
  Variable variable_;
};

/// A gradient: dense, or rows (what `gather` gives). Undefined if nothing connects target and
/// source.
struct Gradient {
  Tensor dense;
  Slices slices;  // defined if slices.values is
  bool defined() const { return dense.defined() || slices.values.defined(); }
  /// The dense form; duplicates are added.
  Tensor to_tensor() const;
};

class GradientTape {
 public:
  explicit GradientTape(TapeOptions options = {});
  ~GradientTape();
  GradientTape(const GradientTape&) = delete;
  GradientTape& operator=(const GradientTape&) = delete;

  /// Records what is computed from `t`. A tensor without a floating or complex dtype is ignored, as
  /// TensorFlow does.
  void watch(const Tensor& t);
  void watch(const Variable& v);

  /// d target / d source; undefined (see `explain`) or zeros where nothing connects them. Several
  /// targets are summed. Errors: a second call on a tape that is not persistent; output_gradients
  /// of another shape.
  Tensor gradient(const Tensor& target,
                  const GradientSource& source,
                  UnconnectedGradients unconnected = UnconnectedGradients::none);
  std::vector<Tensor> gradient(const std::vector<Tensor>& targets,
                               const std::vector<GradientSource>& sources,
                               const std::vector<Tensor>& output_gradients = {},
                               UnconnectedGradients unconnected = UnconnectedGradients::none);
  std::vector<Tensor> gradient(const Tensor& target,
                               const std::vector<Variable>& sources,
                               UnconnectedGradients unconnected = UnconnectedGradients::none);
  /// The same, keeping row gradients as rows.
  std::vector<Gradient> gradients(const std::vector<Tensor>& targets,
                                  const std::vector<GradientSource>& sources,
                                  const std::vector<Tensor>& output_gradients = {});

  /// d target[i...] / d source[j...] at [i..., j...], by one backward pass for each element of the
  /// target. Undefined if nothing connects them. Error: the shape of the target is not static.
  Tensor jacobian(const Tensor& target, const GradientSource& source);
  /// The same where row b of the target depends on row b of the source only: target [b, i...],
  /// source [b, j...] -> [b, i..., j...]. Errors: a rank below 2; first dimensions that differ.
  Tensor batch_jacobian(const Tensor& target, const GradientSource& source);

  /// Runs `body` without recording it.
  template <class F>
  decltype(auto) stop_recording(F&& body) {
    struct Pause {
      GradientTape& tape;
      explicit Pause(GradientTape& t) : tape(t) { tape.pause(); }
      ~Pause() { tape.resume(); }
    } pause(*this);
    return body();
  }
  void pause();
  void resume();
  /// Forgets everything, watches included.
  void reset();
  std::vector<Variable> watched_variables() const;

  /// Why the gradient of target with respect to source is none: the place where the path was cut,
  /// in words, with lines. "connected" if it is not none.
  std::string explain(const Tensor& target, const GradientSource& source) const;

 private:
  autodiff::Tape* tape_;
};

/// What `forward` of custom_gradient returns.
struct CustomGradient {
  std::vector<Tensor> results;
  /// Maps the gradients of the results (zeros where none flows) to those of the inputs, then of
  /// `variables`: one each; an undefined Tensor says none.
  Callable<std::vector<Tensor>(const std::vector<Tensor>& dy)> gradient;
  /// The trainable variables that `forward` reads.
  std::vector<Variable> variables = {};
};
/// f(inputs) with a gradient rule of its own, which replaces the one of the ops that `forward`
/// calls. The rule is written with ops and can itself be differentiated. Errors: a trainable
/// variable is read and not listed; later, in gradient(): a wrong number or shape of gradients.
std::vector<Tensor> custom_gradient(
    const std::vector<Tensor>& inputs,
    const Callable<CustomGradient(const std::vector<Tensor>&)>& forward,
    std::source_location where = std::source_location::current());

}  // namespace weir::inline v0
