// SPDX-License-Identifier: Apache-2.0
#include "graph/model.hpp"

namespace alara::graph {
namespace {

template <typename T>
const T* attribute_of(const Node& node, std::string_view name) {
  const auto found = node.attributes.find(std::string(name));
  return found == node.attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

}  // namespace

Dims dims_of(std::span<const std::int64_t> shape) {
  Dims out;
  out.reserve(shape.size());
  for (const std::int64_t size : shape) out.push_back({size, {}});
  return out;
}

std::optional<Shape> shape_of(const Dims& dims) {
  Shape out;
  out.reserve(dims.size());
  for (const Dim& dim : dims) {
    if (!dim.known()) return std::nullopt;
    out.push_back(dim.size);
  }
  return out;
}

std::string text_of(const Dims& dims) {
  std::string out = "[";
  for (const Dim& dim : dims) {
    if (out.size() > 1) out += ", ";
    out += dim.known() ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  out += ']';
  return out;
}

std::string ValueInfo::text() const {
  return fmt::format("{}: {}{}", name, name_of(type), dims ? text_of(*dims) : "[...]");
}

std::int64_t Node::integer(std::string_view attribute, std::int64_t otherwise) const {
  const auto* value = attribute_of<std::int64_t>(*this, attribute);
  return value == nullptr ? otherwise : *value;
}

float Node::number(std::string_view attribute, float otherwise) const {
  const auto* value = attribute_of<float>(*this, attribute);
  return value == nullptr ? otherwise : *value;
}

std::string Node::text(std::string_view attribute, std::string_view otherwise) const {
  const auto* value = attribute_of<std::string>(*this, attribute);
  return value == nullptr ? std::string(otherwise) : *value;
}

std::vector<std::int64_t> Node::integers(std::string_view attribute, std::vector<std::int64_t> otherwise) const {
  const auto* value = attribute_of<std::vector<std::int64_t>>(*this, attribute);
  return value == nullptr ? std::move(otherwise) : *value;
}

const Tensor* Node::tensor(std::string_view attribute) const {
  const auto* value = attribute_of<Constant>(*this, attribute);
  return value == nullptr ? nullptr : value->get();
}

const std::string& Node::input(std::size_t i) const {
  static const std::string kNone;
  return i < inputs.size() ? inputs[i] : kNone;
}

std::string Node::label() const {
  std::string called = name;
  for (std::size_t i = 0; called.empty() && i < outputs.size(); ++i) called = outputs[i];
  return fmt::format("{}{}{} '{}'", domain, domain.empty() ? "" : ".", op, called);
}

const Tensor* Graph::constant(std::string_view value) const {
  const auto found = constants.find(std::string(value));
  return found == constants.end() ? nullptr : found->second.get();
}

std::int64_t Model::opset() const {
  const auto found = opsets.find("");
  return found == opsets.end() ? 0 : found->second;
}

}  // namespace alara::graph
