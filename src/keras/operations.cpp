#include <algorithm>
#include <map>

#include "keras/model_impl.h"

namespace weir::inline v0::keras {
namespace {

/// Places of values as in a Plan: the inputs, then the result of each step.
class Operations {
 public:
  explicit Operations(const Plan& plan)
      : plan_(plan), inputs_(plan.inputs.size()), count_(int(inputs_)) {
    for (std::size_t i = 0; i < inputs_ + plan.steps.size(); ++i)
      operation_of_.push_back(i < inputs_ ? int(i) : number(plan.steps[i - inputs_].layer));
    visited_.resize(operation_of_.size());
    order_.assign(std::size_t(count_), -1);
    depth_.assign(std::size_t(count_), 0);
  }

  std::vector<std::pair<std::string, std::shared_ptr<LayerBase>>> sorted() {
    for (const int output : plan_.outputs)
      visit(output);
    measure();
    std::vector<int> order(static_cast<std::size_t>(count_));
    for (int i = 0; i < count_; ++i)
      order[std::size_t(i)] = i;
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      const int depth_a = depth_[std::size_t(a)], depth_b = depth_[std::size_t(b)];
      return depth_a != depth_b ? depth_a > depth_b
                                : order_[std::size_t(a)] < order_[std::size_t(b)];
    });
    std::vector<std::pair<std::string, std::shared_ptr<LayerBase>>> list;
    for (std::size_t place = 0; place < order.size(); ++place) {
      const auto operation = std::size_t(order[place]);
      if (operation < inputs_) continue;
      list.emplace_back("_operations/" + std::to_string(place), layers_[operation - inputs_]);
    }
    return list;
  }

 private:
  /// Layers are numbered by their first step, behind the inputs.
  int number(const std::shared_ptr<LayerBase>& layer) {
    const auto [it, added] = numbers_.try_emplace(layer.get(), count_);
    count_ += added;
    if (added) layers_.push_back(layer);
    return it->second;
  }

  const std::vector<int>& inputs_of(int value) const {
    static const std::vector<int> none;
    return std::size_t(value) < inputs_ ? none : plan_.steps[std::size_t(value) - inputs_].inputs;
  }

  /// Depth first: operations are numbered as they are met, values as they are left. Iterative, so
  /// that a model of any depth fits the stack.
  void visit(int output) {
    std::vector<std::pair<int, std::size_t>> stack;
    const auto enter = [&](int value) {
      if (visited_[std::size_t(value)]) return;
      visited_[std::size_t(value)] = true;
      int& order = order_[std::size_t(operation_of_[std::size_t(value)])];
      if (order < 0) order = next_++;
      stack.emplace_back(value, 0);
    };
    enter(output);
    while (!stack.empty()) {
      auto& [value, next] = stack.back();
      if (next < inputs_of(value).size()) {
        enter(inputs_of(value)[next++]);
      } else {
        left_.push_back(value);
        stack.pop_back();
      }
    }
  }

  /// The distance of each operation from the outputs.
  void measure() {
    std::vector<int> depths(operation_of_.size(), 0);
    for (auto it = left_.rbegin(); it != left_.rend(); ++it) {
      int& operation = depth_[std::size_t(operation_of_[std::size_t(*it)])];
      operation = std::max(operation, depths[std::size_t(*it)]);
      for (const int input : inputs_of(*it))
        depths[std::size_t(input)] = std::max(depths[std::size_t(input)], operation + 1);
    }
  }

  const Plan& plan_;
  std::size_t inputs_;
  int count_;
  int next_ = 0;
  std::map<const LayerBase*, int> numbers_;
  std::vector<std::shared_ptr<LayerBase>> layers_;
  std::vector<int> operation_of_, order_, depth_, left_;
  std::vector<bool> visited_;
};

}  // namespace

std::vector<std::pair<std::string, std::shared_ptr<LayerBase>>> operations(const Plan& plan) {
  return Operations(plan).sorted();
}

}  // namespace weir::inline v0::keras
