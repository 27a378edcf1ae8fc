// SPDX-License-Identifier: Apache-2.0
// Weights of one layer on integer grids, one per output channel or one for all, and its bias in the units of the
// 32-bit sums. Weight grids are symmetric: what is added up then needs no correction by the inputs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "graph/linear.hpp"
#include "graph/model.hpp"

namespace alara::graph {

enum class WeightType : std::uint8_t {
  int8,   // -127 … 127
  int7,   // -64 … 64: two products with 8-bit inputs fit the 16 bits in which x86 without VNNI adds them
  uint8,  // 1 … 255 around 128
};
enum class Granularity : std::uint8_t { per_channel, per_tensor };
enum class WeightRange : std::uint8_t { largest, mse };  // the grid reaches the largest weight, or has the least error

struct WeightOptions {
  WeightType type = WeightType::int8;
  Granularity granularity = Granularity::per_channel;
  WeightRange range = WeightRange::mse;
};
[[nodiscard]] int largest_level(WeightType type);  // 127 or 64

// A layer's weights as a matrix: a row per output channel, a column per weight of that channel (input within the group,
// then tap).
struct WeightMatrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;            // row-major
  std::vector<std::uint32_t> position;  // where each lies in the tensor

  [[nodiscard]] std::span<const float> row(std::size_t r) const {
    return std::span(values).subspan(r * columns, columns);
  }
};
[[nodiscard]] WeightMatrix matrix_of(const Linear& linear);

// Integers in the order of the matrix, with a scale per row (all equal when per tensor).
struct Levels {
  std::vector<std::int16_t> values;
  std::vector<float> scales;
  std::vector<std::size_t> raised;  // rows whose scale was raised so that the bias fits
};

// |bias| / (input scale * weight scale) stays below this, so that sums with products still fit 32 bits.
inline constexpr double kLargestBias = 1 << 30;

// The scale of each row. `biases` may be empty. A scale is raised where the bias would not fit: its weights then lose
// bits that the output's 8 bits could not show.
[[nodiscard]] Levels choose_scales(const WeightMatrix& weights, std::span<const double> biases, double input_scale,
                                   const WeightOptions& options);
// Each weight to the nearest level; `levels.values` is made anew.
void round_to_nearest(const WeightMatrix& weights, const WeightOptions& options, Levels& levels);
// What rounding adds to each weight, in the order of the matrix.
[[nodiscard]] std::vector<float> rounding_errors(const WeightMatrix& weights, const Levels& levels);

// As the file holds them.
[[nodiscard]] Tensor weight_tensor(const WeightMatrix& weights, const Levels& levels, const WeightOptions& options,
                                   const Shape& shape);
[[nodiscard]] Tensor bias_tensor(std::span<const double> biases, double input_scale, const Levels& levels);

}  // namespace alara::graph
