#pragma once

#include <weir/summary.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/events/histogram.h"
#include "io/proto/event.pb.h"

namespace weir::io {

// One summary value each, in the form that TensorBoard's dashboards read: a tensor, and metadata
// naming the plugin (TensorFlow 2's summaries).

proto::Summary::Value scalar_summary(std::string_view tag, float value);
proto::Summary::Value histogram_summary(std::string_view tag, std::span<const Bucket> buckets);

/// `pngs` are encoded images of one size.
proto::Summary::Value image_summary(std::string_view tag,
                                    std::int64_t height,
                                    std::int64_t width,
                                    std::span<const std::string> pngs);

/// Markdown.
proto::Summary::Value text_summary(std::string_view tag, std::string_view text);

proto::StepStats step_stats(std::span<const NodeStats> stats);

/// A graph under a tag of its own, with or without node statistics. `graph_def` holds the bytes of
/// a GraphDef; if it does not, the result has no tensor.
proto::Summary::Value graph_summary(std::string_view tag,
                                    std::string_view graph_def,
                                    std::span<const NodeStats> stats);

/// The values a run was started with, under the tag that the hparams dashboard looks for.
proto::Summary::Value hparams_summary(std::span<const std::pair<std::string, HParam>> values,
                                      double start_time_secs);

}  // namespace weir::io
