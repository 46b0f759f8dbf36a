#include <weir/onnx.h>
#include <weir/saved_model.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>

#include "verb.h"

namespace weir::cli {
namespace {

struct ShowOptions {
  std::string model;
  std::string signature;
  std::vector<std::string> shapes;  // NAME=2,3
  bool nodes = false, passes = false, plan = false, dot = false, optimised = false;
};

void print_specs(const char* label, const std::vector<TensorSpec>& specs) {
  for (const TensorSpec& s : specs)
    std::printf(
        "  %-7s %-24s %s%s\n", label, s.name.c_str(), name(s.dtype), s.shape.to_string().c_str());
}

[[noreturn]] void refuse(const std::string& argument) {
  throw CLI::ValidationError("--shape", "'" + argument + "' is not NAME=NUMBER,NUMBER...");
}

std::vector<std::int64_t> parse_dims(const std::string& argument, std::string_view list) {
  std::vector<std::int64_t> dims;
  while (!list.empty()) {
    std::int64_t d = -1;
    const auto [end, error] = std::from_chars(list.data(), list.data() + list.size(), d);
    list.remove_prefix(std::size_t(end - list.data()));
    if (error != std::errc() || d < 0 || (!list.empty() && list.front() != ',')) refuse(argument);
    dims.push_back(d);
    if (!list.empty()) list.remove_prefix(1);
  }
  return dims;
}

/// The function for the shapes that the options give, the model's own for the other inputs.
ConcreteFunction with_shapes(const auto& s, const std::vector<std::string>& arguments) {
  std::vector<Shape> shapes;
  for (const TensorSpec& spec : s.inputs())
    shapes.push_back(spec.shape);
  for (const std::string& a : arguments) {
    const std::size_t equals = a.find('=');
    if (equals == std::string::npos) refuse(a);
    const auto input = std::find_if(s.inputs().begin(), s.inputs().end(), [&](const auto& spec) {
      return spec.name == a.substr(0, equals);
    });
    if (input == s.inputs().end())
      throw Error({Code::not_found, "--shape: no input of this name", {}, a, {}, {}});
    shapes[std::size_t(input - s.inputs().begin())] =
        Shape(parse_dims(a, std::string_view(a).substr(equals + 1)));
  }
  return s.function().for_shapes(shapes);
}

/// Of a signature of a SavedModel, or of an ONNX model.
void show_signature(const auto& s, const ShowOptions& o) {
  const ConcreteFunction f = o.shapes.empty() ? s.function() : with_shapes(s, o.shapes);
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
  if (is_onnx(o.model)) return show_signature(onnx::load(o.model), o);
  const SavedModel model = saved_model::load(o.model);
  if (!o.signature.empty()) return show_signature(model.signatures[o.signature], o);
  for (const LoadedSignature& s : model.signatures)
    show_signature(s, o);
}

}  // namespace

void add_show(CLI::App& app) {
  auto* verb =
      app.add_subcommand("show", "Signatures, nodes, passes, plan or a picture of a saved model");
  auto o = std::make_shared<ShowOptions>();
  verb->add_option("model", o->model, "a SavedModel directory or an .onnx file")->required();
  verb->add_option("--signature", o->signature, "only this one");
  verb->add_option(
      "--shape", o->shapes, "NAME=NUMBER,NUMBER...: passes and plan for an input of this shape");
  verb->add_flag("--nodes", o->nodes, "one node a line");
  verb->add_flag("--optimised", o->optimised, "the graph after the passes, with --nodes and --dot");
  verb->add_flag("--passes", o->passes, "what each pass did");
  verb->add_flag("--plan", o->plan, "steps, kernels and memory");
  verb->add_flag("--dot", o->dot, "Graphviz, for `dot -Tsvg`");
  verb->callback([o] { show(*o); });
}

}  // namespace weir::cli
