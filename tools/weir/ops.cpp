#include <cctype>
#include <cstdio>
#include <memory>

#include "dispatch/registry.h"
#include "verb.h"

namespace weir::cli {
namespace {

void list_ops() {
  const auto ops = dispatch::all_ops();
  for (const OpDef* op : ops)
    std::printf(
        "%-34s %-30s %s\n", op->name().c_str(), op->api_name().c_str(), op->family().c_str());
  std::printf("%zu ops\n", ops.size());
}

/// MatMul, mat_mul and matmul are one name.
std::string folded(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c != '_') text += char(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

void show_op(const std::string& wanted) {
  for (const OpDef* op : dispatch::all_ops()) {
    if (folded(op->name()) != folded(wanted) && folded(op->api_name()) != folded(wanted)) continue;
    std::printf("%s: weir::%s, <weir/ops/%s.h>\n%s\n",
                op->name().c_str(),
                op->api_name().c_str(),
                op->family().c_str(),
                op->doc_text().c_str());
    for (const OperandDef& d : op->input_defs())
      std::printf("  input     %s\n", d.name.c_str());
    for (const AttrDef& a : op->attrs())
      std::printf("  attribute %s\n", a.name.c_str());
    for (const OperandDef& d : op->output_defs())
      std::printf("  output    %s\n", d.name.c_str());
    std::printf("  gradient  %s\n", op->gradient_fn() ? "yes" : "no");
    return;
  }
  dispatch::require_op(wanted, {});
}

}  // namespace

void add_ops(CLI::App& app) {
  auto* verb = app.add_subcommand("ops", "The ops, or one of them by its TensorFlow or C++ name");
  auto name = std::make_shared<std::string>();
  verb->add_option("name", *name, "an op");
  verb->callback([name] { name->empty() ? list_ops() : show_op(*name); });
}

}  // namespace weir::cli
