#pragma once

/// An optimised graph of static shapes, planned: kernels chosen, memory laid out, ready to run from
/// any thread.
///
///   std::shared_ptr<graph::Graph> g = plan::specialise(traced, specs_of(arguments));
///   std::shared_ptr<const plan::Executable> e = plan::plan(g);
///   std::vector<Tensor> results = e->run(arguments);       // bit for bit what replay(g,
///   arguments) gives eagerly
///
/// An Executable is a list of stages. A static stage is a `rt::Program`; a branch or a loop is a
/// stage whose bodies are Executables; what cannot be planned (shapes that depend on data, strings,
/// host effects) is a host stage, replayed eagerly between them.

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace weir::plan {

struct SpecialiseOptions {
  /// A node whose inputs are constants of at most this many bytes together is computed now.
  std::int64_t fold_input_bytes = 1024;
  /// ... unless its results are larger than this.
  std::int64_t fold_output_bytes = 65536;
};

/// The graph for inputs of these dtypes and shapes, one for each of graph.inputs (unknown
/// dimensions may stay unknown): shapes inferred anew, shape arithmetic folded, calls inlined,
/// composite ops expanded. Regions stay regions. Errors: an input that does not fit the graph's;
/// what infer says of the shapes.
std::shared_ptr<graph::Graph> specialise(const graph::Graph& graph,
                                         std::span<const Spec> inputs,
                                         const SpecialiseOptions& options = {});

/// Each can be switched off to find out what it is worth; results are the same bits.
struct PlanOptions {
  bool pack = true;  // constants and variables that are only read, in the layout of the kernel that
                     // reads them
  bool in_place = true;  // element-wise results over operands that die
  bool side_by_side =
      true;             // chains of small steps that do not need each other, by several threads
  bool regions = true;  // regions as tile programs and epilogues; else their members one by one
};

/// Times of one run, step by step. Steps of chains that run side by side come on several threads,
/// one call at a time.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  /// Before and after the step `index` of Executable::steps(), on the thread that runs it.
  virtual void begin(int index) = 0;
  virtual void end(int index) = 0;
};

struct RunOptions {
  const std::atomic<bool>* cancel =
      nullptr;  // true: the run stops before its next step with Code::cancelled
  StepObserver* observer = nullptr;
  /// Results that come with a tensor which nobody else sees, of the right dtype and shape, are
  /// written over it. None of them is an input.
  bool reuse_results = false;
};

/// One kernel call of a static stage, or one other stage.
struct StepInfo {
  std::string node;    // name of the node that it computes
  std::string op;      // "MatMul", "Region", "While", "host"
  std::string kernel;  // "MatMul/float32/avx2"; "tile" for element-wise programs
  std::string result;  // "float32[100, 256]"
  int stage = 0;
  int tile_ops = 0;     // element-wise ops run inside this step
  int chain = 0;        // not 0: runs beside the other chains of its group
  bool packed = false;  // reads an operand in packed form
  std::int64_t workspace = 0;
};

struct StageInfo {
  bool host = false;     // replayed
  bool control = false;  // a branch or a loop
  int steps = 0;
  std::int64_t arena_bytes = 0;
  std::int64_t constant_bytes = 0;
  std::int64_t packed_bytes = 0;
  std::vector<std::string> nodes;  // of a stage that is no program
};

class Executable {
 public:
  virtual ~Executable() = default;

  /// Values of graph().outputs. Callable from any thread, also at once. Errors: number, dtype or
  /// shape of an input; what a kernel reports, with the node's op and source line. Variables
  /// written before the failing node keep their new value, as they do eagerly.
  std::vector<Tensor> run(std::span<const Tensor> inputs, const RunOptions& options = {}) const;
  /// The same into `results`, one for each output: no allocation but those of the results.
  virtual void run_into(std::span<const Tensor> inputs,
                        std::span<Tensor> results,
                        const RunOptions& options = {}) const = 0;

  virtual const graph::Graph& graph() const = 0;
  /// One static stage: the program that a device can run; peak_bytes() is exact.
  virtual bool is_static() const = 0;
  virtual int kernels_per_call() const = 0;
  /// Bytes that a run needs beside inputs, variables and constants: arena, results, packed
  /// operands.
  virtual std::int64_t peak_bytes() const = 0;
  virtual std::vector<StepInfo> steps() const = 0;
  virtual std::vector<StageInfo> stages() const = 0;
  /// Stages and steps as a table.
  std::string describe() const;
  /// The rt::Program of a static Executable with all its constants inside, as a file holds it.
  /// Error: not static (says which node forbids it).
  virtual std::vector<std::byte> program() const = 0;
};

/// Plans a graph that `specialise` made. Errors: an op without a kernel for its dtypes.
std::shared_ptr<const Executable> plan(std::shared_ptr<const graph::Graph> graph,
                                       const PlanOptions& options = {});

}  // namespace weir::plan
