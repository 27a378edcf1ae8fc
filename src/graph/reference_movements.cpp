// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "graph/reference_ops.hpp"

namespace alara::graph::reference {
namespace {

using Integers = std::vector<std::int64_t>;

// out[i...] = in[offset + sum of i * strides]: transposing, expanding and slicing are this.
Outputs strided(const Call& call, const Tensor& in, Shape shape, std::span<const std::int64_t> strides,
                std::int64_t offset) {
  ALARA_TRY(Tensor out, call.make(in.type, std::move(shape)));
  const std::size_t size = bytes_of(in.type);
  walk(out.shape, strides, offset, [&](std::int64_t i, std::int64_t from) {
    std::memcpy(out.bytes.data() + static_cast<std::size_t>(i) * size,
                in.bytes.data() + static_cast<std::size_t>(from) * size, size);
  });
  return one(std::move(out));
}

Outputs reshaped(const Call& call, const Tensor& in, Shape shape) {
  ALARA_TRY(Tensor out, call.make(in.type, std::move(shape)));
  if (out.bytes.size() != in.bytes.size())
    return fail(ErrorKind::bad_input, "{}: {} does not become {}", call.node.label(), in.text(), text_of(out.shape));
  out.bytes = in.bytes;
  return one(std::move(out));
}

Outputs identity(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  return reshaped(call, *in, in->shape);
}

Outputs constant(const Call& call) {
  if (const Tensor* value = call.node.tensor("value")) return reshaped(call, *value, value->shape);
  if (call.node.has("value_int")) return one(Tensor::scalar<std::int64_t>(call.node.integer("value_int", 0)));
  if (call.node.has("value_float")) return one(Tensor::scalar<float>(call.node.number("value_float", 0)));
  if (call.node.has("value_ints")) {
    const Integers numbers = call.node.integers("value_ints");
    return one(Tensor::of(Shape{static_cast<std::int64_t>(numbers.size())}, numbers));
  }
  if (const auto found = call.node.attributes.find("value_floats"); found != call.node.attributes.end())
    if (const auto* numbers = std::get_if<std::vector<float>>(&found->second))
      return one(Tensor::of(Shape{static_cast<std::int64_t>(numbers->size())}, *numbers));
  return fail(ErrorKind::unavailable, "{} holds nothing that is known here", call.node.label());
}

Outputs shape(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  const auto rank = static_cast<std::int64_t>(in->rank());
  const auto clamp = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const std::int64_t start = clamp(call.node.integer("start", 0));
  const std::int64_t end = std::max(start, clamp(call.node.integer("end", rank)));
  return one(Tensor::of(Shape{end - start}, Integers(in->shape.begin() + start, in->shape.begin() + end)));
}

Outputs size(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  return one(Tensor::scalar<std::int64_t>(in->elements()));
}

Outputs reshape(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(Integers wanted, call.integers(1, "shape"));
  std::int64_t rest = -1;
  std::int64_t known = 1;
  for (std::size_t d = 0; d < wanted.size(); ++d) {
    if (wanted[d] == 0 && call.node.integer("allowzero", 0) == 0 && d < in->rank()) wanted[d] = in->shape[d];
    if (wanted[d] < -1 || (wanted[d] == -1 && rest >= 0) || wanted[d] > kMaxElements)
      return fail(ErrorKind::bad_input, "{}: {} is no shape", call.node.label(), text_of(wanted));
    if (wanted[d] == -1)
      rest = static_cast<std::int64_t>(d);
    else if ((known *= wanted[d]) > kMaxElements)
      return fail(ErrorKind::bad_input, "{}: {} is too large", call.node.label(), text_of(wanted));
  }
  if (rest >= 0) wanted[static_cast<std::size_t>(rest)] = known == 0 ? 0 : in->elements() / known;
  return reshaped(call, *in, std::move(wanted));
}

Outputs flatten(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  const auto rank = static_cast<std::int64_t>(in->rank());
  std::int64_t axis = call.node.integer("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) return fail(ErrorKind::bad_input, "{}: no axis {}", call.node.label(), axis);
  const auto product = [](auto from, auto to) {
    return std::accumulate(from, to, std::int64_t{1}, std::multiplies<>());
  };
  return reshaped(
      call, *in,
      {product(in->shape.begin(), in->shape.begin() + axis), product(in->shape.begin() + axis, in->shape.end())});
}

Outputs squeeze(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const Integers axes, call.integers(1, "axes"));
  std::vector<bool> drop(in->rank(), false);
  for (const std::int64_t axis : axes) {
    ALARA_TRY(const std::size_t at, axis_of(axis, in->rank()));
    drop[at] = true;
  }
  Shape out;
  for (std::size_t d = 0; d < in->rank(); ++d)
    if (axes.empty() ? in->shape[d] != 1 : !drop[d]) out.push_back(in->shape[d]);
  return reshaped(call, *in, std::move(out));
}

Outputs unsqueeze(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const Integers axes, call.integers(1, "axes"));
  Shape out(in->rank() + axes.size(), -1);
  for (const std::int64_t axis : axes) {
    ALARA_TRY(const std::size_t at, axis_of(axis, out.size()));
    if (out[at] == 1) return fail(ErrorKind::bad_input, "{}: axis {} comes twice", call.node.label(), axis);
    out[at] = 1;
  }
  std::size_t next = 0;
  for (std::int64_t& size : out)
    if (size < 0) size = in->shape[next++];
  return reshaped(call, *in, std::move(out));
}

Outputs transpose(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  Integers order(in->rank());
  std::iota(order.rbegin(), order.rend(), 0);
  order = call.node.integers("perm", order);
  const Integers own = strides_of(in->shape);
  std::vector<bool> seen(in->rank(), false);
  Shape out;
  Integers strides;
  for (const std::int64_t axis : order) {
    ALARA_TRY(const std::size_t at, axis_of(axis, in->rank()));
    if (seen[at]) return fail(ErrorKind::bad_input, "{}: axis {} comes twice", call.node.label(), axis);
    seen[at] = true;
    out.push_back(in->shape[at]);
    strides.push_back(own[at]);
  }
  if (out.size() != in->rank()) return fail(ErrorKind::bad_input, "{}: perm does not fit", call.node.label());
  return strided(call, *in, std::move(out), strides, 0);
}

Outputs expand(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const Integers wanted, call.integers(1, "shape"));
  ALARA_TRY(Shape out, broadcast(in->shape, wanted));
  const Integers strides = broadcast_strides(in->shape, out);
  return strided(call, *in, std::move(out), strides, 0);
}

Outputs slice(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const Integers starts, call.integers(1, "starts"));
  ALARA_TRY(const Integers ends, call.integers(2, "ends"));
  ALARA_TRY(Integers axes, call.integers(3, "axes"));
  ALARA_TRY(Integers steps, call.integers(4, "steps"));
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    return fail(ErrorKind::bad_input, "{}: starts, ends, axes and steps differ in length", call.node.label());
  Shape out = in->shape;
  Integers strides = strides_of(in->shape);
  std::vector<bool> seen(in->rank(), false);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    ALARA_TRY(const std::size_t d, axis_of(axes[i], in->rank()));
    if (seen[d]) return fail(ErrorKind::bad_input, "{}: axis {} comes twice", call.node.label(), axes[i]);
    seen[d] = true;
    const std::int64_t size = in->shape[d];
    const std::int64_t step = steps[i];
    if (step == 0 || step < -kMaxElements || step > kMaxElements)
      return fail(ErrorKind::bad_input, "{}: step {}", call.node.label(), step);
    const auto place = [&](std::int64_t at) {  // negative: from the end; clamped as ONNX says
      if (at < 0) at = at < -size ? -1 : at + size;
      return step > 0 ? std::clamp<std::int64_t>(at, 0, size) : std::clamp<std::int64_t>(at, -1, size - 1);
    };
    const std::int64_t from = step > 0 ? std::max<std::int64_t>(place(starts[i]), 0) : place(starts[i]);
    const std::int64_t reach = step > 0 ? place(ends[i]) - from : from - place(ends[i]);
    const std::int64_t stride = std::abs(step);
    out[d] = reach <= 0 ? 0 : (reach + stride - 1) / stride;
    if (out[d] > 0) offset += from * strides[d];
    strides[d] *= step;
  }
  return strided(call, *in, std::move(out), strides, offset);
}

Outputs gather(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const Tensor* which, call.input(1));
  if (which->type != DataType::int64 && which->type != DataType::int32)
    return fail(ErrorKind::bad_input, "{}: indices are {}", call.node.label(), which->text());
  ALARA_TRY(const Integers indices, which->to_integers());
  ALARA_TRY(const std::size_t axis, axis_of(call.node.integer("axis", 0), in->rank()));
  Shape out(in->shape.begin(), in->shape.begin() + static_cast<std::ptrdiff_t>(axis));
  out.insert(out.end(), which->shape.begin(), which->shape.end());
  out.insert(out.end(), in->shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, in->shape.end());
  ALARA_TRY(Tensor result, call.make(in->type, std::move(out)));
  if (result.bytes.empty()) return one(std::move(result));
  const std::size_t inner = static_cast<std::size_t>(strides_of(in->shape)[axis]) * bytes_of(in->type);
  const std::size_t block = inner * static_cast<std::size_t>(in->shape[axis]);
  std::byte* to = result.bytes.data();
  for (std::size_t outer = 0; outer < in->bytes.size(); outer += block) {
    for (const std::int64_t index : indices) {
      ALARA_TRY(const std::size_t at, axis_of(index, static_cast<std::size_t>(in->shape[axis])));
      std::memcpy(to, in->bytes.data() + outer + at * inner, inner);
      to += inner;
    }
  }
  return one(std::move(result));
}

Outputs concat(const Call& call) {
  ALARA_TRY(const Tensor* first, call.input(0));
  ALARA_TRY(const std::size_t axis, axis_of(call.node.integer("axis", 0), first->rank()));
  Shape out = first->shape;
  out[axis] = 0;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    ALARA_TRY(const Tensor* in, call.input(i));
    Shape expected = in->shape;
    if (in->type == first->type && in->rank() == first->rank()) expected[axis] = first->shape[axis];
    if (in->type != first->type || expected != first->shape)
      return fail(ErrorKind::bad_input, "{}: {} beside {}", call.node.label(), first->text(), in->text());
    out[axis] += in->shape[axis];
  }
  ALARA_TRY(Tensor result, call.make(first->type, std::move(out)));
  if (result.bytes.empty()) return one(std::move(result));
  const std::size_t inner = static_cast<std::size_t>(strides_of(result.shape)[axis]) * bytes_of(result.type);
  const std::size_t rows = result.bytes.size() / (inner * static_cast<std::size_t>(result.shape[axis]));
  std::byte* to = result.bytes.data();
  for (std::size_t row = 0; row < rows; ++row) {
    for (const Tensor* in : call.inputs) {
      const std::size_t block = inner * static_cast<std::size_t>(in->shape[axis]);
      if (block > 0) std::memcpy(to, in->bytes.data() + row * block, block);
      to += block;
    }
  }
  return one(std::move(result));
}

Outputs split(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const std::size_t axis, axis_of(call.node.integer("axis", 0), in->rank()));
  ALARA_TRY(Integers parts, call.integers(1, "split"));
  const auto count = static_cast<std::int64_t>(call.node.outputs.size());
  const std::int64_t size = in->shape[axis];
  if (parts.empty())  // even parts, the last one smaller (opset 18)
    for (std::int64_t i = 0, part = (size + count - 1) / count; i < count; ++i)
      parts.push_back(std::clamp<std::int64_t>(size - i * part, 0, part));
  std::int64_t total = 0;
  for (const std::int64_t part : parts) {
    if (part < 0 || part > size - total) return fail(ErrorKind::bad_input, "{}: parts do not fit", call.node.label());
    total += part;
  }
  if (total != size || static_cast<std::int64_t>(parts.size()) != count)
    return fail(ErrorKind::bad_input, "{}: parts do not fit", call.node.label());
  std::vector<Tensor> outputs;
  const Integers strides = strides_of(in->shape);
  std::int64_t offset = 0;
  for (const std::int64_t part : parts) {
    Shape out = in->shape;
    out[axis] = part;
    ALARA_TRY(std::vector<Tensor> piece, strided(call, *in, std::move(out), strides, offset));
    outputs.push_back(std::move(piece.front()));
    offset += part * strides[axis];
  }
  return outputs;
}

Outputs constant_of_shape(const Call& call) {
  ALARA_TRY(Integers wanted, call.integers(0, ""));
  const Tensor zero = Tensor::scalar<float>(0);
  const Tensor* value = call.node.tensor("value");
  if (value == nullptr) value = &zero;
  if (value->elements() != 1) return fail(ErrorKind::bad_input, "{}: value is {}", call.node.label(), value->text());
  ALARA_TRY(Tensor out, call.make(value->type, std::move(wanted)));
  for (std::size_t at = 0; at < out.bytes.size(); at += value->bytes.size())
    std::memcpy(out.bytes.data() + at, value->bytes.data(), value->bytes.size());
  return one(std::move(out));
}

template <typename T>
Outputs range_of(const Call& call) {
  const T start = call.inputs[0]->values<T>()[0];
  const T limit = call.inputs[1]->values<T>()[0];
  const T step = call.inputs[2]->values<T>()[0];
  if (step == 0) return fail(ErrorKind::bad_input, "{}: the step is 0", call.node.label());
  const double count =
      std::max(0.0, std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(step)));
  if (!(count < static_cast<double>(kMaxElements)))
    return fail(ErrorKind::exhausted, "{} is too long", call.node.label());
  ALARA_TRY(Tensor out, call.make(DataTypeOf<T>::value, {static_cast<std::int64_t>(count)}));
  const auto numbers = out.mutable_values<T>();
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<T>(start + static_cast<T>(i) * step);
  return one(std::move(out));
}

Outputs range(const Call& call) {
  for (std::size_t i = 0; i < 3; ++i) {
    ALARA_TRY(const Tensor* in, call.input(i));
    if (in->elements() != 1 || in->type != call.inputs[0]->type)
      return fail(ErrorKind::bad_input, "{}: {} is no single number", call.node.label(), in->text());
  }
  switch (call.inputs[0]->type) {
    case DataType::int64:
      return range_of<std::int64_t>(call);
    case DataType::int32:
      return range_of<std::int32_t>(call);
    case DataType::float32:
      return range_of<float>(call);
    default:
      return fail(ErrorKind::unavailable, "{} of {}", call.node.label(), name_of(call.inputs[0]->type));
  }
}

constexpr std::array kMovements{
    Operator{"Constant", constant},   Operator{"ConstantOfShape", constant_of_shape},
    Operator{"Concat", concat},       Operator{"Expand", expand},
    Operator{"Flatten", flatten},     Operator{"Gather", gather},
    Operator{"Identity", identity},   Operator{"Range", range},
    Operator{"Reshape", reshape},     Operator{"Shape", shape},
    Operator{"Size", size},           Operator{"Slice", slice},
    Operator{"Split", split},         Operator{"Squeeze", squeeze},
    Operator{"Transpose", transpose}, Operator{"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const Operator> movements() { return kMovements; }

}  // namespace alara::graph::reference
