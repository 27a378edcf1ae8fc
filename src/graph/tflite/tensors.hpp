// SPDX-License-Identifier: Apache-2.0
// The tensors of a TensorFlow Lite file: checked, with names of their own.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "graph/nhwc/lowering.hpp"
#include "tflite_generated.h"

namespace alara::graph::tflite {

// Of a graph in a file that outlives it. Indices are checked by whoever asks: index < count().
class Tensors {
 public:
  // Errors: corrupt (shapes, types and buffers that can not be).
  [[nodiscard]] static Result<Tensors> of(const schema::Model& model, const schema::SubGraph& graph);

  [[nodiscard]] std::size_t count() const { return names_.size(); }
  // Unique, not empty, of bounded length.
  [[nodiscard]] const std::string& name(std::size_t index) const { return names_[index]; }
  [[nodiscard]] DataType type(std::size_t index) const;
  // As declared; sizes that the file leaves open are unknown. Empty: a single number, or not declared.
  [[nodiscard]] Dims dims(std::size_t index) const;
  [[nodiscard]] bool is_constant(std::size_t index) const;
  // nullopt: plain numbers. Errors: more scales than one axis has, scales that are no positive numbers, and 16 bits.
  [[nodiscard]] Result<std::optional<nhwc::Quantization>> quantization(std::size_t index) const;
  // Numbers of a constant: float16 as float32, sparse ones dense.
  [[nodiscard]] Result<Tensor> constant(std::size_t index) const;

 private:
  [[nodiscard]] const schema::Tensor& at(std::size_t index) const;
  [[nodiscard]] std::span<const std::byte> bytes(std::size_t index) const;

  const schema::Model* model_ = nullptr;
  const schema::SubGraph* graph_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace alara::graph::tflite
