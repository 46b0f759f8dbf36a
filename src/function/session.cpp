#include <weir/graph.h>

#include <algorithm>
#include <charconv>
#include <list>
#include <mutex>

#include "flow/runner.h"
#include "function/graph_impl.h"
#include "function/subgraph.h"
#include "function/trace.h"
#include "graph/builder.h"

namespace weir::inline v0 {

class Graph::Scope::Impl {
 public:
  explicit Impl(graph::Builder& builder) : scope(builder) {}
  dispatch::HandlerScope scope;
};

namespace {

using graph::Ref;
using Where = std::source_location;

[[noreturn]] void fail(Code code,
                       std::string what,
                       Where where,
                       std::string got,
                       std::string expected,
                       std::string fix = {}) {
  throw Error({code,
               std::move(what),
               to_string(where),
               std::move(got),
               std::move(expected),
               std::move(fix)});
}

std::string nearest_names(const graph::Graph& g, std::string_view wanted) {
  std::string list;
  int found = 0;
  for (const graph::Node& n : g.nodes()) {
    const bool similar =
        n.name.find(wanted) != std::string::npos || wanted.find(n.name) != std::string_view::npos;
    if (similar && found++ < 5) list += (list.empty() ? "" : ", ") + n.name;
  }
  return list;
}

/// -1 if `text` is no number of an output.
int parse_number(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

}  // namespace

Graph::Graph(std::string name) : impl_(std::make_shared<Impl>(std::move(name))) {}

Tensor Graph::placeholder(DType dtype, const Shape& shape, std::string name) {
  if (!is_valid(dtype))
    fail(Code::invalid_argument,
         "placeholder: not a dtype",
         {},
         std::to_string(int(dtype)),
         "a dtype");
  return impl_->builder->input({shape, dtype, std::move(name)});
}

Tensor Graph::constant(const Tensor& value, std::string name) {
  if (!value.defined() || value.is_symbolic())
    fail(Code::invalid_argument, "Graph::constant", {}, value.describe(), "a tensor with a value");
  return impl_->builder->constant(value, std::move(name));
}

Tensor Graph::tensor(std::string_view name) const {
  const graph::Graph& g = impl_->builder->graph();
  const std::size_t colon = name.rfind(':');
  const std::string node(name.substr(0, colon));
  const int output = colon == std::string_view::npos ? 0 : parse_number(name.substr(colon + 1));
  const int i = g.find(node);
  if (i < 0 || output < 0 || output >= int(g.node(i).outputs.size()))
    fail(Code::not_found,
         "Graph::tensor: no tensor of this name",
         {},
         std::string(name),
         nearest_names(g, node));
  return impl_->builder->tensor({i, output});
}

Graph::Scope::Scope(const Graph& graph) : impl_(new Impl(*graph.impl()->builder)) {}
Graph::Scope::~Scope() {
  delete impl_;
}

std::size_t Graph::size() const {
  return impl_->builder->graph().size();
}
std::string Graph::to_string() const {
  return graph::print(impl_->builder->graph());
}
std::string Graph::to_dot() const {
  return graph::to_dot(impl_->builder->graph());
}

class Session::Impl {
 public:
  explicit Impl(const Graph& graph) : builder_(graph.impl()->builder) {}

  std::vector<Tensor> run(const Feeds& feeds, const std::vector<Tensor>& fetches, Where where) {
    std::vector<Tensor> values;
    Key key;
    for (const auto& [tensor, value] : feeds) {
      key.feeds.push_back(ref(tensor, "feed", where));
      check_feed(tensor, value, where);
      values.push_back(value);
    }
    for (const Tensor& t : fetches)
      key.fetches.push_back(ref(t, "fetch", where));
    return trace(key, where)->plan(values)->run(values);
  }

 private:
  struct Key {
    std::vector<Ref> feeds, fetches;
    auto ints() const {
      std::vector<std::int32_t> list{std::int32_t(feeds.size())};
      for (Ref r : feeds)
        list.insert(list.end(), {r.node, r.output});
      for (Ref r : fetches)
        list.insert(list.end(), {r.node, r.output});
      return list;
    }
  };

  Ref ref(const Tensor& t, const char* role, Where where) const {
    const bool ours = t.is_symbolic() && t.impl()->source().get() ==
                                             static_cast<tensor::SymbolSource*>(builder_.get());
    if (!ours)
      fail(Code::invalid_argument,
           std::string("Session::run: a ") + role + " is no tensor of the session's graph",
           where,
           t.describe() + (t.is_symbolic() ? " of another graph" : " with a value"),
           "a tensor of graph '" + builder_->graph().name() + "'");
    return {t.impl()->node(), t.impl()->output()};
  }

  void check_feed(const Tensor& tensor, const Tensor& value, Where where) const {
    const Spec spec{tensor.dtype(), tensor.shape()};
    if (value.defined() && !value.is_symbolic() && tracing::fits(value, spec)) return;
    fail(Code::invalid_argument,
         "Session::run: cannot feed '" + builder_->graph().node(tensor.impl()->node()).name + "'",
         where,
         value.describe(),
         spec.describe());
  }

  using TracePtr = std::shared_ptr<tracing::Trace>;

  /// The trace that was used longest ago makes room for a new one.
  TracePtr trace(const Key& key, Where where) {
    std::lock_guard lock(mutex_);
    const std::vector<std::int32_t> ints = key.ints();
    const auto known = std::find_if(
        traces_.begin(), traces_.end(), [&](const auto& t) { return t.first == ints; });
    if (known != traces_.end()) {
      traces_.splice(traces_.begin(), traces_, known);
      return traces_.front().second;
    }
    TracePtr made = make_trace(key, where);
    traces_.emplace_front(ints, made);
    if (traces_.size() > FunctionOptions{}.max_traces) traces_.pop_back();
    return made;
  }

  TracePtr make_trace(const Key& key, Where where) const {
    const graph::Graph& g = builder_->graph();
    tracing::Subgraph part = tracing::extract(g, key.feeds, key.fetches);
    if (!part.missing.empty()) {
      const int node = g.find(part.missing[0]);
      fail(Code::invalid_argument,
           "You must feed a value for placeholder '" + part.missing[0] + "'",
           where,
           "no feed",
           g.node(node).outputs[0].describe());
    }
    tracing::Signature signature;
    for (Ref r : key.feeds)
      signature.specs.push_back(g.spec(r));
    return std::make_shared<tracing::Trace>(std::move(signature),
                                            std::move(part.graph),
                                            std::vector<Tensor>{},
                                            std::vector<std::size_t>{},
                                            FunctionOptions{});
  }

  std::shared_ptr<graph::Builder> builder_;
  std::mutex mutex_;
  std::list<std::pair<std::vector<std::int32_t>, TracePtr>> traces_;  // most recently used first
};

Session::Session(const Graph& graph) : impl_(std::make_shared<Impl>(graph)) {
  flow::install_runner();
}

std::vector<Tensor> Session::run(const Feeds& feeds,
                                 const std::vector<Tensor>& fetches,
                                 Where where) const {
  return impl_->run(feeds, fetches, where);
}
Tensor Session::run(const Feeds& feeds, const Tensor& fetch, Where where) const {
  return impl_->run(feeds, {fetch}, where)[0];
}

}  // namespace weir::inline v0
