#include "io/profile/trace_json.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "io/profile/rows.h"

namespace weir::io {
namespace {

using nlohmann::json;

constexpr int kProcess = 1;

/// Strings that are not UTF-8 (names of nodes may come from files) are mended.
std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json arguments(const profile::Label& label) {
  json args = json::object();
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) args[key] = value;
  };
  add("op", label.op);
  add("kernel", label.kernel);
  add("inputs", label.inputs);
  add("result", label.result);
  add("where", label.where);
  if (label.flops > 0) args["flops"] = label.flops;
  if (label.bytes > 0) args["bytes"] = label.bytes;
  if (label.nodes.size() > 1) {
    for (const profile::NodeShare& n : label.nodes)
      args["nodes"].push_back(n.name);
  }
  return args;
}

std::string event_text(const profile::Event& e, std::int64_t zero) {
  char times[96];
  std::snprintf(times,
                sizeof times,
                R"("ph":"X","pid":%d,"tid":%u,"ts":%.3f,"dur":%.3f,)",
                kProcess,
                e.thread,
                1e-3 * double(e.begin - zero),
                1e-3 * double(e.end - e.begin));
  return std::string("{") + times + "\"cat\":\"" + word(e.label->category) +
         "\",\"name\":" + text_of(e.label->name) + ",\"args\":" + text_of(arguments(*e.label)) +
         "}";
}

std::string thread_name(std::uint32_t thread) {
  const std::string number = std::to_string(thread);
  return R"({"ph":"M","pid":)" + std::to_string(kProcess) + R"(,"tid":)" + number +
         R"(,"name":"thread_name","args":{"name":"thread )" + number + "\"}}";
}

}  // namespace

std::string trace_json_of(const std::vector<profile::Event>& events, std::int64_t zero) {
  std::set<std::uint32_t> threads;
  std::string text = R"({"displayTimeUnit":"ns","traceEvents":[{"ph":"M","pid":)" +
                     std::to_string(kProcess) + R"(,"name":"process_name","args":{"name":"weir"}})";
  for (const profile::Event& e : events) {
    if (threads.insert(e.thread).second) text += ",\n" + thread_name(e.thread);
    text += ",\n" + event_text(e, zero);
  }
  return text + "]}\n";
}

}  // namespace weir::io
