#include "function/trace.h"

#include <algorithm>

#include "graph/replay.h"
#include "tensor/specs.h"

namespace weir::tracing {
namespace {

/// Plans of one trace that are kept: enough for the batch sizes of a data set's tail, few enough to
/// bound memory.
constexpr std::size_t kMaxPlans = 16;

/// Of arguments of one trace, whose dtypes are the same.
bool same_shapes(std::span<const Spec> a, std::span<const Spec> b) {
  return std::ranges::equal(a, b, [](const Spec& x, const Spec& y) { return x.shape == y.shape; });
}

}  // namespace

void rethrow_with(const Error& e, const std::string& context) {
  ErrorInfo info = e.info();
  info.where += (info.where.empty() ? "" : ", ") + context;
  throw Error(std::move(info));
}

std::vector<Tensor> call_in(graph::Builder& outer,
                            const Trace& trace,
                            std::span<const Tensor> arguments,
                            std::source_location where) {
  std::vector<Tensor> operands(arguments.begin(), arguments.end());
  operands.insert(operands.end(), trace.captures().begin(), trace.captures().end());
  if (!dispatch::active_recorders().empty() || outer.hoists_reads())
    return graph::replay(*trace.graph(), operands);
  graph::Node n;
  n.kind = graph::Kind::call;
  n.name = trace.graph()->name();
  n.where = where;
  n.bodies = {trace.graph()};
  for (const Tensor& t : operands)
    n.inputs.push_back(outer.ref(t, where));
  for (graph::Ref r : trace.graph()->outputs)
    n.outputs.push_back(trace.graph()->spec(r));
  return outer.add_structural(std::move(n));
}

bool fits(const Tensor& t, const Spec& spec) {
  return t.defined() && tensor::fits(t.impl()->spec(), spec);
}

bool equals(std::span<const Tensor> arguments, std::span<const Spec> specs) {
  if (arguments.size() != specs.size()) return false;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const TensorImpl& t = *arguments[i].impl();
    if (t.dtype() != specs[i].dtype || t.rank() != specs[i].shape.rank()) return false;
    if (!std::ranges::equal(t.shape().dims(), specs[i].shape.dims())) return false;
  }
  return true;
}

Trace::Trace(Signature signature,
             std::shared_ptr<graph::Graph> graph,
             std::vector<Tensor> captures,
             std::vector<std::size_t> lengths,
             const FunctionOptions& options,
             std::shared_ptr<const std::any> plain)
    : signature_(std::move(signature)),
      graph_(std::move(graph)),
      captures_(std::move(captures)),
      lengths_(std::move(lengths)),
      plain_(std::move(plain)),
      options_(options) {}

bool Trace::accepts(std::span<const Tensor> arguments, std::string_view key) const {
  if (arguments.size() != signature_.specs.size() || key != signature_.key) return false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!fits(arguments[i], signature_.specs[i])) return false;
  }
  return true;
}

std::shared_ptr<const Compiled> Trace::plan(std::span<const Tensor> arguments) {
  {
    std::lock_guard lock(mutex_);
    for (auto it = plans_.begin(); it != plans_.end(); ++it) {
      if (!equals(arguments, it->shapes)) continue;
      if (it != plans_.begin()) plans_.splice(plans_.begin(), plans_, it);
      return plans_.front().compiled;
    }
  }
  std::vector<Spec> shapes;
  for (const Tensor& t : arguments)
    shapes.push_back({t.dtype(), t.shape()});
  return plan(std::move(shapes));
}

std::shared_ptr<const Compiled> Trace::plan_for_signature() {
  {
    std::lock_guard lock(mutex_);
    for (const Plan& p : plans_) {
      if (same_shapes(p.shapes, signature_.specs)) return p.compiled;
    }
  }
  return plan(signature_.specs);
}

/// Compiles outside the lock: another thread that needs the same plan may make it too; the first
/// one stored stays.
std::shared_ptr<const Compiled> Trace::plan(std::vector<Spec> shapes) {
  auto compiled = std::make_shared<const Compiled>(*graph_, shapes, options_);
  std::lock_guard lock(mutex_);
  for (const Plan& p : plans_) {
    if (same_shapes(p.shapes, shapes)) return p.compiled;
  }
  plans_.push_front({std::move(shapes), compiled});
  if (plans_.size() > kMaxPlans) plans_.pop_back();
  return compiled;
}

const PureGraph* Trace::pure() {
  std::call_once(purified_, [this] {
    try {
      pure_ = purify(*graph_);
    } catch (const Error&) {
      // Then calls are replayed, and the error, if it is one, is theirs.
    }
  });
  return pure_ ? &*pure_ : nullptr;
}

std::shared_ptr<const Differentiated> Trace::differentiated(
    std::span<const Tensor> arguments, std::span<const std::uint8_t> followed) {
  {
    std::lock_guard lock(mutex_);
    for (auto it = differentiated_.begin(); it != differentiated_.end(); ++it) {
      if (!equals(arguments, it->shapes) || !std::ranges::equal(followed, it->followed)) continue;
      differentiated_.splice(differentiated_.begin(), differentiated_, it);
      return it->programs;
    }
  }
  Programs made;
  for (const Tensor& t : arguments)
    made.shapes.push_back({t.dtype(), t.shape()});
  made.followed.assign(followed.begin(), followed.end());
  try {
    made.programs =
        std::make_shared<const Differentiated>(*pure(), made.shapes, made.followed, options_);
  } catch (const Error&) {
    // Not every result need have a gradient that is asked for.
  }
  std::lock_guard lock(mutex_);
  differentiated_.push_front(std::move(made));
  if (differentiated_.size() > kMaxPlans) differentiated_.pop_back();
  return differentiated_.front().programs;
}

std::size_t Trace::plans() const {
  std::lock_guard lock(mutex_);
  return plans_.size();
}

}  // namespace weir::tracing
