/// Optimisers: how gradients change variables. Formulas and defaults are those of Keras 3.
#pragma once

#include <weir/gradient_tape.h>
#include <weir/variable.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {
class Trackable;
}

namespace weir::inline v0::keras {

/// A handle. The step number, the learning rate and the slots of the variables are variables.
class Optimizer {
 public:
  class Base;
  Optimizer() = default;
  /// "sgd", "adam", "rmsprop" with their defaults. Error: an unknown name.
  Optimizer(const char* name) : Optimizer(std::string(name)) {}
  Optimizer(const std::string& name);
  explicit Optimizer(std::shared_ptr<Base> base) : base_(std::move(base)) {}

  bool defined() const { return base_ != nullptr; }
  const std::string& name() const;
  /// One step. Variables without a gradient stay as they are. Error: no variable has one.
  void apply_gradients(const std::vector<std::pair<Tensor, Variable>>& gradients) const;
  /// Creates the slots; apply_gradients does it at its first call.
  void build(const std::vector<Variable>& variables) const;
  Variable learning_rate() const;
  Variable iterations() const;
  /// Step number, learning rate and slots, in the order of Keras: what a checkpoint keeps.
  std::vector<Variable> variables() const;
  /// The variables that have been given slots, in that order.
  std::vector<Variable> built_variables() const;
  const std::shared_ptr<Base>& base() const { return base_; }

 private:
  std::shared_ptr<Base> base_;
};

/// For checkpoints (<weir/checkpoint.h>).
Trackable trackable(const Optimizer& optimizer);

namespace optimizers {

struct SGDOptions {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
};
/// w -= rate * g; with momentum m: v = m v - rate g, w += v (nesterov: w += m v - rate g).
class SGD : public Optimizer {
 public:
  explicit SGD(const SGDOptions& options = {});
  explicit SGD(double learning_rate) : SGD(SGDOptions{.learning_rate = learning_rate}) {}
};

struct AdamOptions {
  double learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
};
/// Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015; the form before
/// section 2.1.
class Adam : public Optimizer {
 public:
  explicit Adam(const AdamOptions& options = {});
  explicit Adam(double learning_rate) : Adam(AdamOptions{.learning_rate = learning_rate}) {}
};

struct RMSpropOptions {
  double learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
};
/// Source: Tieleman and Hinton, lecture 6.5, COURSERA 2012.
class RMSprop : public Optimizer {
 public:
  explicit RMSprop(const RMSpropOptions& options = {});
  explicit RMSprop(double learning_rate)
      : RMSprop(RMSpropOptions{.learning_rate = learning_rate}) {}
};

}  // namespace optimizers
}  // namespace weir::inline v0::keras
