#pragma once

/// How calls that are no ops enter the tapes: control flow, calls of traced functions, custom
/// gradients. Whoever runs such a call pauses the recorders while it computes the results, then
/// records it once, with an object that knows the way back:
///
///   std::vector<Tensor> results;
///   { dispatch::PauseRecording pause; results = run(...); }
///   if (autodiff::follows(inputs, variables)) autodiff::record(inputs, variables, results,
///   make_backward(...), where);

#include <weir/gradient_tape.h>

#include <memory>
#include <source_location>
#include <span>

namespace weir::autodiff {

/// The way back through one call. Several tapes may hold it, and a persistent tape may run it
/// several times.
class Backward {
 public:
  virtual ~Backward() = default;
  /// "While": for errors and explain().
  virtual const char* name() const = 0;
  /// Gradients with respect to the inputs, then the variables, of the call: one each, undefined
  /// where none flows. dy[i] is undefined where none flows from result i; needs[i] is 0 where
  /// nobody asks for the gradient of input i. Written with the public API, so that outer tapes
  /// record it and traces contain it.
  virtual std::vector<Gradient> gradients(std::span<const Tensor> dy,
                                          std::span<const std::uint8_t> needs) = 0;
};

/// True if a tape that records on this thread would record a call with these inputs: the results
/// then need a way back.
bool follows(std::span<const Tensor> inputs, std::span<const Variable> variables = {});

/// True if all recorders of this thread are tapes: whoever else watches wants to see every op.
bool only_tapes();

/// Records a call on every tape of this thread that follows one of its inputs. `variables`: those
/// that the call read by itself, without any Variable::value that the tapes saw. The results must
/// be new tensors (see fresh_identity).
void record(std::span<const Tensor> inputs,
            std::span<const Variable> variables,
            std::span<const Tensor> results,
            std::shared_ptr<Backward> backward,
            std::source_location where);

/// The same value under an identity of its own, which tapes tell from the other.
Tensor fresh_identity(const Tensor& t);

}  // namespace weir::autodiff
