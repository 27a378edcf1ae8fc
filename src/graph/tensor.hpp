// SPDX-License-Identifier: Apache-2.0
// Constants of a graph and values that go into and come out of running one: a type, a shape, and the numbers,
// row-major and little-endian as ONNX stores them. Tensors do not change once a graph holds them, so that copies of a
// model share them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::graph {

// Values are those of ONNX's TensorProto.DataType.
enum class DataType : std::uint8_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  text = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
};
[[nodiscard]] std::string_view name_of(DataType type);           // "float32"
[[nodiscard]] std::size_t bytes_of(DataType type);               // of one element; 0 for text and undefined
[[nodiscard]] bool is_float(DataType type);                      // float16, bfloat16, float32, float64
[[nodiscard]] std::optional<DataType> type_of(int onnx_number);  // nullopt: a type we do not know

using Shape = std::vector<std::int64_t>;  // every size >= 0; empty: a scalar

inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 31;  // of one tensor
inline constexpr std::size_t kMaxRank = 64;                          // dimensions of one tensor

// Product of the sizes; bad_input when one is negative or the product passes kMaxElements.
[[nodiscard]] Result<std::int64_t> elements_of(std::span<const std::int64_t> shape);
[[nodiscard]] std::string text_of(std::span<const std::int64_t> shape);  // "[1, 3, 224, 224]"

// IEEE 754 binary16, round to nearest even.
[[nodiscard]] float from_half(std::uint16_t bits);
[[nodiscard]] std::uint16_t to_half(float value);

template <typename T>
struct DataTypeOf;
template <>
struct DataTypeOf<float> {
  static constexpr auto value = DataType::float32;
};
template <>
struct DataTypeOf<double> {
  static constexpr auto value = DataType::float64;
};
template <>
struct DataTypeOf<std::int8_t> {
  static constexpr auto value = DataType::int8;
};
template <>
struct DataTypeOf<std::uint8_t> {
  static constexpr auto value = DataType::uint8;
};
template <>
struct DataTypeOf<std::int16_t> {
  static constexpr auto value = DataType::int16;
};
template <>
struct DataTypeOf<std::uint16_t> {
  static constexpr auto value = DataType::uint16;
};
template <>
struct DataTypeOf<std::int32_t> {
  static constexpr auto value = DataType::int32;
};
template <>
struct DataTypeOf<std::uint32_t> {
  static constexpr auto value = DataType::uint32;
};
template <>
struct DataTypeOf<std::int64_t> {
  static constexpr auto value = DataType::int64;
};
template <>
struct DataTypeOf<std::uint64_t> {
  static constexpr auto value = DataType::uint64;
};
template <>
struct DataTypeOf<bool> {
  static constexpr auto value = DataType::boolean;
};

struct Tensor {
  DataType type = DataType::undefined;
  Shape shape;
  std::vector<std::byte> bytes;      // elements() * bytes_of(type); empty for text
  std::vector<std::string> strings;  // elements() of them for text, else empty

  [[nodiscard]] std::int64_t elements() const;  // of `shape`, which is known to be good
  [[nodiscard]] std::size_t rank() const { return shape.size(); }

  // The numbers as they are stored; T must be the type's C++ type (a bug otherwise).
  template <typename T>
  [[nodiscard]] std::span<const T> values() const {
    ALARA_ASSERT(type == DataTypeOf<T>::value, "a tensor is read as another type than it has");
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] std::span<T> mutable_values() {
    ALARA_ASSERT(type == DataTypeOf<T>::value, "a tensor is written as another type than it has");
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  // The numbers converted; bad_input for text, complex and (to_integers) floating-point types.
  [[nodiscard]] Result<std::vector<float>> to_floats() const;
  [[nodiscard]] Result<std::vector<std::int64_t>> to_integers() const;

  // "float32[3, 8]".
  [[nodiscard]] std::string text() const;

  // A tensor of zeros. The shape must be good (a bug otherwise).
  [[nodiscard]] static Tensor zeros(DataType type, Shape shape);
  template <typename T>
  [[nodiscard]] static Tensor of(Shape shape, std::span<const T> numbers) {
    Tensor out = zeros(DataTypeOf<T>::value, std::move(shape));
    ALARA_ASSERT(out.bytes.size() == numbers.size_bytes(), "as many numbers as the shape says");
    if (!numbers.empty()) std::memcpy(out.bytes.data(), numbers.data(), numbers.size_bytes());
    return out;
  }
  template <typename T>
  [[nodiscard]] static Tensor of(Shape shape, const std::vector<T>& numbers) {
    return of(std::move(shape), std::span<const T>(numbers));
  }
  template <typename T>
  [[nodiscard]] static Tensor scalar(T number) {
    return of(Shape{}, std::span<const T>(&number, 1));
  }
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

// A float16 tensor as float32 (another type is a bug).
[[nodiscard]] Tensor widened(const Tensor& half);

using Constant = std::shared_ptr<const Tensor>;
[[nodiscard]] inline Constant share(Tensor tensor) { return std::make_shared<const Tensor>(std::move(tensor)); }

}  // namespace alara::graph
