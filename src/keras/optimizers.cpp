#include <weir/keras/optimizers.h>
#include <weir/operators.h>
#include <weir/ops/math.h>

#include <map>
#include <unordered_map>

#include "keras/error.h"

namespace weir::inline v0::keras {

/// What all optimisers share: step number, learning rate, slots by variable.
class Optimizer::Base {
 public:
  Base(std::string name, double learning_rate)
      : name_(std::move(name)),
        learning_rate_(Tensor(float(learning_rate)), name_ + "/learning_rate", false),
        iterations_(Tensor(std::int64_t{0}), name_ + "/iterations", false) {}
  virtual ~Base() = default;

  const std::string& name() const { return name_; }
  const Variable& learning_rate() const { return learning_rate_; }
  const Variable& iterations() const { return iterations_; }

  void build(const std::vector<Variable>& variables) {
    for (const Variable& v : variables) {
      if (slots_.contains(v.state().get())) continue;
      std::vector<Variable> slots;
      for (const char* slot : slot_names()) {
        slots.emplace_back(
            Tensor::zeros(v.shape(), v.dtype()), name_ + "/" + v.name() + "/" + slot, false);
      }
      built_.push_back(v);
      slots_.emplace(v.state().get(), Entry{v, std::move(slots)});
    }
  }

  void apply(const std::vector<std::pair<Tensor, Variable>>& gradients) {
    begin_step();
    for (const auto& [gradient, variable] : gradients) {
      if (gradient.defined()) update(gradient, variable, slots_.at(variable.state().get()).slots);
    }
    iterations_.assign_add(Tensor(std::int64_t{1}));
  }

  std::vector<Variable> variables() const {
    std::vector<Variable> list{iterations_, learning_rate_};
    const std::size_t kinds = slot_names().size();
    const std::size_t count = kinds * built_.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t v = slot_by_slot() ? i % built_.size() : i / kinds;
      const std::size_t slot = slot_by_slot() ? i / built_.size() : i % kinds;
      list.push_back(slots_.at(built_[v].state().get()).slots[slot]);
    }
    return list;
  }
  const std::vector<Variable>& built_variables() const { return built_; }

 protected:
  virtual std::vector<const char*> slot_names() const = 0;
  /// How Keras lists them: one slot of all variables after the other, or the slots of one variable.
  virtual bool slot_by_slot() const { return false; }
  /// Computes what is the same for all variables of a step.
  virtual void begin_step() { rate_ = learning_rate_.value(); }
  virtual void update(const Tensor& g, const Variable& w, const std::vector<Variable>& slots) = 0;
  /// The learning rate of this step in the dtype of a variable.
  static Tensor as(const Tensor& t, const Variable& w) {
    return t.dtype() == w.dtype() ? t : cast(t, w.dtype());
  }

  Tensor rate_;

 private:
  std::string name_;
  Variable learning_rate_, iterations_;
  /// Holds the variable, so that no other one can come to stand at its address.
  struct Entry {
    Variable variable;
    std::vector<Variable> slots;
  };
  std::unordered_map<const VariableState*, Entry> slots_;
  std::vector<Variable> built_;
};

namespace {

class SGDImpl final : public Optimizer::Base {
 public:
  explicit SGDImpl(const optimizers::SGDOptions& o) : Base("sgd", o.learning_rate), o_(o) {}

 private:
  std::vector<const char*> slot_names() const override {
    return o_.momentum > 0 ? std::vector<const char*>{"momentum"} : std::vector<const char*>{};
  }
  void update(const Tensor& g, const Variable& w, const std::vector<Variable>& slots) override {
    const Tensor step = g * as(rate_, w);
    if (slots.empty()) {
      w.assign_sub(step);
      return;
    }
    const Tensor v = slots[0].assign(slots[0] * o_.momentum - step);
    w.assign_add(o_.nesterov ? v * o_.momentum - step : v);
  }
  optimizers::SGDOptions o_;
};

class AdamImpl final : public Optimizer::Base {
 public:
  explicit AdamImpl(const optimizers::AdamOptions& o) : Base("adam", o.learning_rate), o_(o) {}

 private:
  std::vector<const char*> slot_names() const override { return {"momentum", "velocity"}; }
  void begin_step() override {
    Base::begin_step();
    const Tensor t = cast(iterations() + std::int64_t{1}, DType::float32);
    rate_ = rate_ * sqrt(1 - pow(float(o_.beta_2), t)) / (1 - pow(float(o_.beta_1), t));
  }
  void update(const Tensor& g, const Variable& w, const std::vector<Variable>& slots) override {
    const Tensor m = slots[0].assign_add((g - slots[0]) * (1 - o_.beta_1));
    const Tensor v = slots[1].assign_add((square(g) - slots[1]) * (1 - o_.beta_2));
    w.assign_sub(m * as(rate_, w) / (sqrt(v) + o_.epsilon));
  }
  optimizers::AdamOptions o_;
};

class RMSpropImpl final : public Optimizer::Base {
 public:
  explicit RMSpropImpl(const optimizers::RMSpropOptions& o)
      : Base("rmsprop", o.learning_rate), o_(o) {}

 private:
  std::vector<const char*> slot_names() const override {
    std::vector<const char*> names{"velocity"};
    if (o_.momentum > 0) names.push_back("momentum");
    if (o_.centered) names.push_back("average_gradient");
    return names;
  }
  bool slot_by_slot() const override { return true; }
  void update(const Tensor& g, const Variable& w, const std::vector<Variable>& slots) override {
    Tensor denominator = slots[0].assign(slots[0] * o_.rho + square(g) * (1 - o_.rho));
    if (o_.centered) {
      const Tensor average = slots.back().assign(slots.back() * o_.rho + g * (1 - o_.rho));
      denominator = denominator - square(average);
    }
    const Tensor step = g * as(rate_, w) / sqrt(denominator + o_.epsilon);
    if (o_.momentum > 0) {
      w.assign_sub(slots[1].assign(slots[1] * o_.momentum + step));
    } else {
      w.assign_sub(step);
    }
  }
  optimizers::RMSpropOptions o_;
};

void check_rate(double rate) {
  if (!(rate >= 0))
    throw_argument("optimizer: learning_rate", std::to_string(rate), "a number >= 0");
}

}  // namespace

namespace optimizers {

SGD::SGD(const SGDOptions& o) : Optimizer(std::make_shared<SGDImpl>(o)) {
  check_rate(o.learning_rate);
}
Adam::Adam(const AdamOptions& o) : Optimizer(std::make_shared<AdamImpl>(o)) {
  check_rate(o.learning_rate);
}
RMSprop::RMSprop(const RMSpropOptions& o) : Optimizer(std::make_shared<RMSpropImpl>(o)) {
  check_rate(o.learning_rate);
}

}  // namespace optimizers

Optimizer::Optimizer(const std::string& name) {
  static const std::map<std::string, Optimizer (*)()> table{
      {"sgd", []() -> Optimizer { return optimizers::SGD(); }},
      {"adam", []() -> Optimizer { return optimizers::Adam(); }},
      {"rmsprop", []() -> Optimizer { return optimizers::RMSprop(); }},
  };
  const auto it = table.find(name);
  if (it == table.end()) throw_unknown("optimizer", name, table);
  *this = it->second();
}

const std::string& Optimizer::name() const {
  return base_->name();
}

void Optimizer::build(const std::vector<Variable>& variables) const {
  base_->build(variables);
}

void Optimizer::apply_gradients(const std::vector<std::pair<Tensor, Variable>>& gradients) const {
  std::vector<Variable> variables;
  bool any = false;
  for (const auto& [gradient, variable] : gradients) {
    variables.push_back(variable);
    any = any || gradient.defined();
  }
  if (!any)
    throw_argument("apply_gradients: no variable has a gradient",
                   std::to_string(gradients.size()) + " variables",
                   "at least one gradient",
                   "ask GradientTape::explain where the path from the loss is cut");
  base_->build(variables);
  base_->apply(gradients);
}

Variable Optimizer::learning_rate() const {
  return base_->learning_rate();
}
Variable Optimizer::iterations() const {
  return base_->iterations();
}
std::vector<Variable> Optimizer::variables() const {
  return base_->variables();
}
std::vector<Variable> Optimizer::built_variables() const {
  return base_->built_variables();
}

}  // namespace weir::inline v0::keras
