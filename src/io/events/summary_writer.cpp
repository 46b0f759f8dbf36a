#include <weir/summary.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>

#include "base/utf8.h"
#include "io/events/event_file.h"
#include "io/events/summaries.h"
#include "io/file/file.h"
#include "io/image/png.h"
#include "tensor/convert.h"

namespace weir::inline v0 {
namespace {

constexpr const char* kGraphFix = "pass the bytes of a serialised GraphDef";

[[noreturn]] void fail(const std::string& what, const std::string& fix = {}) {
  io::fail(Code::invalid_argument, "SummaryWriter: " + what, fix);
}

void check_text(std::string_view name, std::string_view text) {
  if (!is_utf8(text)) fail(std::string(name) + " is not UTF-8");
}

void check_tag(std::string_view tag) {
  if (tag.empty()) fail("a tag is empty");
  check_text("a tag", tag);
}

// `count` elements from `first` on of a tensor of any real dtype.
std::vector<double> numbers_of(const Tensor& tensor, std::int64_t first, std::int64_t count) {
  if (!kPlain.contains(tensor.dtype()) || is_complex(tensor.dtype())) {
    fail(tensor.describe() + " has no numbers to draw", "pass a real tensor");
  }
  std::vector<double> numbers(static_cast<std::size_t>(count));
  const std::int64_t step = byte_size(tensor.dtype());
  const auto* bytes = static_cast<const char*>(tensor.raw_data()) + first * step;
  for (double& number : numbers) {
    number = tensor::load(bytes, tensor.dtype()).re;
    bytes += step;
  }
  return numbers;
}

std::vector<io::Bucket> buckets_of(const Tensor& values) {
  if (values.dtype() == DType::float32) return io::make_histogram(values.data<float>());
  const std::vector<double> numbers = numbers_of(values, 0, values.size());
  return io::make_histogram(std::span<const double>(numbers));
}

std::vector<std::uint8_t> pixels_of(const Tensor& images, std::int64_t first, std::int64_t count) {
  const bool bytes = images.dtype() == DType::uint8;
  std::vector<std::uint8_t> pixels;
  pixels.reserve(static_cast<std::size_t>(count));
  for (const double value : numbers_of(images, first, count)) {
    const double inside = value > 0 ? std::min(value, bytes ? 255.0 : 1.0) : 0.0;  // NaN: black
    pixels.push_back(static_cast<std::uint8_t>(std::lround(inside * (bytes ? 1 : 255))));
  }
  return pixels;
}

void check_images(const Tensor& images) {
  const bool dtype = images.dtype() == DType::uint8 || is_floating(images.dtype());
  const int rank = images.rank();
  const std::int64_t channels = rank >= 3 ? images.dim(-1) : 0;
  if (dtype && (rank == 3 || rank == 4) && channels >= 1 && channels <= 4) return;
  fail("these are no images: " + images.describe(),
       "pass uint8 or floating [n, height, width, channels] with 1 to 4 channels");
}

std::string png_of(const Tensor& images, std::int64_t index) {
  const std::int64_t height = images.dim(-3);
  const std::int64_t width = images.dim(-2);
  const std::int64_t channels = images.dim(-1);
  const std::int64_t count = height * width * channels;
  std::string png =
      io::encode_png(pixels_of(images, index * count, count), height, width, channels);
  if (png.empty()) fail("an image of " + images.describe() + " cannot be encoded");
  return png;
}

}  // namespace

struct SummaryWriter::Impl {
  io::EventFile file;
  std::mutex mutex;
  std::map<std::string, std::string, std::less<>> plugins;  // of the tags written so far

  // TensorBoard keeps the metadata of a tag's first value only, and shows a tag in one dashboard.
  void add(proto::Summary::Value value, std::int64_t step) {
    {
      std::lock_guard lock(mutex);
      const std::string& plugin = value.metadata().plugin_data().plugin_name();
      const auto [known, first] = plugins.emplace(value.tag(), plugin);
      if (known->second != plugin) {
        fail("the tag '" + value.tag() + "' was used for " + known->second + ", now for " + plugin,
             "give it another name");
      }
      if (!first) value.clear_metadata();
    }
    proto::Event event;
    event.set_step(step);
    *event.mutable_summary()->add_value() = std::move(value);
    file.add(std::move(event));
  }
};

SummaryWriter::SummaryWriter(const std::string& logdir) : impl_(std::make_shared<Impl>()) {
  io::check(impl_->file.open(logdir));
}

void SummaryWriter::scalar(std::string_view tag, double value, std::int64_t step) {
  check_tag(tag);
  impl_->add(io::scalar_summary(tag, static_cast<float>(value)), step);
}

void SummaryWriter::histogram(std::string_view tag, const Tensor& values, std::int64_t step) {
  check_tag(tag);
  impl_->add(io::histogram_summary(tag, buckets_of(values)), step);
}

void SummaryWriter::image(std::string_view tag,
                          const Tensor& images,
                          std::int64_t step,
                          int max_images) {
  check_tag(tag);
  check_images(images);
  const std::int64_t all = images.rank() == 3 ? 1 : images.dim(0);
  const std::int64_t count = std::min<std::int64_t>(all, max_images);
  std::vector<std::string> pngs;
  for (std::int64_t i = 0; i < count; ++i)
    pngs.push_back(png_of(images, i));
  impl_->add(io::image_summary(tag, images.dim(-3), images.dim(-2), pngs), step);
}

void SummaryWriter::text(std::string_view tag, std::string_view markdown, std::int64_t step) {
  check_tag(tag);
  check_text("a text", markdown);
  impl_->add(io::text_summary(tag, markdown), step);
}

void SummaryWriter::graph(std::string_view graph_def) {
  if (!io::graph_summary("check", graph_def, {}).has_tensor()) fail("this is no graph", kGraphFix);
  proto::Event event;
  event.set_graph_def(std::string(graph_def));
  impl_->file.add(std::move(event));
}

void SummaryWriter::graph(std::string_view tag,
                          std::string_view graph_def,
                          std::span<const NodeStats> stats) {
  check_tag(tag);
  proto::Summary::Value summary = io::graph_summary(tag, graph_def, stats);
  if (!summary.has_tensor()) fail("this is no graph", kGraphFix);
  impl_->add(std::move(summary), 0);
}

void SummaryWriter::node_stats(std::string_view tag,
                               std::span<const NodeStats> stats,
                               std::int64_t step) {
  check_tag(tag);
  proto::RunMetadata metadata;
  *metadata.mutable_step_stats() = io::step_stats(stats);
  proto::Event event;
  event.set_step(step);
  event.mutable_tagged_run_metadata()->set_tag(std::string(tag));
  event.mutable_tagged_run_metadata()->set_run_metadata(metadata.SerializeAsString());
  impl_->file.add(std::move(event));
}

void SummaryWriter::hparams(std::span<const std::pair<std::string, HParam>> values) {
  for (const auto& [name, value] : values) {
    check_tag(name);
    if (const auto* text = std::get_if<std::string>(&value)) check_text("a value", *text);
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  impl_->add(io::hparams_summary(values, std::chrono::duration<double>(now).count()), 0);
}

void SummaryWriter::flush() {
  io::check(impl_->file.flush());
}
void SummaryWriter::close() {
  io::check(impl_->file.close());
}
const std::string& SummaryWriter::path() const {
  return impl_->file.path();
}

}  // namespace weir::inline v0
