// SPDX-License-Identifier: Apache-2.0
#include "connect/file/npy.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/text.hpp"

namespace alara::file {
namespace {

static_assert(std::endian::native == std::endian::little, "items are copied, not swapped");

struct TypeRow {
  std::string_view code;
  NpyType type;
  std::size_t size;
};
constexpr std::array<TypeRow, 10> kTypes{{{"i1", NpyType::int8, 1},
                                          {"u1", NpyType::uint8, 1},
                                          {"i2", NpyType::int16, 2},
                                          {"u2", NpyType::uint16, 2},
                                          {"i4", NpyType::int32, 4},
                                          {"u4", NpyType::uint32, 4},
                                          {"i8", NpyType::int64, 8},
                                          {"u8", NpyType::uint64, 8},
                                          {"f4", NpyType::float32, 4},
                                          {"f8", NpyType::float64, 8}}};

// The text behind "'key':" in the header's dictionary, up to where `close` ends it.
std::optional<std::string_view> value_of(std::string_view dictionary, std::string_view key) {
  const std::size_t at = dictionary.find(fmt::format("'{}'", key));
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = dictionary.substr(at + key.size() + 2);
  const std::size_t colon = rest.find_first_not_of(' ');
  if (colon == std::string_view::npos || rest[colon] != ':') return std::nullopt;
  rest.remove_prefix(colon + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

bool multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& out) { return !__builtin_mul_overflow(a, b, &out); }

Status read_type(std::string_view dictionary, NpyHeader& out) {
  const auto text = value_of(dictionary, "descr");
  if (!text || text->size() < 5 || text->front() != '\'')
    return fail(ErrorKind::corrupt, "the .npy header names no plain item type");
  const std::size_t end = text->find('\'', 1);
  if (end == std::string_view::npos) return fail(ErrorKind::corrupt, "the .npy header names no plain item type");
  const std::string_view descr = text->substr(1, end - 1);
  for (const TypeRow& row : kTypes) {
    if (descr.size() != 3 || descr.substr(1) != row.code) continue;
    if (descr[0] == '>')
      return fail(ErrorKind::bad_input, "items of type '{}' are big-endian; save them with .astype('<{}')", descr,
                  row.code);
    if (descr[0] != '<' && descr[0] != '|' && descr[0] != '=') break;
    out.type = row.type;
    out.item_size = row.size;
    return {};
  }
  return fail(ErrorKind::bad_input, "items of type '{}' are not supported; i1 to i8, u1 to u8, f4 and f8 are", descr);
}

Status read_shape(std::string_view dictionary, NpyHeader& out) {
  const auto text = value_of(dictionary, "shape");
  const std::size_t end = text ? text->find(')') : std::string_view::npos;
  if (!text || text->empty() || text->front() != '(' || end == std::string_view::npos)
    return fail(ErrorKind::corrupt, "the .npy header names no shape");
  for (const std::string_view part : split(text->substr(1, end - 1), ',')) {
    const std::string_view number = trim(part);
    if (number.empty()) continue;
    std::uint64_t extent = 0;
    const auto [last, status] = std::from_chars(number.data(), number.data() + number.size(), extent);
    if (status != std::errc{} || last != number.data() + number.size())
      return fail(ErrorKind::corrupt, "'{}' in the .npy header is no extent", number);
    out.shape.push_back(extent);
  }
  if (out.shape.empty() || out.shape.size() > kMaxNpyDimensions)
    return fail(ErrorKind::bad_input, "the array has {} dimensions; 1 to {} are supported", out.shape.size(),
                kMaxNpyDimensions);
  return {};
}

struct Axis {
  bool all = false;
  std::uint64_t index = 0;
};

Result<std::vector<Axis>> parse_axes(std::string_view address) {
  std::vector<Axis> axes;
  std::string_view inside = trim(address);
  if (inside.starts_with('#')) inside.remove_prefix(1);
  if (inside.empty()) return axes;
  const auto refuse = [address] {
    return fail(ErrorKind::bad_input, "'{}' does not pick a series; write [:], [:, 0] or [:, :, 0]", address);
  };
  if (inside.size() < 3 || inside.front() != '[' || inside.back() != ']') return refuse();
  bool some = false;
  for (const std::string_view part : split(inside.substr(1, inside.size() - 2), ',')) {
    const std::string_view text = trim(part);
    Axis axis;
    axis.all = text == ":";
    some = some || axis.all;
    if (!axis.all) {
      const auto [last, status] = std::from_chars(text.data(), text.data() + text.size(), axis.index);
      if (text.empty() || status != std::errc{} || last != text.data() + text.size()) return refuse();
    }
    axes.push_back(axis);
  }
  if (!some || axes.size() > kMaxNpyDimensions) return refuse();
  return axes;
}

template <typename T>
std::size_t decode_as(std::span<const char> data, std::size_t stride, std::span<double> out) {
  std::size_t bad = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * stride, sizeof value);
    out[i] = static_cast<double>(value);
    if constexpr (std::is_floating_point_v<T>) bad += std::isfinite(value) ? 0 : 1;
  }
  return bad;
}

}  // namespace

std::uint64_t NpyHeader::items() const {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) count *= extent;  // parse_npy_header has checked the product
  return count;
}

Result<NpyHeader> parse_npy_header(std::span<const char> start, std::uint64_t file_size) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(start[i])); };
  if (start.size() < 12 || std::string_view(start.data(), kMagic.size()) != kMagic)
    return fail(ErrorKind::corrupt, "this is no .npy file: the magic bytes are missing");
  const std::uint64_t version = byte(6);
  if (version < 1 || version > 3)
    return fail(ErrorKind::bad_input, ".npy format version {} is not supported; 1 to 3 are", version);
  const std::size_t prefix = version == 1 ? 10 : 12;
  const std::uint64_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > kMaxNpyHeader - prefix)
    return fail(ErrorKind::corrupt, "the .npy header has {} bytes; at most {} are read", length,
                kMaxNpyHeader - prefix);
  if (start.size() < prefix + length) return fail(ErrorKind::corrupt, "the file ends within its .npy header");

  const std::string_view dictionary(start.data() + prefix, length);
  NpyHeader header;
  ALARA_CHECK(read_type(dictionary, header));
  ALARA_CHECK(read_shape(dictionary, header));
  const auto order = value_of(dictionary, "fortran_order");
  if (!order) return fail(ErrorKind::corrupt, "the .npy header does not say the order of its items");
  if (order->starts_with("True") && header.shape.size() > 1)
    return fail(ErrorKind::bad_input, "the array is stored in Fortran order; save it with numpy.ascontiguousarray");
  header.data_offset = prefix + length;

  std::uint64_t bytes = header.item_size;
  for (const std::uint64_t extent : header.shape)
    if (!multiply(bytes, extent, bytes))
      return fail(ErrorKind::corrupt, "the .npy header announces more items than any file holds");
  if (file_size < header.data_offset || file_size - header.data_offset < bytes)
    return fail(ErrorKind::corrupt, "the file is truncated: {} bytes of items are announced, {} are there", bytes,
                file_size - std::min(file_size, header.data_offset));
  return header;
}

Status check_npy_address(std::string_view address) {
  ALARA_TRY(const auto axes, parse_axes(address));
  static_cast<void>(axes);
  return {};
}

Result<NpySeries> parse_npy_address(std::string_view address, const std::vector<std::uint64_t>& shape) {
  ALARA_TRY(std::vector<Axis> axes, parse_axes(address));
  if (axes.empty() && shape.size() == 1) axes.push_back({true, 0});
  if (axes.size() != shape.size())
    return fail(ErrorKind::bad_input, "'{}' has {} axes, the array has {}", address, axes.size(), shape.size());
  NpySeries series;
  for (const std::uint64_t extent : shape)
    if (extent == 0) return NpySeries{0, 0, 0, 0, 1};  // an empty array has no index to speak of
  std::uint64_t stride = 1;
  int runs = 0;
  for (std::size_t k = shape.size(); k-- > 0;) {
    if (!axes[k].all) {
      if (axes[k].index >= shape[k])
        return fail(ErrorKind::bad_input, "'{}': index {} of axis {} is out of its extent {}", address, axes[k].index,
                    k, shape[k]);
      series.first += axes[k].index * stride;
    } else if (runs == 0) {
      series.samples = shape[k];
      series.sample_stride = stride;
      ++runs;
    } else if (runs == 1) {
      series.records = shape[k];
      series.record_stride = stride;
      ++runs;
    } else {
      return fail(ErrorKind::bad_input, "'{}': at most two axes can be ':', records and samples", address);
    }
    stride *= shape[k];
  }
  return series;
}

std::size_t decode_npy(std::span<const char> data, NpyType type, std::size_t stride, std::span<double> out) {
  switch (type) {
    case NpyType::int8:
      return decode_as<std::int8_t>(data, stride, out);
    case NpyType::uint8:
      return decode_as<std::uint8_t>(data, stride, out);
    case NpyType::int16:
      return decode_as<std::int16_t>(data, stride, out);
    case NpyType::uint16:
      return decode_as<std::uint16_t>(data, stride, out);
    case NpyType::int32:
      return decode_as<std::int32_t>(data, stride, out);
    case NpyType::uint32:
      return decode_as<std::uint32_t>(data, stride, out);
    case NpyType::int64:
      return decode_as<std::int64_t>(data, stride, out);
    case NpyType::uint64:
      return decode_as<std::uint64_t>(data, stride, out);
    case NpyType::float32:
      return decode_as<float>(data, stride, out);
    case NpyType::float64:
      break;
  }
  return decode_as<double>(data, stride, out);
}

}  // namespace alara::file
