// SPDX-License-Identifier: Apache-2.0
#include "infer/small_models.hpp"

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

namespace alara::infer {
namespace {

static_assert(std::endian::native == std::endian::little, "raw tensor data is little-endian");

// The wire format: a tag (field number and kind), then a number or a length and bytes.
void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_number(std::string& out, std::uint32_t field, std::int64_t value) {
  put_varint(out, field << 3);
  put_varint(out, static_cast<std::uint64_t>(value));
}

void put_bytes(std::string& out, std::uint32_t field, const std::string& bytes) {
  put_varint(out, field << 3 | 2);
  put_varint(out, bytes.size());
  out += bytes;
}

template <typename T>
std::string raw_bytes(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

int onnx_code(ElementType type) {
  switch (type) {
    case ElementType::float64:
      return 11;
    case ElementType::int64:
      return 7;
    case ElementType::int32:
      return 6;
    case ElementType::float16:
      return 10;
    case ElementType::boolean:
      return 9;
    default:
      return 1;
  }
}

std::string value_info(const std::string& name, const std::vector<std::int64_t>& shape, ElementType type) {
  std::string dimensions;
  for (const std::int64_t size : shape) {
    std::string dimension;
    if (size >= 0)
      put_number(dimension, 1, size);
    else
      put_bytes(dimension, 2, size == -1 ? "batch" : "n");
    put_bytes(dimensions, 1, dimension);
  }
  std::string tensor;
  put_number(tensor, 1, onnx_code(type));
  put_bytes(tensor, 2, dimensions);
  std::string type_proto;
  put_bytes(type_proto, 1, tensor);
  std::string out;
  put_bytes(out, 1, name);
  put_bytes(out, 2, type_proto);
  return out;
}

std::string attribute_bytes(const SmallModel::Attribute& attribute) {
  constexpr std::int64_t kInt = 2;
  constexpr std::int64_t kInts = 7;
  std::string out;
  put_bytes(out, 1, attribute.name);
  if (attribute.ints.size() == 1) {
    put_number(out, 3, attribute.ints[0]);
    put_number(out, 20, kInt);
    return out;
  }
  for (const std::int64_t value : attribute.ints) put_number(out, 8, value);
  put_number(out, 20, kInts);
  return out;
}

// SplitMix64 (Steele, Lea, Flood 2014), as a number in -1 … 1.
double draw(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-52 - 1;
}

}  // namespace

void SmallModel::input(const std::string& name, const std::vector<std::int64_t>& shape, ElementType type) {
  put_bytes(graph_, 11, value_info(name, shape, type));
}

void SmallModel::output(const std::string& name, const std::vector<std::int64_t>& shape, ElementType type) {
  put_bytes(graph_, 12, value_info(name, shape, type));
}

void SmallModel::add_constant(const std::string& name, const std::vector<std::int64_t>& shape, int type,
                              const std::string& raw) {
  std::string tensor;
  for (const std::int64_t size : shape) put_number(tensor, 1, size);
  put_number(tensor, 2, type);
  put_bytes(tensor, 8, name);
  put_bytes(tensor, 9, raw);
  put_bytes(graph_, 5, tensor);
}

void SmallModel::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                          std::span<const float> values) {
  add_constant(name, shape, 1, raw_bytes(values));
}

void SmallModel::constant64(const std::string& name, const std::vector<std::int64_t>& shape,
                            std::span<const double> values) {
  add_constant(name, shape, 11, raw_bytes(values));
}

void SmallModel::node(const std::string& kind, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs, const std::vector<Attribute>& attributes,
                      const std::string& domain) {
  std::string node;
  for (const std::string& name : inputs) put_bytes(node, 1, name);
  for (const std::string& name : outputs) put_bytes(node, 2, name);
  put_bytes(node, 4, kind);
  for (const Attribute& attribute : attributes) put_bytes(node, 5, attribute_bytes(attribute));
  if (!domain.empty()) put_bytes(node, 7, domain);
  put_bytes(graph_, 1, node);
}

std::string SmallModel::bytes() const {
  std::string opset;
  put_bytes(opset, 1, "");
  put_number(opset, 2, 17);
  std::string graph = graph_;
  put_bytes(graph, 2, "small");
  std::string model;
  put_number(model, 1, 8);
  put_bytes(model, 2, "alara");
  put_bytes(model, 8, opset);
  put_bytes(model, 7, graph);
  return model;
}

Status write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return fail(ErrorKind::unavailable, "can not write '{}': {}", path, std::strerror(errno));
  return {};
}

SmallMlp SmallMlp::random(const std::vector<std::size_t>& widths, std::uint64_t seed) {
  SmallMlp out;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    Layer layer{widths[i], widths[i + 1], {}, {}};
    const double scale = std::sqrt(3.0 / static_cast<double>(layer.inputs));
    for (std::size_t k = 0; k < layer.inputs * layer.outputs; ++k)
      layer.weights.push_back(static_cast<float>(scale * draw(seed)));
    for (std::size_t k = 0; k < layer.outputs; ++k) layer.biases.push_back(static_cast<float>(0.1 * draw(seed)));
    out.layers.push_back(std::move(layer));
  }
  return out;
}

std::string SmallMlp::onnx(std::int64_t batch) const {
  SmallModel model;
  model.input("features", {batch, static_cast<std::int64_t>(layers.front().inputs)});
  model.output("prediction", {batch, static_cast<std::int64_t>(layers.back().outputs)});
  std::string value = "features";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    const bool last = i + 1 == layers.size();
    const std::string name = fmt::format("layer{}", i);
    const auto outputs = static_cast<std::int64_t>(layer.outputs);
    model.constant(name + ".weight", {outputs, static_cast<std::int64_t>(layer.inputs)}, layer.weights);
    model.constant(name + ".bias", {outputs}, layer.biases);
    const std::string sum = last ? "prediction" : name + ".sum";
    model.node("Gemm", {value, name + ".weight", name + ".bias"}, {sum}, {{"transB", {1}}});
    if (!last) model.node("Relu", {sum}, {name + ".out"});
    value = name + ".out";
  }
  return model.bytes();
}

std::vector<double> SmallMlp::compute(std::span<const double> row) const {
  std::vector<double> values(row.begin(), row.end());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    std::vector<double> next(layer.outputs);
    for (std::size_t out = 0; out < layer.outputs; ++out) {
      double sum = layer.biases[out];
      for (std::size_t in = 0; in < layer.inputs; ++in)
        sum += double{layer.weights[out * layer.inputs + in]} * values[in];
      next[out] = i + 1 < layers.size() ? std::max(sum, 0.0) : sum;
    }
    values = std::move(next);
  }
  return values;
}

}  // namespace alara::infer
