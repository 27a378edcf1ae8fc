// SPDX-License-Identifier: Apache-2.0
#include "infer/ort_values.hpp"

#ifdef ALARA_ONNXRUNTIME

#include <array>

namespace alara::infer {
namespace {

struct TypeRow {
  ElementType type;
  ONNXTensorElementDataType ort;
  std::size_t bytes;
};

constexpr std::array kTypes{
    TypeRow{ElementType::float32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, 4},
    TypeRow{ElementType::float64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 8},
    TypeRow{ElementType::float16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, 2},
    TypeRow{ElementType::int8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, 1},
    TypeRow{ElementType::uint8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, 1},
    TypeRow{ElementType::int16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, 2},
    TypeRow{ElementType::uint16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, 2},
    TypeRow{ElementType::int32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, 4},
    TypeRow{ElementType::uint32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, 4},
    TypeRow{ElementType::int64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, 8},
    TypeRow{ElementType::uint64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, 8},
    TypeRow{ElementType::boolean, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, 1},
    TypeRow{ElementType::text, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, 0},
    TypeRow{ElementType::other, ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, 0},
};

const TypeRow& row_of(ElementType type) {
  for (const TypeRow& row : kTypes)
    if (row.type == type) return row;
  return kTypes.back();
}

}  // namespace

ONNXTensorElementDataType ort_type(ElementType type) { return row_of(type).ort; }

ElementType element_type(ONNXTensorElementDataType type) {
  for (const TypeRow& row : kTypes)
    if (row.ort == type) return row.type;
  return ElementType::other;
}

std::size_t element_bytes(ElementType type) { return row_of(type).bytes; }

Result<OrtShape> shape_of(const Ort& ort, const OrtTensorTypeAndShapeInfo* info) {
  const auto check = [&](OrtStatus* status) { return ort.check(status, ErrorKind::internal, "shape of a tensor"); };
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  ALARA_CHECK(check(ort.api->GetTensorElementType(info, &type)));
  std::size_t dimensions = 0;
  ALARA_CHECK(check(ort.api->GetDimensionsCount(info, &dimensions)));
  OrtShape out{element_type(type), std::vector<std::int64_t>(dimensions)};
  ALARA_CHECK(check(ort.api->GetDimensions(info, out.sizes.data(), dimensions)));
  return out;
}

Result<OrtShape> shape_of(const Ort& ort, const OrtValue* value) {
  OrtTensorTypeAndShapeInfo* info = nullptr;
  ALARA_CHECK(ort.check(ort.api->GetTensorTypeAndShape(value, &info), ErrorKind::internal, "shape of a tensor"));
  const auto owned = ort.own(info, ort.api->ReleaseTensorTypeAndShapeInfo);
  return shape_of(ort, info);
}

}  // namespace alara::infer

#endif
