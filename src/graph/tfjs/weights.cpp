// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "graph/tfjs/document.hpp"

namespace alara::graph::tfjs {
namespace {

template <typename Stored>
std::vector<float> scaled(const WeightDef& weight, std::span<const std::byte> bytes) {
  std::vector<float> out(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored number = 0;
    std::memcpy(&number, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<float>(number) * weight.scale + weight.least;
  }
  return out;
}

std::vector<float> widened(std::span<const std::byte> bytes) {
  std::vector<float> out(bytes.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    out[i] = from_half(bits);
  }
  return out;
}

Result<Tensor> rounded(const WeightDef& weight, const std::vector<float>& numbers) {
  std::vector<std::int32_t> out;
  for (const float number : numbers) {
    if (std::abs(number) > 2e9F) return fail(ErrorKind::corrupt, "weight '{}' has {} as integer", weight.name, number);
    out.push_back(static_cast<std::int32_t>(std::lround(number)));
  }
  return Tensor::of(weight.shape, out);
}

}  // namespace

Result<std::span<const std::byte>> Weights::group(std::size_t index) {
  std::optional<std::vector<std::byte>>& bytes = groups_[index];
  if (!bytes) {
    bytes.emplace();
    for (const std::string& path : document_.groups[index].paths) {
      ALARA_TRY(const std::vector<std::byte> shard, read_shard_(path));
      bytes->insert(bytes->end(), shard.begin(), shard.end());
      if (bytes->size() > kMaxTfjsWeightBytes)
        return fail(ErrorKind::exhausted, "weights of more than {} bytes", kMaxTfjsWeightBytes);
    }
  }
  return std::span<const std::byte>(*bytes);
}

Result<Tensor> Weights::read(const WeightDef& weight) {
  ALARA_TRY(const std::span<const std::byte> all, group(weight.group));
  ALARA_TRY(const std::int64_t elements, elements_of(weight.shape));
  const std::uint64_t size = static_cast<std::uint64_t>(elements) * bytes_of(weight.stored);
  if (weight.offset > all.size() || size > all.size() - weight.offset)
    return fail(ErrorKind::corrupt, "weight '{}' takes bytes {} to {}, but there are {}", weight.name, weight.offset,
                weight.offset + size, all.size());
  const std::span<const std::byte> bytes = all.subspan(weight.offset, size);
  if (weight.stored == weight.type) {
    Tensor out{weight.type, weight.shape, {bytes.begin(), bytes.end()}, {}};
    return out;
  }
  const std::vector<float> numbers = weight.stored == DataType::float16 ? widened(bytes)
                                     : weight.stored == DataType::uint8 ? scaled<std::uint8_t>(weight, bytes)
                                                                        : scaled<std::uint16_t>(weight, bytes);
  if (weight.type == DataType::int32) return rounded(weight, numbers);
  return Tensor::of(weight.shape, numbers);
}

}  // namespace alara::graph::tfjs
