#include "passes/report.h"

#include <algorithm>
#include <cstdio>

namespace weir::passes {
namespace {

std::string cell(const char* format, double v) {
  char text[48];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

/// 1234567 -> "1.23M"
std::string short_number(double v) {
  const char* const units[] = {"", "k", "M", "G", "T", "P"};
  std::size_t u = 0;
  for (; v >= 1000 && u + 1 < std::size(units); ++u)
    v /= 1000;
  return cell(u == 0 ? "%.0f" : v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v) + units[u];
}

std::string arrow(double before, double after) {
  return before == after ? short_number(after)
                         : short_number(before) + " -> " + short_number(after);
}

std::string did_text(const PassReport& p) {
  if (!p.error.empty()) return "failed, graph unchanged: " + p.error;
  if (p.disabled) return "disabled";
  std::string s;
  for (const auto& [what, n] : p.did)
    s += (s.empty() ? "" : ", ") + what + " " + std::to_string(n);
  return s.empty() ? "-" : s;
}

std::string line(const std::string& name,
                 double ms,
                 const Totals& before,
                 const Totals& after,
                 const std::string& did) {
  char text[160];
  std::snprintf(text,
                sizeof text,
                "%-20s %8.3f  %-16s %-18s %-18s ",
                name.c_str(),
                ms,
                arrow(before.nodes, after.nodes).c_str(),
                arrow(before.bytes, after.bytes).c_str(),
                arrow(before.flops, after.flops).c_str());
  return text + did + "\n";
}

std::string join(const std::vector<std::string>& list) {
  std::string s;
  for (const std::string& item : list)
    s += (s.empty() ? "" : ", ") + item;
  return s;
}

}  // namespace

std::string Report::to_string() const {
  char head[160];
  std::snprintf(head,
                sizeof head,
                "%-20s %8s  %-16s %-18s %-18s %s\n",
                "pass",
                "ms",
                "nodes",
                "bytes",
                "flops",
                "did");
  std::string s = head;
  std::vector<std::string> shown;
  for (const PassReport& p : passes) {
    const bool first = std::find(shown.begin(), shown.end(), p.name) == shown.end();
    if (!first && !p.changed && p.error.empty()) continue;
    shown.push_back(p.name);
    s += line(p.name, p.milliseconds, p.before, p.after, did_text(p));
  }
  return s + line("total", milliseconds, before, after, "");
}

std::string Report::explain(std::string_view node) const {
  // The newest change first: a name may have been made, replaced and made again.
  std::string s;
  std::vector<std::string> asked = {std::string(node)};
  for (std::size_t next = 0; next < asked.size(); ++next) {
    for (auto c = changes.rbegin(); c != changes.rend(); ++c) {
      if (c->node != asked[next]) continue;
      s += c->pass + ": " + c->node + " " + c->how;
      if (!c->from.empty()) s += " from " + join(c->from);
      s += "\n";
      for (const std::string& origin : c->from) {
        if (std::find(asked.begin(), asked.end(), origin) == asked.end()) asked.push_back(origin);
      }
    }
  }
  if (!s.empty()) return s;
  for (const Change& c : changes) {
    if (c.pass == "inline_calls" && node.size() > c.node.size() && node.starts_with(c.node + "/"))
      return c.pass + ": " + std::string(node) + " was a node of the graph that " + c.node +
             " called\n";
  }
  return std::string(node) + " is as it was traced, or is no node of the graph\n";
}

}  // namespace weir::passes
