/// Models on disk, in TensorFlow's SavedModel format: a directory that any program can load and
/// call without the code that made it.
///
///     auto serve = function([&](Tensor x) { return model(x); });
///     save_model("digits", {{.function = serve.get_concrete_function(TensorSpec{{-1, 8, 8}}),
///                            .inputs = {"image"}, .outputs = {"probabilities"}}});
///
///     SavedModel digits = load_model("digits");
///     Tensor p = digits.signature().call({{"image", x}})[0].second;
///
/// The graph is frozen: variables are stored as constants with the values they have at the time.
/// TensorFlow, TensorFlow Serving and the TFLite converter load it too.
#pragma once

#include <weir/export.h>
#include <weir/function.h>
#include <weir/named_tensors.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

inline constexpr const char* kServingDefault = "serving_default";

/// What `save_model` writes under one name.
struct ModelSignature {
  std::string name = kServingDefault;
  ConcreteFunction function;
  /// Names of the arguments and of the results, in order; empty: those of the function.
  std::vector<std::string> inputs = {};
  std::vector<std::string> outputs = {};
};

/// Writes a SavedModel directory. It appears under its name when it is complete; one that was there
/// is replaced as a whole, if it holds nothing but a SavedModel. Errors: a function that writes
/// variables
/// (`unimplemented`), names that are empty or there twice, a graph of 2 GiB or more.
WEIR_API void save_model(const std::string& directory,
                         const std::vector<ModelSignature>& signatures);

/// One function of a loaded model. A handle.
class WEIR_API LoadedSignature {
 public:
  const std::string& name() const;
  /// Names, dtypes and shapes of the arguments and results, in the order of their names.
  const std::vector<TensorSpec>& inputs() const;
  const std::vector<TensorSpec>& outputs() const;
  /// Arguments by name, in any order; results in the order of `outputs()`. Errors: an argument is
  /// missing, unknown, or does not fit its spec.
  NamedTensors call(const NamedTensors& arguments) const;
  /// Arguments and results in the order of `inputs()` and `outputs()`.
  const ConcreteFunction& function() const;

  struct Impl;
  explicit LoadedSignature(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

/// A loaded model: its signatures.
class WEIR_API SavedModel {
 public:
  explicit SavedModel(std::vector<LoadedSignature> signatures)
      : signatures_(std::move(signatures)) {}
  const std::vector<LoadedSignature>& signatures() const { return signatures_; }
  /// Error: `not_found`, naming those there are.
  const LoadedSignature& signature(std::string_view name = kServingDefault) const;

 private:
  std::vector<LoadedSignature> signatures_;
};

/// Reads a SavedModel directory whose graphs are frozen, made by Weir or by TensorFlow. Nothing in
/// it runs before `call`. Errors: `not_found`; `data_loss` for a damaged one; `unimplemented` for
/// ops and features that Weir does not have, variables among them.
WEIR_API SavedModel load_model(const std::string& directory);

}  // namespace weir::inline v0
