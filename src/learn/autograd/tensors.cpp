// SPDX-License-Identifier: Apache-2.0
// Between graph::Tensor and at::Tensor.
#include <ATen/ATen.h>

#include <cstring>

#include "learn/autograd/network.hpp"

namespace alara::learn {
namespace {

using graph::DataType;

// The type that holds the same bytes; nullopt: the numbers need converting, or there are none.
std::optional<at::ScalarType> same_bytes(DataType type) {
  switch (type) {
    case DataType::float32:
      return at::kFloat;
    case DataType::float64:
      return at::kDouble;
    case DataType::float16:
      return at::kHalf;
    case DataType::bfloat16:
      return at::kBFloat16;
    case DataType::uint8:
      return at::kByte;
    case DataType::int8:
      return at::kChar;
    case DataType::int16:
      return at::kShort;
    case DataType::int32:
      return at::kInt;
    case DataType::int64:
    case DataType::uint64:
      return at::kLong;
    case DataType::boolean:
      return at::kBool;
    default:
      return std::nullopt;
  }
}

DataType fitting(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return DataType::float64;
    case at::kByte:
      return DataType::uint8;
    case at::kChar:
      return DataType::int8;
    case at::kShort:
      return DataType::int16;
    case at::kInt:
      return DataType::int32;
    case at::kLong:
      return DataType::int64;
    case at::kBool:
      return DataType::boolean;
    default:
      return DataType::float32;
  }
}

template <typename Narrow>
void narrow_into(graph::Tensor& out, const at::Tensor& wide) {
  const auto* first = wide.data_ptr<std::int64_t>();
  auto numbers = out.mutable_values<Narrow>();
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<Narrow>(first[i]);
}

template <typename Narrow>
at::Tensor widened(const graph::Tensor& tensor) {
  at::Tensor out = at::empty(tensor.shape, at::kLong);
  auto* first = out.data_ptr<std::int64_t>();
  for (const Narrow number : tensor.values<Narrow>()) *first++ = static_cast<std::int64_t>(number);
  return out;
}

}  // namespace

Result<at::Tensor> to_torch(const graph::Tensor& tensor) {
  if (tensor.type == DataType::uint16) return widened<std::uint16_t>(tensor).to(at::kInt);
  if (tensor.type == DataType::uint32) return widened<std::uint32_t>(tensor);
  const auto type = same_bytes(tensor.type);
  if (!type)
    return fail(ErrorKind::bad_input, "a tensor of type {} has no numbers to compute with", name_of(tensor.type));
  at::Tensor out = at::empty(tensor.shape, *type);
  if (!tensor.bytes.empty()) std::memcpy(out.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  return *type == at::kHalf || *type == at::kBFloat16 ? out.to(at::kFloat) : out;
}

graph::Tensor from_torch(const at::Tensor& tensor, DataType type) {
  if (type == DataType::undefined) type = fitting(tensor.scalar_type());
  graph::Tensor out = graph::Tensor::zeros(type, tensor.sizes().vec());
  const at::Tensor plain = tensor.detach();
  const auto target = same_bytes(type);
  const bool rounds = !graph::is_float(type) && type != DataType::boolean && plain.is_floating_point();
  const at::Tensor numbers = rounds ? at::round(plain) : plain;
  if (!target) {
    const at::Tensor wide = numbers.to(at::kLong).contiguous();
    type == DataType::uint16 ? narrow_into<std::uint16_t>(out, wide) : narrow_into<std::uint32_t>(out, wide);
    return out;
  }
  const at::Tensor same = numbers.to(*target).contiguous();
  if (!out.bytes.empty()) std::memcpy(out.bytes.data(), same.data_ptr(), out.bytes.size());
  return out;
}

}  // namespace alara::learn
