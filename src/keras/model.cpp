#include <weir/keras/model.h>
#include <weir/name_scope.h>

#include <algorithm>
#include <map>

#include "keras/error.h"
#include "keras/model_impl.h"

namespace weir::inline v0::keras {
namespace {

/// Numbers the values of a functional model: its inputs, then layers in depth-first order from the
/// outputs.
class Planner {
 public:
  Planner(const std::vector<Symbol>& inputs, const std::vector<Symbol>& outputs) {
    for (const Symbol& s : inputs) {
      if (!s.node() || s.node()->layer)
        throw_argument("Model: an input is no result of Input()", "", "keras::Input");
      places_[s.node().get()] = next_++;
      plan_.inputs.push_back(s.node()->spec);
    }
    for (const Symbol& s : outputs)
      plan_.outputs.push_back(visit(s));
  }
  Plan take() { return std::move(plan_); }

 private:
  /// Iterative, so that a model of any depth fits the stack.
  int visit(const Symbol& output) {
    if (!output.node())
      throw_argument("Model: an output is an undefined Symbol", "", "the result of a layer");
    std::vector<Symbol> stack{output};
    while (!stack.empty()) {
      const Symbol s = stack.back();
      if (places_.contains(s.node().get())) {
        stack.pop_back();
        continue;
      }
      if (!s.node()->layer)
        throw_argument("Model: an output depends on an Input that is not among the inputs",
                       s.node()->spec.name,
                       "all Inputs listed");
      const std::size_t before = stack.size();
      for (const Symbol& in : s.node()->inputs) {
        if (!places_.contains(in.node().get())) stack.push_back(in);
      }
      if (stack.size() > before) continue;
      add_step(s);
      stack.pop_back();
    }
    return places_.at(output.node().get());
  }

  void add_step(const Symbol& s) {
    Plan::Step step{s.node()->layer, {}};
    for (const Symbol& in : s.node()->inputs)
      step.inputs.push_back(places_.at(in.node().get()));
    plan_.steps.push_back(std::move(step));
    places_[s.node().get()] = next_++;
  }

  Plan plan_;
  std::map<const Symbol::Node*, int> places_;
  int next_ = 0;
};

/// Runs the steps of a plan.
class FunctionalLayer : public LayerBase {
 public:
  explicit FunctionalLayer(Plan plan) : plan_(std::move(plan)) {
    autocast_ = false;
    // In the order of Keras, which is that of weights in its files.
    for (const auto& [name, layer] : operations(plan_))
      track(Layer(layer), name);
  }
  std::string type() const override { return "Functional"; }
  Tensor call(const Tensor& x, bool training) override {
    return call(std::vector<Tensor>{x}, training);
  }
  Tensor call(const std::vector<Tensor>& inputs, bool training) override {
    if (plan_.outputs.size() != 1)
      throw_argument("model '" + name + "': several outputs where one is wanted",
                     std::to_string(plan_.outputs.size()) + " outputs",
                     "1",
                     "use Model::call, which returns all of them");
    return outputs(inputs, training)[0];
  }

  std::vector<Tensor> outputs(const std::vector<Tensor>& inputs, bool training) {
    if (inputs.size() != plan_.inputs.size())
      throw_argument("model '" + name + "': wrong number of inputs",
                     std::to_string(inputs.size()),
                     std::to_string(plan_.inputs.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      check(inputs[i], plan_.inputs[i]);
    std::vector<Tensor> values = inputs;
    for (const Plan::Step& s : plan_.steps) {
      std::vector<Tensor> arguments;
      for (int i : s.inputs)
        arguments.push_back(values[std::size_t(i)]);
      values.push_back(s.layer->run(arguments, training));
    }
    std::vector<Tensor> results;
    for (int i : plan_.outputs)
      results.push_back(values[std::size_t(i)]);
    return results;
  }

 private:
  void check(const Tensor& t, const TensorSpec& spec) const {
    const Shape shape = t.shape();
    bool ok = t.dtype() == spec.dtype && shape.rank() == spec.shape.rank();
    for (int i = 0; ok && i < shape.rank(); ++i)
      ok = !spec.shape[i].known() || !shape[i].known() || shape[i] == spec.shape[i];
    if (ok) return;
    throw_argument("model '" + name + "': input '" + spec.name + "' does not fit",
                   t.describe(),
                   std::string(weir::name(spec.dtype)) + spec.shape.to_string());
  }

  Plan plan_;
};

}  // namespace

Plan make_plan(const std::vector<Symbol>& inputs, const std::vector<Symbol>& outputs) {
  return Planner(inputs, outputs).take();
}

Model::Model(const Symbol& input, const Symbol& output, std::string name)
    : Model(std::vector<Symbol>{input}, std::vector<Symbol>{output}, std::move(name)) {}

Model::Model(const std::vector<Symbol>& inputs,
             const std::vector<Symbol>& outputs,
             std::string name)
    : Model(make_layer<FunctionalLayer>(make_plan(inputs, outputs)), std::move(name)) {
  impl_->plan = make_plan(inputs, outputs);
}

Model::Model(const Layer& layer, std::string name) : Layer(layer), impl_(std::make_shared<Impl>()) {
  set_name(std::move(name));
  impl_->layers = layer.base()->children();
}

std::vector<Tensor> Model::call(const std::vector<Tensor>& inputs, bool training) const {
  if (auto* functional = dynamic_cast<FunctionalLayer*>(base().get())) {
    NameScope scope(name());
    return functional->outputs(inputs, training);
  }
  return {base()->run(inputs, training)};
}

std::vector<Layer> Model::layers() const {
  std::vector<Layer> list;
  for (const auto& base : impl_->layers)
    list.emplace_back(base);
  return list;
}

Layer Model::get_layer(std::string_view wanted) const {
  std::map<std::string, int> names;
  for (const Layer& l : layers()) {
    if (l.name() == wanted) return l;
    names[l.name()] = 0;
  }
  throw_unknown("layer", std::string(wanted), names);
}

const Optimizer& Model::optimizer() const {
  return impl_->optimizer;
}

std::vector<TensorSpec> Model::input_specs() const {
  return impl_->plan.inputs.empty() ? base()->seen_inputs() : impl_->plan.inputs;
}

ConcreteFunction Model::concrete_function() const {
  const std::vector<TensorSpec> specs = input_specs();
  if (specs.empty())
    throw_argument("model '" + name() + "' has no known input shapes",
                   "",
                   "a functional model, or one that was called");
  const Model self = *this;
  FunctionOptions options;
  options.name = name();
  options.input_signature = specs;
  return function([self](const std::vector<Tensor>& inputs) { return self.call(inputs); }, options)
      .get_concrete_function(specs);
}

namespace {

/// Layers one after the other.
class ChainLayer : public LayerBase {
 public:
  explicit ChainLayer(const std::vector<Layer>& layers) : layers_(layers) {
    autocast_ = false;
    for (const Layer& l : layers)
      track(l);
  }
  std::string type() const override { return "Sequential"; }
  std::vector<std::string> child_names() const override {
    std::vector<std::string> names;  // operation 0 is the input
    for (std::size_t i = 1; i <= layers_.size(); ++i)
      names.push_back("_operations/" + std::to_string(i));
    return names;
  }
  Tensor call(const Tensor& x, bool training) override {
    Tensor y = x;
    for (const Layer& l : layers_)
      y = l(y, training);
    return y;
  }

 private:
  std::vector<Layer> layers_;
};

Symbol chain(const Symbol& input, const std::vector<Layer>& layers) {
  Symbol x = input;
  for (const Layer& l : layers)
    x = l(x);
  return x;
}

}  // namespace

Sequential::Sequential(const std::vector<Layer>& layers, std::string name)
    : Model(make_layer<ChainLayer>(layers), std::move(name)) {}
Sequential::Sequential(const Symbol& input, const std::vector<Layer>& layers, std::string name)
    : Model(input, chain(input, layers), std::move(name)) {}

}  // namespace weir::inline v0::keras
