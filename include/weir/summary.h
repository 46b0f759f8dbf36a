/// What a run leaves for TensorBoard.
///
///     SummaryWriter log("logs/train");
///     for (int step = 0; step < steps; ++step) log.scalar("loss", loss.item<float>(), step);
///     log.histogram("dense/kernel", kernel, steps);
///     log.close();                       // throws if the disk was full
///
/// then `tensorboard --logdir logs`. One directory is one run; give each writer its own. Tags are
/// UTF-8 and group by what stands before a "/". Steps of one tag must not go down: TensorBoard then
/// drops the points before.
#pragma once

#include <weir/export.h>
#include <weir/tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::inline v0 {

/// What one node of a graph took in a run: TensorBoard colours the graph by it.
struct NodeStats {
  std::string name;
  std::string device;
  std::int64_t start_ns = 0;  // since the run began
  std::int64_t duration_ns = 0;
  std::int64_t bytes = 0;
  std::vector<Shape> output_shapes;
};

/// Number, switch or word that a training run was started with.
using HParam = std::variant<double, bool, std::string>;

/// A handle: copies write to the same file. May be used from several threads. Events are written by
/// a thread of the writer's own; a failed write is thrown by the next `flush()` or `close()`, the
/// file stays readable, and later events are written again if the disk allows.
class WEIR_API SummaryWriter {
 public:
  /// Starts an event file in `logdir`, which is made if need be. Throws Error if that cannot be.
  explicit SummaryWriter(const std::string& logdir);

  void scalar(std::string_view tag, double value, std::int64_t step);

  /// The distribution of the elements of a tensor of any numeric dtype, in 30 buckets. Elements
  /// that are not finite are left out.
  void histogram(std::string_view tag, const Tensor& values, std::int64_t step);

  /// Pictures [n, height, width, channels] or one without n; channels 1 (grey), 2 (grey, alpha), 3
  /// (RGB) or 4 (RGBA); uint8, or floating with 0..1 as the range. The first `max_images` are kept.
  void image(std::string_view tag, const Tensor& images, std::int64_t step, int max_images = 3);

  /// Markdown.
  void text(std::string_view tag, std::string_view markdown, std::int64_t step);

  /// The run's graph: the bytes of a TensorFlow GraphDef. The last one counts.
  void graph(std::string_view graph_def);

  /// A further graph, under a tag of its own, with what its nodes took if that is known.
  void graph(std::string_view tag,
             std::string_view graph_def,
             std::span<const NodeStats> stats = {});

  /// What the nodes of the run's graph took, to be laid over it.
  void node_stats(std::string_view tag, std::span<const NodeStats> stats, std::int64_t step);

  /// The values this run was started with.
  void hparams(std::span<const std::pair<std::string, HParam>> values);

  /// Waits until everything is in the file. Throws Error if something could not be written.
  void flush();

  /// Flushes and ends the file; later calls are ignored. The destructor of the last copy closes
  /// too, but cannot tell of an error.
  void close();

  /// The event file.
  const std::string& path() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::inline v0
