// SPDX-License-Identifier: Apache-2.0
#include "graph/tflite/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "graph/tflite/densify.hpp"

namespace alara::graph::tflite {
namespace {

constexpr std::size_t kMaxNameBytes = 200;

std::optional<DataType> data_type(schema::TensorType type) {
  switch (type) {
    case schema::TensorType::FLOAT32:
      return DataType::float32;
    case schema::TensorType::FLOAT16:
      return DataType::float16;
    case schema::TensorType::FLOAT64:
      return DataType::float64;
    case schema::TensorType::BFLOAT16:
      return DataType::bfloat16;
    case schema::TensorType::INT8:
      return DataType::int8;
    case schema::TensorType::UINT8:
      return DataType::uint8;
    case schema::TensorType::INT16:
      return DataType::int16;
    case schema::TensorType::UINT16:
      return DataType::uint16;
    case schema::TensorType::INT32:
      return DataType::int32;
    case schema::TensorType::UINT32:
      return DataType::uint32;
    case schema::TensorType::INT64:
      return DataType::int64;
    case schema::TensorType::UINT64:
      return DataType::uint64;
    case schema::TensorType::BOOL:
      return DataType::boolean;
    default:
      return std::nullopt;
  }
}

std::vector<std::string> unique_names(const schema::SubGraph& graph) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (std::size_t i = 0; i < graph.tensors()->size(); ++i) {
    const auto* text = graph.tensors()->Get(static_cast<flatbuffers::uoffset_t>(i))->name();
    std::string name = text == nullptr ? std::string() : std::string(text->string_view().substr(0, kMaxNameBytes));
    if (name.empty() || taken.contains(name)) name = fmt::format("{}_{}", name.empty() ? "tensor" : name, i);
    while (!taken.insert(name).second) name += "_";
    names.push_back(std::move(name));
  }
  return names;
}

Status check_tensor(const schema::Tensor& tensor, const std::string& name, std::size_t buffers) {
  if (tensor.buffer() >= buffers)
    return fail(ErrorKind::corrupt, "tensor '{}' lies in buffer {} of {}", name, tensor.buffer(), buffers);
  if (!data_type(tensor.type()))
    return fail(ErrorKind::bad_input, "tensor '{}' is of type {} ({}), which is not supported", name,
                schema::EnumNameTensorType(tensor.type()), static_cast<int>(tensor.type()));
  for (const auto* shape : {tensor.shape(), tensor.shape_signature()}) {
    if (shape == nullptr) continue;
    if (shape->size() > nhwc::kMaxRank)
      return fail(ErrorKind::corrupt, "tensor '{}' has {} axes; {} is the most", name, shape->size(), nhwc::kMaxRank);
    if (std::any_of(shape->begin(), shape->end(), [](int size) { return size < -1; }))
      return fail(ErrorKind::corrupt, "tensor '{}' has a negative size", name);
  }
  return {};
}

// The verifier lets lists of 8-byte numbers lie at any multiple of 4.
std::int64_t number_at(const flatbuffers::Vector<std::int64_t>& list, std::size_t i) {
  std::int64_t number = 0;
  std::memcpy(&number, list.Data() + i * sizeof number, sizeof number);
  return number;
}

}  // namespace

Result<Tensors> Tensors::of(const schema::Model& model, const schema::SubGraph& graph) {
  Tensors out;
  out.model_ = &model;
  out.graph_ = &graph;
  if (graph.tensors() == nullptr || model.buffers() == nullptr)
    return fail(ErrorKind::corrupt, "the file has no tensors");
  out.names_ = unique_names(graph);
  for (std::size_t i = 0; i < out.count(); ++i)
    ALARA_CHECK(check_tensor(out.at(i), out.name(i), model.buffers()->size()));
  return out;
}

const schema::Tensor& Tensors::at(std::size_t index) const {
  return *graph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

DataType Tensors::type(std::size_t index) const { return *data_type(at(index).type()); }

Dims Tensors::dims(std::size_t index) const {
  const auto* shape = at(index).shape();
  const auto* signature = at(index).shape_signature();
  if (signature != nullptr && signature->size() > 0 && (shape == nullptr || shape->size() == signature->size()))
    shape = signature;
  Dims out;
  if (shape == nullptr) return out;
  for (const int size : *shape) out.push_back({size, size < 0 && out.empty() ? "batch" : ""});
  return out;
}

std::span<const std::byte> Tensors::bytes(std::size_t index) const {
  const auto* data = model_->buffers()->Get(at(index).buffer())->data();
  if (data == nullptr) return {};
  return std::as_bytes(std::span(data->data(), data->size()));
}

bool Tensors::is_constant(std::size_t index) const {
  const Dims shape = dims(index);
  return !bytes(index).empty() || std::any_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.size == 0; });
}

Result<std::optional<nhwc::Quantization>> Tensors::quantization(std::size_t index) const {
  using Found = std::optional<nhwc::Quantization>;
  const auto* given = at(index).quantization();
  const DataType stored = type(index);
  if (given == nullptr || given->scale() == nullptr || given->scale()->size() == 0) return Found();
  if (stored == DataType::int32 && !is_constant(index)) return Found();  // sums, or indices
  if (stored == DataType::int16)
    return fail(ErrorKind::bad_input, "tensor '{}' is quantised to 16 bits, which is not supported", name(index));
  if (stored != DataType::int8 && stored != DataType::uint8 && stored != DataType::int32) return Found();
  nhwc::Quantization out;
  out.scales.assign(given->scale()->begin(), given->scale()->end());
  const std::size_t zeros = given->zero_point() == nullptr ? 0 : given->zero_point()->size();
  if (zeros > 1 && zeros != out.scales.size())
    return fail(ErrorKind::corrupt, "tensor '{}' has {} scales and {} zero points", name(index), out.scales.size(),
                zeros);
  for (std::size_t i = 0; i < out.scales.size(); ++i)
    out.zero_points.push_back(zeros == 0 ? 0 : number_at(*given->zero_point(), zeros == 1 ? 0 : i));
  const std::int64_t low = stored == DataType::int8 ? -128 : 0;
  const std::int64_t high = stored == DataType::int8 ? 127 : stored == DataType::uint8 ? 255 : 0;
  for (const std::int64_t zero : out.zero_points)
    if (zero < low || zero > high)
      return fail(ErrorKind::corrupt, "tensor '{}' has a zero point of {}", name(index), zero);
  for (const float scale : out.scales)
    if (!std::isfinite(scale) || scale <= 0)
      return fail(ErrorKind::corrupt, "tensor '{}' has a scale of {}", name(index), scale);
  const Dims shape = dims(index);
  if (out.scales.size() > 1) {
    const int axis = given->quantized_dimension();
    if (!is_constant(index) || axis < 0 || axis >= static_cast<int>(shape.size()) ||
        shape[static_cast<std::size_t>(axis)].size != static_cast<std::int64_t>(out.scales.size()))
      return fail(ErrorKind::corrupt, "tensor '{}' has {} scales along axis {} of {}", name(index), out.scales.size(),
                  axis, text_of(shape));
    out.axis = static_cast<std::size_t>(axis);
  }
  return Found(std::move(out));
}

Result<Tensor> Tensors::constant(std::size_t index) const {
  Tensor out;
  out.type = type(index);
  const auto* sizes = at(index).shape();
  if (sizes != nullptr) out.shape.assign(sizes->begin(), sizes->end());
  const auto elements = elements_of(out.shape);
  if (!elements) return fail(ErrorKind::corrupt, "tensor '{}': {}", name(index), elements.error().message);
  const std::span<const std::byte> stored = bytes(index);
  if (const auto* sparsity = at(index).sparsity(); sparsity != nullptr) {
    auto dense = densified(*sparsity, out.type, out.shape, stored);
    if (!dense) return fail(dense.error().kind, "sparse tensor '{}': {}", name(index), dense.error().message);
    out = std::move(*dense);
  } else {
    if (static_cast<std::uint64_t>(*elements) * bytes_of(out.type) != stored.size())
      return fail(ErrorKind::corrupt, "tensor '{}' is {}, but {} bytes are there", name(index), out.text(),
                  stored.size());
    out.bytes.assign(stored.begin(), stored.end());
  }
  return out.type == DataType::float16 ? widened(out) : std::move(out);
}

}  // namespace alara::graph::tflite
