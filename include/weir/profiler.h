/// Where the time goes: every eager op, every kernel of a program, tracing, passes and planning.
///
///     Profiler profiler;                          // from here on, all threads
///     for (int i = 0; i < 10; ++i) step(x, y);
///     profiler.stop();
///     std::cout << profiler.table();              // op, calls, time, share, rate, of the floor
///     profiler.save_trace("trace.json");          // for https://ui.perfetto.dev or
///     chrome://tracing log.node_stats("step", profiler.node_stats(), 0);     // for TensorBoard's
///     graph page
///
/// While none runs, an op or a call of a program pays one load for it.
#pragma once

#include <weir/export.h>
#include <weir/summary.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct ProfilerOptions {
  enum class Scope {
    process,  // all threads
    thread,   // what the thread that starts it does, and what the pool does for it
  };
  Scope scope = Scope::process;
  /// What happens after so many events is counted (dropped()), not kept.
  std::size_t max_events = std::size_t{1} << 20;
  /// Measures the machine for some 20 ms at the start. Without, there are no floors.
  bool calibrate = true;
};

/// What the machine can do, with the threads that were set when the profiler started.
struct MachinePeaks {
  double flops = 0;  // float32 multiply-adds a second, two flops each; 0: not measured
  /// Bytes a second, reading a working set of so many bytes again and again.
  std::vector<std::pair<double, double>> read_bandwidth;

  /// Seconds that the work takes at least: its flops at the peak, or reading its bytes.
  double floor(double flops, double bytes) const;
};

/// All events of one kind.
struct ProfileRow {
  std::string category;  // "op" (eager), "step" (of a program), "run", "pack", "trace", "pass" ...
  std::string name;      // of the op, "MatMul+Add+Relu" where a program has fused; else what it is
  std::size_t calls = 0;
  double seconds = 0;  // without what other rows tell of
  double flops = 0;
  double bytes = 0;          // read and written
  double floor_seconds = 0;  // 0: not known
};

/// Records while it runs. Several may run at once. Not to be shared by threads, but what it watches
/// may happen on any.
class WEIR_API Profiler {
 public:
  /// Starts.
  explicit Profiler(const ProfilerOptions& options = {});
  /// Stops.
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  void stop();
  /// Goes on after a stop; what was recorded stays.
  void start();

  std::size_t events() const;
  std::size_t dropped() const;
  const MachinePeaks& peaks() const;
  /// The largest first.
  std::vector<ProfileRow> rows() const;
  /// rows() to be read.
  std::string table() const;
  /// In the trace event format: a complete event for each span, with op, shapes, bytes and flops.
  std::string trace_json() const;
  /// Writes trace_json(); the file appears when it is complete. Throws Error if it cannot.
  void save_trace(const std::string& path) const;
  /// What the nodes of the programs took on the average of their runs, by the names that
  /// graph_def() gives them, traced and optimised. The time of a fusion is shared out among its
  /// nodes by flops.
  std::vector<NodeStats> node_stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::inline v0
