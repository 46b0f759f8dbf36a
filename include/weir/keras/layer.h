/// Layers: variables and the computation that uses them. Called on a Symbol a layer connects; on a
/// Tensor it runs.
///
/// A layer of your own derives from LayerBase and is used through a Layer:
///
///   struct Scale : keras::LayerBase {
///     Variable factor;
///     void build(const Shape& input) override { factor = add_weight("factor", {}, "ones"); }
///     Tensor call(const Tensor& x, bool training) override { return x * factor; }
///   };
///   keras::Layer scale = keras::make_layer<Scale>();
#pragma once

#include <weir/callable.h>
#include <weir/tensor.h>
#include <weir/variable.h>

#include <memory>
#include <string>
#include <vector>

namespace weir::inline v0 {
class Trackable;
}

namespace weir::inline v0::keras {

class Layer;
class LayerBase;

/// The dtypes of a layer: what it computes in, and what its weights are kept in.
///
///   keras::mixed_precision::set_global_policy("mixed_bfloat16");
///   auto x = Dense(256, "relu")(inputs);                             // computes in bfloat16
///   auto y = Dense(10, "softmax", {.dtype_policy = "float32"})(x);   // and this one in float32
class DTypePolicy {
 public:
  /// Weights and computations of one floating dtype.
  DTypePolicy(DType dtype) : DTypePolicy(std::string(weir::name(dtype))) {}
  /// "float32", "float64", "bfloat16", "float16": one dtype; "mixed_bfloat16": computations in
  /// bfloat16, weights in float32. Error: another name.
  DTypePolicy(const char* name) : DTypePolicy(std::string(name)) {}
  DTypePolicy(const std::string& name);

  const std::string& name() const { return name_; }
  /// Inputs and weights of a layer are converted to it.
  DType compute_dtype() const { return compute_; }
  /// Weights are made, trained and saved in it.
  DType variable_dtype() const { return variable_; }
  bool operator==(const DTypePolicy&) const = default;

 private:
  std::string name_;
  DType compute_, variable_;
};

namespace mixed_precision {

/// The policy of layers that are made from now on, by any thread.
void set_global_policy(const DTypePolicy& policy);
/// "float32" at first.
DTypePolicy global_policy();

}  // namespace mixed_precision
/// Initial values of a weight of a shape: "glorot_uniform", "he_normal", "zeros" ... or a function.
class Initializer {
 public:
  using Function = Callable<Tensor(const Shape& shape, DType dtype)>;
  /// Error: an unknown name; lists those that exist.
  Initializer(const char* name);
  Initializer(const std::string& name);
  Initializer(Function function) : function_(std::move(function)) {}
  Tensor operator()(const Shape& shape, DType dtype) const { return function_(shape, dtype); }

 private:
  Function function_;
};

/// What a layer gives when it is called on Symbols: a promise of a tensor, and the layers that make
/// it. A handle.
class Symbol {
 public:
  struct Node {
    TensorSpec spec;                   // -1: the batch, and whatever else is open
    std::shared_ptr<LayerBase> layer;  // null: an input
    std::vector<Symbol> inputs;
    int output = 0;
  };
  Symbol() = default;
  explicit Symbol(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  const Shape& shape() const { return node_->spec.shape; }
  DType dtype() const { return node_->spec.dtype; }
  const std::shared_ptr<const Node>& node() const { return node_; }

 private:
  std::shared_ptr<const Node> node_;
};

struct InputOptions {
  DType dtype = DType::float32;
  std::string name = "input";
  std::int64_t batch_size = -1;
};
/// The start of a functional model: samples of this shape, without the batch dimension.
Symbol Input(const Shape& shape, const InputOptions& options = {});

/// The state and computation behind a Layer.
class LayerBase {
 public:
  /// Has the global policy of this moment.
  LayerBase();
  LayerBase(const LayerBase&) = delete;
  LayerBase& operator=(const LayerBase&) = delete;
  virtual ~LayerBase() = default;
  /// Creates the weights, once, when the shape of the input (batch included) is known.
  virtual void build(const Shape& input) { (void)input; }
  /// The computation. Under a mixed policy floating-point inputs and weights come in the compute
  /// dtype (AutocastScope). `training` is true inside fit: dropout and batch normalisation differ
  /// then.
  virtual Tensor call(const Tensor& x, bool training) = 0;
  /// Layers of several inputs override this one as well.
  virtual Tensor call(const std::vector<Tensor>& inputs, bool training);
  /// The word of summary(): "Dense".
  virtual std::string type() const { return "Layer"; }

  /// Builds if need be, then calls inside the name scope of the layer.
  Tensor run(const std::vector<Tensor>& inputs, bool training);
  void ensure_built(const Shape& input);
  /// Own weights, then those of tracked layers, in order of creation.
  std::vector<Variable> weights() const;
  /// Those that training changes: none of a layer whose `trainable` is false, nor of its children.
  std::vector<Variable> trainable_weights() const;
  /// The inputs of the first call, with an open batch dimension; empty before.
  const std::vector<TensorSpec>& seen_inputs() const { return seen_inputs_; }

  const DTypePolicy& dtype_policy() const { return policy_; }
  /// Error: the layer has weights already.
  void set_dtype_policy(const DTypePolicy& policy);

  std::string name;
  bool trainable = true;
  const std::vector<std::shared_ptr<LayerBase>>& children() const { return children_; }
  const std::vector<Variable>& own_weights() const { return weights_; }
  /// What checkpoints call each of the children, those of a list "list/0", "list/1" ...: the names
  /// that Keras gives them.
  virtual std::vector<std::string> child_names() const { return child_names_; }

 protected:
  /// A weight of this layer, named "layer/name". DType::invalid: the policy's variable dtype.
  Variable add_weight(const std::string& name,
                      const Shape& shape,
                      const Initializer& initializer,
                      bool trainable = true,
                      DType dtype = DType::invalid);
  /// Makes the weights of another layer part of this one. `attribute` is what checkpoints call it:
  /// in Keras, the name of the member; without one it is an element of the list "layers".
  Layer track(Layer layer, std::string attribute = {});
  /// False: inputs and weights come as they are, for layers that hand them on to others.
  bool autocast_ = true;

 private:
  void see(const std::vector<Tensor>& inputs);

  DTypePolicy policy_;
  struct Once;
  const std::shared_ptr<Once> once_;
  std::vector<TensorSpec> seen_inputs_;
  std::vector<Variable> weights_;
  std::vector<std::shared_ptr<LayerBase>> children_;
  std::vector<std::string> child_names_;
};

/// A handle: copying shares the layer.
class Layer {
 public:
  Layer() = default;
  explicit Layer(std::shared_ptr<LayerBase> base) : base_(std::move(base)) {}

  Symbol operator()(const Symbol& input) const;
  Symbol operator()(const std::vector<Symbol>& inputs) const;
  Tensor operator()(const Tensor& input, bool training = false) const;
  Tensor operator()(const std::vector<Tensor>& inputs, bool training = false) const {
    return base_->run(inputs, training);
  }

  const std::string& name() const { return base_->name; }
  Layer& set_name(std::string name) {
    base_->name = std::move(name);
    return *this;
  }
  /// Of its own instead of the global one. Error: the layer has weights already.
  Layer& set_dtype_policy(const DTypePolicy& policy) {
    base_->set_dtype_policy(policy);
    return *this;
  }
  const DTypePolicy& dtype_policy() const { return base_->dtype_policy(); }
  void set_trainable(bool trainable) { base_->trainable = trainable; }
  std::vector<Variable> weights() const { return base_->weights(); }
  std::vector<Variable> trainable_weights() const { return base_->trainable_weights(); }
  std::int64_t count_params() const;
  const std::shared_ptr<LayerBase>& base() const { return base_; }

 private:
  std::shared_ptr<LayerBase> base_;
};

/// For checkpoints (<weir/checkpoint.h>).
Trackable trackable(const Layer& layer);

template <class L, class... Args>
Layer make_layer(Args&&... args) {
  return Layer(std::make_shared<L>(std::forward<Args>(args)...));
}

/// "relu", "softmax", "tanh" ... as functions, which may take over the memory of a tensor that is
/// moved into them; "" and "linear" return x. Error: an unknown name.
Callable<Tensor(Tensor)> get_activation(const std::string& name);

}  // namespace weir::inline v0::keras
