#include "leaf/onnx/loop.h"

#include <weir/control_flow.h>

#include "graph/builder.h"

namespace weir::onnx_io {
namespace {

constexpr std::int64_t kUnrolled = 16;
constexpr std::int64_t kMaxPreallocated = std::int64_t{1} << 30;  // bytes

LoopResult unroll(std::int64_t turns, std::vector<Tensor> carried, const TurnBody& body) {
  LoopResult result;
  std::vector<std::vector<Tensor>> emitted;
  for (std::int64_t i = 0; i < turns; ++i) {
    Turn turn = body(Tensor(i), Tensor(true), carried);
    carried = std::move(turn.carried);
    emitted.resize(turn.emitted.size());
    for (std::size_t k = 0; k < turn.emitted.size(); ++k)
      emitted[k].push_back(turn.emitted[k]);
  }
  result.carried = std::move(carried);
  for (const auto& list : emitted)
    result.emitted.push_back(stack(list));
  return result;
}

// Dimensions that both have.
Shape common(const Shape& a, const Shape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return Shape::unknown_rank();
  Shape s;
  for (int i = 0; i < a.rank(); ++i)
    s.push_back(a[i].known() && a[i] == b[i] ? a[i] : Dim::unknown());
  return s;
}

struct Types {
  std::vector<Shape> carried;
  std::vector<Spec> emitted;
  bool always = false;  // every turn says: go on
};

// Shapes that hold in every turn, and the specs of what is emitted: found by tracing a turn aside.
Types find_types(const NodeContext& c, const std::vector<Tensor>& carried, const TurnBody& body) {
  Types types;
  for (const Tensor& t : carried)
    types.carried.push_back(t.shape());
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto aside = graph::Builder::create("probe", graph::current_builder());
    const dispatch::HandlerScope tracing(*aside);
    std::vector<Tensor> arguments;
    for (std::size_t i = 0; i < carried.size(); ++i)
      arguments.push_back(aside->input({types.carried[i], carried[i].dtype(), "state"}));
    const Tensor number = aside->input({Shape{}, DType::int64, "i"});
    const Tensor condition = aside->input({Shape{}, DType::boolean, "condition"});
    const Turn turn = body(number, condition, arguments);
    if (turn.carried.size() != carried.size()) c.damaged("its body has other results");
    types.always =
        !turn.condition.defined() || (!turn.condition.is_symbolic() && turn.condition.truth());
    types.emitted.clear();
    for (const Tensor& t : turn.emitted)
      types.emitted.push_back({t.dtype(), t.shape()});
    bool stable = true;
    for (std::size_t i = 0; i < carried.size(); ++i) {
      const Shape merged = common(types.carried[i], turn.carried[i].shape());
      stable = stable && merged == types.carried[i];
      types.carried[i] = merged;
    }
    if (stable) return types;
  }
  return types;
}

// Where results of turns are kept: a tensor of the final size if that is known, else one that
// grows.
struct Store {
  Tensor initial;
  Shape shape;
  bool grows = true;
};

Store make_store(const NodeContext& c, const Spec& element, const Tensor& limit) {
  if (!element.shape.is_static()) c.unsupported("results of turns whose shape is not known");
  Store store;
  List dims = element.shape.to_vector();
  std::int64_t turns = 0, bytes = element.shape.size() * byte_size(element.dtype);
  const bool bounded = is_constant(limit) && limit.item<std::int64_t>() >= 0 &&
                       !__builtin_mul_overflow(bytes, limit.item<std::int64_t>(), &bytes) &&
                       bytes <= kMaxPreallocated;
  if (bounded) turns = limit.item<std::int64_t>();
  dims.insert(dims.begin(), turns);
  store.grows = !bounded;
  store.shape = Shape(dims);
  if (store.grows) store.shape[0] = Dim::unknown();
  store.initial = zeros(dims, element.dtype);
  return store;
}

Tensor put(const Store& store, const Tensor& kept, const Tensor& number, const Tensor& element) {
  const Tensor row = expand_dims(element, 0);
  if (store.grows) return concat({kept, row}, 0);
  return tensor_scatter_update(kept, reshape(number, List{1, 1}), row);
}

}  // namespace

LoopResult run_loop(const NodeContext& c,
                    const Tensor& limit,
                    const Tensor& first_condition,
                    const std::vector<Tensor>& carried,
                    const TurnBody& body) {
  const Types types = find_types(c, carried, body);
  Tensor condition = first_condition;
  if (types.always && is_constant(condition) && condition.truth()) condition = Tensor();
  if (!condition.defined() && is_constant(limit) && limit.item<std::int64_t>() <= kUnrolled &&
      limit.item<std::int64_t>() > 0) {
    return unroll(limit.item<std::int64_t>(), carried, body);
  }
  std::vector<Store> stores;
  for (const Spec& spec : types.emitted)
    stores.push_back(make_store(c, spec, limit));
  std::vector<Tensor> state = {Tensor(std::int64_t{0}),
                               condition.defined() ? condition : Tensor(true)};
  WhileOptions options;
  options.shape_invariants = {Shape{}, Shape{}};
  for (std::size_t i = 0; i < carried.size(); ++i) {
    state.push_back(carried[i]);
    options.shape_invariants.push_back(types.carried[i]);
  }
  for (const Store& store : stores) {
    state.push_back(store.initial);
    options.shape_invariants.push_back(store.shape);
  }
  const std::size_t first_store = 2 + carried.size();
  const auto goes_on = [&](const std::vector<Tensor>& s) {
    return limit.defined() ? logical_and(s[1], s[0] < limit) : identity(s[1]);
  };
  const auto turn_of = [&](const std::vector<Tensor>& s) {
    const std::vector<Tensor> arguments(s.begin() + 2, s.begin() + std::ptrdiff_t(first_store));
    Turn turn = body(s[0], s[1], arguments);
    std::vector<Tensor> next = {s[0] + std::int64_t{1},
                                turn.condition.defined() ? turn.condition : s[1]};
    next.insert(next.end(), turn.carried.begin(), turn.carried.end());
    for (std::size_t k = 0; k < stores.size(); ++k)
      next.push_back(put(stores[k], s[first_store + k], s[0], turn.emitted.at(k)));
    return next;
  };
  const std::vector<Tensor> end = while_loop(goes_on, turn_of, state, options);
  LoopResult result;
  result.carried.assign(end.begin() + 2, end.begin() + std::ptrdiff_t(first_store));
  for (std::size_t k = 0; k < stores.size(); ++k) {
    Tensor all = end[first_store + k];
    // A loop that may stop early fills the beginning only.
    if (!stores[k].grows && condition.defined()) {
      all = strided_slice(all, List{0}, reshape(end[0], List{1}), List{1});
    }
    result.emitted.push_back(all);
  }
  return result;
}

}  // namespace weir::onnx_io
