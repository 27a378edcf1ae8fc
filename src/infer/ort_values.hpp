// SPDX-License-Identifier: Apache-2.0
// Private to infer: element types and shapes, between ours and ONNX Runtime's.
#pragma once

#include "infer/ort.hpp"

#ifdef ALARA_ONNXRUNTIME

#include <cstdint>
#include <vector>

namespace alara::infer {

// ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED for ElementType::other, and the other way round.
[[nodiscard]] ONNXTensorElementDataType ort_type(ElementType type);
[[nodiscard]] ElementType element_type(ONNXTensorElementDataType type);
[[nodiscard]] std::size_t element_bytes(ElementType type);  // 0 for text and other

struct OrtShape {
  ElementType type = ElementType::other;
  std::vector<std::int64_t> sizes;  // of a session's input or output: -1 where it is decided when it runs
};
[[nodiscard]] Result<OrtShape> shape_of(const Ort& ort, const OrtValue* value);
[[nodiscard]] Result<OrtShape> shape_of(const Ort& ort, const OrtTensorTypeAndShapeInfo* info);

}  // namespace alara::infer

#endif
