// SPDX-License-Identifier: Apache-2.0
#include "learn/data/picture.hpp"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>

#include "learn/data/file_bytes.hpp"

namespace alara::learn {
namespace {

Status check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1) return fail(ErrorKind::corrupt, "the picture is empty ({} x {})", width, height);
  if (width > kMaxPictureSide || height > kMaxPictureSide || width * height > kMaxPicturePixels)
    return fail(ErrorKind::exhausted, "the picture has {} x {} pixels; at most {} and {} a side are read", width,
                height, kMaxPicturePixels, kMaxPictureSide);
  return {};
}

Picture blank(std::int64_t width, std::int64_t height, int channels) {
  return {width, height, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * channels))};
}

struct CloseTurbo {
  void operator()(void* handle) const { tjDestroy(handle); }
};

Result<Picture> parse_jpeg(std::span<const std::byte> bytes, int channels) {
  const std::unique_ptr<void, CloseTurbo> turbo(tjInitDecompress());
  if (!turbo) return fail(ErrorKind::internal, "the JPEG library can not be opened");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, sampling = 0, colours = 0;
  if (tjDecompressHeader3(turbo.get(), data, bytes.size(), &width, &height, &sampling, &colours) != 0)
    return fail(ErrorKind::corrupt, "the JPEG picture is broken: {}", tjGetErrorStr2(turbo.get()));
  ALARA_CHECK(check_size(width, height));
  if (colours == TJCS_CMYK || colours == TJCS_YCCK)
    return fail(ErrorKind::bad_input, "the JPEG picture has print colours (CMYK); save it as RGB");
  Picture picture = blank(width, height, channels);
  const int format = channels == 1 ? TJPF_GRAY : TJPF_RGB;
  if (tjDecompress2(turbo.get(), data, bytes.size(), picture.pixels.data(), width, 0, height, format,
                    TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING) != 0)
    return fail(ErrorKind::corrupt, "the JPEG picture is broken: {}", tjGetErrorStr2(turbo.get()));
  return picture;
}

Result<Picture> parse_png(std::span<const std::byte> bytes, int channels) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> keeper(&image, png_image_free);
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0)
    return fail(ErrorKind::corrupt, "the PNG picture is broken: {}", image.message);
  ALARA_CHECK(check_size(image.width, image.height));
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  Picture picture = blank(image.width, image.height, channels);
  const png_color black = {0, 0, 0};
  if (png_image_finish_read(&image, &black, picture.pixels.data(), 0, nullptr) == 0)
    return fail(ErrorKind::corrupt, "the PNG picture is broken: {}", image.message);
  return picture;
}

// What one pixel of the output takes from a line of the input: weights (sum 1) of the pixels from `first` on.
struct Tap {
  std::int64_t first = 0;
  std::vector<float> weights;
};

std::vector<Tap> taps(std::int64_t from, std::int64_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to), reach = std::max(ratio, 1.0);
  std::vector<Tap> out(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * ratio;  // in the input; pixel k covers [k, k + 1)
    const auto first = std::max<std::int64_t>(0, std::llround(std::floor(centre - reach)));
    const auto last = std::min<std::int64_t>(from - 1, std::llround(std::ceil(centre + reach)));
    Tap& tap = out[static_cast<std::size_t>(i)];
    tap.first = first;
    double sum = 0;
    for (std::int64_t k = first; k <= last; ++k) {
      const double weight = std::max(0.0, 1 - std::abs(static_cast<double>(k) + 0.5 - centre) / reach);
      tap.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : tap.weights) weight = static_cast<float>(weight / sum);
  }
  return out;
}

}  // namespace

Result<Picture> parse_picture(std::span<const std::byte> bytes, int channels) {
  ALARA_ASSERT(channels == 1 || channels == 3, "pictures have 1 or 3 channels");
  const auto begins = [&](std::initializer_list<int> magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin(),
                                                      [](int a, std::byte b) { return a == std::to_integer<int>(b); });
  };
  if (begins({0xFF, 0xD8, 0xFF})) return parse_jpeg(bytes, channels);
  if (begins({0x89, 'P', 'N', 'G'})) return parse_png(bytes, channels);
  return fail(ErrorKind::bad_input, "the bytes are neither a JPEG nor a PNG picture");
}

Result<Picture> read_picture(const std::filesystem::path& path, int channels) {
  ALARA_TRY(const std::vector<std::byte> bytes, read_bytes(path, kMaxPictureBytes));
  auto picture = parse_picture(bytes, channels);
  if (!picture) picture.error().where = {path.string(), 0, 0};
  return picture;
}

bool named_like_picture(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

std::vector<float> resized(const Picture& picture, std::int64_t width, std::int64_t height) {
  const std::vector<Tap> across = taps(picture.width, width), down = taps(picture.height, height);
  const auto channels = static_cast<std::size_t>(picture.channels);
  const std::size_t line = static_cast<std::size_t>(width) * channels;
  std::vector<float> narrow(static_cast<std::size_t>(picture.height) * line);  // [old height, width, channels]
  for (std::int64_t y = 0; y < picture.height; ++y)
    for (std::size_t x = 0; x < across.size(); ++x)
      for (std::size_t k = 0; k < across[x].weights.size(); ++k) {
        const std::size_t at = static_cast<std::size_t>(y * picture.width + across[x].first) + k;
        for (std::size_t c = 0; c < channels; ++c)
          narrow[static_cast<std::size_t>(y) * line + x * channels + c] +=
              across[x].weights[k] * static_cast<float>(picture.pixels[at * channels + c]);
      }
  std::vector<float> out(static_cast<std::size_t>(height) * line);
  for (std::size_t y = 0; y < down.size(); ++y)
    for (std::size_t k = 0; k < down[y].weights.size(); ++k) {
      const float* source = narrow.data() + (static_cast<std::size_t>(down[y].first) + k) * line;
      for (std::size_t i = 0; i < line; ++i) out[y * line + i] += down[y].weights[k] * source[i];
    }
  return out;
}

}  // namespace alara::learn
