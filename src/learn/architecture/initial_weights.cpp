// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/initial_weights.hpp"

#include <algorithm>
#include <cmath>

namespace alara::learn {

using graph::DataType;
using graph::Shape;
using graph::Tensor;

Tensor he_normal(Shape shape, std::int64_t fan_in, Random chance) {
  Tensor out = Tensor::zeros(DataType::float32, std::move(shape));
  const double deviation = std::sqrt(2.0 / static_cast<double>(fan_in));
  const auto weights = out.mutable_values<float>();
  for (std::size_t i = 0; i < weights.size(); i += 2) {
    const auto [first, second] = chance.normals();
    weights[i] = static_cast<float>(deviation * first);
    if (i + 1 < weights.size()) weights[i + 1] = static_cast<float>(deviation * second);
  }
  return out;
}

Tensor glorot_uniform(Shape shape, std::int64_t fan_in, std::int64_t fan_out, Random chance) {
  Tensor out = Tensor::zeros(DataType::float32, std::move(shape));
  const double limit = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
  for (float& weight : out.mutable_values<float>()) weight = static_cast<float>(limit * (2 * chance.uniform() - 1));
  return out;
}

Tensor orthogonal(std::int64_t blocks, std::int64_t n, Random chance) {
  Tensor out = Tensor::zeros(DataType::float32, {blocks, n, n});
  const auto width = static_cast<std::size_t>(n);
  std::vector<std::vector<double>> rows(width, std::vector<double>(width));
  float* to = out.mutable_values<float>().data();
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (std::size_t i = 0; i < width; ++i) {
      std::vector<double>& row = rows[i];
      for (double& number : row) number = chance.normal();
      for (std::size_t k = 0; k < i; ++k) {
        double along = 0;
        for (std::size_t j = 0; j < width; ++j) along += row[j] * rows[k][j];
        for (std::size_t j = 0; j < width; ++j) row[j] -= along * rows[k][j];
      }
      double length = 0;
      for (const double number : row) length += number * number;
      for (double& number : row) *to++ = static_cast<float>(number /= std::sqrt(length));
    }
  }
  return out;
}

Tensor filled(Shape shape, float value) {
  Tensor out = Tensor::zeros(DataType::float32, std::move(shape));
  const auto numbers = out.mutable_values<float>();
  std::fill(numbers.begin(), numbers.end(), value);
  return out;
}

}  // namespace alara::learn
