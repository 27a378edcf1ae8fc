// SPDX-License-Identifier: Apache-2.0
// What a model file says of itself: its tensors, operators and digest. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace alara::infer {

enum class ElementType : std::uint8_t {
  float32,
  float64,
  float16,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  boolean,
  text,
  other,  // not a tensor, or a type we do not handle
};
[[nodiscard]] std::string_view name_of(ElementType type);

struct Dimension {
  std::int64_t size = -1;  // -1: decided when it runs
  std::string name = {};   // of a free dimension, "batch"; may be empty
};

struct TensorInfo {
  std::string name;
  ElementType type = ElementType::other;
  std::vector<Dimension> shape;

  // "features: float32[batch, 8]".
  [[nodiscard]] std::string text() const;
};

struct ModelInfo {
  std::vector<TensorInfo> inputs;  // without those that have a constant value in the file
  std::vector<TensorInfo> outputs;
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t> opsets;    // domain ("" is ONNX's own) to version
  std::map<std::string, std::size_t> operators;  // "Gemm", "com.example.Fancy" to how often it is used
  std::string producer;                          // "pytorch 2.1"
  std::uint64_t parameters = 0;                  // numbers in all constants
  bool external_data = false;                    // weights lie in other files, which the digest does not cover
  std::uint64_t bytes = 0;                       // of the file
  std::string digest;                            // "sha256:<64 hex digits>" of the file
};

}  // namespace alara::infer
