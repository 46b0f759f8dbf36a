#include <weir/device.h>
#include <weir/profiler.h>

#include <algorithm>
#include <map>

#include "io/file/file.h"
#include "io/profile/peaks.h"
#include "io/profile/rows.h"
#include "io/profile/trace_json.h"

namespace weir::inline v0 {

struct Profiler::Impl {
  explicit Impl(const ProfilerOptions& options)
      : sink(options.scope == ProfilerOptions::Scope::thread, options.max_events) {
    if (options.calibrate) peaks = io::measure_peaks(num_threads());
  }

  MachinePeaks peaks;
  profile::Sink sink;
  std::int64_t zero = profile::now();
};

Profiler::Profiler(const ProfilerOptions& options) : impl_(std::make_unique<Impl>(options)) {
  start();
}
Profiler::~Profiler() = default;

void Profiler::start() {
  impl_->sink.attach();
}
void Profiler::stop() {
  impl_->sink.detach();
}

std::size_t Profiler::events() const {
  return impl_->sink.events().size();
}
std::size_t Profiler::dropped() const {
  return impl_->sink.dropped();
}
const MachinePeaks& Profiler::peaks() const {
  return impl_->peaks;
}
std::vector<ProfileRow> Profiler::rows() const {
  return io::rows_of(impl_->sink.events(), impl_->peaks);
}
std::string Profiler::table() const {
  return io::table_of(rows(), impl_->peaks, dropped());
}

std::string Profiler::trace_json() const {
  return io::trace_json_of(impl_->sink.events(), impl_->zero);
}
void Profiler::save_trace(const std::string& path) const {
  io::write_file(path, trace_json());
}

namespace {

/// Sums over the runs of one node.
struct NodeTotal {
  std::int64_t first = 0;
  double duration = 0;
  std::int64_t bytes = 0;
  int steps = 0;
};

}  // namespace

std::vector<NodeStats> Profiler::node_stats() const {
  const std::vector<profile::Event> events = impl_->sink.events();
  std::map<std::string, NodeTotal> totals;
  std::int64_t zero = INT64_MAX;
  for (const profile::Event& e : events) {
    if (!e.label->nodes.empty()) zero = std::min(zero, e.begin);
  }
  for (const profile::Event& e : events) {
    for (const profile::NodeShare& n : e.label->nodes) {
      NodeTotal& t = totals[n.name];
      t.first = t.steps == 0 ? e.begin : std::min(t.first, e.begin);
      t.duration += n.share * double(e.end - e.begin);
      t.bytes = n.bytes;
      ++t.steps;
    }
  }
  std::vector<NodeStats> stats;
  for (const auto& [name, t] : totals)
    stats.push_back(
        {name, "/device:CPU:0", t.first - zero, std::int64_t(t.duration / t.steps), t.bytes, {}});
  std::stable_sort(stats.begin(), stats.end(), [](const NodeStats& a, const NodeStats& b) {
    return a.start_ns < b.start_ns;
  });
  return stats;
}

}  // namespace weir::inline v0
