// SPDX-License-Identifier: Apache-2.0
#include "graph/tflite/densify.hpp"

#include <algorithm>

namespace alara::graph::tflite {
namespace {

using schema::DimensionType;
using schema::SparseIndexVector;

// One level of the traversal: all indices of an axis (dense), or those listed between two segments.
struct Level {
  bool dense = true;
  std::int64_t size = 0;
  std::vector<std::int64_t> segments;
  std::vector<std::int64_t> indices;
  std::size_t step = 0;  // elements of the dense tensor from one index to the next
};

template <typename Vector>
std::vector<std::int64_t> numbers_of(const void* table) {
  const auto* values = static_cast<const Vector*>(table)->values();
  if (values == nullptr) return {};
  return {values->begin(), values->end()};
}

std::vector<std::int64_t> numbers_of(SparseIndexVector kind, const void* table) {
  if (table == nullptr) return {};
  switch (kind) {
    case SparseIndexVector::Int32Vector:
      return numbers_of<schema::Int32Vector>(table);
    case SparseIndexVector::Uint16Vector:
      return numbers_of<schema::Uint16Vector>(table);
    case SparseIndexVector::Uint8Vector:
      return numbers_of<schema::Uint8Vector>(table);
    default:
      return {};
  }
}

// Places the stored numbers, level by level.
class Walk {
 public:
  Walk(std::vector<Level> levels, std::size_t width, std::span<const std::byte> stored, Tensor& out)
      : levels_(std::move(levels)), width_(width), stored_(stored), out_(out) {}

  // `entry` counts the entries of the level above that were walked, in order.
  Status level(std::size_t depth, std::size_t entry, std::size_t place) {
    if (depth == levels_.size()) return put(place);
    const Level& level = levels_[depth];
    if (level.dense) {
      for (std::int64_t i = 0; i < level.size; ++i)
        ALARA_CHECK(this->level(depth + 1, entry * static_cast<std::size_t>(level.size) + static_cast<std::size_t>(i),
                                place + static_cast<std::size_t>(i) * level.step));
      return {};
    }
    if (entry + 1 >= level.segments.size()) return fail(ErrorKind::corrupt, "segment {} is not there", entry);
    const std::int64_t begin = level.segments[entry];
    const std::int64_t end = level.segments[entry + 1];
    if (begin < 0 || end < begin || end > static_cast<std::int64_t>(level.indices.size()))
      return fail(ErrorKind::corrupt, "a segment from {} to {} of {} indices", begin, end, level.indices.size());
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t index = level.indices[static_cast<std::size_t>(i)];
      const bool rising = i == begin || index > level.indices[static_cast<std::size_t>(i) - 1];
      if (index < 0 || index >= level.size || !rising)
        return fail(ErrorKind::corrupt, "index {} of {}", index, level.size);
      ALARA_CHECK(
          this->level(depth + 1, static_cast<std::size_t>(i), place + static_cast<std::size_t>(index) * level.step));
    }
    return {};
  }

  [[nodiscard]] bool used_all() const { return used_ * width_ == stored_.size(); }

 private:
  Status put(std::size_t place) {
    if ((used_ + 1) * width_ > stored_.size()) return fail(ErrorKind::corrupt, "fewer numbers are stored than placed");
    std::memcpy(out_.bytes.data() + place * width_, stored_.data() + used_++ * width_, width_);
    return {};
  }

  std::vector<Level> levels_;
  std::size_t width_;
  std::span<const std::byte> stored_;
  Tensor& out_;
  std::size_t used_ = 0;
};

Status check_orders(const schema::SparsityParameters& sparsity, std::size_t rank) {
  const auto* order = sparsity.traversal_order();
  const auto* levels = sparsity.dim_metadata();
  const std::size_t blocks = sparsity.block_map() == nullptr ? 0 : sparsity.block_map()->size();
  if (order == nullptr || levels == nullptr || order->size() != levels->size() || blocks > rank ||
      order->size() != rank + blocks)
    return fail(ErrorKind::corrupt, "its levels do not fit its {} axes", rank);
  std::vector<int> sorted(order->begin(), order->end());
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int>(i)) return fail(ErrorKind::corrupt, "its traversal order is none");
  for (std::size_t i = 0; i < blocks; ++i) {
    const int axis = sparsity.block_map()->Get(static_cast<flatbuffers::uoffset_t>(i));
    const auto* begin = sparsity.block_map()->data();
    if (axis < 0 || axis >= static_cast<int>(rank) || std::count(begin, begin + blocks, axis) > 1)
      return fail(ErrorKind::corrupt, "a block of axis {}", axis);
  }
  return {};
}

// Sizes of the levels by axis: the tensor's own axes first, then the blocks', which divide theirs.
Result<std::vector<std::int64_t>> level_sizes(const schema::SparsityParameters& sparsity, const Shape& shape) {
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  const std::size_t rank = shape.size();
  const std::size_t all = sparsity.traversal_order()->size();
  sizes.resize(all, 1);
  for (std::size_t i = 0; i < all; ++i) {
    const auto axis = static_cast<std::size_t>(sparsity.traversal_order()->Get(static_cast<flatbuffers::uoffset_t>(i)));
    if (axis < rank) continue;
    const std::int64_t block = sparsity.dim_metadata()->Get(static_cast<flatbuffers::uoffset_t>(i))->dense_size();
    const auto of =
        static_cast<std::size_t>(sparsity.block_map()->Get(static_cast<flatbuffers::uoffset_t>(axis - rank)));
    if (block < 1 || sizes[of] % block != 0) return fail(ErrorKind::corrupt, "blocks of {} along {}", block, sizes[of]);
    sizes[axis] = block;
    sizes[of] /= block;
  }
  return sizes;
}

}  // namespace

Result<Tensor> densified(const schema::SparsityParameters& sparsity, DataType type, const Shape& shape,
                         std::span<const std::byte> stored) {
  ALARA_CHECK(check_orders(sparsity, shape.size()));
  ALARA_TRY(const std::int64_t elements, elements_of(shape));
  if (static_cast<std::uint64_t>(elements) * bytes_of(type) > kMaxSparseGain * (stored.size() + 1))
    return fail(ErrorKind::exhausted, "{} numbers from {} bytes are too many", elements, stored.size());
  ALARA_TRY(const std::vector<std::int64_t> sizes, level_sizes(sparsity, shape));
  std::vector<std::size_t> steps(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) steps[i - 1] = steps[i] * static_cast<std::size_t>(shape[i]);
  std::vector<std::int64_t> blocks(shape.size(), 1);  // how many of each axis one block takes
  for (std::size_t axis = shape.size(); axis < sizes.size(); ++axis)
    blocks[static_cast<std::size_t>(
        sparsity.block_map()->Get(static_cast<flatbuffers::uoffset_t>(axis - shape.size())))] = sizes[axis];

  std::vector<Level> levels;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto at = static_cast<flatbuffers::uoffset_t>(i);
    const schema::DimensionMetadata& given = *sparsity.dim_metadata()->Get(at);
    const auto axis = static_cast<std::size_t>(sparsity.traversal_order()->Get(at));
    Level level{given.format() == DimensionType::DENSE, sizes[axis],
                numbers_of(given.array_segments_type(), given.array_segments()),
                numbers_of(given.array_indices_type(), given.array_indices()), 0};
    if (level.dense && given.dense_size() != level.size)
      return fail(ErrorKind::corrupt, "a level of {} along {}", given.dense_size(), level.size);
    level.step = axis < shape.size() ? steps[axis] * static_cast<std::size_t>(blocks[axis])
                                     : steps[static_cast<std::size_t>(sparsity.block_map()->Get(
                                           static_cast<flatbuffers::uoffset_t>(axis - shape.size())))];
    levels.push_back(std::move(level));
  }
  Tensor out = Tensor::zeros(type, shape);
  Walk walk(std::move(levels), bytes_of(type), stored, out);
  ALARA_CHECK(walk.level(0, 0, 0));
  if (!walk.used_all()) return fail(ErrorKind::corrupt, "more numbers are stored than placed");
  return out;
}

}  // namespace alara::graph::tflite
