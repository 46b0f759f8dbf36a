/// Writes the C++ API, one header per family, the table of built-in ops and the op reference from
/// the schema parts of the op definitions. What it writes declares and forwards; it decides
/// nothing.
///
///   opgen OUTPUT_DIR

#include <weir/op_def.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "op_schemas.inc"  // the op files, schema parts only, and `kSchemas`

namespace {

using weir::AttrDef;
using weir::OpDef;
using Kind = weir::rt::Attr::Kind;

struct Entry {
  int index;
  std::string symbol;
  OpDef op;
};

std::string number(double v) {
  std::ostringstream s;
  s.precision(17);
  s << v;
  return s.str();
}

std::string list(const std::vector<std::int64_t>& values) {
  std::string s = "{";
  for (auto v : values)
    s += (s.size() > 1 ? ", " : "") + std::to_string(v);
  return s + "}";
}

std::string cpp_type(const AttrDef& a) {
  switch (a.kind) {
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "std::int64_t";
    case Kind::real:
      return "double";
    case Kind::dtype:
      return "DType";
    case Kind::string:
      return "std::string_view";
    default:
      return "const Ints&";
  }
}

std::string cpp_dtype(weir::DType t) {
  return t == weir::DType::boolean ? "boolean" : weir::name(t);
}

std::string default_text(const AttrDef& a) {
  const auto& d = a.default_value;
  switch (a.kind) {
    case Kind::boolean:
      return d.b ? "true" : "false";
    case Kind::integer:
      return std::to_string(d.i);
    case Kind::real:
      return number(d.f);
    case Kind::dtype:
      return "DType::" + cpp_dtype(d.t);
    case Kind::string:
      return "\"" + a.default_string + "\"";
    default:
      return a.is_operand && a.default_ints.empty()
                 ? "{}"
                 : "Ints(std::initializer_list<std::int64_t>" + list(a.default_ints) + ")";
  }
}

/// Parameters may have defaults only where all later ones have them.
std::size_t first_defaulted(const OpDef& op) {
  std::size_t first = op.params().size();
  while (first > 0) {
    const auto& p = op.params()[first - 1];
    if (!p.is_attr || !op.attrs()[std::size_t(p.index)].has_default) break;
    --first;
  }
  return first;
}

std::string parameter(const OpDef& op, std::size_t i, bool with_default) {
  const auto& p = op.params()[i];
  if (!p.is_attr) {
    const auto& def = op.input_defs()[std::size_t(p.index)];
    return (def.variadic ? "OperandList " : "Operand ") + def.name;
  }
  const AttrDef& a = op.attrs()[std::size_t(p.index)];
  return cpp_type(a) + " " + a.name + (with_default ? " = " + default_text(a) : "");
}

std::string parameters(const OpDef& op, bool with_defaults) {
  std::string s;
  const std::size_t first = first_defaulted(op);
  for (std::size_t i = 0; i < op.params().size(); ++i)
    s += (i ? ", " : "") + parameter(op, i, with_defaults && i >= first);
  return s;
}

std::string camel(const std::string& snake) {
  std::string s;
  bool upper = true;
  for (char c : snake) {
    if (c != '_') s += upper ? char(std::toupper(c)) : c;
    upper = c == '_';
  }
  return s;
}

bool returns_list(const OpDef& op) {
  return op.output_defs().size() == 1 && op.output_defs()[0].variadic;
}
bool returns_struct(const OpDef& op) {
  return op.output_defs().size() > 1;
}

std::string result_type(const OpDef& op) {
  if (returns_list(op)) return "std::vector<Tensor>";
  return returns_struct(op) ? camel(op.api_name()) + "Result" : "Tensor";
}

std::string dtype_text(const OpDef& op, const weir::OperandDef& o) {
  return o.type >= 0 ? op.types()[std::size_t(o.type)].name : weir::name(o.dtype);
}

std::string set_text(weir::DTypeSet set) {
  if (set == weir::kAnyType) return "any dtype";
  if (set == weir::kPlain) return "any number or bool";
  if (set == weir::kNumeric) return "any number";
  if (set == weir::kReal) return "any real number";
  if (set == weir::kFloating) return "any floating dtype";
  std::string s;
  for (int i = 1; i < 32; ++i) {
    const auto t = weir::DType(i);
    if (weir::is_valid(t) && set.contains(t))
      s += (s.empty() ? "" : ", ") + std::string(weir::name(t));
  }
  return s;
}

std::string dtypes_line(const OpDef& op) {
  std::string s;
  for (const auto& t : op.types())
    s += (s.empty() ? "" : "; ") + t.name + ": " + set_text(t.allowed);
  return s;
}

void write_doc(std::ostream& os, const OpDef& op) {
  std::istringstream lines(op.doc_text());
  for (std::string line; std::getline(lines, line);)
    os << "/// " << line << "\n";
  std::string operands;
  for (const auto& o : op.input_defs())
    operands += (operands.empty() ? "" : ", ") + o.name + " " + dtype_text(op, o);
  std::string results;
  for (const auto& o : op.output_defs())
    results += (results.empty() ? "" : ", ") + o.name + " " + dtype_text(op, o);
  os << "/// " << op.name() << ": " << operands << " -> " << results << ".\n";
  if (!op.types().empty()) os << "/// Dtypes: " << dtypes_line(op) << ".\n";
}

void declare(std::ostream& os, const OpDef& op) {
  if (returns_struct(op)) {
    os << "struct " << result_type(op) << " {\n";
    for (const auto& o : op.output_defs())
      os << "  Tensor " << o.name << ";\n";
    os << "};\n";
  }
  write_doc(os, op);
  os << result_type(op) << " " << op.api_name() << "(" << parameters(op, true) << ");\n\n";
}

std::string forward_operand(const OpDef& op) {
  std::string s;
  for (const auto& o : op.input_defs())
    s += (o.variadic ? ".operands(" : ".operand(") + o.name + ")";
  return s;
}

std::string forward_attr(const AttrDef& a) {
  switch (a.kind) {
    case Kind::boolean:
      return ".attr(rt::Attr::boolean(" + a.name + "))";
    case Kind::integer:
      return ".attr(rt::Attr::integer(" + a.name + "))";
    case Kind::real:
      return ".attr(rt::Attr::real(" + a.name + "))";
    case Kind::dtype:
      return ".attr(rt::Attr::dtype(" + a.name + "))";
    case Kind::string:
      return ".string(" + a.name + ")";
    default:
      return ".ints(" + a.name + ")";
  }
}

/// Operands and one result: nothing to collect.
bool is_plain(const OpDef& op) {
  return op.attrs().empty() && !op.variadic() && !op.input_defs().empty() && !returns_struct(op) &&
         !returns_list(op);
}

void define_plain(std::ostream& os, const Entry& e) {
  os << "  const Operand operands[] = {";
  for (const auto& o : e.op.input_defs())
    os << (&o == &e.op.input_defs()[0] ? "" : ", ") << o.name;
  os << "};\n  return dispatch::call1(dispatch::builtin_op(" << e.index
     << "), operands, {});\n}\n\n";
}

void define(std::ostream& os, const Entry& e) {
  const OpDef& op = e.op;
  os << result_type(op) << " " << op.api_name() << "(" << parameters(op, false) << ") {\n";
  if (is_plain(op)) return define_plain(os, e);
  os << "  dispatch::CallBuilder call(dispatch::builtin_op(" << e.index << "));\n  call"
     << forward_operand(op);
  for (const AttrDef& a : op.attrs())
    os << forward_attr(a);
  os << ";\n";
  if (returns_struct(op)) {
    const std::size_t n = op.output_defs().size();
    os << "  Tensor results[" << n << "];\n  call.into(results);\n  return {";
    for (std::size_t i = 0; i < n; ++i)
      os << (i ? ", " : "") << "std::move(results[" << i << "])";
    os << "};\n}\n\n";
  } else {
    os << "  return call." << (returns_list(op) ? "many" : "one") << "();\n}\n\n";
  }
}

/// Rewrites a file only when its text changes, so that nothing is compiled in vain.
void write_if_changed(const std::filesystem::path& path, const std::string& text) {
  std::ifstream old(path);
  std::stringstream buffer;
  buffer << old.rdbuf();
  if (old && buffer.str() == text) return;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

using Families = std::map<std::string, std::vector<const Entry*>>;

void write_family(const std::filesystem::path& out,
                  const std::string& family,
                  const std::vector<const Entry*>& ops) {
  std::ostringstream h, cpp;
  h << "/// Ops of the family `" << family
    << "`. Generated from src/ops; do not edit.\n#pragma once\n\n"
    << "#include <weir/operand.h>\n\n#include <string_view>\n#include <vector>\n\nnamespace "
       "weir::inline v0 {\n\n";
  cpp << "// Generated from src/ops; do not edit.\n#include <weir/ops/" << family << ".h>\n\n"
      << "#include \"dispatch/call.h\"\n#include \"dispatch/registry.h\"\n\nnamespace weir::inline "
         "v0 {\n\n";
  for (const Entry* e : ops) {
    declare(h, e->op);
    define(cpp, *e);
  }
  h << "}  // namespace weir::inline v0\n";
  cpp << "}  // namespace weir::inline v0\n";
  write_if_changed(out / "include/weir/ops" / (family + ".h"), h.str());
  write_if_changed(out / "ops_api" / (family + ".cpp"), cpp.str());
}

void write_umbrella(const std::filesystem::path& out, const Families& families) {
  std::ostringstream h;
  h << "/// All ops. Generated from src/ops; do not edit.\n#pragma once\n\n";
  for (const auto& [family, ops] : families)
    h << "#include <weir/ops/" << family << ".h>\n";
  write_if_changed(out / "include/weir/ops.h", h.str());
}

/// The numbers of the entries in the order of their registry names.
std::vector<int> by_name(const std::vector<Entry>& entries) {
  std::vector<int> order;
  for (const Entry& e : entries)
    order.push_back(e.index);
  const auto name = [&](int i) -> const std::string& { return entries[std::size_t(i)].op.name(); };
  std::sort(order.begin(), order.end(), [&](int a, int b) { return name(a) < name(b); });
  return order;
}

void write_table(const std::filesystem::path& out, const std::vector<Entry>& entries) {
  std::ostringstream s;
  s << "// Generated from src/ops/ops.list; do not edit.\n#include "
       "\"dispatch/registry.h\"\n\nnamespace weir::ops {\n\n";
  for (const Entry& e : entries)
    s << "OpDef define_" << e.symbol << "();\nvoid implement_" << e.symbol << "(OpDef&);\n";
  s << "\n}  // namespace weir::ops\n\nnamespace weir::dispatch {\nnamespace {\n\n"
    << "constexpr BuiltinOp kBuiltins[] = {\n";
  for (const Entry& e : entries)
    s << "    {\"" << e.op.name() << "\", ops::define_" << e.symbol << ", ops::implement_"
      << e.symbol << "},\n";
  s << "};\n\nconstexpr int kByName[] = {\n";
  for (const int i : by_name(entries))
    s << "    " << i << ",\n";
  s << "};\n\n}  // namespace\n\nBuiltinOps builtin_ops() {\n  return {kBuiltins, "
       "kByName};\n}\n\n}  // "
       "namespace weir::dispatch\n";
  write_if_changed(out / "op_table.cpp", s.str());
}

void write_reference(const std::filesystem::path& out, const Families& families) {
  std::ostringstream md;
  md << "# Ops\n\nGenerated from the definitions in `src/ops`; do not edit. `Operand` is a tensor, "
        "a variable or a\n"
     << "number; `Ints` is a list of integers or an integer tensor.\n";
  for (const auto& [family, ops] : families) {
    md << "\n## " << family << " (`#include <weir/ops/" << family << ".h>`)\n";
    for (const Entry* e : ops) {
      md << "\n### `" << e->op.api_name() << "`\n\n```cpp\n"
         << result_type(e->op) << " " << e->op.api_name() << "(" << parameters(e->op, true)
         << ");\n```\n\n"
         << e->op.doc_text() << "\n\nTensorFlow: `" << e->op.name() << "`.";
      if (!e->op.types().empty()) md << " Dtypes: " << dtypes_line(e->op) << ".";
      md << "\n";
    }
  }
  write_if_changed(out / "ops.md", md.str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: opgen OUTPUT_DIR\n";
    return 2;
  }
  try {
    std::vector<Entry> entries;
    for (const auto& [symbol, define] : kSchemas)
      entries.push_back({int(entries.size()), symbol, define()});
    Families families;
    for (const Entry& e : entries) {
      if (!e.op.api_name().empty()) families[e.op.family()].push_back(&e);
    }
    for (const auto& [family, ops] : families)
      write_family(argv[1], family, ops);
    write_umbrella(argv[1], families);
    write_table(argv[1], entries);
    write_reference(argv[1], families);
  } catch (const std::exception& e) {
    std::cerr << "opgen: " << e.what() << "\n";
    return 1;
  }
}
