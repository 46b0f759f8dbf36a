/// Branches and loops on tensors, in both modes. Eagerly they are host control flow; inside a trace
/// they become If, Case and While nodes. Gradients flow through all of them.
///
///   Tensor y = cond(sum(x) > 0, [&] { return x * 2; }, [&] { return x - 1; });
///   auto [i, total] = while_loop([&](auto s) { return std::get<0>(s) < n; },
///                                [&](auto s) { return std::tuple(std::get<0>(s) + 1,
///                                std::get<1>(s) * x); }, std::tuple(Tensor(0), Tensor(1.f)));
#pragma once

#include <weir/operand.h>
#include <weir/structure.h>

#include <source_location>

namespace weir::inline v0 {

struct WhileOptions {
  std::int64_t maximum_iterations = -1;  // -1: no bound
  /// Shapes of the state's tensors where they may change from one iteration to the next (-1
  /// dimensions). Empty: none may.
  std::vector<Shape> shape_invariants = {};
  std::string name = "while";
};

/// The untyped forms behind the templates.
namespace flow {

struct Flat {
  std::vector<Tensor> tensors;
  std::vector<std::size_t> lengths;
  std::string key = {};  // the values that are no tensors, and the lengths
};
/// A callable, borrowed for the time of a call.
struct Body {
  void* context;
  Flat (*run)(void* context, std::span<const Tensor> arguments);
};
Flat cond(const Tensor& predicate, Body then_body, Body else_body, std::source_location where);
Flat switch_case(const Tensor& index, std::span<const Body> branches, std::source_location where);
std::vector<Tensor> while_loop(Body condition,
                               Body body,
                               std::vector<Tensor> state,
                               const WhileOptions& options,
                               std::source_location where);

/// The state after an iteration must be the initial one in all that is no tensor. Throws Error.
void check_plain(const Flat& initial, const Flat& next, std::source_location where);

/// An int64 scalar; a < b; a + b.
Tensor to_index(Operand value);
Tensor less(const Tensor& a, const Tensor& b);
Tensor plus(const Tensor& a, const Tensor& b);

template <class Callable>
Body body_of(Callable& c) {
  return {const_cast<void*>(static_cast<const void*>(&c)),
          [](void* context, std::span<const Tensor> t) {
            return (*static_cast<Callable*>(context))(t);
          }};
}
template <class T>
Flat flatten(const T& value) {
  Flattener f;
  structure::flatten(value, f);
  return {std::move(f.tensors), std::move(f.lengths), std::move(f.key)};
}
/// Runs a branch and keeps its result: that has what is no tensor.
template <class T>
auto kept(T& result, auto&& body) {
  return [&](std::span<const Tensor>) { return flatten<T>(result = body()); };
}
/// `value` with the tensors of `flat`.
template <class T>
T unflatten(const Flat& flat, T value) {
  Unflattener in(flat.tensors, flat.lengths);
  structure::unflatten(value, in);
  return value;
}

}  // namespace flow

/// The result of `then_body` if `predicate` is true, else that of `else_body`; only one of them
/// runs. Both must return the same structure, the same dtypes and the same values where it has no
/// tensors. Errors: a predicate that is no bool scalar; branches that do not match (shows both).
template <class Then, class Else>
auto cond(Operand predicate, Then&& then_body, Else&& else_body) {
  using Result = std::remove_cvref_t<std::invoke_result_t<Then&>>;
  static_assert(std::same_as<Result, std::remove_cvref_t<std::invoke_result_t<Else&>>>,
                "both branches of weir::cond must return the same type");
  Result result{};
  auto t = flow::kept(result, then_body);
  auto e = flow::kept(result, else_body);
  const flow::Flat flat =
      flow::cond(predicate.to_tensor(), flow::body_of(t), flow::body_of(e), predicate.where());
  return flow::unflatten(flat, std::move(result));
}

/// The result of branches[index]; an index out of range takes the last branch, the default.
template <class Branch>
auto switch_case(Operand index, const std::vector<Branch>& branches) {
  using Result = std::remove_cvref_t<std::invoke_result_t<const Branch&>>;
  Result result{};
  std::vector<decltype(flow::kept(result, branches[0]))> callables;
  for (const Branch& b : branches)
    callables.push_back(flow::kept(result, b));
  std::vector<flow::Body> bodies;
  for (auto& c : callables)
    bodies.push_back(flow::body_of(c));
  const flow::Flat flat = flow::switch_case(index.to_tensor(), bodies, index.where());
  return flow::unflatten(flat, std::move(result));
}

/// Repeats state = body(state) while condition(state) is true; returns the last state. The body
/// keeps structure, dtypes, shapes (see WhileOptions) and what is no tensor. Errors say which part
/// of the state changed.
template <class Condition, class Body, class State>
State while_loop(Condition&& condition,
                 Body&& body,
                 const State& initial,
                 const WhileOptions& options = {},
                 std::source_location where = std::source_location::current()) {
  flow::Flat start = flow::flatten(initial);
  const auto typed = [&](std::span<const Tensor> t) {
    State s = initial;
    Unflattener in(t, start.lengths);
    structure::unflatten(s, in);
    return s;
  };
  auto c = [&](std::span<const Tensor> t) { return flow::flatten<Tensor>(condition(typed(t))); };
  auto b = [&](std::span<const Tensor> t) {
    flow::Flat next = flow::flatten<State>(body(typed(t)));
    flow::check_plain(start, next, where);
    return next;
  };
  flow::Flat end{
      flow::while_loop(flow::body_of(c), flow::body_of(b), start.tensors, options, where),
      start.lengths};
  return flow::unflatten(end, initial);
}

/// for i in [begin, end): state = body(i, state), with i an int64 scalar.
template <class Body, class State>
State for_range(Operand begin,
                Operand end,
                Body&& body,
                const State& initial,
                WhileOptions options = {.name = "for"}) {
  using Counted = std::pair<Tensor, State>;
  const Tensor last = flow::to_index(end), one = flow::to_index(1);
  return while_loop([&](const Counted& s) { return flow::less(s.first, last); },
                    [&](const Counted& s) {
                      return Counted(flow::plus(s.first, one), body(s.first, s.second));
                    },
                    Counted(flow::to_index(begin), initial),
                    options,
                    begin.where())
      .second;
}

}  // namespace weir::inline v0
