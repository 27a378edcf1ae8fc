// SPDX-License-Identifier: Apache-2.0
#include "graph/shapes.hpp"

#include "graph/shape_rules.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {
namespace {

const ShapeRules& all_rules() {
  static const ShapeRules kRules = [] {
    ShapeRules out = elementwise_rules();
    out.merge(layer_rules());
    out.merge(layout_rules());
    out.merge(cut_rules());
    out.merge(reduce_rules());
    return out;
  }();
  return kRules;
}

// What the file declares fills in what the rules could not find out.
void fill_from(ValueInfo& value, const ValueInfo& declared) {
  if (value.type == DataType::undefined) value.type = declared.type;
  if (!declared.dims) return;
  if (!value.dims) {
    value.dims = declared.dims;
    return;
  }
  if (value.dims->size() != declared.dims->size()) return;
  for (std::size_t i = 0; i < value.dims->size(); ++i)
    if (!(*value.dims)[i].known()) (*value.dims)[i] = (*declared.dims)[i];
}

Status check_sizes(const Node& node, const ValueInfo& value) {
  if (!value.dims) return {};
  if (value.dims->size() > kMaxRank)
    return fail(ErrorKind::bad_input, "{} makes '{}' of {} dimensions; {} are supported", node.label(), value.name,
                value.dims->size(), kMaxRank);
  std::int64_t product = 1;
  for (const Dim& dim : *value.dims) {
    if (!dim.known() || dim.size == 0) continue;
    if (dim.size > kMaxElements / product)
      return fail(ErrorKind::bad_input, "{} makes '{}' of shape {}, which has more than {} elements", node.label(),
                  value.name, text_of(*value.dims), kMaxElements);
    product *= dim.size;
  }
  return {};
}

Status check_attributes(const Node& node) {
  for (const char* name : {"kernel_shape", "strides", "pads", "dilations", "output_padding", "output_shape"})
    for (const std::int64_t number : node.integers(name))
      if (number > kMaxSize || number < -kMaxSize)
        return fail(ErrorKind::bad_input, "{} has {} {}", node.label(), name, number);
  return {};
}

Status infer_node(const Model& model, const Node& node, ValueTable& values, FollowedTable& followed) {
  ALARA_CHECK(check_attributes(node));
  for (const std::string& output : node.outputs)
    if (!output.empty()) values.emplace(output, ValueInfo{output, DataType::undefined, std::nullopt});
  const auto rule = node.domain.empty() ? all_rules().find(node.op) : all_rules().end();
  if (rule != all_rules().end()) {
    ShapeContext context(model, node, values, followed);
    ALARA_CHECK(rule->second(context));
  }
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    ValueInfo& value = values.find(output)->second;
    if (const auto declared = model.graph.values.find(output); declared != model.graph.values.end())
      fill_from(value, declared->second);
    ALARA_CHECK(check_sizes(node, value));
  }
  return {};
}

}  // namespace

bool has_shape_rule(const Node& node) { return node.domain.empty() && all_rules().contains(node.op); }

DataType ShapeContext::type(std::size_t i) const {
  const auto found = values_.find(node.input(i));
  return found == values_.end() ? DataType::undefined : found->second.type;
}

const Dims* ShapeContext::dims(std::size_t i) const {
  const auto found = values_.find(node.input(i));
  return found == values_.end() || !found->second.dims ? nullptr : &*found->second.dims;
}

std::optional<Followed> ShapeContext::numbers(std::size_t i) const {
  if (const Tensor* tensor = constant(i)) {
    if (static_cast<std::size_t>(tensor->elements()) > kMaxFollowedValues) return std::nullopt;
    const auto numbers = tensor->to_integers();
    if (!numbers) return std::nullopt;
    Followed out{{}, tensor->rank() == 0};
    for (const std::int64_t number : *numbers) out.numbers.push_back({number, {}});
    // Dim cannot tell -1 from unknown; a literal -1 is marked.
    for (Dim& number : out.numbers)
      if (number.size < 0) number = {number.size, std::string(kLiteral)};
    return out;
  }
  const auto found = followed_.find(node.input(i));
  return found == followed_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::vector<std::int64_t>> ShapeContext::integers(std::size_t i) const {
  if (const Tensor* tensor = constant(i)) {
    if (tensor->elements() > kMaxListedValues) return std::nullopt;
    auto numbers = tensor->to_integers();
    return numbers ? std::optional(*std::move(numbers)) : std::nullopt;
  }
  const auto found = followed_.find(node.input(i));
  if (found == followed_.end()) return std::nullopt;
  std::vector<std::int64_t> out;
  for (const Dim& number : found->second.numbers) {
    if (!number.known() && number.symbol != kLiteral) return std::nullopt;
    out.push_back(number.size);
  }
  return out;
}

std::optional<std::vector<std::int64_t>> ShapeContext::axes() const {
  if (node.has("axes")) return node.integers("axes");
  return integers(1);
}

void ShapeContext::set(std::size_t output, DataType type, std::optional<Dims> dims) {
  if (output >= node.outputs.size() || node.outputs[output].empty()) return;
  ValueInfo& value = values_.find(node.outputs[output])->second;
  value.type = type;
  value.dims = std::move(dims);
}

Status unknown(ShapeContext& context, std::size_t outputs) {
  for (std::size_t i = 0; i < outputs; ++i) context.set(i, context.type(0));
  return {};
}

void ShapeContext::follow(std::size_t output, Followed numbers) {
  if (output < node.outputs.size() && numbers.numbers.size() <= kMaxFollowedValues)
    followed_[node.outputs[output]] = std::move(numbers);
}

Result<std::size_t> ShapeContext::axis_of(std::int64_t axis, std::size_t rank) const {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) return misfit("there is no axis {} among {} dimensions", axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

std::string ShapeContext::inputs_text() const {
  std::string out;
  for (std::size_t i = 0; i < inputs(); ++i) {
    if (!out.empty()) out += ", ";
    const Dims* known = dims(i);
    out += node.input(i).empty() ? "-" : known == nullptr ? "[...]" : text_of(*known);
  }
  return out.empty() ? "none" : out;
}

Result<ValueTable> infer_shapes(const Model& model, const std::map<std::string, Shape>& inputs) {
  ValueTable values;
  FollowedTable followed;
  for (const auto& [name, constant] : model.graph.constants)
    values.insert_or_assign(name, ValueInfo{name, constant->type, dims_of(constant->shape)});
  for (const ValueInfo& input : model.graph.inputs) {
    ValueInfo value = input;
    if (const auto given = inputs.find(input.name); given != inputs.end()) value.dims = dims_of(given->second);
    ALARA_CHECK(check_sizes(Node{"input", {}, input.name, {}, {}}, value));
    values.insert_or_assign(input.name, std::move(value));
  }
  for (const Node& node : model.graph.nodes) ALARA_CHECK(infer_node(model, node, values, followed));
  for (const ValueInfo& output : model.graph.outputs)
    if (const auto found = values.find(output.name); found != values.end()) fill_from(found->second, output);
  return values;
}

std::map<std::string, Shape> fixed_inputs(const Model& model, std::int64_t size) {
  std::map<std::string, Shape> out;
  for (const ValueInfo& input : model.graph.inputs) {
    if (!input.dims) continue;
    Shape shape;
    for (const Dim& dim : *input.dims) shape.push_back(dim.known() ? dim.size : size);
    out.emplace(input.name, std::move(shape));
  }
  return out;
}

}  // namespace alara::graph
