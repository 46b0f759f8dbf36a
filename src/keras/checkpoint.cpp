/// What checkpoints see of layers, models and optimisers: the objects of Keras 3, by its names.
#include <weir/checkpoint.h>
#include <weir/keras/model.h>

#include <map>

namespace weir::inline v0::keras {
namespace {

std::string own_name(const Variable& v) {
  return v.name().substr(v.name().rfind('/') + 1);
}

/// Weights that Keras 3 holds in a private member. Keras 2 did not: both names lead to them.
bool is_private(const std::string& name) {
  return name == "kernel" || name == "embeddings";
}

/// A layer, or a model with its optimiser. A handle is made anew at each visit; the layer behind it
/// is the identity.
class LayerObject final : public TrackableObject {
 public:
  LayerObject(std::shared_ptr<LayerBase> layer, Optimizer optimizer)
      : layer_(std::move(layer)), optimizer_(std::move(optimizer)) {}
  const void* identity() const override { return layer_.get(); }
  std::string role() const override { return "model"; }

  Trackable::Group children() const override {
    Trackable::Group group;
    add_layers(&group);
    for (const Variable& v : layer_->own_weights()) {
      const std::string name = own_name(v);
      if (is_private(name)) group.emplace_back("_" + name, v);
      group.emplace_back(name, v);
    }
    if (optimizer_.defined()) group.emplace_back("optimizer", optimizer_);
    return group;
  }

 private:
  static Trackable object(const std::shared_ptr<LayerBase>& layer) {
    return std::shared_ptr<const TrackableObject>(
        std::make_shared<LayerObject>(layer, Optimizer()));
  }

  void add_layers(Trackable::Group* group) const {
    const std::vector<std::string> names = layer_->child_names();
    std::map<std::string, Trackable::Group> lists;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Trackable child = object(layer_->children()[i]);
      const std::size_t slash = names[i].find('/');
      if (slash == std::string::npos) {
        group->emplace_back(names[i], child);
      } else {
        lists[names[i].substr(0, slash)].emplace_back(names[i].substr(slash + 1), child);
      }
    }
    for (const auto& [name, list] : lists) {
      const Trackable object = list;
      group->emplace_back(name, object);
      // A Sequential of Keras holds its layers through one more object: both ways lead to them.
      if (name == "_operations")
        group->emplace_back("_functional", Trackable::Group{{name, object}});
    }
    add_layers_with_weights(group);
  }

  /// The names of Keras 2.
  void add_layers_with_weights(Trackable::Group* group) const {
    int number = 0;
    for (const auto& child : layer_->children()) {
      if (child->weights().empty()) continue;
      group->emplace_back("layer_with_weights-" + std::to_string(number++), object(child));
    }
  }

  std::shared_ptr<LayerBase> layer_;
  Optimizer optimizer_;
};

class OptimizerObject final : public TrackableObject {
 public:
  explicit OptimizerObject(Optimizer optimizer) : optimizer_(std::move(optimizer)) {}
  const void* identity() const override { return optimizer_.base().get(); }
  std::string role() const override { return "optimizer"; }

  Trackable::Group children() const override {
    return {{"_iterations", optimizer_.iterations()},
            {"_learning_rate", optimizer_.learning_rate()},
            {"_variables", list(optimizer_.variables())},
            {"_trainable_variables", list(optimizer_.built_variables())}};
  }

  std::string made_from() const override { return "_trainable_variables"; }
  void build(const std::vector<Variable>& variables) const override {
    if (optimizer_.built_variables().empty()) optimizer_.build(variables);
  }

 private:
  static Trackable list(const std::vector<Variable>& variables) {
    return std::vector<Trackable>(variables.begin(), variables.end());
  }

  Optimizer optimizer_;
};

std::shared_ptr<const TrackableObject> checked(std::shared_ptr<const TrackableObject> object) {
  if (object->identity()) return object;
  throw Error(
      {Code::invalid_argument, "checkpoint: an undefined layer or optimizer", {}, {}, {}, {}});
}

}  // namespace

Trackable trackable(const Layer& layer) {
  return checked(std::make_shared<LayerObject>(layer.base(), Optimizer()));
}

Trackable trackable(const Model& model) {
  return checked(std::make_shared<LayerObject>(model.base(), model.optimizer()));
}

Trackable trackable(const Optimizer& optimizer) {
  return checked(std::make_shared<OptimizerObject>(optimizer));
}

}  // namespace weir::inline v0::keras
