#include "digits.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <random>
#include <vector>

#include "platform/data_directory.h"

namespace weir::cli {
namespace {

constexpr int kPixels = 64;

[[noreturn]] void fail(const std::string& path, std::size_t line, const std::string& what) {
  throw Error({Code::data_loss,
               "digits: " + what,
               path + ":" + std::to_string(line),
               {},
               "65 integers separated by commas",
               {}});
}

struct Samples {
  std::vector<std::array<float, kPixels>> images;
  std::vector<std::int64_t> labels;
};

/// 64 pixels of 0 to 16, and the digit.
void parse_line(const std::string& text, const std::string& path, std::size_t line, Samples& out) {
  const char* p = text.c_str();
  std::array<float, kPixels> image;
  for (int i = 0; i <= kPixels; ++i) {
    char* end = nullptr;
    const long v = std::strtol(p, &end, 10);
    const bool last = i == kPixels;
    if (end == p || v < 0 || v > (last ? 9 : 16) || (!last && *end != ','))
      fail(path, line, "not a sample");
    if (last)
      out.labels.push_back(v);
    else
      image[std::size_t(i)] = float(v) / 16;
    p = end + 1;
  }
  out.images.push_back(image);
}

Samples read(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw Error({Code::not_found,
                 "cannot open the digits",
                 path,
                 {},
                 {},
                 "set WEIR_DATA_DIR to the folder share/weir"});
  Samples samples;
  std::size_t line = 0;
  for (std::string text; std::getline(file, text);)
    parse_line(text, path, ++line, samples);
  if (samples.labels.size() != 1797) fail(path, line, "expected 1,797 samples");
  return samples;
}

Tensor images(const Samples& s, std::span<const std::size_t> order) {
  std::vector<float> values;
  for (std::size_t i : order)
    values.insert(values.end(), s.images[i].begin(), s.images[i].end());
  return Tensor::from(values, Shape{Dim(std::int64_t(order.size())), 8, 8});
}

Tensor labels(const Samples& s, std::span<const std::size_t> order) {
  std::vector<std::int64_t> values;
  for (std::size_t i : order)
    values.push_back(s.labels[i]);
  return Tensor::from(values);
}

}  // namespace

Digits load_digits() {
  const Samples s = read(platform::data_path("digits/digits.csv"));
  std::vector<std::size_t> order(s.labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(42);
  // A Fisher-Yates shuffle of our own: std::shuffle may differ from one library to the next.
  for (std::size_t i = order.size() - 1; i > 0; --i)
    std::swap(order[i], order[random() % (i + 1)]);
  const std::span<const std::size_t> all(order);
  const std::size_t train = all.size() - all.size() / 5 - 1;
  return {images(s, all.first(train)),
          labels(s, all.first(train)),
          images(s, all.subspan(train)),
          labels(s, all.subspan(train))};
}

}  // namespace weir::cli
