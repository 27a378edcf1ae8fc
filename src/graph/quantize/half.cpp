// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/half.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "graph/fuse.hpp"
#include "graph/quantize/plan.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {
namespace {

constexpr float kLargestHalf = 65504;

bool has_subgraph(const Node& node) {
  return std::any_of(node.attributes.begin(), node.attributes.end(), [](const auto& attribute) {
    return std::holds_alternative<std::shared_ptr<const Graph>>(attribute.second);
  });
}

// ONNX's type constraints, opsets 17 to 21.
bool knows_half(const Node& node) {
  static constexpr std::string_view kFloatOnly[] = {"NonMaxSuppression",
                                                    "QuantizeLinear",
                                                    "DequantizeLinear",
                                                    "DynamicQuantizeLinear",
                                                    "Range",
                                                    "RandomNormal",
                                                    "RandomUniform",
                                                    "RandomNormalLike",
                                                    "RandomUniformLike",
                                                    "Multinomial",
                                                    "Bernoulli",
                                                    "EyeLike",
                                                    "MelWeightMatrix",
                                                    "STFT",
                                                    "DFT",
                                                    "HannWindow",
                                                    "HammingWindow",
                                                    "BlackmanWindow",
                                                    "StringNormalizer",
                                                    "TfIdfVectorizer"};
  return node.domain.empty() && !has_subgraph(node) &&
         std::find(std::begin(kFloatOnly), std::end(kFloatOnly), node.op) == std::end(kFloatOnly);
}

// Resize's region and scales stay float32 whatever the data is.
bool is_parameter(const Node& node, std::size_t input) { return node.is("Resize") && input > 0; }

class HalfWriter {
 public:
  HalfWriter(const Model& model, const ValueTable& values, const std::set<std::string>& exclude)
      : model_(model), values_(values), exclude_(exclude), names_(model.graph) {}

  Smaller write() {
    out_.model = model_;
    out_.model.graph.nodes.clear();
    for (const Node& node : model_.graph.nodes)
      knows_half(node) && !excluded(node, exclude_) ? write_half(node) : write_float(node);
    for (const ValueInfo& output : model_.graph.outputs)
      if (halves_.contains(output.name) && made_half_.contains(output.name))
        append_cast(halves_[output.name], output.name, DataType::float32);
    for (auto& [name, info] : out_.model.graph.values)
      if (made_half_.contains(name)) info.type = DataType::float32;
    remove_unused(out_.model.graph);
    if (cut_ > 0) out_.notes.push_back(fmt::format("{} weights beyond {} were cut there", cut_, kLargestHalf));
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is_float32(const std::string& value) const {
    if (const Tensor* constant = model_.graph.constant(value)) return constant->type == DataType::float32;
    const auto found = values_.find(value);
    return found != values_.end() && found->second.type == DataType::float32;
  }

  void append_cast(const std::string& from, const std::string& to, DataType type) {
    out_.model.graph.nodes.push_back(
        Node{"Cast", "", to + "/Cast", {from}, {to}, {{"to", static_cast<std::int64_t>(type)}}});
  }

  Tensor halved(const Tensor& tensor) {
    Tensor out = Tensor::zeros(DataType::float16, tensor.shape);
    const auto numbers = tensor.values<float>();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      cut_ += std::fabs(numbers[i]) > kLargestHalf ? 1 : 0;
      const std::uint16_t bits = to_half(std::clamp(numbers[i], -kLargestHalf, kLargestHalf));
      std::memcpy(out.bytes.data() + 2 * i, &bits, sizeof bits);
    }
    ++out_.changed;
    return out;
  }

  std::string as_half(const std::string& value) {
    std::string& name = halves_[value];
    if (!name.empty()) return name;
    name = names_.fresh(value + "_half");
    if (const Tensor* constant = model_.graph.constant(value))
      out_.model.graph.constants[name] = share(halved(*constant));
    else
      append_cast(value, name, DataType::float16);
    return name;
  }

  // A value that a half node made, for a float node.
  std::string as_float(const std::string& value) {
    if (!made_half_.contains(value) || !floats_.insert(value).second) return value;
    const bool output = std::any_of(model_.graph.outputs.begin(), model_.graph.outputs.end(),
                                    [&](const ValueInfo& info) { return info.name == value; });
    if (output) return made_float(value);
    append_cast(halves_[value], value, DataType::float32);
    return value;
  }
  // Outputs get their own cast at the end; what reads them before that reads another copy.
  std::string made_float(const std::string& value) {
    floats_.erase(value);
    std::string& copy = copies_[value];
    if (copy.empty()) {
      copy = names_.fresh(value + "_float");
      append_cast(halves_[value], copy, DataType::float32);
    }
    return copy;
  }

  void write_half(Node node) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      std::string& input = node.inputs[i];
      if (input.empty() || !is_float32(input)) continue;
      input = is_parameter(node, i) ? as_float(input) : as_half(input);
    }
    if (node.is("Cast") && node.integer("to", 0) == static_cast<std::int64_t>(DataType::float32))
      node.attributes["to"] = static_cast<std::int64_t>(DataType::float16);
    for (auto& [name, attribute] : node.attributes)
      if (auto* tensor = std::get_if<Constant>(&attribute); tensor != nullptr && (*tensor)->type == DataType::float32)
        attribute = share(halved(**tensor));
    for (std::string& output : node.outputs) {
      if (output.empty() || !is_float32(output)) continue;
      made_half_.insert(output);
      halves_[output] = names_.fresh(output + "_half");
      output = halves_[output];
    }
    out_.model.graph.nodes.push_back(std::move(node));
  }

  void write_float(Node node) {
    for (std::string& input : node.inputs)
      if (!input.empty()) input = as_float(input);
    if (has_subgraph(node))  // takes values by their names, too
      for (const std::string& value : made_half_) (void)as_float(value);
    out_.model.graph.nodes.push_back(std::move(node));
  }

  const Model& model_;
  const ValueTable& values_;
  const std::set<std::string>& exclude_;
  Names names_;
  Smaller out_;
  std::map<std::string, std::string> halves_, copies_;
  std::set<std::string> made_half_, floats_;
  std::size_t cut_ = 0;
};

}  // namespace

Result<Smaller> to_half_precision(Model model, const std::set<std::string>& exclude) {
  ALARA_CHECK(upgrade(model));
  ALARA_TRY([[maybe_unused]] const Simplified simplified, simplify(model));
  ALARA_CHECK(check_names_of_nodes(model.graph, exclude));
  ALARA_TRY(const ValueTable values, infer_shapes(model));
  Smaller out = HalfWriter(model, values, exclude).write();
  if (out.changed == 0) return fail(ErrorKind::bad_input, "no node here has float32 constants");
  ALARA_CHECK(check(out.model));
  return out;
}

}  // namespace alara::graph
