#include <weir/keras/layer.h>

#include <map>
#include <mutex>

#include "keras/error.h"

namespace weir::inline v0::keras {
namespace {

struct Pair {
  DType compute, variable;
};

const std::map<std::string, Pair>& policies() {
  static const std::map<std::string, Pair> table{
      {"float16", {DType::float16, DType::float16}},
      {"float32", {DType::float32, DType::float32}},
      {"float64", {DType::float64, DType::float64}},
      {"bfloat16", {DType::bfloat16, DType::bfloat16}},
      {"mixed_bfloat16", {DType::bfloat16, DType::float32}},
  };
  return table;
}

/// Keras trains this one with scaled losses.
[[noreturn]] void throw_mixed_float16() {
  throw Error({Code::unimplemented,
               "dtype policy 'mixed_float16'",
               {},
               "float16, whose gradients need a scaled loss",
               "'mixed_bfloat16' or one dtype",
               "use 'mixed_bfloat16': it has the range of float32"});
}

struct Global {
  std::mutex mutex;
  DTypePolicy policy{"float32"};
};
Global& global() {
  static auto& g = *new Global;
  return g;
}

}  // namespace

DTypePolicy::DTypePolicy(const std::string& name) : name_(name) {
  if (name == "mixed_float16") throw_mixed_float16();
  const auto it = policies().find(name);
  if (it == policies().end()) throw_unknown("dtype policy", name, policies());
  compute_ = it->second.compute;
  variable_ = it->second.variable;
}

namespace mixed_precision {

void set_global_policy(const DTypePolicy& policy) {
  std::lock_guard lock(global().mutex);
  global().policy = policy;
}

DTypePolicy global_policy() {
  std::lock_guard lock(global().mutex);
  return global().policy;
}

}  // namespace mixed_precision
}  // namespace weir::inline v0::keras
