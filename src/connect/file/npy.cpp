// SPDX-License-Identifier: Apache-2.0
#include "connect/file/npy.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.hpp"

namespace alara::file {
namespace {

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
  if (!some || axes.size() > kMaxSeriesDimensions) return refuse();
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

Result<NpyHeader> parse_series_header(std::span<const char> start, std::uint64_t file_size) {
  ALARA_TRY(NpyHeader header, parse_npy_header(std::as_bytes(start), file_size));
  if (header.type == NpyType::boolean || header.type == NpyType::float16)
    return fail(ErrorKind::bad_input, "boolean and float16 arrays are not supported; save them with .astype('<f4')");
  if (header.shape.empty() || header.shape.size() > kMaxSeriesDimensions)
    return fail(ErrorKind::bad_input, "the array has {} dimensions; 1 to {} are supported", header.shape.size(),
                kMaxSeriesDimensions);
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
    default:
      break;
  }
  return decode_as<double>(data, stride, out);
}

}  // namespace alara::file
