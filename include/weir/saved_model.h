/// Models on disk, in TensorFlow's SavedModel format: a directory that any program can load and
/// call without the code that made it.
///
///     auto serve = function([&](Tensor x) { return model(x); });
///     saved_model::save("digits", {{.function = serve.get_concrete_function(TensorSpec{{-1, 8,
///     8}}),
///                                   .inputs = {"image"}, .outputs = {"probabilities"}}});
///
///     SavedModel digits = saved_model::load("digits");
///     Tensor p = digits.signatures["serving_default"]({{"image", x}})[0].second;
#pragma once

#include <weir/checkpoint.h>
#include <weir/export.h>
#include <weir/function.h>
#include <weir/named_tensors.h>
#include <weir/variable.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

inline constexpr const char* kServingDefault = "serving_default";

/// What `saved_model::save` writes under one name.
struct ModelSignature {
  std::string name = kServingDefault;
  ConcreteFunction function;
  /// Names of the arguments and of the results, in order; empty: those of the function.
  std::vector<std::string> inputs = {};
  std::vector<std::string> outputs = {};
};

/// A function that a saved object has: one for each signature that it was traced for.
struct ModelFunction {
  std::string name = "__call__";
  ConcreteFunction function;
};

/// One signature of a loaded model. A handle.
class WEIR_API LoadedSignature {
 public:
  const std::string& name() const;
  /// Names, dtypes and shapes of the arguments and results, in the order of their names.
  const std::vector<TensorSpec>& inputs() const;
  const std::vector<TensorSpec>& outputs() const;
  /// Arguments by name, in any order; results in the order of `outputs()`. Errors: an argument is
  /// missing, unknown, or does not fit its spec.
  NamedTensors operator()(const NamedTensors& arguments) const;
  /// Arguments and results in the order of `inputs()` and `outputs()`.
  const ConcreteFunction& function() const;

  struct Impl;
  explicit LoadedSignature(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

/// The signatures of a model, in the order of the file.
class WEIR_API Signatures {
 public:
  explicit Signatures(std::vector<LoadedSignature> list) : list_(std::move(list)) {}
  /// Error: `not_found`, naming those there are.
  const LoadedSignature& operator[](std::string_view name) const;
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  std::size_t size() const { return list_.size(); }

 private:
  std::vector<LoadedSignature> list_;
};

/// A function that the saved object had, such as "__call__": one graph for each signature that it
/// was traced for. A handle.
class WEIR_API LoadedFunction {
 public:
  const std::string& name() const;
  const std::vector<ConcreteFunction>& concrete_functions() const;
  /// The graph that accepts these tensors; of several the one traced for the default values of the
  /// arguments that are no tensors. Error: none does.
  const ConcreteFunction& concrete_function(std::span<const Tensor> arguments) const;
  std::vector<Tensor> operator()(std::span<const Tensor> arguments) const;
  std::vector<Tensor> operator()(std::initializer_list<Tensor> arguments) const;

  struct Impl;
  explicit LoadedFunction(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

/// A loaded model. Its functions can be called, traced into others, differentiated and saved again;
/// its variables are variables, shared by all of them.
class WEIR_API SavedModel {
 public:
  Signatures signatures;

  /// In the order of the file; those that a function or signature uses.
  const std::vector<Variable>& variables() const;
  std::vector<Variable> trainable_variables() const;
  /// A function of the saved object: "__call__", or a path such as "encoder.call". Errors:
  /// `not_found`, naming those there are; `unimplemented` for ops that Weir does not have.
  LoadedFunction function(std::string_view name) const;
  std::vector<std::string> function_names() const;

  class Impl;
  SavedModel(Signatures s, std::shared_ptr<const Impl> impl)
      : signatures(std::move(s)), impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

namespace saved_model {

/// Writes a SavedModel directory. It appears under its name when it is complete; one that was there
/// is replaced as a whole, if it holds nothing but a SavedModel. The graph is frozen: variables are
/// stored as constants with the values they have at the time. TensorFlow, TensorFlow Serving and
/// the TFLite converter load it too. Errors: a function that writes variables (`unimplemented`),
/// names that are empty or there twice, a graph of 2 GiB or more.
WEIR_API void save(const std::string& directory, const std::vector<ModelSignature>& signatures);

/// Writes an object with its variables and functions: tf.saved_model.load gives it back, to be
/// called, trained and saved again, and so does `load`. Variables that only the functions know are
/// stored too. Without `functions` the object has "__call__", the function of the first signature.
/// The directory appears as a whole. Errors: those above, but functions may write variables (not
/// inside branches and loops: `unimplemented`).
///
///     saved_model::save(model, "digits", {{.function = model.concrete_function()}});
WEIR_API void save(const Trackable& object,
                   const std::string& directory,
                   const std::vector<ModelSignature>& signatures,
                   const std::vector<ModelFunction>& functions = {});

struct LoadOptions {
  /// The graph to load where a model has several: the one with exactly these tags.
  std::vector<std::string> tags = {"serve"};
};

/// Reads a SavedModel directory, made by Weir or by TensorFlow: of Keras, of tf.saved_model.save,
/// of TensorFlow 1. Variables are restored and tables filled; nothing else runs before a call.
/// Errors: `not_found`; `data_loss` for a damaged one; `unimplemented`, naming all ops and features
/// of its signatures that Weir does not have.
WEIR_API SavedModel load(const std::string& directory, const LoadOptions& options = {});

}  // namespace saved_model

}  // namespace weir::inline v0
