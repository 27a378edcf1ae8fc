// SPDX-License-Identifier: Apache-2.0
#include "learn/data/picture.hpp"

#include <gtest/gtest.h>

#include "learn/data/test_pictures.hpp"

namespace alara::learn {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Picture, ReadsPngExactly) {
  const std::vector<std::uint8_t> pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30};
  const auto picture = parse_picture(bytes_of(png_of(2, 2, pixels)), 3);
  ASSERT_TRUE(picture) << picture.error().text();
  EXPECT_EQ(picture->width, 2);
  EXPECT_EQ(picture->height, 2);
  EXPECT_EQ(picture->pixels, pixels);
}

TEST(Picture, ReadsJpegNearly) {
  const std::vector<std::uint8_t> blue(16 * 16 * 3, 0);
  std::vector<std::uint8_t> pixels = blue;
  for (std::size_t i = 2; i < pixels.size(); i += 3) pixels[i] = 200;
  const auto picture = parse_picture(bytes_of(jpeg_of(16, 16, pixels)), 3);
  ASSERT_TRUE(picture) << picture.error().text();
  EXPECT_NEAR(picture->pixels[0], 0, 4);
  EXPECT_NEAR(picture->pixels[2], 200, 4);
  const auto grey = parse_picture(bytes_of(jpeg_of(16, 16, pixels)), 1);
  ASSERT_TRUE(grey);
  EXPECT_NEAR(grey->pixels[0], 0.114 * 200, 3);  // ITU-R BT.601
}

TEST(Picture, SaysWhyAFileCanNotBeRead) {
  const std::string good = png_of(2, 2, std::vector<std::uint8_t>(12));
  const auto cut = parse_picture(bytes_of(good.substr(0, good.size() / 2)), 3);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::corrupt);
  const std::string photo = jpeg_of(16, 16, std::vector<std::uint8_t>(16 * 16 * 3));
  const auto cut_photo = parse_picture(bytes_of(photo.substr(0, photo.size() / 2)), 3);
  ASSERT_FALSE(cut_photo);
  EXPECT_EQ(cut_photo.error().kind, ErrorKind::corrupt);
  const auto other = parse_picture(bytes_of("GIF89a"), 3);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "the bytes are neither a JPEG nor a PNG picture");
  // The size in the header of a PNG, made enormous (its checksum is then wrong as well: either is refused).
  std::string huge = good;
  huge[16] = '\x7F';
  EXPECT_FALSE(parse_picture(bytes_of(huge), 3));
}

TEST(Picture, KeepsItsNumbersWhereTheSizeStays) {
  const Picture picture{3, 1, 1, {10, 20, 90}};
  EXPECT_EQ(resized(picture, 3, 1), (std::vector<float>{10, 20, 90}));
}

TEST(Picture, ShrinksByMeansThatLeaveNoPixelOut) {
  Picture picture{8, 8, 1, std::vector<std::uint8_t>(64, 0)};
  picture.pixels[9] = 255;  // one bright pixel off the grid that plain sampling would hit
  const std::vector<float> small = resized(picture, 2, 2);
  float sum = 0;
  for (const float pixel : small) sum += pixel;
  EXPECT_GT(sum, 0);
  EXPECT_NEAR(sum / 4, 255.0 / 64, 2.5);
  const Picture flat{5, 7, 3, std::vector<std::uint8_t>(105, 77)};
  for (const float pixel : resized(flat, 3, 11)) EXPECT_NEAR(pixel, 77, 1e-3);
}

TEST(Picture, GrowsInStraightLinesBetweenPixelCentres) {
  const Picture picture{2, 1, 1, {0, 100}};
  const std::vector<float> wide = resized(picture, 4, 1);
  ASSERT_EQ(wide.size(), 4);
  EXPECT_NEAR(wide[0], 0, 1e-4);
  EXPECT_NEAR(wide[1], 25, 1e-4);
  EXPECT_NEAR(wide[2], 75, 1e-4);
  EXPECT_NEAR(wide[3], 100, 1e-4);
}

}  // namespace
}  // namespace alara::learn
