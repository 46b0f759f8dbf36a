#include "io/image/png.h"

#include <gtest/gtest.h>
#include <png.h>

#include <vector>

namespace weir::io {
namespace {

std::vector<std::uint8_t> decode(const std::string& encoded, png_uint_32 format) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, encoded.data(), encoded.size()), 0);
  image.format = format;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr), 0);
  return pixels;
}

TEST(Png, EncodedPixels_DecodeToThemselves) {
  const png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
  for (std::int64_t channels = 1; channels <= 4; ++channels) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(5 * 7 * channels));
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>(37 * i);
    const std::string encoded = encode_png(pixels, 5, 7, channels);
    EXPECT_EQ(decode(encoded, formats[channels - 1]), pixels) << channels << " channels";
  }
}

TEST(Png, SizesThatDoNotFit_GiveNothing) {
  const std::vector<std::uint8_t> pixels(12);
  EXPECT_EQ(encode_png(pixels, 2, 2, 5), "");
  EXPECT_EQ(encode_png(pixels, 2, 2, 0), "");
  EXPECT_EQ(encode_png(pixels, 3, 2, 3), "");
  EXPECT_EQ(encode_png({}, 0, 0, 3), "");
  EXPECT_EQ(encode_png(pixels, -2, -2, 3), "");
}

}  // namespace
}  // namespace weir::io
