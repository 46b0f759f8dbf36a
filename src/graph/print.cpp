#include <unordered_set>

#include "graph/graph.h"

namespace weir::graph {
namespace {

std::string list(const std::int64_t* p, std::uint32_t n) {
  std::string s = "[";
  for (std::uint32_t i = 0; i < n; ++i)
    s += (i ? ", " : "") + std::to_string(p[i]);
  return s + "]";
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", v);
  return text;
}

std::string attr_text(const rt::Attr& a) {
  using Kind = rt::Attr::Kind;
  switch (a.kind) {
    case Kind::none:
      return "none";
    case Kind::integer:
      return std::to_string(a.i);
    case Kind::real:
      return number(a.f);
    case Kind::boolean:
      return a.b ? "true" : "false";
    case Kind::dtype:
      return name(a.t);
    case Kind::ints:
      return list(a.ints, a.count);
    case Kind::reals: {
      std::string s = "[";
      for (std::uint32_t i = 0; i < a.count; ++i)
        s += (i ? ", " : "") + number(a.reals[i]);
      return s + "]";
    }
    case Kind::string:
      return "\"" + std::string(a.s, a.count) + "\"";
    case Kind::operand:
      return "input " + std::to_string(a.i);
  }
  return "?";
}

std::string attrs_text(const Node& n) {
  std::string s;
  for (std::size_t i = 0; i < n.attrs.size(); ++i)
    s += (i ? ", " : "") + n.op->attrs()[i].name + "=" + attr_text(n.attrs[i]);
  return s.empty() ? s : " {" + s + "}";
}

std::string ref_text(const Graph& g, Ref r) {
  std::string s = "%" + std::to_string(r.node);
  return g.node(r.node).outputs.size() > 1 ? s + ":" + std::to_string(r.output) : s;
}

std::string node_text(const Graph& g, int i) {
  const Node& n = g.node(i);
  std::string s = "%" + std::to_string(i) + " " + n.name + " = " + n.type() + "(";
  for (std::size_t k = 0; k < n.inputs.size(); ++k)
    s += (k ? ", " : "") + ref_text(g, n.inputs[k]);
  s += ")" + attrs_text(n);
  if (n.variable) s += " '" + Variable(n.variable).name() + "'";
  if (n.kind == Kind::constant && n.value.size() == 1 && n.value.dtype() != DType::string)
    s += " " + number(n.value.item<double>());
  s += " :";
  for (const Spec& o : n.outputs)
    s += " " + o.describe();
  return s;
}

using Seen = std::unordered_set<const Graph*>;

/// A graph that stands in `seen` has been printed above, and is only named.
void print_into(std::string& out, const Graph& g, const std::string& indent, Seen& seen) {
  if (!seen.insert(&g).second) {
    out += indent + "graph " + g.name() + " { as above }\n";
    return;
  }
  out += indent + "graph " + g.name() + " {\n";
  for (int i = 0; i < int(g.size()); ++i) {
    out += indent + "  " + node_text(g, i) + "\n";
    for (const auto& body : g.node(i).bodies)
      print_into(out, *body, indent + "    ", seen);
  }
  out += indent + "  return";
  for (std::size_t k = 0; k < g.outputs.size(); ++k)
    out += (k ? ", " : " ") + ref_text(g, g.outputs[k]);
  out += "\n" + indent + "}\n";
}

std::string quoted(const std::string& s) {
  std::string q = "\"";
  for (char c : s)
    q += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return q + "\"";
}

const char* dot_style(Kind k) {
  switch (k) {
    case Kind::input:
      return "shape=oval, style=filled, fillcolor=\"#dbeafe\"";
    case Kind::constant:
    case Kind::read:
      return "shape=note, style=filled, fillcolor=\"#f3f4f6\"";
    case Kind::write:
      return "shape=note, style=filled, fillcolor=\"#fee2e2\"";
    case Kind::region:
      return "shape=box3d, style=filled, fillcolor=\"#dcfce7\"";
    default:
      return "shape=box, style=\"rounded,filled\", fillcolor=white";
  }
}

}  // namespace

std::string print(const Graph& g) {
  std::string out;
  Seen seen;
  print_into(out, g, "", seen);
  return out;
}

std::string to_dot(const Graph& g) {
  std::string s = "digraph " + quoted(g.name()) +
                  " {\n  rankdir=BT;\n  node [fontname=\"Helvetica\", fontsize=10];\n";
  for (int i = 0; i < int(g.size()); ++i) {
    const Node& n = g.node(i);
    s += "  n" + std::to_string(i) + " [label=" + quoted(n.name + "\n" + n.type()) + ", " +
         dot_style(n.kind) + "];\n";
    for (Ref r : n.inputs)
      s += "  n" + std::to_string(r.node) + " -> n" + std::to_string(i) +
           " [label=" + quoted(g.spec(r).describe()) + ", fontsize=8];\n";
  }
  for (std::size_t k = 0; k < g.outputs.size(); ++k) {
    s += "  out" + std::to_string(k) + " [label=" + quoted("output " + std::to_string(k)) +
         ", shape=plaintext];\n  n" + std::to_string(g.outputs[k].node) + " -> out" +
         std::to_string(k) + ";\n";
  }
  return s + "}\n";
}

}  // namespace weir::graph
