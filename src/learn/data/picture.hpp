// SPDX-License-Identifier: Apache-2.0
// JPEG and PNG files as rows of pixels, and their change to another size. The libraries' types show nowhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace alara::learn {

inline constexpr std::uint64_t kMaxPictureBytes = 256u << 20;  // of the file
inline constexpr std::int64_t kMaxPictureSide = 16'384;
inline constexpr std::int64_t kMaxPicturePixels = 64 << 20;

struct Picture {
  std::int64_t width = 0, height = 0;
  int channels = 3;                  // 3: red, green, blue; 1: brightness
  std::vector<std::uint8_t> pixels;  // [height, width, channels]
};

// `channels` 1 or 3; colours become brightness by ITU-R BT.601. What is see-through lies on black.
// Errors: corrupt, bad_input (neither JPEG nor PNG), exhausted (more than kMaxPicturePixels).
[[nodiscard]] Result<Picture> parse_picture(std::span<const std::byte> bytes, int channels);
[[nodiscard]] Result<Picture> read_picture(const std::filesystem::path& path, int channels);
[[nodiscard]] bool named_like_picture(const std::filesystem::path& path);  // .jpg, .jpeg, .png, any case

// Bilinear between pixel centres; where the picture shrinks, the filter grows so that no pixel is left out.
// Returns [height, width, channels], 0 to 255.
[[nodiscard]] std::vector<float> resized(const Picture& picture, std::int64_t width, std::int64_t height);

}  // namespace alara::learn
