#include "passes/pipeline.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <span>
#include <unordered_map>

#include "passes/passes.h"
#include "tensor/profile.h"

namespace weir::passes {
namespace {

/// The passes between inlining and fusion feed each other: they run until a round changes nothing.
/// Each removes nodes or replaces them by cheaper ones, so the rounds end by themselves; two are
/// usual.
constexpr int kMaxRounds = 10;

struct Pass {
  const char* name;
  PassFn run;
};

constexpr Pass kOnce[] = {
    {"inline_calls", inline_calls},
    {"name_dimensions", name_dimensions},
};
constexpr Pass kRepeated[] = {
    {"prune", prune},
    {"drop_arguments", drop_arguments},
    {"materialise_shapes", materialise_shapes},
    {"fold_constants", fold_constants},
    {"apply_rules", apply_rules},
    {"merge_duplicates", merge_duplicates},
};
constexpr Pass kFusion[] = {
    {"fuse_contractions", fuse_contractions},
    {"fuse_elementwise", fuse_elementwise},
};

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

/// The graph, and what has been done to it.
class Optimiser {
 public:
  Optimiser(const Graph& graph, const Options& options, Report* report)
      : given_(graph), options_(options), report_(report) {
    if (report_) report_->before = totals_ = measure(graph);
  }

  /// True if the pass changed the graph.
  bool run(const Pass& pass) {
    PassReport r;
    r.name = pass.name;
    r.disabled = !Context(pass.name, options_, r, nullptr).enabled(pass.name);
    const auto start = std::chrono::steady_clock::now();
    const profile::Span span(profile::Category::pass, pass.name);
    if (!r.disabled) attempt(pass, r);
    r.milliseconds = milliseconds_since(start);
    if (report_) record(std::move(r));
    return r.changed;
  }

  void repeat(std::span<const Pass> passes) {
    bool changed = true;
    for (int round = 0; changed && round < kMaxRounds; ++round) {
      changed = false;
      for (const Pass& pass : passes)
        changed = run(pass) || changed;
    }
  }

  GraphPtr result() {
    if (report_) report_->after = totals_;
    return graph_ ? graph_ : std::make_shared<Graph>(given_);
  }

 private:
  const Graph& now() const { return graph_ ? *graph_ : given_; }

  void attempt(const Pass& pass, PassReport& r) {
    bodies_.clear();
    std::vector<Change> changes;
    try {
      Context context(pass.name, options_, r, report_ ? &changes : nullptr);
      GraphPtr next = apply(pass, now(), context);
      if (!next) return;
      if (options_.verify) graph::verify(*next);
      graph_ = std::move(next);
      r.changed = true;
    } catch (const std::exception& e) {
      r.error = e.what();
      r.did.clear();
    }
    if (r.changed && report_)
      std::move(changes.begin(), changes.end(), std::back_inserter(report_->changes));
  }

  /// The pass on the bodies of control flow, then on the graph that has the new bodies.
  GraphPtr apply(const Pass& pass, const Graph& graph, Context& context) {
    const GraphPtr with_bodies = apply_to_bodies(pass, graph, context);
    GraphPtr next = pass.run(with_bodies ? *with_bodies : graph, context);
    return next ? next : with_bodies;
  }

  GraphPtr apply_to_bodies(const Pass& pass, const Graph& graph, Context& context) {
    GraphPtr copy;
    for (int i = 0; i < int(graph.size()); ++i) {
      const Node& n = graph.node(i);
      if (n.kind == Kind::region) continue;  // optimised when it was made
      for (std::size_t b = 0; b < n.bodies.size(); ++b) {
        const GraphPtr next = apply_to_body(pass, n.bodies[b], context);
        if (!next) continue;
        if (!copy) copy = std::make_shared<Graph>(graph);
        copy->node(i).bodies[b] = next;
      }
    }
    return copy;
  }

  /// A body that several nodes share is worked on once, and stays shared.
  GraphPtr apply_to_body(const Pass& pass, const GraphPtr& body, Context& context) {
    const auto [it, fresh] = bodies_.try_emplace(body.get(), nullptr);
    if (!fresh) return it->second;
    const GraphPtr next = apply(pass, *body, context);
    return bodies_[body.get()] = next;
  }

  void record(PassReport r) {
    r.before = totals_;
    if (r.changed) totals_ = measure(now());
    r.after = totals_;
    report_->passes.push_back(std::move(r));
  }

  const Graph& given_;
  const Options& options_;
  Report* report_;
  GraphPtr graph_;  // null: as given
  Totals totals_;
  std::unordered_map<const Graph*, GraphPtr> bodies_;  // of the running pass
};

void add_names(std::vector<std::string>& names, const char* list) {
  if (!list) return;
  for (std::string_view rest = list; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    if (end > 0) names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace

std::shared_ptr<Graph> optimise(const Graph& graph, const Options& options, Report* report) {
  const auto start = std::chrono::steady_clock::now();
  Options all = options;
  add_names(all.disabled, std::getenv("WEIR_DISABLE_PASSES"));
  Optimiser optimiser(graph, all, report);
  for (const Pass& pass : kOnce)
    optimiser.run(pass);
  optimiser.repeat(kRepeated);
  optimiser.repeat(kFusion);
  if (report) report->milliseconds = milliseconds_since(start);
  return optimiser.result();
}

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const Pass& p : kOnce)
    names.emplace_back(p.name);
  for (const Pass& p : kRepeated)
    names.emplace_back(p.name);
  for (const Pass& p : kFusion)
    names.emplace_back(p.name);
  return names;
}

bool Context::enabled(std::string_view name) const {
  const auto& off = options_.disabled;
  return std::none_of(
      off.begin(), off.end(), [&](const std::string& o) { return o == name || o == "all"; });
}

void Context::made(const Node& node, const char* how) {
  if (!changes_) return;
  Change c{pass_, node.name, {}, std::string(how)};
  const auto it = node.annotations.find("from");
  if (it != node.annotations.end()) {
    std::string_view list = it->second;
    for (std::size_t end; (end = list.find(", ")) != list.npos; list.remove_prefix(end + 2))
      c.from.emplace_back(list.substr(0, end));
    c.from.emplace_back(list);
  }
  changes_->push_back(std::move(c));
}

void Context::removed(const Node& node, std::string_view how, std::string_view by) {
  if (changes_) changes_->push_back({pass_, node.name, {}, std::string(how) + std::string(by)});
}

}  // namespace weir::passes
