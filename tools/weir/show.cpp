#include <weir/saved_model.h>

#include <cstdio>
#include <memory>

#include "verb.h"

namespace weir::cli {
namespace {

struct ShowOptions {
  std::string model;
  std::string signature;
  bool nodes = false, passes = false, plan = false, dot = false, optimised = false;
};

void print_specs(const char* label, const std::vector<TensorSpec>& specs) {
  for (const TensorSpec& s : specs)
    std::printf(
        "  %-7s %-24s %s%s\n", label, s.name.c_str(), name(s.dtype), s.shape.to_string().c_str());
}

void show_signature(const LoadedSignature& s, const ShowOptions& o) {
  const ConcreteFunction& f = s.function();
  if (o.dot) {
    std::printf("%s", f.to_dot(o.optimised).c_str());
    return;
  }
  std::printf("signature '%s': %zu nodes, %zu after optimisation\n",
              s.name().c_str(),
              f.nodes_traced(),
              f.nodes_optimised());
  print_specs("input", s.inputs());
  print_specs("output", s.outputs());
  if (o.nodes) std::printf("\n%s", (o.optimised ? f.optimised_text() : f.graph_text()).c_str());
  if (o.passes) std::printf("\n%s", f.pass_report().c_str());
  if (o.plan) std::printf("\n%s", f.plan_text().c_str());
}

void show(const ShowOptions& o) {
  const SavedModel model = load_model(o.model);
  if (!o.signature.empty()) return show_signature(model.signature(o.signature), o);
  for (const LoadedSignature& s : model.signatures())
    show_signature(s, o);
}

}  // namespace

void add_show(CLI::App& app) {
  auto* verb =
      app.add_subcommand("show", "Signatures, nodes, passes, plan or a picture of a saved model");
  auto o = std::make_shared<ShowOptions>();
  verb->add_option("model", o->model, "a SavedModel directory")->required();
  verb->add_option("--signature", o->signature, "only this one");
  verb->add_flag("--nodes", o->nodes, "one node a line");
  verb->add_flag("--optimised", o->optimised, "the graph after the passes, with --nodes and --dot");
  verb->add_flag("--passes", o->passes, "what each pass did");
  verb->add_flag("--plan", o->plan, "steps, kernels and memory");
  verb->add_flag("--dot", o->dot, "Graphviz, for `dot -Tsvg`");
  verb->callback([o] { show(*o); });
}

}  // namespace weir::cli
