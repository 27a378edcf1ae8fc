// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/lowering.hpp"

#include <algorithm>
#include <numeric>

#include "graph/nhwc/arrange.hpp"

namespace alara::graph::nhwc {
namespace {

std::vector<std::int64_t> turn_to(Layout layout) {
  if (layout == Layout::channels_first) return {0, 3, 1, 2};
  return {0, 2, 3, 1};
}

Tensor with_rank(Tensor tensor, std::size_t rank) {
  tensor.shape.insert(tensor.shape.begin(), rank - tensor.rank(), 1);
  return tensor;
}

Tensor zero_points_of(DataType type, const Quantization& quantization, const Shape& shape) {
  Tensor out = Tensor::zeros(type, shape);
  for (std::size_t i = 0; i < out.bytes.size(); ++i)
    out.bytes[i] = static_cast<std::byte>(quantization.zero_points[i] & 0xFF);
  return out;
}

bool fits(const Dims& dims) {
  std::int64_t product = 1;
  for (const Dim& dim : dims)
    if (dim.known() && (dim.size > kMaxElements || (product *= std::max<std::int64_t>(dim.size, 1)) > kMaxElements))
      return false;
  return true;
}

}  // namespace

std::size_t axis_in(Layout layout, std::size_t axis) {
  static constexpr std::array<std::size_t, 4> kFirst = {0, 2, 3, 1};
  return layout == Layout::channels_last ? axis : kFirst[axis];
}

Lowering::Lowering(std::string graph_name, std::set<std::string> outputs, const Limits& limits)
    : builder_(std::move(graph_name)), outputs_(std::move(outputs)), left_(limits) {}

ValueId Lowering::keep(Value value) {
  if (status_ && (value.rank() > kMaxRank || !fits(value.dims)))
    status_ = fail(ErrorKind::exhausted, "'{}' would be {}; values have at most {} axes and {} elements", value.name,
                   text_of(value.dims), kMaxRank, kMaxElements);
  if (left_.values > 0)
    --left_.values;
  else if (status_)
    status_ = fail(ErrorKind::exhausted, "operators make more values than a file of this size may ask for, at '{}'",
                   value.name);
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Lowering::input(const std::string& name, DataType type, Dims dims,
                        const std::optional<Quantization>& quantization) {
  const std::string made = builder_.input(name, type, dims);
  given_.insert(made);
  if (!quantization) return keep({.name = name, .type = type, .dims = std::move(dims), .real = {made, ""}});
  const std::string real = dequantize(name + "/real", made, type, *quantization);
  return keep({.name = name,
               .dims = std::move(dims),
               .quantization = quantization,
               .real = {real, ""},
               .stored = {made, ""},
               .stored_type = type});
}

ValueId Lowering::constant(const std::string& name, Constant tensor, std::optional<Quantization> quantization) {
  spend(tensor->bytes.size() + (quantization ? quantization->scales.size() * 12 : 0), name);
  Dims dims = dims_of(tensor->shape);
  const DataType type = quantization ? DataType::float32 : tensor->type;
  return keep({.name = name,
               .type = type,
               .dims = std::move(dims),
               .constant = std::move(tensor),
               .quantization = std::move(quantization)});
}

void Lowering::spend(std::uint64_t bytes, const std::string& name) {
  if (bytes <= left_.constant_bytes)
    left_.constant_bytes -= bytes;
  else if (status_)
    status_ =
        fail(ErrorKind::exhausted, "constants need more memory than a file of this size may ask for, at '{}'", name);
}

// The name of a value in the order in which a node makes it. Results of the model keep theirs for the source's order.
std::string Lowering::made_name(const std::string& name, const Made& made) const {
  return made.layout == Layout::channels_first && outputs_.contains(name) ? name + "/nchw" : name;
}

// The name of a value in the order in which a Transpose makes it.
std::string Lowering::turned_name(const std::string& name, Layout layout) const {
  if (layout == Layout::channels_first) return name + "/nchw";
  return outputs_.contains(name) ? name : name + "/nhwc";
}

ValueId Lowering::node(const std::string& op, const std::string& name, std::vector<std::string> inputs, Made made,
                       Attributes attributes) {
  Forms forms;
  forms.in(made.layout) = builder_.node(op, made_name(name, made), std::move(inputs), std::move(attributes));
  return keep({.name = name, .type = made.type, .dims = std::move(made.dims), .real = std::move(forms)});
}

std::vector<ValueId> Lowering::nodes(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                                     const std::vector<Made>& made, Attributes attributes) {
  const std::vector<std::string> names =
      builder_.node(op, name + "/" + op, std::move(inputs), made.size(), std::move(attributes));
  std::vector<ValueId> out;
  for (std::size_t i = 0; i < made.size(); ++i) {
    Forms forms;
    forms.in(made[i].layout) = names[i];
    out.push_back(keep({.name = names[i], .type = made[i].type, .dims = made[i].dims, .real = std::move(forms)}));
  }
  return out;
}

ValueId Lowering::quantized(const std::string& name, ValueId real, DataType type, const Quantization& quantization) {
  Value out{.name = name, .dims = at(real).dims, .quantization = quantization, .stored_type = type};
  const Layout layout = is_first(real) ? Layout::channels_first : Layout::channels_last;
  const bool is_output = outputs_.contains(name);
  const std::string stored_name = is_output ? name : name + "/quantized";
  std::vector<std::string> inputs = scale_and_zero(name, type, quantization);
  inputs.insert(inputs.begin(), in(real, layout));
  out.stored.in(layout) = builder_.node("QuantizeLinear", made_name(stored_name, {type, {}, layout}), inputs);
  inputs[0] = out.stored.in(layout);
  out.real.in(layout) = builder_.node("DequantizeLinear", is_output ? name + "/real" : name, std::move(inputs));
  return keep(std::move(out));
}

ValueId Lowering::unstored(ValueId id) {
  if (at(id).stored_type == DataType::undefined) return id;
  const Value quantised = at(id);
  return alias(quantised.name, quantised.type, quantised.dims, quantised.real);
}

ValueId Lowering::alias(const std::string& name, DataType type, Dims dims, Forms forms) {
  return keep({.name = name, .type = type, .dims = std::move(dims), .real = std::move(forms)});
}

Layout Lowering::layout_for(const std::vector<ValueId>& ids) const {
  bool any = false;
  for (const ValueId id : ids) {
    const Value& one = at(id);
    if (one.constant && one.rank() <= 4) continue;
    if (one.rank() != 4 && one.rank() != 0) return Layout::channels_last;
    any = any || is_first(id);
  }
  return any ? Layout::channels_first : Layout::channels_last;
}

bool Lowering::same_in_both(ValueId id) const {
  const Dims& dims = at(id).dims;
  if (dims.size() != 4) return true;
  return dims[3].size == 1 || (dims[1].size == 1 && dims[2].size == 1);
}

// The form in that layout, with a Transpose from the other one where it is not there yet.
std::string Lowering::form(Forms& forms, const std::string& name, Layout layout) {
  if (std::string& have = forms.in(layout); !have.empty()) return have;
  const std::string& other = layout == Layout::channels_first ? forms.channels_last : forms.channels_first;
  std::string made = builder_.node("Transpose", turned_name(name, layout), {other}, {{"perm", turn_to(layout)}});
  return forms.in(layout) = std::move(made);
}

std::string Lowering::in(ValueId id, Layout layout) {
  Value& one = value(id);
  if (one.rank() != 4) layout = Layout::channels_last;
  if (!one.real.in(layout).empty()) return one.real.in(layout);
  if (!one.constant) return form(one.real, one.quantization ? one.name + "/real" : one.name, layout);
  std::vector<std::int64_t> order(one.rank());
  std::iota(order.begin(), order.end(), 0);
  std::string made = arranged(id, layout == Layout::channels_first ? turn_to(layout) : order);
  return value(id).real.in(layout) = std::move(made);
}

std::string Lowering::operand(ValueId id, Layout layout) {
  const Value& one = at(id);
  if (layout == Layout::channels_last || one.rank() == 4 || !one.constant || one.constant->elements() == 1)
    return in(id, layout);
  return arranged(id, turn_to(layout));
}

std::string Lowering::arranged(ValueId id, const std::vector<std::int64_t>& order) {
  const auto key = std::pair(id, order);
  if (const auto found = arranged_.find(key); found != arranged_.end()) return found->second;
  const Value one = at(id);
  if (!one.constant) {
    const std::string source = last(id);
    return arranged_[key] = builder_.node("Transpose", one.name + "/arranged", {source}, {{"perm", order}});
  }
  std::size_t axis = 0;
  if (one.quantization) {
    const auto lifted = static_cast<std::int64_t>(one.quantization->axis + order.size() - one.rank());
    axis = static_cast<std::size_t>(std::find(order.begin(), order.end(), lifted) - order.begin());
  }
  if (!status_) return one.name;
  Tensor tensor = with_rank(*one.constant, order.size());
  if (!std::is_sorted(order.begin(), order.end())) tensor = permuted(tensor, order);
  return arranged_[key] = write_constant(one, std::move(tensor), axis);
}

std::string Lowering::write_constant(const Value& one, Tensor tensor, std::size_t axis) {
  spend(tensor.bytes.size(), one.name);
  const DataType type = tensor.type;
  if (!one.quantization) return builder_.constant(one.name, std::move(tensor));
  Quantization quantization = *one.quantization;
  quantization.axis = axis;
  return dequantize(one.name, builder_.constant(one.name + "/quantized", std::move(tensor)), type, quantization);
}

std::vector<std::string> Lowering::scale_and_zero(const std::string& name, DataType type,
                                                  const Quantization& quantization) {
  const auto channels = static_cast<std::int64_t>(quantization.scales.size());
  const Shape shape = channels == 1 ? Shape{} : Shape{channels};
  std::vector<std::string> out = {builder_.constant(name + "/scale", Tensor::of(shape, quantization.scales))};
  // ONNX wants none for int32.
  if (type != DataType::int32)
    out.push_back(builder_.constant(name + "/zero_point", zero_points_of(type, quantization, shape)));
  return out;
}

std::string Lowering::dequantize(const std::string& name, const std::string& stored, DataType type,
                                 const Quantization& quantization) {
  std::vector<std::string> inputs = scale_and_zero(name, type, quantization);
  inputs.insert(inputs.begin(), stored);
  Attributes attributes;
  if (quantization.scales.size() > 1) attributes["axis"] = static_cast<std::int64_t>(quantization.axis);
  return builder_.node("DequantizeLinear", name, std::move(inputs), std::move(attributes));
}

std::string Lowering::indices(ValueId id) {
  const Value& one = at(id);
  if (one.type == DataType::int64) return last(id);
  if (const auto found = indices_.find(id); found != indices_.end()) return found->second;
  std::string made;
  if (const auto known = one.constant ? one.constant->to_integers() : Result<std::vector<std::int64_t>>{};
      one.constant && known)
    made = builder_.constant(one.name + "/int64", Tensor::of(one.constant->shape, *known));
  else
    made = builder_.node("Cast", one.name + "/int64", {last(id)}, {{"to", static_cast<std::int64_t>(DataType::int64)}});
  return indices_[id] = std::move(made);
}

std::string Lowering::integers(const std::string& name, std::vector<std::int64_t> numbers) {
  if (const auto found = integers_.find(numbers); found != integers_.end()) return found->second;
  const std::string made = builder_.constant(name, numbers);
  return integers_[std::move(numbers)] = made;
}

std::string Lowering::scalar(const std::string& name, float number) { return builder_.scalar(name, number); }

Result<std::vector<std::int64_t>> Lowering::known_integers(ValueId id) const {
  const Value& one = at(id);
  if (!one.constant) return fail(ErrorKind::bad_input, "'{}' must be constant", one.name);
  return one.constant->to_integers();
}

// The model's result under the name that it must have.
std::string Lowering::output(const Output& output) {
  Value& one = value(output.value);
  const bool stored = !one.stored.channels_last.empty() || !one.stored.channels_first.empty();
  const std::string have = stored ? form(one.stored, one.name, Layout::channels_last) : last(output.value);
  const bool is_free = !builder_.graph().constant(have) && given_.insert(have).second;
  if (have == output.name && is_free) return have;
  return builder_.node("Identity", output.name, {have});
}

Result<Model> Lowering::finish(const std::vector<Output>& outputs) && {
  for (const Output& one : outputs) {
    const std::string name = output(one);
    const Value& made = at(one.value);
    builder_.output(name, made.stored_type == DataType::undefined ? made.type : made.stored_type, made.dims);
  }
  ALARA_CHECK(status_);
  Model model = std::move(builder_).finish();
  remove_unused(model.graph);
  ALARA_CHECK(check(model));
  return model;
}

}  // namespace alara::graph::nhwc
