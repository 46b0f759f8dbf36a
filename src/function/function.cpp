#include <weir/function.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "flow/runner.h"
#include "function/borrowed.h"
#include "function/concrete.h"
#include "function/ready.h"
#include "function/taped_call.h"
#include "function/trace.h"
#include "function/turn.h"
#include "graph/replay.h"
#include "tensor/profile.h"

namespace weir::inline v0 {
namespace {

using tracing::Signature;
using tracing::Trace;
using Where = std::source_location;

std::atomic<bool> eagerly{false};

[[noreturn]] void fail(
    std::string what, Where where, std::string got, std::string expected, std::string fix = {}) {
  throw Error({Code::invalid_argument,
               std::move(what),
               to_string(where),
               std::move(got),
               std::move(expected),
               std::move(fix)});
}

std::string describe(const std::vector<Spec>& specs) {
  std::string s;
  for (const Spec& spec : specs)
    s += (s.empty() ? "" : ", ") + spec.describe();
  return "(" + s + ")";
}

/// The difference between a signature and the nearest traced one, in words.
std::string difference(const Signature& now, const Signature& before) {
  if (now.specs.size() != before.specs.size())
    return std::to_string(now.specs.size()) + " tensor arguments instead of " +
           std::to_string(before.specs.size());
  std::string s;
  for (std::size_t i = 0; i < now.specs.size(); ++i) {
    const std::string a = now.specs[i].describe(), b = before.specs[i].describe();
    if (a != b)
      s += (s.empty() ? "" : "; ") + ("argument " + std::to_string(i) + " is " + a + ", was " + b);
  }
  if (now.key != before.key)
    s += (s.empty() ? "" : "; ") +
         ("a value that is no tensor is '" + now.key + "', was '" + before.key + "'");
  return s.empty() ? "the same signature (its trace was dropped from the cache)" : s;
}

/// 0 if equal; a differing dtype counts as much as a differing dimension, a differing rank more.
int differences(const Spec& a, const Spec& b) {
  int n = a.dtype != b.dtype;
  if (a.shape.has_rank() != b.shape.has_rank() || a.shape.rank() != b.shape.rank()) return n + 8;
  for (int d = 0; d < a.shape.rank(); ++d)
    n += a.shape[d].value() != b.shape[d].value();
  return n;
}

int differences(const Signature& a, const Signature& b) {
  if (a.specs.size() != b.specs.size()) return 1000;
  int n = a.key != b.key;
  for (std::size_t i = 0; i < a.specs.size(); ++i)
    n += differences(a.specs[i], b.specs[i]);
  return n;
}

/// Dimensions that differ become unknown, so does the rank; empty if a dtype differs.
std::vector<Spec> relax(const std::vector<Spec>& a, const std::vector<Spec>& b) {
  std::vector<Spec> out;
  if (a.size() != b.size()) return {};
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].dtype != b[i].dtype) return {};
    if (!a[i].shape.has_rank() || !b[i].shape.has_rank() ||
        a[i].shape.rank() != b[i].shape.rank()) {
      out.push_back({a[i].dtype, Shape::unknown_rank()});
      continue;
    }
    Shape s;
    for (int d = 0; d < a[i].shape.rank(); ++d)
      s.push_back(a[i].shape[d] == b[i].shape[d] ? a[i].shape[d] : Dim::unknown());
    out.push_back({a[i].dtype, s});
  }
  return out;
}

}  // namespace

void run_functions_eagerly(bool on) {
  eagerly = on;
}
bool functions_run_eagerly() {
  return eagerly;
}
bool executing_eagerly() {
  return !dispatch::current_handler().is_tracing();
}

class InitScope::Impl {
 public:
  dispatch::HandlerScope scope{dispatch::default_handler()};
  dispatch::PauseRecording pause;
};
InitScope::InitScope() : impl_(new Impl) {}
InitScope::~InitScope() {
  delete impl_;
}

class FunctionCore::Impl {
 public:
  explicit Impl(FunctionOptions options) : options_(std::move(options)) {
    flow::install_runner();
    for (const TensorSpec& s : options_.input_signature)
      declared_.push_back({s.dtype, s.shape});
  }

  FlatResult call(std::span<const Tensor> arguments,
                  std::string_view key,
                  const Body& body,
                  Where where) {
    check_defined(arguments, where);
    if (eagerly.load(std::memory_order_relaxed)) {
      check_declared(arguments, where);
      return body.run(body.context, arguments);
    }
    const std::shared_ptr<graph::Builder> outer = graph::builder_for(arguments);
    const std::shared_ptr<const tracing::Ready> ready =
        outer ? nullptr : ready_.find(arguments, key);
    if (ready && dispatch::active_recorders().empty())
      return {ready->executable->run(arguments), ready->trace->lengths(), ready->trace->plain()};
    // The callable may run now, and let go of what the caller has passed.
    const std::vector<Tensor> kept(arguments.begin(), arguments.end());
    check_declared(kept, where);
    if (outer) return call_nested(kept, key, body, where, outer);
    return find_and_run(ready, kept, key, body, where);
  }

  std::shared_ptr<Trace> concrete(const std::vector<TensorSpec>& specs,
                                  std::string_view key,
                                  const Body& body,
                                  Where where) {
    Signature signature{{}, std::string(key)};
    for (const TensorSpec& s : specs) {
      signature.specs.push_back({s.dtype, s.shape});
      signature.names.push_back(s.name);
    }
    const tracing::Turn turn(turn_);
    if (auto found = find_same(signature)) return found;
    return trace(std::move(signature), body, where, nullptr, true);
  }

  FunctionStats stats() const {
    std::lock_guard lock(mutex_);
    FunctionStats s;
    s.calls = ready_.calls();
    s.traces = traced_;
    s.cached_traces = traces_.size();
    for (const auto& t : traces_)
      s.cached_plans += t->plans();
    return s;
  }
  std::string explain_retrace() const {
    std::lock_guard lock(mutex_);
    return retrace_reason_;
  }
  const std::string& name() const { return options_.name; }

 private:
  void check_defined(std::span<const Tensor> arguments, Where where) const {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!arguments[i].defined())
        fail("function '" + options_.name + "': argument " + std::to_string(i) +
                 " is an undefined tensor",
             where,
             "",
             "a tensor");
    }
  }
  void check_declared(std::span<const Tensor> arguments, Where where) const {
    if (declared_.empty()) return;
    bool ok = arguments.size() == declared_.size();
    for (std::size_t i = 0; ok && i < declared_.size(); ++i)
      ok = tracing::fits(arguments[i], declared_[i]);
    if (ok) return;
    std::vector<Spec> got;
    for (const Tensor& t : arguments)
      got.push_back({t.dtype(), t.shape()});
    fail("function '" + options_.name + "': arguments do not fit its input_signature",
         where,
         describe(got),
         describe(declared_));
  }

  static std::vector<Tensor> run(const std::shared_ptr<Trace>& trace,
                                 std::span<const Tensor> arguments,
                                 Where where) {
    if (!dispatch::active_recorders().empty())
      return tracing::call_recorded(trace, arguments, where);
    return trace->plan(arguments)->run(arguments);
  }

  FlatResult find_and_run(const std::shared_ptr<const tracing::Ready>& ready,
                          std::span<const Tensor> arguments,
                          std::string_view key,
                          const Body& body,
                          Where where) {
    const bool recorded = !dispatch::active_recorders().empty();
    const std::shared_ptr<Trace> trace =
        ready ? ready->trace : find_or_trace(arguments, key, body, where);
    if (!ready && !recorded) ready_.add(trace, arguments);
    return {run(trace, arguments, where), trace->lengths(), trace->plain()};
  }

  /// Inside another trace: a call node, or the body's nodes if a tape must see them.
  FlatResult call_nested(std::span<const Tensor> arguments,
                         std::string_view key,
                         const Body& body,
                         Where where,
                         const std::shared_ptr<graph::Builder>& outer) {
    dispatch::HandlerScope scope(*outer);
    const std::shared_ptr<Trace> trace = find_or_trace(arguments, key, body, where, outer);
    return {tracing::call_in(*outer, *trace, arguments, where), trace->lengths(), trace->plain()};
  }

  std::shared_ptr<Trace> find_or_trace(std::span<const Tensor> arguments,
                                       std::string_view key,
                                       const Body& body,
                                       Where where,
                                       const std::shared_ptr<graph::Builder>& outer = nullptr) {
    if (auto t = find(arguments, key)) return t;
    const tracing::Turn turn(turn_);
    if (auto t = find(arguments, key)) return t;
    Signature signature{{}, std::string(key)};
    for (const Tensor& t : arguments)
      signature.specs.push_back({t.dtype(), t.shape()});
    return trace(widen(std::move(signature)), body, where, outer, false);
  }

  std::shared_ptr<Trace> find(std::span<const Tensor> arguments, std::string_view key) {
    std::lock_guard lock(mutex_);
    for (auto it = traces_.begin(); it != traces_.end(); ++it) {
      if (!(*it)->accepts(arguments, key)) continue;
      if (it != traces_.begin()) traces_.splice(traces_.begin(), traces_, it);
      return traces_.front();
    }
    return nullptr;
  }
  std::shared_ptr<Trace> find_same(const Signature& s) {
    std::lock_guard lock(mutex_);
    for (const auto& t : traces_) {
      if (differences(t->signature(), s) == 0) return t;
    }
    return nullptr;
  }

  /// The signature to trace: the declared one, or one with unknown dimensions where calls have
  /// differed.
  Signature widen(Signature s) const {
    if (!declared_.empty()) s.specs = declared_;
    if (!declared_.empty() || !options_.reduce_retracing) return s;
    std::lock_guard lock(mutex_);
    for (const auto& t : traces_) {
      if (t->signature().key != s.key) continue;
      std::vector<Spec> wide = relax(t->signature().specs, s.specs);
      if (!wide.empty()) s.specs = std::move(wide);
    }
    return s;
  }

  std::shared_ptr<Trace> trace(Signature signature,
                               const Body& body,
                               Where where,
                               const std::shared_ptr<graph::Builder>& outer,
                               bool ahead) {
    const Tracing tracing(*this, signature, where);
    const profile::Span span(profile::Category::trace, options_.name);
    const std::string reason = explain(signature, ahead);
    auto builder = graph::Builder::create(options_.name, outer);
    FlatResult result = run_body(*builder, signature, body, where);
    auto t = std::make_shared<Trace>(std::move(signature),
                                     builder->finish(result.tensors),
                                     builder->captures(),
                                     std::move(result.lengths),
                                     options_,
                                     std::move(result.plain));
    std::lock_guard lock(mutex_);
    ++traced_;
    retrace_reason_ = reason;
    if (!t->captures().empty()) return t;  // it belongs to the enclosing trace
    keep(t);
    return t;
  }

  /// Needs the lock. Traces whose plans were called since the last one was made come before others.
  void keep(const std::shared_ptr<Trace>& t) {
    std::list<std::shared_ptr<Trace>> used;
    for (auto it = traces_.begin(); it != traces_.end();) {
      const auto now = it++;
      if ((*now)->take_used()) used.splice(used.end(), traces_, now);
    }
    traces_.splice(traces_.begin(), used);
    traces_.push_front(t);
    if (traces_.size() <= std::max<std::size_t>(options_.max_traces, 1)) return;
    traces_.pop_back();
    ready_.clear();
  }

  FlatResult run_body(graph::Builder& builder,
                      const Signature& signature,
                      const Body& body,
                      Where where) const {
    std::vector<Tensor> arguments;
    for (std::size_t i = 0; i < signature.specs.size(); ++i)
      arguments.push_back(builder.input(argument(signature, i)));
    dispatch::HandlerScope scope(builder);
    dispatch::PauseRecording pause;
    std::optional<dispatch::ForbidVariables> forbid;
    if (traced_ > 0) forbid.emplace(options_.name.c_str());
    try {
      FlatResult result = body.run(body.context, arguments);
      for (const Tensor& t : result.tensors) {
        if (!t.defined())
          fail("function '" + options_.name + "' returned an undefined tensor",
               where,
               "",
               "a tensor");
      }
      return result;
    } catch (const Error& e) {
      tracing::rethrow_with(e, "while tracing '" + options_.name + "'");
    }
  }

  TensorSpec argument(const Signature& signature, std::size_t i) const {
    Shape shape = signature.specs[i].shape;
    for (int d = 0; d < shape.rank(); ++d) {
      if (!shape[d].known() && !shape[d].is_symbol()) shape[d] = Dim::fresh_symbol();
    }
    std::string name = "arg" + std::to_string(i);
    if (i < options_.input_signature.size() && !options_.input_signature[i].name.empty())
      name = options_.input_signature[i].name;
    if (i < signature.names.size() && !signature.names[i].empty()) name = signature.names[i];
    return {shape, signature.specs[i].dtype, name};
  }

  std::string explain(const Signature& now, bool ahead) const {
    std::lock_guard lock(mutex_);
    if (ahead) return "'" + options_.name + "' was traced by get_concrete_function";
    if (traces_.empty()) return "'" + options_.name + "' was traced for the first time";
    const Signature* nearest = nullptr;
    for (const auto& t : traces_) {
      if (!nearest || differences(now, t->signature()) < differences(now, *nearest))
        nearest = &t->signature();
    }
    return "'" + options_.name + "' was traced again: " + difference(now, *nearest);
  }

  /// A trace of this thread, while it lasts. Error: the same function and signature are being
  /// traced already, or too many are.
  class Tracing {
   public:
    Tracing(const Impl& function, const Signature& signature, Where where) : outer_(innermost) {
      const auto refuse = [&](std::string what, std::string got) {
        throw Error({Code::unimplemented,
                     "recursion: function '" + function.name() + "' " + what,
                     to_string(where),
                     std::move(got),
                     "a recursion that ends while it is traced",
                     "stop on a host value that is an argument; on tensors use weir::while_loop"});
      };
      int depth = 0;
      for (const Tracing* t = outer_; t; t = t->outer_, ++depth) {
        if (t->function_ == &function && differences(t->signature_, signature) == 0)
          refuse("calls itself with the same signature", describe(signature.specs));
      }
      if (depth >= kDeepest) refuse("is traced inside too many others", std::to_string(depth));
      function_ = &function;
      signature_ = signature;
      innermost = this;
    }
    ~Tracing() { innermost = outer_; }
    Tracing(const Tracing&) = delete;
    Tracing& operator=(const Tracing&) = delete;

   private:
    static constexpr int kDeepest = 64;
    static thread_local const Tracing* innermost;
    const Tracing* outer_;
    const Impl* function_ = nullptr;
    Signature signature_;
  };

  FunctionOptions options_;
  std::vector<Spec> declared_;
  tracing::TurnOwner turn_;                   // whose body runs
  mutable std::mutex mutex_;                  // of what follows
  std::list<std::shared_ptr<Trace>> traces_;  // most recently used first
  std::atomic<std::size_t> traced_{0};
  tracing::ReadyPlans ready_;
  std::string retrace_reason_ = "not traced yet";
};

thread_local const FunctionCore::Impl::Tracing* FunctionCore::Impl::Tracing::innermost = nullptr;

FunctionCore::FunctionCore(FunctionOptions options)
    : impl_(std::make_shared<Impl>(std::move(options))) {}

FlatResult FunctionCore::call(std::span<const Tensor* const> arguments,
                              std::string_view key,
                              const Body& body,
                              Where where) const {
  return impl_->call(tracing::BorrowedTensors(arguments).all(), key, body, where);
}
ConcreteFunction FunctionCore::concrete(const std::vector<TensorSpec>& arguments,
                                        std::string_view key,
                                        const Body& body,
                                        Where where) const {
  return ConcreteFunction(
      std::make_shared<ConcreteFunction::Impl>(impl_->concrete(arguments, key, body, where)));
}
FunctionStats FunctionCore::stats() const {
  return impl_->stats();
}
std::string FunctionCore::explain_retrace() const {
  return impl_->explain_retrace();
}
const std::string& FunctionCore::name() const {
  return impl_->name();
}

}  // namespace weir::inline v0
