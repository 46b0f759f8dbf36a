#include "function/concrete.h"

#include "function/taped_call.h"
#include "graph/replay.h"
#include "tensor/specs.h"

namespace weir::inline v0 {

ConcreteFunction::Impl::Impl(std::shared_ptr<tracing::Trace> t) : trace(std::move(t)) {
  const graph::Graph& g = *trace->graph();
  for (int i : g.inputs)
    inputs.push_back({g.node(i).outputs[0].shape, g.node(i).outputs[0].dtype, g.node(i).name});
}

const std::vector<TensorSpec>& ConcreteFunction::inputs() const {
  return impl_->inputs;
}

std::vector<TensorSpec> ConcreteFunction::outputs() const {
  const graph::Graph& g = *impl_->trace->graph();
  std::vector<TensorSpec> list;
  for (std::size_t i = 0; i < g.outputs.size(); ++i) {
    const Spec& s = g.spec(g.outputs[i]);
    list.push_back({s.shape, s.dtype, "output_" + std::to_string(i)});
  }
  return list;
}

std::vector<Tensor> ConcreteFunction::operator()(std::span<const Tensor> arguments) const {
  if (!impl_->trace->accepts(arguments, impl_->trace->signature().key)) {
    std::string got, expected;
    for (const Tensor& t : arguments)
      got += (got.empty() ? "" : ", ") + (t.defined() ? t.describe() : "an undefined tensor");
    for (const Spec& s : impl_->trace->signature().specs)
      expected += (expected.empty() ? "" : ", ") + s.describe();
    throw Error(
        {Code::invalid_argument,
         "function '" + impl_->trace->graph()->name() + "': arguments do not fit its signature",
         {},
         got,
         expected,
         {}});
  }
  if (functions_run_eagerly()) return graph::replay(*impl_->trace->graph(), arguments);
  if (const auto outer = graph::builder_for(arguments)) {
    dispatch::HandlerScope scope(*outer);
    return tracing::call_in(*outer, *impl_->trace, arguments, {});
  }
  if (!dispatch::active_recorders().empty())
    return tracing::call_recorded(impl_->trace, arguments, {});
  return impl_->trace->plan(arguments)->run(arguments);
}

ConcreteFunction ConcreteFunction::for_shapes(const std::vector<Shape>& shapes) const {
  const tracing::Trace& t = *impl_->trace;
  tracing::Signature signature = t.signature();
  bool ok = shapes.size() == signature.specs.size();
  std::string got, expected;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    got += (i ? ", " : "") + shapes[i].to_string();
  for (std::size_t i = 0; i < signature.specs.size(); ++i) {
    Spec& declared = signature.specs[i];
    expected += (i ? ", " : "") + declared.describe();
    ok = ok && tensor::fits({declared.dtype, shapes[i]}, declared);
    if (ok) declared.shape = shapes[i];
  }
  if (!ok)
    throw Error({Code::invalid_argument,
                 "function '" + t.graph()->name() + "': shapes that do not fit its signature",
                 {},
                 got,
                 expected,
                 {}});
  return ConcreteFunction(std::make_shared<Impl>(std::make_shared<tracing::Trace>(
      std::move(signature), t.graph(), t.captures(), t.lengths(), t.options())));
}

std::string ConcreteFunction::graph_text() const {
  return graph::print(*impl_->trace->graph());
}
std::string ConcreteFunction::optimised_text() const {
  return graph::print(impl_->trace->plan_for_signature()->optimised());
}
std::string ConcreteFunction::to_dot(bool optimised) const {
  return graph::to_dot(optimised ? impl_->trace->plan_for_signature()->optimised()
                                 : *impl_->trace->graph());
}
std::string ConcreteFunction::pass_report() const {
  return impl_->trace->report().to_string();
}
std::string ConcreteFunction::explain(std::string_view node) const {
  return impl_->trace->report().explain(node);
}
std::string ConcreteFunction::plan_text() const {
  return impl_->trace->plan_for_signature()->executable().describe();
}
std::size_t ConcreteFunction::kernels_per_call() const {
  return std::size_t(impl_->trace->plan_for_signature()->executable().kernels_per_call());
}
std::int64_t ConcreteFunction::planned_peak_bytes() const {
  return impl_->trace->plan_for_signature()->executable().peak_bytes();
}
std::size_t ConcreteFunction::nodes_traced() const {
  return impl_->trace->graph()->size();
}
std::size_t ConcreteFunction::nodes_optimised() const {
  return impl_->trace->plan_for_signature()->optimised().size();
}

}  // namespace weir::inline v0
