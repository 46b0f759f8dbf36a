#include <weir/autocast.h>
#include <weir/function.h>
#include <weir/graph.h>
#include <weir/keras/layer.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>

#include "keras/error.h"

namespace weir::inline v0::keras {
namespace {

using ActivationFn = Tensor (*)(Tensor);

const std::map<std::string, ActivationFn>& activations() {
  static const std::map<std::string, ActivationFn> table{
      {"", [](Tensor x) { return x; }},
      {"linear", [](Tensor x) { return x; }},
      {"relu", [](Tensor x) { return relu(std::move(x)); }},
      {"relu6", [](Tensor x) { return relu6(std::move(x)); }},
      {"elu", [](Tensor x) { return elu(std::move(x)); }},
      {"selu", [](Tensor x) { return selu(std::move(x)); }},
      {"leaky_relu", [](Tensor x) { return leaky_relu(std::move(x)); }},
      {"gelu", [](Tensor x) { return gelu(std::move(x)); }},
      {"silu", [](Tensor x) { return silu(std::move(x)); }},
      {"swish", [](Tensor x) { return silu(std::move(x)); }},
      {"sigmoid", [](Tensor x) { return sigmoid(std::move(x)); }},
      {"tanh", [](Tensor x) { return tanh(std::move(x)); }},
      {"softplus", [](Tensor x) { return softplus(std::move(x)); }},
      {"softsign", [](Tensor x) { return softsign(std::move(x)); }},
      {"exponential", [](Tensor x) { return exp(std::move(x)); }},
      {"softmax", [](Tensor x) { return softmax(std::move(x)); }},
      {"log_softmax", [](Tensor x) { return log_softmax(std::move(x)); }},
  };
  return table;
}

/// "dense", "dense_1", "dense_2": unique in the process, as Keras names layers.
std::string unique_name(const std::string& base) {
  static std::mutex mutex;
  static auto& counts = *new std::map<std::string, int>;
  std::lock_guard lock(mutex);
  const int n = counts[base]++;
  return n == 0 ? base : base + "_" + std::to_string(n);
}

std::string snake(const std::string& camel) {
  std::string s;
  for (std::size_t i = 0; i < camel.size(); ++i) {
    const bool upper = std::isupper(static_cast<unsigned char>(camel[i]));
    const bool after_lower = i > 0 && std::islower(static_cast<unsigned char>(camel[i - 1]));
    if (upper && after_lower) s += '_';
    s += char(std::tolower(static_cast<unsigned char>(camel[i])));
  }
  return s;
}

void name_if_needed(LayerBase& layer) {
  if (layer.name.empty()) layer.name = unique_name(snake(layer.type()));
}

/// Floating-point tensors in another dtype than the one that the layer computes in.
bool is_foreign(const Tensor& t, DType compute) {
  return is_floating(t.dtype()) && t.dtype() != compute;
}

/// Shapes of the outputs, found by running the layer on placeholders.
TensorSpec trace_output(LayerBase& layer, const std::vector<Symbol>& inputs) {
  Graph scratch;
  auto scope = scratch.as_default();
  std::vector<Tensor> arguments;
  for (const Symbol& s : inputs)
    arguments.push_back(scratch.placeholder(s.dtype(), s.shape(), "x"));
  const Tensor y = layer.run(arguments, false);
  return {y.shape(), y.dtype(), layer.name};
}

}  // namespace

Callable<Tensor(Tensor)> get_activation(const std::string& name) {
  const auto it = activations().find(name);
  if (it != activations().end()) return it->second;
  throw_unknown("activation", name, activations());
}

Symbol Input(const Shape& shape, const InputOptions& options) {
  Shape full{Dim(options.batch_size)};
  for (Dim d : shape.dims())
    full.push_back(d);
  auto node = std::make_shared<Symbol::Node>();
  node->spec = {full, options.dtype, options.name == "input" ? unique_name("input") : options.name};
  return Symbol(std::move(node));
}

struct LayerBase::Once {
  std::once_flag built, seen;
};

LayerBase::LayerBase()
    : policy_(mixed_precision::global_policy()), once_(std::make_shared<Once>()) {}

void LayerBase::set_dtype_policy(const DTypePolicy& policy) {
  if (!weights_.empty() && policy != policy_)
    throw_argument("layer '" + name + "': a new dtype policy",
                   "'" + policy.name() + "' for weights made under '" + policy_.name() + "'",
                   "a layer without weights",
                   "set the policy before the layer is called");
  policy_ = policy;
}

Tensor LayerBase::call(const std::vector<Tensor>& inputs, bool training) {
  if (inputs.size() != 1)
    throw_argument(
        "layer '" + name + "': wrong number of inputs", std::to_string(inputs.size()), "1");
  return call(inputs[0], training);
}

void LayerBase::ensure_built(const Shape& input) {
  std::call_once(once_->built, [&] {
    const std::size_t before = weights_.size();
    try {
      build(input);
    } catch (...) {  // the next call tries again
      weights_.erase(weights_.begin() + std::ptrdiff_t(before), weights_.end());
      throw;
    }
  });
}

void LayerBase::see(const std::vector<Tensor>& inputs) {
  std::call_once(once_->seen, [&] {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Shape shape = inputs[i].shape();
      if (shape.rank() > 0) shape[0] = Dim::unknown();
      const std::string number = inputs.size() == 1 ? "" : "_" + std::to_string(i + 1);
      seen_inputs_.push_back({shape, inputs[i].dtype(), "input" + number});
    }
  });
}

Tensor LayerBase::run(const std::vector<Tensor>& inputs, bool training) {
  name_if_needed(*this);
  if (inputs.empty()) throw_argument("layer '" + name + "': no inputs", "0", "at least 1");
  for (const Tensor& t : inputs) {
    if (!t.defined()) throw_argument("layer '" + name + "': an undefined tensor", "", "a tensor");
  }
  NameScope scope(name);
  ensure_built(inputs[0].shape());
  see(inputs);
  if (!autocast_) return call(inputs, training);
  const DType compute = policy_.compute_dtype();
  const AutocastScope autocast(compute);
  const auto foreign = [&](const Tensor& t) { return is_foreign(t, compute); };
  if (std::none_of(inputs.begin(), inputs.end(), foreign)) return call(inputs, training);
  std::vector<Tensor> converted = inputs;
  for (Tensor& t : converted) {
    if (foreign(t)) t = cast(t, compute);
  }
  return call(converted, training);
}

std::vector<Variable> LayerBase::weights() const {
  std::vector<Variable> all = weights_;
  for (const auto& child : children_) {
    for (const Variable& v : child->weights())
      all.push_back(v);
  }
  return all;
}

std::vector<Variable> LayerBase::trainable_weights() const {
  std::vector<Variable> list;
  if (!trainable) return list;
  std::copy_if(weights_.begin(), weights_.end(), std::back_inserter(list), [](const Variable& v) {
    return v.trainable();
  });
  for (const auto& child : children_) {
    for (const Variable& v : child->trainable_weights())
      list.push_back(v);
  }
  return list;
}

Variable LayerBase::add_weight(const std::string& weight,
                               const Shape& shape,
                               const Initializer& initializer,
                               bool is_trainable,
                               DType dtype) {
  name_if_needed(*this);
  if (dtype == DType::invalid) dtype = policy_.variable_dtype();
  InitScope now;  // a layer may be built while a model is connected or traced
  const AutocastScope as_they_are(DType::invalid);
  Variable v(initializer(shape, dtype), VariableOptions{name + "/" + weight, is_trainable});
  weights_.push_back(v);
  return v;
}

Layer LayerBase::track(Layer layer, std::string attribute) {
  if (attribute.empty()) attribute = "layers/" + std::to_string(children_.size());
  children_.push_back(layer.base());
  child_names_.push_back(std::move(attribute));
  return layer;
}

Symbol Layer::operator()(const Symbol& input) const {
  return (*this)(std::vector<Symbol>{input});
}

Tensor Layer::operator()(const Tensor& input, bool training) const {
  return base_->run({input}, training);
}

Symbol Layer::operator()(const std::vector<Symbol>& inputs) const {
  if (inputs.empty())
    throw_argument("a layer is connected to nothing", "no Symbol", "at least one");
  auto node = std::make_shared<Symbol::Node>();
  node->spec = trace_output(*base_, inputs);
  node->layer = base_;
  node->inputs = inputs;
  return Symbol(std::move(node));
}

std::int64_t Layer::count_params() const {
  std::int64_t n = 0;
  for (const Variable& v : weights())
    n += v.shape().size();
  return n;
}

}  // namespace weir::inline v0::keras
