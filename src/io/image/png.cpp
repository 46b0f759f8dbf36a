#include "io/image/png.h"

#include <png.h>

namespace weir::io {
namespace {

constexpr std::int64_t kMaxSide = 1 << 20;

png_uint_32 format_of(std::int64_t channels) {
  constexpr png_uint_32 kFormats[] = {
      PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
  return kFormats[channels - 1];
}

bool sizes_fit(std::size_t pixels, std::int64_t height, std::int64_t width, std::int64_t channels) {
  if (channels < 1 || channels > 4) return false;
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) return false;
  return static_cast<std::int64_t>(pixels) == height * width * channels;
}

}  // namespace

std::string encode_png(std::span<const std::uint8_t> pixels,
                       std::int64_t height,
                       std::int64_t width,
                       std::int64_t channels) {
  if (!sizes_fit(pixels.size(), height, width, channels)) return {};
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = format_of(channels);
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string encoded(size, '\0');
  if (png_image_write_to_memory(&image, encoded.data(), &size, 0, pixels.data(), 0, nullptr) == 0) {
    png_image_free(&image);
    return {};
  }
  encoded.resize(size);
  return encoded;
}

}  // namespace weir::io
