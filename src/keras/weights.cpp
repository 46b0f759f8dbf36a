#include <weir/autocast.h>
#include <weir/keras/model.h>
#include <weir/npy.h>

#include <map>

#include "keras/error.h"

namespace weir::inline v0::keras {
namespace {

/// Names inside a file: "0/dense/kernel". The number keeps equal names apart; the order of creation
/// is stable.
std::string key(std::size_t i, const Variable& v) {
  return std::to_string(i) + "/" + v.name();
}

/// "kernel" of "3/dense_1/kernel": layers are numbered through a process, weights are not.
std::string_view own_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

const Tensor& find(const NamedTensors& file,
                   std::size_t i,
                   const Variable& v,
                   const std::string& path) {
  if (i >= file.size())
    throw_argument("load_weights: '" + path + "' has too few weights",
                   std::to_string(file.size()),
                   "a value for " + v.name());
  const Tensor& t = file[i].second;
  if (t.dtype() != v.dtype() || t.shape() != v.shape() ||
      own_name(file[i].first) != own_name(v.name()))
    throw_argument("load_weights: '" + path + "' does not fit " + v.name(),
                   file[i].first + " " + t.describe(),
                   std::string(weir::name(v.dtype())) + v.shape().to_string(),
                   "build the model that the file was saved from");
  return t;
}

NamedTensors in_order(NamedTensors file, const std::string& path) {
  std::map<std::size_t, std::pair<std::string, Tensor>> sorted;
  for (const auto& entry : file) {
    std::size_t n = 0;
    const char* p = entry.first.c_str();
    for (; *p >= '0' && *p <= '9' && n < 1000000; ++p)
      n = n * 10 + std::size_t(*p - '0');
    if (*p != '/' || p == entry.first.c_str())
      throw_argument("load_weights: '" + path + "' was not written by save_weights",
                     "'" + entry.first + "'",
                     "NUMBER/NAME");
    if (!sorted.try_emplace(n, entry).second)
      throw_argument("load_weights: '" + path + "' has two weights of one number",
                     "'" + sorted[n].first + "' and '" + entry.first + "'",
                     "one");
  }
  NamedTensors list;
  for (auto& [n, entry] : sorted)
    list.push_back(std::move(entry));
  return list;
}

}  // namespace

void Model::save_weights(const std::string& path) const {
  const AutocastScope as_they_are(DType::invalid);
  NamedTensors tensors;
  const std::vector<Variable> variables = weights();
  for (std::size_t i = 0; i < variables.size(); ++i)
    tensors.emplace_back(key(i, variables[i]), variables[i].value());
  save_npz(path, tensors);
}

void Model::load_weights(const std::string& path) const {
  const NamedTensors file = in_order(load_npz(path), path);
  const std::vector<Variable> variables = weights();
  if (file.size() > variables.size())
    throw_argument("load_weights: '" + path + "' has more weights than the model",
                   std::to_string(file.size()),
                   std::to_string(variables.size()));
  for (std::size_t i = 0; i < variables.size(); ++i)
    (void)find(file, i, variables[i], path);  // all fit, or none is set
  for (std::size_t i = 0; i < variables.size(); ++i)
    variables[i].assign(file[i].second);
}

}  // namespace weir::inline v0::keras
