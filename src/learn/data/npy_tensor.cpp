// SPDX-License-Identifier: Apache-2.0
#include "learn/data/npy_tensor.hpp"

#include <algorithm>

#include "base/npy.hpp"
#include "learn/data/file_bytes.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using graph::Shape;
using graph::Tensor;

struct TypePair {
  NpyType npy;
  DataType tensor;
};
constexpr TypePair kTypes[] = {
    {NpyType::boolean, DataType::boolean}, {NpyType::int8, DataType::int8},       {NpyType::uint8, DataType::uint8},
    {NpyType::int16, DataType::int16},     {NpyType::uint16, DataType::uint16},   {NpyType::int32, DataType::int32},
    {NpyType::uint32, DataType::uint32},   {NpyType::int64, DataType::int64},     {NpyType::uint64, DataType::uint64},
    {NpyType::float16, DataType::float16}, {NpyType::float32, DataType::float32}, {NpyType::float64, DataType::float64},
};

Result<NpyArray> parse_array(std::span<const std::byte> start, std::uint64_t file_size) {
  ALARA_TRY(const NpyHeader header, parse_npy_header(start, file_size));
  NpyArray out;
  for (const TypePair& pair : kTypes)
    if (pair.npy == header.type) out.type = pair.tensor;
  out.shape.assign(header.shape.begin(), header.shape.end());
  out.data_offset = header.data_offset;
  return out;
}

}  // namespace

std::string NpyArray::text() const { return std::string(graph::name_of(type)) + graph::text_of(shape); }

Result<Tensor> parse_npy(std::span<const std::byte> bytes) {
  ALARA_TRY(const NpyArray array, parse_array(bytes.first(std::min(bytes.size(), kMaxNpyHeader)), bytes.size()));
  ALARA_CHECK(graph::elements_of(array.shape));
  Tensor tensor = Tensor::zeros(array.type, array.shape);
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(array.data_offset), tensor.bytes.size(),
              tensor.bytes.begin());
  return tensor;
}

Result<NpyFile> NpyFile::open(std::filesystem::path path) {
  NpyFile file;
  file.path_ = std::move(path);
  ALARA_TRY(const std::uint64_t size, size_of_file(file.path_));
  std::vector<std::byte> start(std::min<std::uint64_t>(size, kMaxNpyHeader));
  ALARA_CHECK(read_part(file.path_, 0, start));
  auto array = parse_array(start, size);
  if (!array) {
    array.error().where = {file.path_.string(), 0, 0};
    return fail_with(std::move(array));
  }
  file.array_ = std::move(*array);
  return file;
}

Result<Tensor> NpyFile::rows(std::int64_t first, std::int64_t count) const {
  ALARA_ASSERT(!array_.shape.empty() && first >= 0 && count >= 0 && first + count <= array_.shape[0],
               "rows are asked for that the array has not");
  Shape shape = array_.shape;
  shape[0] = count;
  ALARA_CHECK(graph::elements_of(shape));
  Tensor tensor = Tensor::zeros(array_.type, std::move(shape));
  const std::uint64_t row = count == 0 ? 0 : tensor.bytes.size() / static_cast<std::uint64_t>(count);
  ALARA_CHECK(read_part(path_, array_.data_offset + row * static_cast<std::uint64_t>(first), tensor.bytes));
  return tensor;
}

Result<Tensor> NpyFile::whole() const {
  if (!array_.shape.empty()) return rows(0, array_.shape[0]);
  Tensor tensor = Tensor::zeros(array_.type, {});
  ALARA_CHECK(read_part(path_, array_.data_offset, tensor.bytes));
  return tensor;
}

Result<Tensor> read_npy(const std::filesystem::path& path) {
  ALARA_TRY(const NpyFile file, NpyFile::open(path));
  return file.whole();
}

Result<std::string> to_npy(const Tensor& tensor) {
  const auto* pair = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const TypePair& each) { return each.tensor == tensor.type; });
  if (pair == std::end(kTypes))
    return fail(ErrorKind::bad_input, "{} can not be written as .npy, which has no such type", tensor.text());
  std::string out = npy_header_text(pair->npy, std::vector<std::uint64_t>(tensor.shape.begin(), tensor.shape.end()));
  out.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return out;
}

Status write_npy(const Tensor& tensor, const std::filesystem::path& path) {
  ALARA_TRY(const std::string bytes, to_npy(tensor));
  return write_bytes(path, bytes);
}

}  // namespace alara::learn
