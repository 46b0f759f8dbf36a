#include "io/profile/rows.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace weir::io {
namespace {

using profile::Category;
using profile::Event;

bool is_kernel(Category c) {
  return c == Category::op || c == Category::step;
}

/// `of` as a part of `all`: " 12.3 %", or blanks.
std::string percent(double of, double all) {
  char text[32];
  std::snprintf(text, sizeof text, all > 0 && of > 0 ? "%6.1f %%" : "        ", 100 * of / all);
  return text;
}

/// The rate that the floor of the row is made of.
std::string rate(const ProfileRow& row, const MachinePeaks& peaks) {
  if (row.seconds <= 0 || (row.flops <= 0 && row.bytes <= 0)) return "";
  const bool arithmetic = peaks.flops > 0 && row.flops / peaks.flops >= 0.99 * row.floor_seconds;
  char text[32];
  std::snprintf(text,
                sizeof text,
                arithmetic ? "%.1f GFLOP/s" : "%.1f GB/s",
                1e-9 * (arithmetic ? row.flops : row.bytes) / row.seconds);
  return text;
}

std::string line(const ProfileRow& row, const MachinePeaks& peaks, double total) {
  char text[256];
  std::snprintf(text,
                sizeof text,
                "%-6s %-40.40s %8zu %11.3f %s %10.2f %16s %s\n",
                row.category.c_str(),
                row.name.c_str(),
                row.calls,
                1e3 * row.seconds,
                percent(row.seconds, total).c_str(),
                1e6 * row.seconds / double(std::max<std::size_t>(row.calls, 1)),
                rate(row, peaks).c_str(),
                percent(row.floor_seconds, row.seconds).c_str());
  return text;
}

std::string describe(const MachinePeaks& peaks) {
  if (peaks.flops <= 0) return "";
  char text[160];
  std::snprintf(text, sizeof text, "peak: %.1f GFLOP/s (float32); reading", 1e-9 * peaks.flops);
  std::string all = text;
  for (const auto& [bytes, rate] : peaks.read_bandwidth) {
    std::snprintf(text, sizeof text, " %.0f KiB %.1f,", bytes / 1024, 1e-9 * rate);
    all += text;
  }
  all.back() = ' ';
  return all + "GB/s\n";
}

}  // namespace

const char* word(Category category) {
  constexpr const char* kWords[] = {"op", "step", "stage", "run", "pack", "trace", "pass", "plan"};
  return kWords[std::size_t(category)];
}

std::vector<std::int64_t> self_times(std::vector<Event>& events) {
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    if (a.thread != b.thread) return a.thread < b.thread;
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  std::vector<std::int64_t> times;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& e = events[i];
    while (!open.empty() &&
           (events[open.back()].thread != e.thread || events[open.back()].end <= e.begin))
      open.pop_back();
    times.push_back(e.end - e.begin);
    if (!open.empty()) times[open.back()] -= e.end - e.begin;
    open.push_back(i);
  }
  return times;
}

std::vector<ProfileRow> rows_of(std::vector<Event> events, const MachinePeaks& peaks) {
  const std::vector<std::int64_t> times = self_times(events);
  std::map<std::pair<Category, std::string>, ProfileRow> rows;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const profile::Label& label = *events[i].label;
    const std::string& name = is_kernel(label.category) ? label.op : label.name;
    ProfileRow& row = rows[{label.category, name}];
    row.category = word(label.category);
    row.name = name;
    ++row.calls;
    row.seconds += 1e-9 * double(std::max<std::int64_t>(times[i], 0));
    row.flops += label.flops;
    row.bytes += label.bytes;
    row.floor_seconds += peaks.floor(label.flops, label.bytes);
  }
  std::vector<ProfileRow> list;
  for (auto& [key, row] : rows)
    list.push_back(std::move(row));
  std::stable_sort(list.begin(), list.end(), [](const ProfileRow& a, const ProfileRow& b) {
    return a.seconds > b.seconds;
  });
  return list;
}

std::string table_of(const std::vector<ProfileRow>& rows,
                     const MachinePeaks& peaks,
                     std::size_t dropped) {
  double total = 0;
  for (const ProfileRow& row : rows)
    total += row.seconds;
  char head[256];
  std::snprintf(head,
                sizeof head,
                "%-6s %-40s %8s %11s %8s %10s %16s %8s\n",
                "what",
                "op",
                "calls",
                "total ms",
                "share",
                "us/call",
                "rate",
                "of floor");
  std::string text = head;
  for (const ProfileRow& row : rows)
    text += line(row, peaks, total);
  std::snprintf(head, sizeof head, "%-6s %-40s %8s %11.3f\n", "", "all", "", 1e3 * total);
  text += head + describe(peaks);
  if (dropped > 0) text += std::to_string(dropped) + " further events were not kept\n";
  return text;
}

}  // namespace weir::io
