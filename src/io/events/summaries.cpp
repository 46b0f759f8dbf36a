#include "io/events/summaries.h"

#include <algorithm>
#include <climits>
#include <map>

namespace weir::io {
namespace {

proto::Summary::Value new_value(std::string_view tag, std::string_view plugin) {
  proto::Summary::Value value;
  value.set_tag(std::string(tag));
  value.mutable_metadata()->mutable_plugin_data()->set_plugin_name(std::string(plugin));
  return value;
}

proto::TensorProto* add_tensor(proto::Summary::Value* value,
                               proto::DataType dtype,
                               std::initializer_list<std::int64_t> shape) {
  proto::TensorProto* tensor = value->mutable_tensor();
  tensor->set_dtype(dtype);
  tensor->mutable_tensor_shape();
  for (const std::int64_t size : shape)
    tensor->mutable_tensor_shape()->add_dim()->set_size(size);
  return tensor;
}

void set_shape(const Shape& from, proto::TensorShapeProto* to) {
  to->set_unknown_rank(!from.has_rank());
  for (const Dim dim : from.dims())
    to->add_dim()->set_size(dim.value());
}

void fill_outputs(const NodeStats& stats, proto::NodeExecStats* out) {
  for (std::size_t slot = 0; slot < stats.output_shapes.size(); ++slot) {
    proto::NodeOutput* output = out->add_output();
    output->set_slot(static_cast<std::int32_t>(slot));
    set_shape(stats.output_shapes[slot], output->mutable_tensor_description()->mutable_shape());
  }
}

// TensorBoard reads the microseconds, shows nothing for a node whose time is 0, and adds up the
// memory; other tools read the nanoseconds.
void fill_node(const NodeStats& stats, proto::NodeExecStats* out) {
  const std::int64_t micros = std::max<std::int64_t>(1, (stats.duration_ns + 500) / 1000);
  out->set_node_name(stats.name);
  out->set_all_start_micros(stats.start_ns / 1000);
  out->set_op_end_rel_micros(micros);
  out->set_all_end_rel_micros(micros);
  out->set_all_start_nanos(stats.start_ns);
  out->set_op_end_rel_nanos(stats.duration_ns);
  out->set_all_end_rel_nanos(stats.duration_ns);
  proto::AllocatorMemoryUsed* memory = out->add_memory();
  memory->set_allocator_name(stats.device);
  memory->set_total_bytes(stats.bytes);
  fill_outputs(stats, out);
}

void set_hparam(const HParam& from, proto::HParamValue* to) {
  if (const double* number = std::get_if<double>(&from)) to->set_number_value(*number);
  if (const bool* flag = std::get_if<bool>(&from)) to->set_bool_value(*flag);
  if (const std::string* text = std::get_if<std::string>(&from)) to->set_string_value(*text);
}

}  // namespace

proto::Summary::Value scalar_summary(std::string_view tag, float value) {
  proto::Summary::Value summary = new_value(tag, "scalars");
  add_tensor(&summary, proto::DT_FLOAT, {})->add_float_val(value);
  return summary;
}

proto::Summary::Value histogram_summary(std::string_view tag, std::span<const Bucket> buckets) {
  proto::Summary::Value summary = new_value(tag, "histograms");
  proto::TensorProto* tensor =
      add_tensor(&summary, proto::DT_DOUBLE, {static_cast<std::int64_t>(buckets.size()), 3});
  for (const Bucket& bucket : buckets) {
    for (const double number : {bucket.left, bucket.right, bucket.count}) {
      tensor->add_double_val(number);
    }
  }
  return summary;
}

proto::Summary::Value image_summary(std::string_view tag,
                                    std::int64_t height,
                                    std::int64_t width,
                                    std::span<const std::string> pngs) {
  proto::Summary::Value summary = new_value(tag, "images");
  const auto count = static_cast<std::int64_t>(pngs.size());
  proto::TensorProto* tensor = add_tensor(&summary, proto::DT_STRING, {2 + count});
  tensor->add_string_val(std::to_string(width));
  tensor->add_string_val(std::to_string(height));
  for (const std::string& png : pngs)
    tensor->add_string_val(png);
  return summary;
}

proto::Summary::Value text_summary(std::string_view tag, std::string_view text) {
  proto::Summary::Value summary = new_value(tag, "text");
  add_tensor(&summary, proto::DT_STRING, {})->add_string_val(std::string(text));
  return summary;
}

proto::StepStats step_stats(std::span<const NodeStats> stats) {
  proto::StepStats result;
  std::map<std::string_view, proto::DeviceStepStats*> devices;
  for (const NodeStats& node : stats) {
    proto::DeviceStepStats*& device = devices[node.device];
    if (device == nullptr) {
      device = result.add_dev_stats();
      device->set_device(node.device);
    }
    fill_node(node, device->add_node_stats());
  }
  return result;
}

// TensorBoard wants the content "1", a vector of blobs, and the graph before optimisation: what it
// does not find there it shows as empty.
proto::Summary::Value graph_summary(std::string_view tag,
                                    std::string_view graph_def,
                                    std::span<const NodeStats> stats) {
  constexpr int kBlobSequence = 3;
  proto::RunMetadata metadata;
  proto::GraphDef* graph = metadata.add_function_graphs()->mutable_pre_optimization_graph();
  if (graph_def.size() > INT_MAX) return {};
  if (!graph->ParseFromArray(graph_def.data(), static_cast<int>(graph_def.size()))) return {};
  if (!stats.empty()) *metadata.mutable_step_stats() = step_stats(stats);
  proto::Summary::Value summary =
      new_value(tag, stats.empty() ? "graph_run_metadata_graph" : "graph_run_metadata");
  summary.mutable_metadata()->mutable_plugin_data()->set_content("1");
  summary.mutable_metadata()->set_data_class(kBlobSequence);
  add_tensor(&summary, proto::DT_STRING, {1})->add_string_val(metadata.SerializeAsString());
  return summary;
}

proto::Summary::Value hparams_summary(std::span<const std::pair<std::string, HParam>> values,
                                      double start_time_secs) {
  proto::HParamsPluginData data;
  proto::SessionStartInfo* info = data.mutable_session_start_info();
  info->set_start_time_secs(start_time_secs);
  for (const auto& [name, value] : values) {
    proto::HParamEntry* entry = info->add_hparams();
    entry->set_key(name);
    set_hparam(value, entry->mutable_value());
  }
  proto::Summary::Value summary = new_value("_hparams_/session_start_info", "hparams");
  summary.mutable_metadata()->mutable_plugin_data()->set_content(data.SerializeAsString());
  add_tensor(&summary, proto::DT_FLOAT, {0});
  return summary;
}

}  // namespace weir::io
