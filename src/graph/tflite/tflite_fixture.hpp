// SPDX-License-Identifier: Apache-2.0
// For tests: small TensorFlow Lite files, tensor by tensor and operator by operator, whether they make sense or not.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/tensor.hpp"
#include "tflite_generated.h"

namespace alara::graph::tflite::test {

using schema::BuiltinOperator;
using schema::BuiltinOptions;
using schema::TensorType;

struct Quantized {
  std::vector<float> scales = {};
  std::vector<std::int64_t> zero_points = {};
  int axis = 0;
};

template <typename T>
std::vector<std::uint8_t> raw(const std::vector<T>& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return {data, data + bytes.size()};
}

class SmallTflite {
 public:
  // Its number. `data` makes it a constant.
  int tensor(const std::string& name, TensorType type, const std::vector<int>& shape,
             const std::vector<std::uint8_t>& data = {}, const Quantized& quantized = {},
             const std::vector<int>& signature = {}) {
    buffers_.push_back(schema::CreateBuffer(bytes_, data.empty() ? 0 : bytes_.CreateVector(data)));
    flatbuffers::Offset<schema::QuantizationParameters> quantization;
    if (!quantized.scales.empty())
      quantization =
          schema::CreateQuantizationParameters(bytes_, 0, 0, bytes_.CreateVector(quantized.scales),
                                               bytes_.CreateVector(quantized.zero_points), 0, 0, quantized.axis);
    tensors_.push_back(schema::CreateTensor(bytes_, bytes_.CreateVector(shape), type,
                                            static_cast<std::uint32_t>(buffers_.size() - 1), bytes_.CreateString(name),
                                            quantization, false, sparsity_,
                                            signature.empty() ? 0 : bytes_.CreateVector(signature)));
    sparsity_ = {};
    return static_cast<int>(tensors_.size()) - 1;
  }
  int floats(const std::string& name, const std::vector<int>& shape, const std::vector<float>& numbers = {}) {
    return tensor(name, TensorType::FLOAT32, shape, raw(numbers));
  }
  int integers(const std::string& name, const std::vector<std::int32_t>& numbers) {
    return tensor(name, TensorType::INT32, {static_cast<int>(numbers.size())}, raw(numbers));
  }
  // Of the next tensor.
  void sparsity(flatbuffers::Offset<schema::SparsityParameters> sparsity) { sparsity_ = sparsity; }

  void op(BuiltinOperator code, const std::vector<int>& inputs, const std::vector<int>& outputs,
          BuiltinOptions kind = BuiltinOptions::NONE, flatbuffers::Offset<void> options = 0,
          const std::string& custom = {}) {
    codes_.push_back(schema::CreateOperatorCode(bytes_, static_cast<std::int8_t>(std::min(static_cast<int>(code), 127)),
                                                custom.empty() ? 0 : bytes_.CreateString(custom), 1, code));
    operators_.push_back(schema::CreateOperator(bytes_, static_cast<std::uint32_t>(codes_.size() - 1),
                                                last_inputs_ = bytes_.CreateVector(inputs),
                                                bytes_.CreateVector(outputs), kind, options));
  }
  // Of the last operator's code, and with the very list of inputs that it has.
  void same_op(const std::vector<int>& outputs) {
    operators_.push_back(schema::CreateOperator(bytes_, static_cast<std::uint32_t>(codes_.size() - 1), last_inputs_,
                                                bytes_.CreateVector(outputs)));
  }
  flatbuffers::FlatBufferBuilder& builder() { return bytes_; }

  std::vector<std::byte> finish(const std::vector<int>& inputs, const std::vector<int>& outputs) {
    const auto graph = schema::CreateSubGraph(bytes_, bytes_.CreateVector(tensors_), bytes_.CreateVector(inputs),
                                              bytes_.CreateVector(outputs), bytes_.CreateVector(operators_),
                                              bytes_.CreateString("small"));
    const auto model = schema::CreateModel(bytes_, 3, bytes_.CreateVector(codes_),
                                           bytes_.CreateVector(std::vector{graph}), 0, bytes_.CreateVector(buffers_));
    bytes_.Finish(model, schema::ModelIdentifier());
    const auto span = std::as_bytes(std::span(bytes_.GetBufferPointer(), bytes_.GetSize()));
    return {span.begin(), span.end()};
  }

  // Options that tests often want.
  flatbuffers::Offset<void> conv(schema::Padding padding, int stride = 1,
                                 schema::FusedActivation activation = schema::FusedActivation::NONE) {
    return schema::CreateConv2DOptions(bytes_, padding, stride, stride, activation).Union();
  }

 private:
  flatbuffers::FlatBufferBuilder bytes_;
  std::vector<flatbuffers::Offset<schema::Buffer>> buffers_ = {schema::CreateBuffer(bytes_)};
  std::vector<flatbuffers::Offset<schema::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<schema::OperatorCode>> codes_;
  std::vector<flatbuffers::Offset<schema::Operator>> operators_;
  flatbuffers::Offset<flatbuffers::Vector<std::int32_t>> last_inputs_;
  flatbuffers::Offset<schema::SparsityParameters> sparsity_;
};

}  // namespace alara::graph::tflite::test
