// SPDX-License-Identifier: Apache-2.0
#include "learn/data/idx.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "learn/data/file_bytes.hpp"
#include "learn/data/gzip.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using graph::Shape;
using graph::Tensor;

std::optional<DataType> type_of_code(std::byte code) {
  switch (std::to_integer<int>(code)) {
    case 0x08:
      return DataType::uint8;
    case 0x09:
      return DataType::int8;
    case 0x0B:
      return DataType::int16;
    case 0x0C:
      return DataType::int32;
    case 0x0D:
      return DataType::float32;
    case 0x0E:
      return DataType::float64;
    default:
      return std::nullopt;
  }
}

// Reads the same way from plain and from packed bytes.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : plain_(bytes) {
    if (is_gzip(bytes)) packed_ = std::make_unique<Gunzip>(bytes);
  }

  // The most bytes that can come out.
  [[nodiscard]] std::uint64_t most() const { return packed_ ? plain_.size() * kMaxInflation : plain_.size(); }

  Status fill(std::span<std::byte> out) {
    ALARA_TRY(const std::size_t got, some(out));
    if (got < out.size())
      return fail(ErrorKind::corrupt, "the IDX file ends {} bytes before its sizes say", out.size() - got);
    return {};
  }
  // Bytes behind the end would mean that header and content do not belong together.
  Status at_end() {
    std::array<std::byte, 1> extra;
    ALARA_TRY(const std::size_t got, some(extra));
    if (got > 0) return fail(ErrorKind::corrupt, "the IDX file is longer than its sizes say");
    return {};
  }

 private:
  Result<std::size_t> some(std::span<std::byte> out) {
    if (packed_) return packed_->read(out);
    const std::size_t count = std::min(out.size(), plain_.size());
    std::copy_n(plain_.begin(), count, out.begin());
    plain_ = plain_.subspan(count);
    return count;
  }

  std::span<const std::byte> plain_;
  std::unique_ptr<Gunzip> packed_;
};

Result<Shape> read_sizes(Reader& reader, std::size_t rank) {
  Shape shape;
  for (std::size_t i = 0; i < rank; ++i) {
    std::array<std::byte, 4> number;
    ALARA_CHECK(reader.fill(number));
    std::int64_t size = 0;
    for (const std::byte byte : number) size = size << 8 | std::to_integer<std::int64_t>(byte);
    shape.push_back(size);
  }
  return shape;
}

void to_little_endian(Tensor& tensor) {
  const std::size_t width = graph::bytes_of(tensor.type);
  if (width == 1) return;
  for (auto at = tensor.bytes.begin(); at != tensor.bytes.end(); at += static_cast<std::ptrdiff_t>(width))
    std::reverse(at, at + static_cast<std::ptrdiff_t>(width));
}

}  // namespace

Result<Tensor> parse_idx(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  std::array<std::byte, 4> magic;
  ALARA_CHECK(reader.fill(magic));
  const auto type = type_of_code(magic[2]);
  const auto rank = std::to_integer<std::size_t>(magic[3]);
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0} || !type)
    return fail(ErrorKind::corrupt, "this is no IDX file: it begins with {:02x} {:02x} {:02x} {:02x}",
                std::to_integer<int>(magic[0]), std::to_integer<int>(magic[1]), std::to_integer<int>(magic[2]), rank);
  if (rank == 0 || rank > kMaxIdxRank)
    return fail(ErrorKind::bad_input, "the IDX file has {} dimensions; 1 to {} are supported", rank, kMaxIdxRank);
  ALARA_TRY(Shape shape, read_sizes(reader, rank));
  ALARA_TRY(const std::int64_t elements, graph::elements_of(shape));
  const std::uint64_t needed = static_cast<std::uint64_t>(elements) * graph::bytes_of(*type);
  if (needed > kMaxIdxBytes)
    return fail(ErrorKind::exhausted, "the IDX file holds {} bytes; at most {} are read", needed, kMaxIdxBytes);
  if (needed > reader.most())
    return fail(ErrorKind::corrupt, "the IDX file is too short for its sizes {}", graph::text_of(shape));
  Tensor tensor = Tensor::zeros(*type, std::move(shape));
  ALARA_CHECK(reader.fill(tensor.bytes));
  ALARA_CHECK(reader.at_end());
  to_little_endian(tensor);
  return tensor;
}

Result<Tensor> read_idx(const std::filesystem::path& path) {
  ALARA_TRY(const std::vector<std::byte> bytes, read_bytes(path, kMaxIdxBytes));
  auto tensor = parse_idx(bytes);
  if (!tensor) tensor.error().where = {path.string(), 0, 0};
  return tensor;
}

bool named_like_idx(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  const std::string text = name.string();
  const std::size_t at = text.rfind("idx");
  return at != std::string::npos && at + 5 < text.size() && text[at + 3] >= '1' && text[at + 3] <= '8' &&
         text[at + 4] == '-';
}

}  // namespace alara::learn
