#include <weir/control_flow.h>

#include <algorithm>

#include "leaf/onnx/loop.h"

namespace weir::onnx_io {
namespace {

// The results of a graph as tensors; a list of tensors or nothing is not supported there.
std::vector<Tensor> tensors_of(const NodeContext& c, const Values& values) {
  std::vector<Tensor> tensors;
  for (const Value& v : values) {
    if (!v.tensor.defined()) c.unsupported("a sequence or an optional as result of a branch");
    if (is_coded(v.type))
      c.unsupported("a result of a branch of type " + std::string(name(v.type)));
    tensors.push_back(v.tensor);
  }
  return tensors;
}

Values to_values(const std::vector<Tensor>& tensors) {
  return {tensors.begin(), tensors.end()};
}

Values convert_if(NodeContext& c) {
  const Tensor predicate = as_scalar(c.in(0));
  if (is_constant(c.in(0))) {
    return c.run(c.graph(c.in(0).truth() ? "then_branch" : "else_branch"), {});
  }
  const auto branch = [&](const char* name) {
    return [&c, name] { return tensors_of(c, c.run(c.graph(name), {})); };
  };
  return to_values(cond(predicate, branch("then_branch"), branch("else_branch")));
}

Values convert_loop(NodeContext& c) {
  const Tensor limit = c.has(0) ? as_scalar(c.in(0)) : Tensor();
  const Tensor condition = c.has(1) ? as_scalar(c.in(1)) : Tensor(true);
  std::vector<Tensor> carried;
  for (std::size_t i = 2; i < c.inputs(); ++i)
    carried.push_back(c.in(i));
  const auto& graph = c.graph("body");
  const auto body = [&](const Tensor& number, const Tensor& go, const std::vector<Tensor>& state) {
    Values arguments = {number, go};
    for (const Tensor& t : state)
      arguments.push_back(t);
    const std::vector<Tensor> results = tensors_of(c, c.run(graph, arguments));
    if (results.size() < 1 + state.size()) c.damaged("its body has too few results");
    Turn turn;
    turn.condition = as_scalar(results[0]);
    const auto middle = results.begin() + 1 + std::ptrdiff_t(state.size());
    turn.carried.assign(results.begin() + 1, middle);
    turn.emitted.assign(middle, results.end());
    return turn;
  };
  const LoopResult r = run_loop(c, limit, condition, carried, body);
  Values results = to_values(r.carried);
  for (const Tensor& t : r.emitted)
    results.push_back(t);
  return results;
}

// -- Scan --

struct ScanSpec {
  std::size_t states = 0, scanned = 0;
  List axes, directions, output_axes, output_directions;
};

ScanSpec scan_spec(NodeContext& c) {
  ScanSpec s;
  const std::int64_t scanned = c.i("num_scan_inputs");
  if (scanned < 1 || scanned > static_cast<std::int64_t>(c.inputs())) {
    c.damaged("the attribute 'num_scan_inputs'");
  }
  s.scanned = static_cast<std::size_t>(scanned);
  s.states = c.inputs() - s.scanned;
  const std::size_t outputs = c.outputs() > s.states ? c.outputs() - s.states : 0;
  s.axes = c.ints("scan_input_axes", List(s.scanned, 0));
  s.directions = c.ints("scan_input_directions", List(s.scanned, 0));
  s.output_axes = c.ints("scan_output_axes", List(outputs, 0));
  s.output_directions = c.ints("scan_output_directions", List(outputs, 0));
  if (s.axes.size() != s.scanned || s.directions.size() != s.scanned ||
      s.output_axes.size() != outputs || s.output_directions.size() != outputs) {
    c.damaged("axes or directions that do not fit its operands");
  }
  return s;
}

Values convert_scan(NodeContext& c) {
  const ScanSpec spec = scan_spec(c);
  std::vector<Tensor> carried, scanned;
  for (std::size_t i = 0; i < spec.states; ++i)
    carried.push_back(c.in(i));
  for (std::size_t i = 0; i < spec.scanned; ++i) {
    const std::size_t at = spec.states + i;
    const std::int64_t axis = check_axis(c, spec.axes[i], c.rank(at));
    Tensor x = transpose(c.in(at), moved_axis(c.rank(at), axis, 0));
    scanned.push_back(spec.directions[i] != 0 ? reverse(x, 0) : x);
  }
  const Tensor length = scanned[0].dim(0) >= 0
                            ? Tensor(scanned[0].dim(0))
                            : reshape(slice(shape(scanned[0], DType::int64), 0, 1), List{});
  const auto& graph = c.graph("body");
  const auto body = [&](const Tensor& number, const Tensor&, const std::vector<Tensor>& state) {
    Values arguments = to_values(state);
    for (const Tensor& x : scanned)
      arguments.push_back(gather(x, number));
    const std::vector<Tensor> results = tensors_of(c, c.run(graph, arguments));
    if (results.size() < state.size()) c.damaged("its body has too few results");
    Turn turn;
    turn.carried.assign(results.begin(), results.begin() + std::ptrdiff_t(state.size()));
    turn.emitted.assign(results.begin() + std::ptrdiff_t(state.size()), results.end());
    return turn;
  };
  const LoopResult r = run_loop(c, length, {}, carried, body);
  if (r.emitted.size() != spec.output_axes.size()) c.damaged("its body has other results");
  Values results = to_values(r.carried);
  for (std::size_t i = 0; i < r.emitted.size(); ++i) {
    Tensor y = spec.output_directions[i] != 0 ? reverse(r.emitted[i], 0) : r.emitted[i];
    const std::int64_t axis = check_axis(c, spec.output_axes[i], y.rank());
    results.push_back(transpose(y, moved_axis(y.rank(), 0, axis)));
  }
  return results;
}

constexpr Converter kConverters[] = {
    {"If", convert_if},
    {"Loop", convert_loop},
    {"Scan", convert_scan, 9},
};

}  // namespace

std::span<const Converter> control_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
