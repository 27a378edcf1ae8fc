// SPDX-License-Identifier: Apache-2.0
// E[x x^T] of what a layer multiplies its weights with: how much an error in one weight may be made good by another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "graph/linear.hpp"

namespace alara::graph {

inline constexpr std::size_t kMaxGramColumns = 2304;  // wider layers cost more memory and time than rounding is worth
inline constexpr std::size_t kGramPlacesPerSample = 512;  // of a feature map, evenly spread

class InputGram {
 public:
  // nullopt: ConvTranspose, convolutions over more than two dimensions, more than kMaxGramColumns weights per output.
  static std::optional<InputGram> of(const Graph& graph, const Node& node);

  Status add(const TensorView& input);  // float32, of the layer's first input

  [[nodiscard]] std::size_t groups() const { return groups_; }
  [[nodiscard]] std::size_t columns() const { return columns_; }
  [[nodiscard]] std::size_t bytes() const { return sums_.size() * sizeof(double); }
  // Row-major columns() x columns(), the mean over all places.
  [[nodiscard]] std::vector<float> mean(std::size_t group) const;

 private:
  struct Window {  // of a convolution; 1-D ones have a height of 1
    std::int64_t kernel[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1}, begin[2] = {0, 0}, end[2] = {0, 0};
    enum class Padding : std::uint8_t { given, same_upper, same_lower } padding = Padding::given;
  };
  InputGram(std::size_t groups, std::size_t columns)
      : groups_(groups), columns_(columns), sums_(groups * columns * columns, 0.0) {}
  void read_window(const Node& node, const Tensor& weight);
  [[nodiscard]] std::int64_t places(int axis, std::int64_t size, std::int64_t& begin) const;
  Status add_rows(const TensorView& input);
  Status add_windows(const TensorView& input);
  void add_product(std::size_t group, const std::vector<float>& rows);

  std::size_t groups_, columns_;
  std::optional<Window> window_;  // nullopt: rows of a matrix
  std::vector<double> sums_;
  std::uint64_t count_ = 0;  // places
};

}  // namespace alara::graph
