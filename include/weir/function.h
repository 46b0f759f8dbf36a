/// weir::function: the same code as a graph. The first call with new shapes or dtypes traces the
/// callable once; the graph is optimised, planned, and run by this and all later calls of that
/// signature.
///
///   auto step = function([&](Tensor x, Tensor y) { return mean(square(model(x) - y)); });
///   Tensor loss = step(x, y);
///   std::cout << step.stats().traces << step.explain_retrace();
///
/// Inside the callable, host code runs at trace time only: a host `if` or loop is frozen into the
/// graph. Branches and loops on tensors are weir::cond and weir::while_loop. A random draw, a
/// variable read or write is part of the graph.
#pragma once

#include <weir/structure.h>

#include <any>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace weir::inline v0 {

struct FunctionOptions {
  std::string name = "function";
  /// Fixes the trace: arguments must fit these specs; -1 dimensions accept any size. Empty: traced
  /// for what comes.
  std::vector<TensorSpec> input_signature = {};
  /// After a second shape of an argument, trace once for any size of the dimensions that differ.
  bool reduce_retracing = false;
  bool optimise = true;
  /// Names of passes and rules to leave out; ConcreteFunction::pass_report has them.
  std::vector<std::string> disabled_passes = {};
  /// Signatures that are kept; the one that was used longest ago is dropped.
  std::size_t max_traces = 64;
};

struct FunctionStats {
  std::size_t calls = 0;
  std::size_t traces = 0;         // how often the callable ran
  std::size_t cached_traces = 0;  // now
  std::size_t cached_plans = 0;   // now, one for each concrete signature
};

/// One traced signature, looked at. A handle.
class ConcreteFunction {
 public:
  const std::vector<TensorSpec>& inputs() const;
  std::vector<TensorSpec> outputs() const;
  std::vector<Tensor> operator()(std::span<const Tensor> arguments) const;
  /// The same graph for inputs of these shapes, in order: what it then tells of passes, plan and
  /// memory is what a call with such tensors runs. Errors: another number of shapes; one that does
  /// not fit inputs().
  ConcreteFunction for_shapes(const std::vector<Shape>& shapes) const;
  /// Text of the graph as traced, and after the passes.
  std::string graph_text() const;
  std::string optimised_text() const;
  std::string to_dot(bool optimised = false) const;
  /// What each pass did.
  std::string pass_report() const;
  /// How the optimised graph runs: steps, arena, segments.
  std::string plan_text() const;
  std::size_t nodes_traced() const;
  std::size_t nodes_optimised() const;
  std::size_t kernels_per_call() const;
  /// Bytes of the arena, known before the first run.
  std::int64_t planned_peak_bytes() const;
  /// Which pass made a node of the optimised graph, from what.
  std::string explain(std::string_view node) const;

  class Impl;
  explicit ConcreteFunction(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

/// All functions run op by op, as if weir::function were not there: for debugging.
void run_functions_eagerly(bool on);
bool functions_run_eagerly();
/// False inside a trace or a graph's scope.
bool executing_eagerly();

/// While it lives, calls of this thread run at once, also inside a trace: for initial values of
/// variables, as TensorFlow's init_scope.
class InitScope {
 public:
  InitScope();
  ~InitScope();
  InitScope(const InitScope&) = delete;
  InitScope& operator=(const InitScope&) = delete;

 private:
  class Impl;
  Impl* impl_;
};

/// What a callable gave: its tensors, the lengths of its vectors and, if it has members that are no
/// tensors, a copy of it, whose tensors are undefined.
struct FlatResult {
  std::vector<Tensor> tensors;
  std::vector<std::size_t> lengths;
  std::shared_ptr<const std::any> plain = nullptr;
};

/// The part of a traced function that knows no types: its traces. A handle, safe to call from any
/// thread.
class FunctionCore {
 public:
  using Where = std::source_location;
  /// The callable, borrowed for the time of a call.
  struct Body {
    void* context;
    FlatResult (*run)(void* context, std::span<const Tensor> arguments);
  };

  explicit FunctionCore(FunctionOptions options);
  /// `key`: what of the arguments is no tensor. `body` runs only if no trace fits.
  FlatResult call(std::span<const Tensor* const> arguments,
                  std::string_view key,
                  const Body& body,
                  Where where) const;
  ConcreteFunction concrete(const std::vector<TensorSpec>& arguments,
                            std::string_view key,
                            const Body& body,
                            Where where) const;
  FunctionStats stats() const;
  std::string explain_retrace() const;
  const std::string& name() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

/// A callable as a graph. Made by `function`.
template <class F>
class TracedFunction {
 public:
  TracedFunction(F callable, FunctionOptions options)
      : callable_(std::make_shared<F>(std::move(callable))), core_(std::move(options)) {}

  using Where = std::source_location;

  /// A call: up to four arguments and the line of the caller, or any number without it.
  auto operator()(Where where = Where::current()) const { return call(where); }
  template <class A>
  auto operator()(const A& a, Where where = Where::current()) const {
    return call(where, a);
  }
  template <class A, class B>
  auto operator()(const A& a, const B& b, Where where = Where::current()) const {
    return call(where, a, b);
  }
  template <class A, class B, class C>
  auto operator()(const A& a, const B& b, const C& c, Where where = Where::current()) const {
    return call(where, a, b, c);
  }
  template <class A, class B, class C, class D>
  auto operator()(
      const A& a, const B& b, const C& c, const D& d, Where where = Where::current()) const {
    return call(where, a, b, c, d);
  }
  template <class... Args>
  requires(sizeof...(Args) > 4) auto operator()(const Args&... args) const {
    return call(Where{}, args...);
  }

  /// The trace for arguments of these types, made if there is none yet: structures as a call takes
  /// them, with a TensorSpec, or an example tensor, in the place of each tensor.
  ///
  ///   f.get_concrete_function(TensorSpec{{-1, 3}}, std::vector<TensorSpec>{a, b}, 0.5f);
  template <class... Args>
  ConcreteFunction get_concrete_function(const Args&... args) const {
    const std::tuple<decltype(structure::with_tensors(args))...> arguments{
        structure::with_tensors(args)...};
    SpecFlattener flat;
    (structure::flatten(args, flat), ...);
    auto trace = [&](std::span<const Tensor> tensors) {
      auto copy = arguments;
      Unflattener in(tensors, flat.lengths);
      structure::unflatten(copy, in);
      return std::apply([&](auto&... a) { return run(*callable_, a...); }, copy);
    };
    return core_.concrete(flat.specs, flat.key, body_of(trace), {});
  }
  /// The same for a list of tensor arguments whose number is known at run time, at most three; or
  /// for the one argument of a callable that takes a vector.
  ConcreteFunction get_concrete_function(const std::vector<TensorSpec>& specs,
                                         Where where = Where::current()) const {
    if constexpr (takes_vector()) {
      return get_concrete_function<std::vector<TensorSpec>>(specs);
    } else {
      auto trace = [this](std::span<const Tensor> t) { return run_tensors(t); };
      return core_.concrete(specs, {}, body_of(trace), where);
    }
  }

  FunctionStats stats() const { return core_.stats(); }
  /// Why the last call that traced anew did so: the argument, and both types.
  std::string explain_retrace() const { return core_.explain_retrace(); }
  const std::string& name() const { return core_.name(); }

 private:
  template <class... Args>
  auto call(Where where, const Args&... args) const {
    using Result = std::remove_cvref_t<std::invoke_result_t<F&, Args&...>>;
    ArgumentFlattener flat;
    structure::flatten(std::tuple<const Args&...>(args...), flat);
    auto trace = [&](std::span<const Tensor> tensors) {
      std::tuple<Args...> copy(args...);
      Unflattener in(tensors, flat.lengths);
      structure::unflatten(copy, in);
      return std::apply([&](auto&... a) { return run(*callable_, a...); }, copy);
    };
    FlatResult out = core_.call(flat.arguments, flat.key, body_of(trace), where);
    if constexpr (!std::is_void_v<Result>) {
      Result result = prototype<Result>(out, where);
      Unflattener in(out.tensors, out.lengths);
      structure::unflatten(result, in);
      return result;
    }
  }

  /// A result that has its plain members already.
  template <class Result>
  Result prototype(const FlatResult& out, Where where) const {
    if constexpr (structure::has_plain<Result>()) {
      if (const auto* known = std::any_cast<Result>(out.plain.get())) return *known;
      throw Error({Code::invalid_argument,
                   "function '" + name() + "': these arguments give a result of another type",
                   to_string(where),
                   "argument types that differ from those of the first call, with equal values",
                   "one result type for each signature",
                   "make two functions"});
    } else {
      return Result{};
    }
  }

  template <class Callable>
  static FunctionCore::Body body_of(Callable& c) {
    return {const_cast<void*>(static_cast<const void*>(&c)),
            [](void* context, std::span<const Tensor> t) {
              return (*static_cast<Callable*>(context))(t);
            }};
  }

  /// Takes no tensors but one vector of them. A generic lambda that takes tensors is not asked
  /// whether it takes a vector.
  static constexpr bool takes_vector() {
    if constexpr (std::is_invocable_v<F&> || std::is_invocable_v<F&, Tensor&> ||
                  std::is_invocable_v<F&, Tensor&, Tensor&> ||
                  std::is_invocable_v<F&, Tensor&, Tensor&, Tensor&>) {
      return false;
    } else {
      return std::is_invocable_v<F&, std::vector<Tensor>&>;
    }
  }

  FlatResult run_tensors(std::span<const Tensor> t) const {
    if constexpr (std::is_invocable_v<F&, Tensor&>) {
      if (t.size() == 1) return apply<1>(*callable_, t);
    }
    if constexpr (std::is_invocable_v<F&, Tensor&, Tensor&>) {
      if (t.size() == 2) return apply<2>(*callable_, t);
    }
    if constexpr (std::is_invocable_v<F&, Tensor&, Tensor&, Tensor&>) {
      if (t.size() == 3) return apply<3>(*callable_, t);
    }
    if constexpr (std::is_invocable_v<F&>) {
      if (t.empty()) return run(*callable_);
    }
    throw Error({Code::invalid_argument,
                 "get_concrete_function: the callable does not take these arguments",
                 {},
                 std::to_string(t.size()) + " tensors",
                 {},
                 "pass one TensorSpec for each tensor argument"});
  }
  template <std::size_t N>
  static FlatResult apply(F& callable, std::span<const Tensor> t) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      std::array<Tensor, N> a{t[I]...};
      return run(callable, a[I]...);
    }
    (std::make_index_sequence<N>{});
  }

  template <class... As>
  static FlatResult run(F& callable, As&... args) {
    using Result = std::remove_cvref_t<std::invoke_result_t<F&, As&...>>;
    if constexpr (std::is_void_v<Result>) {
      callable(args...);
      return {};
    } else {
      Flattener flat;
      Result result = callable(args...);
      structure::flatten(result, flat);
      FlatResult out{std::move(flat.tensors), std::move(flat.lengths)};
      if constexpr (structure::has_plain<Result>()) {
        const std::vector<Tensor> nothing(out.tensors.size());
        Unflattener in(nothing, out.lengths);
        structure::unflatten(result, in);
        out.plain = std::make_shared<const std::any>(std::move(result));
      }
      return out;
    }
  }

  std::shared_ptr<F> callable_;
  FunctionCore core_;
};

template <class F>
TracedFunction<std::decay_t<F>> function(F&& callable, FunctionOptions options = {}) {
  return {std::forward<F>(callable), std::move(options)};
}

}  // namespace weir::inline v0
