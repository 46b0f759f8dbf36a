/// Model: layers with a start and an end, and the loop that trains them. A handle, and itself a
/// Layer.
#pragma once

#include <weir/function.h>
#include <weir/keras/callbacks.h>
#include <weir/keras/layer.h>
#include <weir/keras/losses.h>
#include <weir/keras/metrics.h>
#include <weir/keras/optimizers.h>

#include <iosfwd>
#include <optional>

namespace weir::inline v0::keras {

struct CompileOptions {
  bool run_eagerly = false;
};

struct FitOptions {
  std::int64_t batch_size = 32;
  int epochs = 1;
  std::optional<std::pair<Tensor, Tensor>> validation_data = {};
  double validation_split = 0;  // fraction taken from the end, before shuffling
  bool shuffle = true;
  std::uint64_t seed = 0;  // of the shuffling
  int verbose = 1;         // 0: silent, 1: progress bar on a terminal, 2: a line per epoch
  std::vector<Callback> callbacks = {};
};

struct EvaluateOptions {
  std::int64_t batch_size = 32;
  int verbose = 0;
};

class Model : public Layer {
 public:
  Model() = default;
  /// Functional: the layers between inputs and outputs. Error: outputs that do not come from the
  /// inputs.
  Model(const Symbol& input, const Symbol& output, std::string name = "model");
  Model(const std::vector<Symbol>& inputs,
        const std::vector<Symbol>& outputs,
        std::string name = "model");
  /// Subclassed: any layer, usually one that tracks others.
  explicit Model(const Layer& layer, std::string name = "model");

  /// Error: a model with several outputs.
  using Layer::operator();
  /// All outputs of a model with several.
  std::vector<Tensor> call(const std::vector<Tensor>& inputs, bool training = false) const;

  void compile(const Optimizer& optimizer,
               const Loss& loss,
               const std::vector<Metric>& metrics = {},
               const CompileOptions& options = {}) const;
  /// Trains. Errors: not compiled; x and y of different lengths; an empty data set; a batch size
  /// below 1.
  History fit(const Tensor& x, const Tensor& y, const FitOptions& options = {}) const;
  /// "loss" and the metrics over a data set.
  Logs evaluate(const Tensor& x, const Tensor& y, const EvaluateOptions& options = {}) const;
  /// Outputs for all rows of x.
  Tensor predict(const Tensor& x, std::int64_t batch_size = 32) const;
  /// One step on one batch: the loss, then the metrics.
  std::vector<double> train_on_batch(const Tensor& x, const Tensor& y) const;

  /// The table of layers, as text.
  std::string summary() const;
  /// All weights by name in an .npz file, written whole or not at all.
  void save_weights(const std::string& path) const;
  /// Errors: a file that cannot be read; a weight that is missing or has another shape, dtype
  /// or name within its layer. Nothing is changed then.
  void load_weights(const std::string& path) const;

  std::vector<Layer> layers() const;
  Layer get_layer(std::string_view name) const;
  const Optimizer& optimizer() const;
  /// Shapes of the inputs with their names: those of the first call for a subclassed model, none
  /// before it.
  std::vector<TensorSpec> input_specs() const;
  /// The inference graph for input_specs(), all outputs of it. Error: no inputs are known.
  ConcreteFunction concrete_function() const;

  class Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

/// For checkpoints (<weir/checkpoint.h>): the layers, and the optimizer of a compiled model.
Trackable trackable(const Model& model);

/// A model that is a list of layers: Sequential(Input({8}), {Dense(4, "relu"), Dense(1)}), without
/// Input built at its first call.
class Sequential : public Model {
 public:
  explicit Sequential(const std::vector<Layer>& layers, std::string name = "sequential");
  Sequential(const Symbol& input,
             const std::vector<Layer>& layers,
             std::string name = "sequential");
};

}  // namespace weir::inline v0::keras
