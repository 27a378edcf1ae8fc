// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::graph {
namespace {

constexpr double kSmallestScale = 1e-30;  // products of scales must stay normal numbers

float largest_of(std::span<const float> weights) {
  float out = 0;
  for (const float w : weights) out = std::max(out, std::fabs(w));
  return out;
}

double squared_error(std::span<const float> weights, float scale, float largest) {
  double sum = 0;
  const float inverse = 1 / scale;
  for (const float w : weights) {
    const float error = std::clamp(std::nearbyint(w * inverse), -largest, largest) * scale - w;
    sum += static_cast<double>(error * error);
  }
  return sum;
}

double scale_for(std::span<const float> weights, const WeightOptions& options) {
  constexpr int kCandidates = 40;  // down to half of the largest weight
  const auto levels = static_cast<float>(largest_level(options.type));
  const double full = static_cast<double>(largest_of(weights) / levels);
  if (full < kSmallestScale) return kSmallestScale;
  if (options.range == WeightRange::largest) return full;
  double best = full, least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kCandidates; ++i) {
    const double scale = full * (1 - 0.5 * i / kCandidates);
    const double error = squared_error(weights, static_cast<float>(scale), levels);
    if (error >= least) continue;
    least = error;
    best = scale;
  }
  return best;
}

// A row without weights takes the scale at which its bias is exact to 24 bits.
double scale_for_bias_alone(double bias, double input_scale) {
  return bias == 0 ? 1 : std::fabs(bias) / (input_scale * (1 << 24));
}

}  // namespace

int largest_level(WeightType type) { return type == WeightType::int7 ? 64 : 127; }

WeightMatrix matrix_of(const Linear& linear) {
  const auto weights = linear.weight->values<float>();
  WeightMatrix out;
  out.rows = static_cast<std::size_t>(linear.outputs());
  out.columns = out.rows == 0 ? 0 : weights.size() / out.rows;
  out.values.resize(weights.size());
  out.position.resize(weights.size());
  std::vector<std::size_t> filled(out.rows, 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto row = static_cast<std::size_t>(linear.place(static_cast<std::int64_t>(i)).output);
    const std::size_t at = row * out.columns + filled[row]++;
    out.values[at] = weights[i];
    out.position[at] = static_cast<std::uint32_t>(i);
  }
  return out;
}

Levels choose_scales(const WeightMatrix& weights, std::span<const double> biases, double input_scale,
                     const WeightOptions& options) {
  std::vector<double> scales(weights.rows);
  const auto bias = [&](std::size_t r) { return biases.empty() ? 0.0 : biases[r]; };
  if (options.granularity == Granularity::per_tensor) {
    std::fill(scales.begin(), scales.end(), scale_for(weights.values, options));
  } else {
    for (std::size_t r = 0; r < weights.rows; ++r)
      scales[r] = largest_of(weights.row(r)) > 0 ? scale_for(weights.row(r), options)
                                                 : scale_for_bias_alone(bias(r), input_scale);
  }
  Levels out;
  for (std::size_t r = 0; r < weights.rows; ++r) {
    const double needed = std::fabs(bias(r)) / (input_scale * kLargestBias);
    if (scales[r] >= needed) continue;
    scales[r] = needed;
    out.raised.push_back(r);
  }
  if (options.granularity == Granularity::per_tensor && !scales.empty())
    std::fill(scales.begin(), scales.end(), *std::max_element(scales.begin(), scales.end()));
  out.scales.assign(scales.begin(), scales.end());
  return out;
}

void round_to_nearest(const WeightMatrix& weights, const WeightOptions& options, Levels& levels) {
  const auto largest = static_cast<float>(largest_level(options.type));
  levels.values.resize(weights.values.size());
  for (std::size_t i = 0; i < weights.values.size(); ++i) {
    const float level = std::nearbyint(weights.values[i] / levels.scales[i / weights.columns]);
    levels.values[i] = static_cast<std::int16_t>(std::clamp(level, -largest, largest));
  }
}

std::vector<float> rounding_errors(const WeightMatrix& weights, const Levels& levels) {
  std::vector<float> out(weights.values.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(levels.values[i]) * levels.scales[i / weights.columns] - weights.values[i];
  return out;
}

Tensor weight_tensor(const WeightMatrix& weights, const Levels& levels, const WeightOptions& options,
                     const Shape& shape) {
  if (options.type == WeightType::uint8) {
    Tensor out = Tensor::zeros(DataType::uint8, shape);
    const auto numbers = out.mutable_values<std::uint8_t>();
    for (std::size_t i = 0; i < levels.values.size(); ++i)
      numbers[weights.position[i]] = static_cast<std::uint8_t>(levels.values[i] + 128);
    return out;
  }
  Tensor out = Tensor::zeros(DataType::int8, shape);
  const auto numbers = out.mutable_values<std::int8_t>();
  for (std::size_t i = 0; i < levels.values.size(); ++i)
    numbers[weights.position[i]] = static_cast<std::int8_t>(levels.values[i]);
  return out;
}

Tensor bias_tensor(std::span<const double> biases, double input_scale, const Levels& levels) {
  Tensor out = Tensor::zeros(DataType::int32, {static_cast<std::int64_t>(biases.size())});
  const auto numbers = out.mutable_values<std::int32_t>();
  for (std::size_t r = 0; r < biases.size(); ++r) {
    const double unit = input_scale * static_cast<double>(levels.scales[r]);
    constexpr double kLimit = std::numeric_limits<std::int32_t>::max();
    numbers[r] = static_cast<std::int32_t>(std::clamp(std::nearbyint(biases[r] / unit), -kLimit, kLimit));
  }
  return out;
}

}  // namespace alara::graph
