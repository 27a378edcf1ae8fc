// SPDX-License-Identifier: Apache-2.0
#include "graph/tensor.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace alara::graph {
namespace {

struct TypeFacts {
  DataType type;
  std::string_view name;
  std::size_t bytes;
};
constexpr TypeFacts kTypes[] = {
    {DataType::float32, "float32", 4},
    {DataType::uint8, "uint8", 1},
    {DataType::int8, "int8", 1},
    {DataType::uint16, "uint16", 2},
    {DataType::int16, "int16", 2},
    {DataType::int32, "int32", 4},
    {DataType::int64, "int64", 8},
    {DataType::text, "text", 0},
    {DataType::boolean, "boolean", 1},
    {DataType::float16, "float16", 2},
    {DataType::float64, "float64", 8},
    {DataType::uint32, "uint32", 4},
    {DataType::uint64, "uint64", 8},
    {DataType::complex64, "complex64", 8},
    {DataType::complex128, "complex128", 16},
    {DataType::bfloat16, "bfloat16", 2},
};

const TypeFacts* facts_of(DataType type) {
  for (const TypeFacts& facts : kTypes)
    if (facts.type == type) return &facts;
  return nullptr;
}

template <typename To, typename From>
std::vector<To> converted(std::span<const From> numbers) {
  std::vector<To> out(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) out[i] = static_cast<To>(numbers[i]);
  return out;
}

// bfloat16 is the upper half of a float32.
float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <typename Convert>
std::vector<float> from_bits(std::span<const std::byte> bytes, Convert convert) {
  std::vector<float> out(bytes.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    out[i] = convert(bits);
  }
  return out;
}

// The numbers of every type that has a C++ type, as To; nullopt for the others.
template <typename To>
std::optional<std::vector<To>> numbers_as(const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::float32:
      return converted<To>(tensor.values<float>());
    case DataType::float64:
      return converted<To>(tensor.values<double>());
    case DataType::int8:
      return converted<To>(tensor.values<std::int8_t>());
    case DataType::uint8:
      return converted<To>(tensor.values<std::uint8_t>());
    case DataType::int16:
      return converted<To>(tensor.values<std::int16_t>());
    case DataType::uint16:
      return converted<To>(tensor.values<std::uint16_t>());
    case DataType::int32:
      return converted<To>(tensor.values<std::int32_t>());
    case DataType::uint32:
      return converted<To>(tensor.values<std::uint32_t>());
    case DataType::int64:
      return converted<To>(tensor.values<std::int64_t>());
    case DataType::uint64:
      return converted<To>(tensor.values<std::uint64_t>());
    case DataType::boolean: {
      std::vector<To> out(tensor.bytes.size());
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = tensor.bytes[i] == std::byte{0} ? To{0} : To{1};
      return out;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view name_of(DataType type) {
  const TypeFacts* facts = facts_of(type);
  return facts == nullptr ? "undefined" : facts->name;
}

std::size_t bytes_of(DataType type) {
  const TypeFacts* facts = facts_of(type);
  return facts == nullptr ? 0 : facts->bytes;
}

bool is_float(DataType type) {
  return type == DataType::float32 || type == DataType::float16 || type == DataType::float64 ||
         type == DataType::bfloat16;
}

std::optional<DataType> type_of(int onnx_number) {
  for (const TypeFacts& facts : kTypes)
    if (static_cast<int>(facts.type) == onnx_number) return facts.type;
  return std::nullopt;
}

Result<std::int64_t> elements_of(std::span<const std::int64_t> shape) {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) return fail(ErrorKind::bad_input, "shape {} has a negative size", text_of(shape));
    if (size != 0 && product > kMaxElements / size)
      return fail(ErrorKind::bad_input, "shape {} has more than {} elements", text_of(shape), kMaxElements);
    product *= size;
  }
  return product;
}

std::string text_of(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

float from_half(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1Fu;
  const std::uint32_t fraction = bits & 0x3FFu;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | (fraction << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

std::uint16_t to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7E00u);
  if (magnitude >= 65520.0F) return static_cast<std::uint16_t>(sign | 0x7C00u);  // rounds to infinity
  if (magnitude < 6.103515625e-05F)                                              // subnormal: in steps of 2^-24
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(std::ldexp(magnitude, 24))));
  const std::uint32_t absolute = bits & 0x7FFFFFFFu;
  const std::uint32_t rounded = absolute + 0xFFFu + ((absolute >> 13) & 1u);  // to nearest, ties to even
  return static_cast<std::uint16_t>(sign | ((rounded >> 13) - (112u << 10)));
}

std::int64_t Tensor::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

Result<std::vector<float>> Tensor::to_floats() const {
  if (type == DataType::float16) return from_bits(bytes, from_half);
  if (type == DataType::bfloat16) return from_bits(bytes, from_bfloat);
  if (auto numbers = numbers_as<float>(*this)) return *std::move(numbers);
  return fail(ErrorKind::bad_input, "{} has no numbers that could be read as float32", text());
}

Result<std::vector<std::int64_t>> Tensor::to_integers() const {
  if (!is_float(type))
    if (auto numbers = numbers_as<std::int64_t>(*this)) return *std::move(numbers);
  return fail(ErrorKind::bad_input, "{} has no integers", text());
}

std::string Tensor::text() const { return fmt::format("{}{}", name_of(type), text_of(shape)); }

Tensor Tensor::zeros(DataType type, Shape shape) {
  const auto elements = elements_of(shape);
  ALARA_ASSERT(elements.has_value(), "a tensor's shape is good");
  Tensor out{type, std::move(shape), {}, {}};
  const auto count = static_cast<std::size_t>(*elements);
  if (type == DataType::text) {
    out.strings.resize(count);
  } else {
    out.bytes.resize(count * bytes_of(type));
  }
  return out;
}

Tensor widened(const Tensor& half) {
  ALARA_ASSERT(half.type == DataType::float16, "only float16 is widened");
  return Tensor::of(half.shape, from_bits(half.bytes, from_half));
}

}  // namespace alara::graph
