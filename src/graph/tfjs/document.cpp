// SPDX-License-Identifier: Apache-2.0
#include "graph/tfjs/document.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "graph/nhwc/dims.hpp"

namespace alara::graph::tfjs {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxNameBytes = 500;

// The deepest nesting of brackets outside of texts.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text && c == '\\')
      ++i;
    else if (c == '"')
      in_text = !in_text;
    else if (!in_text && (c == '{' || c == '['))
      deepest = std::max(deepest, ++depth);
    else if (!in_text && (c == '}' || c == ']'))
      --depth;
  }
  return deepest;
}

// The member, or null where there is none.
const json& member(const json& object, const char* name) {
  static const json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

// Protobuf's JSON writes 64-bit integers as text.
std::optional<std::int64_t> integer_of(const json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string from_base64(std::string_view text) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;  // the padding
    bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xFFFFFFU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFFU);
  }
  return out;
}

std::optional<DataType> type_named(std::string_view name) {
  static const std::map<std::string_view, DataType> kTypes = {
      {"DT_FLOAT", DataType::float32}, {"DT_HALF", DataType::float16}, {"DT_DOUBLE", DataType::float64},
      {"DT_INT32", DataType::int32},   {"DT_INT64", DataType::int64},  {"DT_INT16", DataType::int16},
      {"DT_INT8", DataType::int8},     {"DT_UINT8", DataType::uint8},  {"DT_BOOL", DataType::boolean},
      {"float32", DataType::float32},  {"float16", DataType::float16}, {"int32", DataType::int32},
      {"uint8", DataType::uint8},      {"uint16", DataType::uint16},   {"bool", DataType::boolean}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Dims> dims_in(const json& shape) {
  if (!shape.is_object() || member(shape, "unknownRank") == true) return std::nullopt;
  Dims out;
  const json& sizes = member(shape, "dim");
  if (!sizes.is_array()) return out;
  if (sizes.size() > nhwc::kMaxRank) return std::nullopt;
  for (const json& one : sizes) {
    const std::int64_t size = integer_of(member(one, "size")).value_or(-1);
    const bool known = size >= 0 && size <= kMaxElements;
    out.push_back({known ? size : -1, known || !out.empty() ? "" : "batch"});
  }
  return out;
}

// Takes the attributes out of the entry.
Result<NodeDef> node_of(json& entry, std::size_t index) {
  NodeDef node{text_of(member(entry, "name")), text_of(member(entry, "op")), {}, {}};
  if (node.name.empty() || node.op.empty())
    return fail(ErrorKind::corrupt, "node {} has no name or no operator", index);
  if (std::max(node.name.size(), node.op.size()) > kMaxNameBytes)
    return fail(ErrorKind::corrupt, "the name of node {} has more than {} bytes", index, kMaxNameBytes);
  if (entry.contains("attr")) node.attributes = std::move(entry["attr"]);
  const json& inputs = member(entry, "input");
  if (!inputs.is_array()) return node;
  for (const json& input : inputs) {
    const std::string text = text_of(input);
    if (text.empty()) return fail(ErrorKind::corrupt, "an input of node '{}' has no name", node.name);
    if (text[0] != '^') node.inputs.push_back(reference_of(text));
  }
  return node;
}

Result<WeightDef> weight_of(const json& entry) {
  WeightDef out;
  out.name = text_of(member(entry, "name"));
  const std::string type = text_of(member(entry, "dtype"));
  const auto known = type_named(type);
  if (!known) return fail(ErrorKind::bad_input, "weight '{}' is of type '{}', which is not supported", out.name, type);
  out.type = out.stored = *known;
  const json& sizes = member(entry, "shape");
  if (!sizes.is_array() || sizes.size() > nhwc::kMaxRank)
    return fail(ErrorKind::corrupt, "weight '{}' has no shape of at most {} axes", out.name, nhwc::kMaxRank);
  for (const json& size : sizes) out.shape.push_back(integer_of(size).value_or(-1));
  const json& quantization = member(entry, "quantization");
  if (!quantization.is_object()) return out;
  const auto stored = type_named(text_of(member(quantization, "dtype")));
  const json& scale = member(quantization, "scale");
  const json& least = member(quantization, "min");
  if (stored && *stored == DataType::float16 && out.type == DataType::float32) {
    out.stored = *stored;
    return out;
  }
  if (!stored || (*stored != DataType::uint8 && *stored != DataType::uint16) || !scale.is_number() ||
      !least.is_number() || (out.type != DataType::float32 && out.type != DataType::int32))
    return fail(ErrorKind::bad_input, "weight '{}' is quantised in a way that is not known", out.name);
  out.stored = *stored;
  out.scale = scale.get<float>();
  out.least = least.get<float>();
  if (!std::isfinite(out.scale) || !std::isfinite(out.least))
    return fail(ErrorKind::corrupt, "weight '{}' has scale {} and least {}", out.name, out.scale, out.least);
  return out;
}

Status read_weights(const json& manifest, Document& out) {
  if (!manifest.is_array()) return fail(ErrorKind::corrupt, "it has no weightsManifest");
  for (const json& group : manifest) {
    WeightGroup made;
    const json& paths = member(group, "paths");
    if (paths.is_array())
      for (const json& path : paths) made.paths.push_back(text_of(path));
    const json& weights = member(group, "weights");
    if (!weights.is_array()) return fail(ErrorKind::corrupt, "a group of weights lists none");
    for (const json& entry : weights) {
      ALARA_TRY(WeightDef weight, weight_of(entry));
      const auto elements = elements_of(weight.shape);
      if (!elements) return fail(ErrorKind::corrupt, "weight '{}': {}", weight.name, elements.error().message);
      weight.group = out.groups.size();
      weight.offset = made.bytes;
      made.bytes += static_cast<std::uint64_t>(*elements) * bytes_of(weight.stored);
      if (made.bytes > kMaxTfjsWeightBytes)
        return fail(ErrorKind::exhausted, "weights of more than {} bytes", kMaxTfjsWeightBytes);
      const std::string name = weight.name;
      if (!out.weights.emplace(name, std::move(weight)).second)
        return fail(ErrorKind::corrupt, "weight '{}' is there twice", name);
    }
    out.groups.push_back(std::move(made));
  }
  return {};
}

void read_signature(const json& document, Document& out) {
  const json& own = member(document, "signature");
  const json& signature = own.is_object() ? own : member(member(document, "userDefinedMetadata"), "signature");
  const json& inputs = member(signature, "inputs");
  if (inputs.is_object())
    for (const json& input : inputs)
      if (auto dims = dims_in(member(input, "tensorShape")); dims)
        out.input_shapes[reference_of(text_of(member(input, "name"))).node] = std::move(*dims);
  const json& outputs = member(signature, "outputs");
  if (outputs.is_object())
    for (const json& output : outputs) out.outputs.push_back(text_of(member(output, "name")));
}

}  // namespace

Reference reference_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  Reference out{std::string(text.substr(0, colon)), 0};
  if (colon == std::string_view::npos) return out;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.output);
  if (error != std::errc() || end != digits.data() + digits.size()) return {std::string(text), 0};
  return out;
}

std::int64_t NodeDef::integer(const char* attribute, std::int64_t otherwise) const {
  return integer_of(member(member(attributes, attribute), "i")).value_or(otherwise);
}

float NodeDef::number(const char* attribute, float otherwise) const {
  const json& value = member(member(attributes, attribute), "f");
  return value.is_number() ? value.get<float>() : otherwise;
}

bool NodeDef::flag(const char* attribute) const { return member(member(attributes, attribute), "b") == true; }

std::string NodeDef::text(const char* attribute) const {
  return from_base64(text_of(member(member(attributes, attribute), "s")));
}

std::vector<std::int64_t> NodeDef::integers(const char* attribute) const {
  std::vector<std::int64_t> out;
  const json& list = member(member(member(attributes, attribute), "list"), "i");
  if (list.is_array())
    for (const json& one : list) out.push_back(integer_of(one).value_or(0));
  return out;
}

std::vector<std::string> NodeDef::texts(const char* attribute) const {
  std::vector<std::string> out;
  const json& list = member(member(member(attributes, attribute), "list"), "s");
  if (list.is_array())
    for (const json& one : list) out.push_back(from_base64(text_of(one)));
  return out;
}

std::optional<DataType> NodeDef::type(const char* attribute) const {
  return type_named(text_of(member(member(attributes, attribute), "type")));
}

std::optional<Dims> NodeDef::shape(const char* attribute) const {
  return dims_in(member(member(attributes, attribute), "shape"));
}

Result<Document> parse_document(std::string_view text) {
  if (text.size() > kMaxTfjsJsonBytes)
    return fail(ErrorKind::exhausted, "a model.json of {} bytes; {} is the most", text.size(), kMaxTfjsJsonBytes);
  if (depth_of(text) > kMaxTfjsDepth)
    return fail(ErrorKind::corrupt, "brackets within brackets, deeper than {}", kMaxTfjsDepth);
  json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return fail(ErrorKind::corrupt, "not JSON");
  if (!member(member(document, "modelTopology"), "node").is_array())
    return fail(ErrorKind::bad_input, "no TensorFlow.js graph model: it has no modelTopology with nodes");
  json& nodes = document["modelTopology"]["node"];
  Document out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    ALARA_TRY(NodeDef node, node_of(nodes[i], i));
    out.nodes.push_back(std::move(node));
  }
  ALARA_CHECK(read_weights(member(document, "weightsManifest"), out));
  read_signature(document, out);
  return out;
}

}  // namespace alara::graph::tfjs
