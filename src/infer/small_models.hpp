// SPDX-License-Identifier: Apache-2.0
// Writes small ONNX files, and computes the same in plain C++: for tests and for `alara bench infer`, which need models
// that are known to the last bit. Not a general exporter.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "infer/model_info.hpp"

namespace alara::infer {

// Builds the bytes of one ONNX model, node by node. Names are the tensors'. IR version 8, opset 17.
class SmallModel {
 public:
  struct Attribute {
    std::string name;
    std::vector<std::int64_t> ints;  // one: written as a single number
  };

  // A negative size is a free dimension called "batch" (-1) or "n" (-2).
  void input(const std::string& name, const std::vector<std::int64_t>& shape, ElementType type = ElementType::float32);
  void output(const std::string& name, const std::vector<std::int64_t>& shape, ElementType type = ElementType::float32);
  void constant(const std::string& name, const std::vector<std::int64_t>& shape, std::span<const float> values);
  void constant64(const std::string& name, const std::vector<std::int64_t>& shape, std::span<const double> values);
  void node(const std::string& kind, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
            const std::vector<Attribute>& attributes = {}, const std::string& domain = "");

  [[nodiscard]] std::string bytes() const;

 private:
  void add_constant(const std::string& name, const std::vector<std::int64_t>& shape, int type, const std::string& raw);
  std::string graph_;
};

Status write_bytes(const std::string& path, const std::string& bytes);

// Layers of y = relu(W x + b), the last without relu; weights drawn from a fixed seed.
struct SmallMlp {
  struct Layer {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    std::vector<float> weights;  // [outputs][inputs]
    std::vector<float> biases;
  };
  std::vector<Layer> layers;

  // {8, 64, 64, 2}: 8 inputs, 2 outputs.
  [[nodiscard]] static SmallMlp random(const std::vector<std::size_t>& widths, std::uint64_t seed);
  // With a free batch, or a fixed one of `batch` rows.
  [[nodiscard]] std::string onnx(std::int64_t batch = -1) const;
  [[nodiscard]] std::vector<double> compute(std::span<const double> row) const;
};

}  // namespace alara::infer
