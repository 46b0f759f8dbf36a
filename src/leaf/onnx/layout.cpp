#include "leaf/onnx/layout.h"

#include <weir/function.h>
#include <weir/ops/array.h>

#include <algorithm>
#include <numeric>

#include "graph/builder.h"

namespace weir::onnx_io {
namespace {

using List = std::vector<std::int64_t>;

List last_order(int rank) {
  List order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

List first_order(int rank) {
  List order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + 1, order.end() - 1, order.end());
  return order;
}

// A constant as it broadcasts against a tensor with the channels last; undefined for others.
Tensor constant_last(const Tensor& t, int rank) {
  if (t.is_symbolic() || t.rank() > rank) return {};
  if (t.size() == 1 && t.rank() == 0) return t;
  List dims = t.shape().to_vector();
  dims.insert(dims.begin(), static_cast<std::size_t>(rank - t.rank()), 1);
  const InitScope now;
  return transpose(reshape(t, dims), last_order(rank));
}

}  // namespace

Tensor to_channels_last(const Tensor& x) {
  const Tensor source = channels_last_source(x);
  return source.defined() ? source : transpose(x, last_order(x.rank()));
}

Tensor to_channels_first(const Tensor& x) {
  return transpose(x, first_order(x.rank()));
}

Tensor channels_last_source(const Tensor& x) {
  if (!x.is_symbolic() || !x.shape().has_rank() || x.rank() < 3) return {};
  const auto builder = graph::current_builder();
  const tensor::SymbolSource* own = builder.get();
  if (builder == nullptr || x.impl()->source().get() != own) return {};
  const graph::Node& node = builder->graph().node(x.impl()->node());
  if (node.kind != graph::Kind::op || node.op->name() != "Transpose") return {};
  const rt::Attr& perm = node.attrs[static_cast<std::size_t>(node.op->attr_index("perm"))];
  const List wanted = first_order(x.rank());
  const bool same = perm.kind == rt::Attr::Kind::ints && perm.count == wanted.size() &&
                    std::equal(wanted.begin(), wanted.end(), perm.ints);
  return same ? builder->tensor(node.inputs[0]) : Tensor();
}

Tensor in_layout(Tensor (*f)(Operand), const Tensor& x) {
  const Tensor source = channels_last_source(x);
  return source.defined() ? to_channels_first(f(source)) : f(x);
}

Tensor in_layout(Tensor (*f)(Operand, Operand), const Tensor& a, const Tensor& b) {
  Tensor x = channels_last_source(a), y = channels_last_source(b);
  if (!x.defined() && !y.defined()) return f(a, b);
  const int rank = x.defined() ? x.rank() : y.rank();
  if (!x.defined()) x = constant_last(a, rank);
  if (!y.defined()) y = constant_last(b, rank);
  if (!x.defined() || !y.defined() || std::max(x.rank(), y.rank()) != rank) return f(a, b);
  return to_channels_first(f(x, y));
}

Tensor concat_channels(const std::vector<Tensor>& parts) {
  std::vector<Tensor> sources;
  for (const Tensor& part : parts) {
    sources.push_back(channels_last_source(part));
    if (!sources.back().defined()) return {};
  }
  return to_channels_first(concat(sources, sources[0].rank() - 1));
}

}  // namespace weir::onnx_io
