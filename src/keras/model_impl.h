#pragma once

#include <weir/keras/model.h>

#include <functional>

namespace weir::inline v0::keras {

/// The layers of a functional model in an order in which they can run.
struct Plan {
  struct Step {
    std::shared_ptr<LayerBase> layer;
    std::vector<int> inputs;  // places of values: the inputs of the model come first, then the
                              // result of each step
  };
  std::vector<TensorSpec> inputs;
  std::vector<Step> steps;
  std::vector<int> outputs;
};
/// The layers of a plan in the order of Keras, with their places among its operations
/// ("_operations/3"): inputs count as well, and those further from the outputs come first.
std::vector<std::pair<std::string, std::shared_ptr<LayerBase>>> operations(const Plan& plan);
Plan make_plan(const std::vector<Symbol>& inputs, const std::vector<Symbol>& outputs);

/// What fit, evaluate and predict share.
class Model::Impl {
 public:
  Plan plan;  // of a functional model
  std::vector<std::shared_ptr<LayerBase>> layers;

  Optimizer optimizer;
  Loss loss;
  std::vector<Metric> metrics;
  bool run_eagerly = false;

  using Step = std::function<std::vector<Tensor>(const Tensor&, const Tensor&)>;
  Step train_step, test_step;
  std::function<Tensor(const Tensor&)> predict_step;
};

}  // namespace weir::inline v0::keras
