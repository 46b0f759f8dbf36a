#pragma once

/// A trace as two programs: one that also gives what the way back needs, and one that goes back.
///
/// Both come from one graph, in which the trace and its gradients stand together: the forward
/// program is the part that the trace wrote, the backward program the rest. What the rest reads of
/// the first part is saved, except where only a shape is read.

#include <mutex>
#include <optional>

#include "function/compiled.h"

namespace weir::tracing {

/// A graph without effects. Its inputs are the arguments of the trace, then the values of
/// `variables` when the call starts; its outputs are the results, then the values that `written`
/// end up with.
struct PureGraph {
  std::shared_ptr<const graph::Graph> graph;
  std::size_t arguments = 0;
  std::size_t results = 0;
  std::vector<std::shared_ptr<VariableState>> variables;
  std::vector<std::shared_ptr<VariableState>> written;
};

/// Nothing if a loop or a branch has effects, or something is printed: no value stands for that.
std::optional<PureGraph> purify(const graph::Graph& traced);

/// Where the gradient of an input is among the results of a backward program.
struct GradientPlace {
  int dense = -1;
  int values = -1, indices = -1;  // of rows
  Shape shape;
};

/// The way back for certain gradients that arrive and certain inputs that are asked for.
struct BackwardProgram {
  std::vector<std::uint8_t> given;          // by result
  std::vector<std::uint8_t> needed;         // by argument and variable
  std::unique_ptr<const Compiled> program;  // null: no gradient flows
  std::vector<GradientPlace> places;        // by argument and variable
};

/// A trace for arguments of these static shapes, whose inputs in `followed` are differentiated.
class Differentiated {
 public:
  /// Errors: what a gradient rule says.
  Differentiated(const PureGraph& pure,
                 std::vector<Spec> arguments,
                 std::vector<std::uint8_t> followed,
                 const FunctionOptions& options);

  const std::vector<Spec>& arguments() const { return arguments_; }
  const std::vector<std::uint8_t>& followed() const { return followed_; }
  /// Gives the results, the values that the variables had, and what is saved.
  const Compiled& forward() const { return *forward_; }
  /// Its inputs: arguments, values of the variables, saved values, and the gradients of those
  /// results that have one. Made at first use.
  std::shared_ptr<const BackwardProgram> backward(std::span<const std::uint8_t> given,
                                                  std::span<const std::uint8_t> needed) const;

 private:
  struct Joint;
  Joint trace(std::span<const std::uint8_t> given, std::span<const std::uint8_t> needed) const;
  void choose_saved(const Joint& joint);
  std::unique_ptr<const Compiled> make_forward(const Joint& joint) const;
  std::unique_ptr<BackwardProgram> make_backward(const Joint& joint) const;

  const PureGraph& pure_;
  std::vector<Spec> arguments_;
  std::vector<std::uint8_t> followed_;
  FunctionOptions options_;
  std::vector<graph::Ref> saved_;
  std::unique_ptr<const Compiled> forward_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const BackwardProgram>>
      backward_;  // the last used at the end
};

}  // namespace weir::tracing
