#include <weir/keras/model.h>

#include <algorithm>

#include "keras/model_impl.h"

namespace weir::inline v0::keras {
namespace {

using Row = std::vector<std::string>;

std::string with_commas(std::int64_t n) {
  std::string s = std::to_string(n);
  for (int i = int(s.size()) - 3; i > 0; i -= 3)
    s.insert(std::size_t(i), ",");
  return s;
}

std::string bytes(std::int64_t n) {
  char text[32];
  if (n < 1024)
    std::snprintf(text, sizeof text, "%lld B", static_cast<long long>(n));
  else if (n < (1 << 20))
    std::snprintf(text, sizeof text, "%.2f KB", double(n) / 1024);
  else
    std::snprintf(text, sizeof text, "%.2f MB", double(n) / (1 << 20));
  return text;
}

std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> width(rows[0].size());
  for (const Row& r : rows) {
    for (std::size_t c = 0; c < r.size(); ++c)
      width[c] = std::max(width[c], r[c].size());
  }
  std::size_t total = 0;
  for (std::size_t w : width)
    total += w + 3;
  std::string s(total, '-');
  s += "\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t c = 0; c < rows[i].size(); ++c) {
      const std::string pad(width[c] - rows[i][c].size() + 3, ' ');
      const bool number = c + 1 == rows[i].size();
      s += number ? pad.substr(1) + rows[i][c] + (c + 1 < rows[i].size() ? " " : "")
                  : rows[i][c] + pad;
    }
    s += "\n";
    if (i == 0) s += std::string(total, '=') + "\n";
  }
  return s + std::string(total, '-') + "\n";
}

/// Output shapes of the layers of a functional model, in the order of its steps.
std::vector<std::string> output_shapes(const Plan& plan,
                                       const std::vector<std::shared_ptr<LayerBase>>& layers) {
  std::vector<std::string> shapes(layers.size(), "?");
  if (plan.inputs.empty()) return shapes;
  std::vector<Symbol> values;
  for (const TensorSpec& spec : plan.inputs) {
    auto node = std::make_shared<Symbol::Node>();
    node->spec = spec;
    values.emplace_back(std::move(node));
  }
  for (const Plan::Step& step : plan.steps) {
    std::vector<Symbol> inputs;
    for (int i : step.inputs)
      inputs.push_back(values[std::size_t(i)]);
    values.push_back(Layer(step.layer)(inputs));
    const auto it = std::find(layers.begin(), layers.end(), step.layer);
    if (it != layers.end())
      shapes[std::size_t(it - layers.begin())] = values.back().shape().to_string();
  }
  return shapes;
}

/// Of all layers, in order of their first use: "mixed_bfloat16, float32".
std::string policy_names(const std::vector<std::shared_ptr<LayerBase>>& layers) {
  std::vector<std::string> names;
  for (const auto& l : layers) {
    const std::string& name = l->dtype_policy().name();
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  std::string list;
  for (const std::string& name : names)
    list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "float32" : list;
}

}  // namespace

std::string Model::summary() const {
  std::vector<Row> rows{{"Layer (type)", "Output shape", "Param #"}};
  for (const TensorSpec& spec : impl_->plan.inputs)
    rows.push_back({spec.name + " (InputLayer)", spec.shape.to_string(), "0"});
  const std::vector<std::string> shapes = output_shapes(impl_->plan, impl_->layers);
  for (std::size_t i = 0; i < impl_->layers.size(); ++i) {
    const Layer l(impl_->layers[i]);
    rows.push_back(
        {l.name() + " (" + l.base()->type() + ")", shapes[i], with_commas(l.count_params())});
  }
  std::int64_t total = 0, trainable = 0, size = 0;
  for (const Variable& v : weights())
    total += v.shape().size(), size += v.shape().size() * byte_size(v.dtype());
  for (const Variable& v : trainable_weights())
    trainable += v.shape().size();
  const std::string policies = policy_names(impl_->layers);
  return "Model: \"" + name() + "\"\n" + table(rows) + "Total params: " + with_commas(total) +
         " (" + bytes(size) + ")\n" + "Trainable params: " + with_commas(trainable) +
         "\nNon-trainable params: " + with_commas(total - trainable) + "\n" +
         (policies == "float32" ? "" : "Dtype policies: " + policies + "\n");
}

}  // namespace weir::inline v0::keras
