#pragma once

/// What profilers see: spans of time, each on one thread, each with a label that says what ran. The
/// rooms that do the work record; weir::Profiler (io/profile) collects and prints.
///
///   profile::Span span(profile::Category::pass, "prune");      // from here to the end of the
///   scope
///
/// While nobody profiles, a span costs one relaxed load.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::profile {

enum class Category : std::uint8_t {
  op,     // an eager op
  step,   // a kernel of a program
  stage,  // a branch, a loop, or nodes that are replayed
  run,    // a call of a program: what is not in its steps is binding, locks and results
  pack,   // the prologue: an operand brought into the layout of its kernel
  trace,  // a callable becomes a graph
  pass,   // of the optimiser
  plan,   // shapes bound, kernels chosen, memory laid out
};

/// A node of the graph that a span stands for, and its part of the time.
struct NodeShare {
  std::string name;
  double share = 1;
  std::int64_t bytes = 0;  // of its results
};

struct Label {
  Category category = Category::op;
  std::string name;    // of the node or op, function or pass
  std::string op;      // "MatMul"; of a fusion "MatMul+Add+Relu"
  std::string kernel;  // "MatMul/float32/avx2"
  std::string inputs;  // "float32[100, 784], float32[784, 256]"
  std::string result;
  std::string where;  // source line
  double flops = 0;
  double bytes = 0;  // read and written
  std::vector<NodeShare> nodes = {};
};
using LabelPtr = std::shared_ptr<const Label>;

struct Event {
  LabelPtr label;
  std::int64_t begin = 0;  // ns, of now()
  std::int64_t end = 0;
  std::uint32_t thread = 0;
};

/// Number of sinks that are attached.
inline constinit std::atomic<int> sinks{0};

inline bool active() {
  return sinks.load(std::memory_order_relaxed) > 0;
}

/// Nanoseconds of a clock that never goes back.
std::int64_t now();
/// A small number of this thread.
std::uint32_t this_thread();

/// Gives the event to every sink that wants it; one that has no memory for it counts it as dropped.
/// `owner`: the thread for which the work was done, where a worker of the pool did it.
void record(const LabelPtr& label,
            std::int64_t begin,
            std::int64_t end,
            std::uint32_t owner) noexcept;
void record(const LabelPtr& label, std::int64_t begin, std::int64_t end) noexcept;

/// Collects events between attach() and detach(), of all threads or of the attaching one. Beyond
/// `max_events` they are counted and dropped.
class Sink {
 public:
  Sink(bool this_thread_only, std::size_t max_events);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void attach();
  void detach() noexcept;
  std::vector<Event> events() const;
  std::size_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  friend void record(const LabelPtr&, std::int64_t, std::int64_t, std::uint32_t) noexcept;
  struct Shard;
  void add(const Event& event, std::uint32_t owner) noexcept;

  const bool one_thread_;
  const std::size_t max_events_;
  std::uint32_t thread_ = 0;
  bool attached_ = false;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> dropped_{0};
  std::unique_ptr<Shard[]> shards_;
};

/// Records the time of a scope. `name` must outlive it.
class Span {
 public:
  Span(Category category, std::string_view name) {
    if (active()) [[unlikely]]
      begin(category, name);
  }
  ~Span() {
    if (begin_ != 0) [[unlikely]]
      end();
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  void begin(Category category, std::string_view name);
  void end() noexcept;

  std::int64_t begin_ = 0;
  std::string_view name_;
  Category category_ = Category::op;
};

}  // namespace weir::profile
