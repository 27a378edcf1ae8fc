// SPDX-License-Identifier: Apache-2.0
#include "base/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "base/text.hpp"

namespace alara {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied, not swapped");

constexpr std::string_view kMagic = "\x93NUMPY";

struct TypeRow {
  std::string_view code;
  NpyType type;
  std::size_t size;
};
constexpr std::array<TypeRow, 12> kTypes{{{"b1", NpyType::boolean, 1},
                                          {"i1", NpyType::int8, 1},
                                          {"u1", NpyType::uint8, 1},
                                          {"i2", NpyType::int16, 2},
                                          {"u2", NpyType::uint16, 2},
                                          {"i4", NpyType::int32, 4},
                                          {"u4", NpyType::uint32, 4},
                                          {"i8", NpyType::int64, 8},
                                          {"u8", NpyType::uint64, 8},
                                          {"f2", NpyType::float16, 2},
                                          {"f4", NpyType::float32, 4},
                                          {"f8", NpyType::float64, 8}}};

// What stands behind "'key':" in the header's dictionary; empty where the key is missing.
std::string_view value_of(std::string_view dictionary, std::string_view key) {
  const std::string quoted = fmt::format("'{}'", key);
  const std::size_t at = dictionary.find(quoted);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = trim(dictionary.substr(at + quoted.size()));
  return rest.starts_with(':') ? trim(rest.substr(1)) : std::string_view{};
}

Status read_type(std::string_view dictionary, NpyHeader& out) {
  const std::string_view value = value_of(dictionary, "descr");
  const std::size_t end = value.find('\'', 1);
  if (!value.starts_with('\'') || end == std::string_view::npos)
    return fail(ErrorKind::bad_input, "the .npy header names no plain number type (records are not supported)");
  const std::string_view descr = value.substr(1, end - 1);
  for (const TypeRow& row : kTypes) {
    if (descr.size() != 3 || descr.substr(1) != row.code) continue;
    if (descr[0] == '>')
      return fail(ErrorKind::bad_input, "numbers of type '{}' are big-endian; save them with .astype('<{}')", descr,
                  row.code);
    if (descr[0] != '<' && descr[0] != '|' && descr[0] != '=') break;
    out.type = row.type;
    out.item_size = row.size;
    return {};
  }
  return fail(ErrorKind::bad_input, "numbers of type '{}' are not supported; b1, i1 to i8, u1 to u8 and f2 to f8 are",
              descr);
}

Status read_shape(std::string_view dictionary, NpyHeader& out) {
  const std::string_view value = value_of(dictionary, "shape");
  const std::size_t end = value.find(')');
  if (!value.starts_with('(') || end == std::string_view::npos)
    return fail(ErrorKind::corrupt, "the .npy header names no shape");
  for (const std::string_view part : split(value.substr(1, end - 1), ',')) {
    const std::string_view number = trim(part);
    if (number.empty()) continue;  // behind the last comma
    std::uint64_t size = 0;
    const auto [last, status] = std::from_chars(number.data(), number.data() + number.size(), size);
    if (status != std::errc{} || last != number.data() + number.size())
      return fail(ErrorKind::corrupt, "'{}' in the .npy header is no size", number);
    out.shape.push_back(size);
    if (out.shape.size() > kMaxNpyDimensions)
      return fail(ErrorKind::bad_input, "the array has more than {} dimensions", kMaxNpyDimensions);
  }
  return {};
}

Status check_order(std::string_view dictionary, const NpyHeader& header) {
  const std::string_view order = value_of(dictionary, "fortran_order");
  if (order.starts_with("False") || (order.starts_with("True") && header.shape.size() <= 1)) return {};
  if (order.starts_with("True"))
    return fail(ErrorKind::bad_input, "the array is in Fortran order; save numpy.ascontiguousarray(…) of it");
  return fail(ErrorKind::corrupt, "the .npy header does not say the order of its numbers");
}

Status check_size(const NpyHeader& header, std::uint64_t file_size) {
  std::uint64_t bytes = header.item_size;
  for (const std::uint64_t size : header.shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      return fail(ErrorKind::corrupt, "the .npy header announces more numbers than any file holds: shape ({})",
                  fmt::join(header.shape, ", "));
  const std::uint64_t there = file_size - std::min(file_size, header.data_offset);
  if (there < bytes)
    return fail(ErrorKind::corrupt, "the file is truncated: {} bytes of numbers are announced, {} are there", bytes,
                there);
  return {};
}

}  // namespace

std::uint64_t NpyHeader::items() const {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) count *= size;  // parse_npy_header has checked the product
  return count;
}

Result<NpyHeader> parse_npy_header(std::span<const std::byte> start, std::uint64_t file_size) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(start[i]); };
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.size() < 12 || !text.starts_with(kMagic))
    return fail(ErrorKind::corrupt, "this is no .npy file: the magic bytes are missing");
  const std::size_t version = byte(6);
  if (version < 1 || version > 3)
    return fail(ErrorKind::bad_input, ".npy format version {} is not supported; 1 to 3 are", version);
  const std::size_t prefix = version == 1 ? 10 : 12;
  const std::size_t length = byte(8) | byte(9) << 8 | (version == 1 ? 0 : byte(10) << 16 | byte(11) << 24);
  if (length > kMaxNpyHeader - prefix)
    return fail(ErrorKind::corrupt, "the .npy header has {} bytes; at most {} are read", length,
                kMaxNpyHeader - prefix);
  if (text.size() < prefix + length) return fail(ErrorKind::corrupt, "the file ends within its .npy header");
  const std::string_view dictionary = text.substr(prefix, length);
  NpyHeader header;
  header.data_offset = prefix + length;
  ALARA_CHECK(read_type(dictionary, header));
  ALARA_CHECK(read_shape(dictionary, header));
  ALARA_CHECK(check_order(dictionary, header));
  ALARA_CHECK(check_size(header, file_size));
  return header;
}

std::string npy_header_text(NpyType type, std::span<const std::uint64_t> shape) {
  const auto row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& each) { return each.type == type; });
  const std::string sizes = fmt::format("{}{}", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  std::string dictionary = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                       row->size == 1 ? '|' : '<', row->code, sizes);
  dictionary.append(63 - (10 + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  std::string out(kMagic);
  out += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xFF), static_cast<char>(dictionary.size() >> 8)};
  return out + dictionary;
}

}  // namespace alara
