// SPDX-License-Identifier: Apache-2.0
#include "learn/data/npy_tensor.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>

#include "base/text.hpp"
#include "learn/data/file_bytes.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using graph::Shape;
using graph::Tensor;

static_assert(std::endian::native == std::endian::little, "numbers are copied, not swapped");

constexpr std::string_view kMagic = "\x93NUMPY";

struct TypeCode {
  std::string_view code;
  DataType type;
};
constexpr std::array<TypeCode, 12> kTypes{{{"b1", DataType::boolean},
                                           {"i1", DataType::int8},
                                           {"u1", DataType::uint8},
                                           {"i2", DataType::int16},
                                           {"u2", DataType::uint16},
                                           {"i4", DataType::int32},
                                           {"u4", DataType::uint32},
                                           {"i8", DataType::int64},
                                           {"u8", DataType::uint64},
                                           {"f2", DataType::float16},
                                           {"f4", DataType::float32},
                                           {"f8", DataType::float64}}};

// What stands behind "'key':" in the header's dictionary; empty where the key is missing.
std::string_view value_of(std::string_view dictionary, std::string_view key) {
  const std::string quoted = fmt::format("'{}'", key);
  const std::size_t at = dictionary.find(quoted);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = trim(dictionary.substr(at + quoted.size()));
  return rest.starts_with(':') ? trim(rest.substr(1)) : std::string_view{};
}

Result<DataType> parse_type(std::string_view dictionary) {
  const std::string_view value = value_of(dictionary, "descr");
  const std::size_t end = value.find('\'', 1);
  if (!value.starts_with('\'') || end == std::string_view::npos)
    return fail(ErrorKind::bad_input, "the .npy header names no plain number type (records are not supported)");
  const std::string_view descr = value.substr(1, end - 1);
  for (const TypeCode& row : kTypes) {
    if (descr.size() != 3 || descr.substr(1) != row.code) continue;
    if (descr[0] == '>')
      return fail(ErrorKind::bad_input, "numbers of type '{}' are big-endian; save them with .astype('<{}')", descr,
                  row.code);
    if (descr[0] == '<' || descr[0] == '|' || descr[0] == '=') return row.type;
  }
  return fail(ErrorKind::bad_input, "numbers of type '{}' are not supported; b1, i1 to i8, u1 to u8 and f2 to f8 are",
              descr);
}

Result<Shape> parse_shape(std::string_view dictionary) {
  const std::string_view value = value_of(dictionary, "shape");
  const std::size_t end = value.find(')');
  if (!value.starts_with('(') || end == std::string_view::npos)
    return fail(ErrorKind::corrupt, "the .npy header names no shape");
  Shape shape;
  for (const std::string_view part : split(value.substr(1, end - 1), ',')) {
    const std::string_view text = trim(part);
    if (text.empty()) continue;  // behind the last comma
    std::int64_t size = 0;
    const auto [last, status] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (status != std::errc{} || last != text.data() + text.size() || size < 0)
      return fail(ErrorKind::corrupt, "'{}' in the .npy header is no size", text);
    shape.push_back(size);
    if (shape.size() > kMaxNpyRank)
      return fail(ErrorKind::bad_input, "the array has more than {} dimensions", kMaxNpyRank);
  }
  return shape;
}

// The product of the sizes times the item's bytes; files may hold more than one tensor can (rows are read from them).
Result<std::uint64_t> bytes_needed(const NpyHeader& header) {
  std::uint64_t bytes = graph::bytes_of(header.type);
  for (const std::int64_t size : header.shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
      return fail(ErrorKind::corrupt, "the .npy header's shape {} is too large", graph::text_of(header.shape));
  return bytes;
}

}  // namespace

std::string NpyHeader::text() const { return std::string(graph::name_of(type)) + graph::text_of(shape); }

Result<NpyHeader> parse_npy_header(std::span<const std::byte> start, std::uint64_t file_size) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(start[i]); };
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.size() < 12 || !text.starts_with(kMagic))
    return fail(ErrorKind::corrupt, "this is no .npy file: the magic bytes are missing");
  const std::size_t version = byte(6), prefix = version == 1 ? 10 : 12;
  if (version < 1 || version > 3)
    return fail(ErrorKind::bad_input, ".npy format version {} is not supported; 1 to 3 are", version);
  const std::size_t length = byte(8) | byte(9) << 8 | (version == 1 ? 0 : byte(10) << 16 | byte(11) << 24);
  if (length > kMaxNpyHeader - prefix)
    return fail(ErrorKind::corrupt, "the .npy header has {} bytes; at most {} are read", length,
                kMaxNpyHeader - prefix);
  if (prefix + length > text.size()) return fail(ErrorKind::corrupt, "the .npy file ends within its header");
  const std::string_view dictionary = text.substr(prefix, length);
  if (!value_of(dictionary, "fortran_order").starts_with("False"))
    return fail(ErrorKind::bad_input, "the array is in Fortran order; save numpy.ascontiguousarray(…) of it");
  NpyHeader header;
  ALARA_TRY(header.type, parse_type(dictionary));
  ALARA_TRY(header.shape, parse_shape(dictionary));
  header.data_offset = prefix + length;
  ALARA_TRY(const std::uint64_t needed, bytes_needed(header));
  if (needed > file_size - header.data_offset)
    return fail(ErrorKind::corrupt, "{} needs {} bytes, but the file has {} behind its header", header.text(), needed,
                file_size - header.data_offset);
  return header;
}

Result<Tensor> parse_npy(std::span<const std::byte> bytes) {
  ALARA_TRY(const NpyHeader header, parse_npy_header(bytes.first(std::min(bytes.size(), kMaxNpyHeader)), bytes.size()));
  ALARA_CHECK(graph::elements_of(header.shape));
  Tensor tensor = Tensor::zeros(header.type, header.shape);
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(header.data_offset), tensor.bytes.size(),
              tensor.bytes.begin());
  return tensor;
}

Result<NpyFile> NpyFile::open(std::filesystem::path path) {
  NpyFile file;
  file.path_ = std::move(path);
  ALARA_TRY(const std::uint64_t size, size_of_file(file.path_));
  std::vector<std::byte> start(std::min<std::uint64_t>(size, kMaxNpyHeader));
  ALARA_CHECK(read_part(file.path_, 0, start));
  auto header = parse_npy_header(start, size);
  if (!header) {
    header.error().where = {file.path_.string(), 0, 0};
    return fail_with(std::move(header));
  }
  file.header_ = std::move(*header);
  return file;
}

Result<Tensor> NpyFile::rows(std::int64_t first, std::int64_t count) const {
  ALARA_ASSERT(!header_.shape.empty() && first >= 0 && count >= 0 && first + count <= header_.shape[0],
               "rows are asked for that the array has not");
  Shape shape = header_.shape;
  shape[0] = count;
  ALARA_CHECK(graph::elements_of(shape));
  Tensor tensor = Tensor::zeros(header_.type, std::move(shape));
  const std::uint64_t row = count == 0 ? 0 : tensor.bytes.size() / static_cast<std::uint64_t>(count);
  ALARA_CHECK(read_part(path_, header_.data_offset + row * static_cast<std::uint64_t>(first), tensor.bytes));
  return tensor;
}

Result<Tensor> NpyFile::whole() const {
  if (!header_.shape.empty()) return rows(0, header_.shape[0]);
  Tensor tensor = Tensor::zeros(header_.type, {});
  ALARA_CHECK(read_part(path_, header_.data_offset, tensor.bytes));
  return tensor;
}

Result<Tensor> read_npy(const std::filesystem::path& path) {
  ALARA_TRY(const NpyFile file, NpyFile::open(path));
  return file.whole();
}

Result<std::string> to_npy(const Tensor& tensor) {
  const auto row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeCode& t) { return t.type == tensor.type; });
  if (row == kTypes.end())
    return fail(ErrorKind::bad_input, "{} can not be written as .npy, which has no such type", tensor.text());
  std::string shape;
  for (const std::int64_t size : tensor.shape) shape += fmt::format("{}, ", size);
  if (tensor.shape.size() != 1 && !shape.empty()) shape.erase(shape.size() - 2);
  if (tensor.shape.size() == 1) shape.pop_back();
  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                   graph::bytes_of(tensor.type) == 1 ? '|' : '<', row->code, shape);
  header.append(63 - (10 + header.size()) % 64, ' ');  // data begin at a multiple of 64
  header += '\n';
  std::string out(kMagic);
  out += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  out += header;
  out.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return out;
}

Status write_npy(const Tensor& tensor, const std::filesystem::path& path) {
  ALARA_TRY(const std::string bytes, to_npy(tensor));
  return write_bytes(path, bytes);
}

}  // namespace alara::learn
