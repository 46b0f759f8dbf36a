/// Models in ONNX's format: what other tools wrote, as functions of Weir, and functions of Weir for
/// other tools.
///
///     onnx::Model resnet = onnx::load("resnet.onnx");
///     NamedTensors y = resnet.call({{"image", x}});
///     std::vector<Tensor> z = resnet.function()({{x}});
///
///     onnx::save(f.get_concrete_function(TensorSpec{{-1, 784}}), "digits.onnx");
#pragma once

#include <weir/export.h>
#include <weir/function.h>
#include <weir/named_tensors.h>

#include <memory>
#include <string>
#include <vector>

namespace weir::inline v0 {
namespace onnx {

/// A loaded model. A handle.
class WEIR_API Model {
 public:
  /// The name of its graph.
  const std::string& name() const;
  /// Names, dtypes and shapes of the arguments and results, in the order of the file. Types that
  /// Weir has no dtype for (of 8 bits and less) are the integers that hold their codes.
  const std::vector<TensorSpec>& inputs() const;
  const std::vector<TensorSpec>& outputs() const;
  /// Arguments by name, in any order; results in the order of `outputs()`. Errors: an argument is
  /// missing, unknown, or does not fit its spec.
  NamedTensors call(const NamedTensors& arguments) const;
  /// Arguments and results in the order of `inputs()` and `outputs()`.
  const ConcreteFunction& function() const;

  struct Impl;
  explicit Model(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

/// Reads a model of operator set 7 or later. Files that it names must lie in its directory. Nothing
/// in it runs before it is called. Errors: `not_found`; `data_loss` for a damaged one;
/// `unimplemented` with all ops and features that Weir does not have.
WEIR_API Model load(const std::string& path);

struct SaveOptions {
  /// Version of ONNX's operator set: 17 to 22. 17 is what most tools read.
  int opset = 17;
  /// Names of the arguments and of the results, in order; empty: those of the function.
  std::vector<std::string> inputs = {};
  std::vector<std::string> outputs = {};
};

/// Writes a function, variables as constants with the values they have at the time. Errors:
/// `unimplemented` with all ops that have no form in ONNX (gradients, random numbers, writes to
/// variables); names that are there twice; a model of 2 GiB or more.
WEIR_API void save(const ConcreteFunction& function,
                   const std::string& path,
                   const SaveOptions& options = {});
WEIR_API void save(const Model& model, const std::string& path, SaveOptions options = {});

}  // namespace onnx
}  // namespace weir::inline v0
