#include <weir/checkpoint.h>

namespace weir::inline v0 {
namespace {

class VariableObject final : public TrackableObject {
 public:
  explicit VariableObject(Variable variable) : variable_(std::move(variable)) {}
  const void* identity() const override { return variable_.state().get(); }
  std::string role() const override { return variable_.name(); }
  Variable variable() const override { return variable_; }

 private:
  Variable variable_;
};

// Its state is not that of TensorFlow's generators (a counter of 128 bits and a key), and so has
// another name.
class GeneratorObject final : public TrackableObject {
 public:
  explicit GeneratorObject(Variable state) : state_(std::move(state)) {}
  std::string role() const override { return "generator"; }
  Trackable::Group children() const override { return {{"_weir_state", state_}}; }

 private:
  Variable state_;
};

class GroupObject final : public TrackableObject {
 public:
  explicit GroupObject(Trackable::Group children) : children_(std::move(children)) {}
  std::string role() const override { return "objects"; }
  Trackable::Group children() const override { return children_; }

 private:
  Trackable::Group children_;
};

Trackable::Group numbered(const std::vector<Trackable>& list) {
  Trackable::Group group;
  for (const Trackable& object : list)
    group.emplace_back(std::to_string(group.size()), object);
  return group;
}

template <class T>
const T& defined(const T& value, bool is_defined) {
  if (!is_defined)
    throw Error({Code::invalid_argument, "checkpoint: an undefined object", {}, {}, {}, {}});
  return value;
}

}  // namespace

Trackable::Trackable(const Variable& variable)
    : object_(std::make_shared<VariableObject>(defined(variable, variable.defined()))) {}
Trackable::Trackable(const Generator& generator)
    : object_(std::make_shared<GeneratorObject>(
          defined(generator.state(), generator.state().defined()))) {}
Trackable::Trackable(const Group& children) : object_(std::make_shared<GroupObject>(children)) {}
Trackable::Trackable(const std::vector<Trackable>& list) : Trackable(numbered(list)) {}

}  // namespace weir::inline v0
