// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/reduce_ops.hpp"

#include <algorithm>
#include <numeric>

#include "graph/nhwc/axis_ops.hpp"
#include "graph/nhwc/element_ops.hpp"

namespace alara::graph::nhwc {
namespace {

// Whether what is left after dropping `axes` of a value of four axes has its order with channels first too.
bool order_survives(const std::vector<std::size_t>& axes) {
  const auto dropped = [&](std::size_t axis) { return std::binary_search(axes.begin(), axes.end(), axis); };
  return dropped(3) || (dropped(1) && dropped(2));
}

Dims without(const Dims& dims, const std::vector<std::size_t>& axes, Reduced reduced) {
  Dims out;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool hit = std::binary_search(axes.begin(), axes.end(), i);
    if (!hit) out.push_back(dims[i]);
    if (hit && reduced == Reduced::kept) out.push_back({1, {}});
  }
  return out;
}

}  // namespace

Result<ValueId> reduce(Lowering& lowering, const std::string& name, const std::string& op, ValueId x,
                       const std::vector<std::int64_t>& axes, Reduced reduced) {
  const Dims dims = lowering.at(x).dims;
  ALARA_TRY(std::vector<std::size_t> hit, axes_of(axes, dims.size()));
  if (hit.empty()) {
    hit.resize(dims.size());
    std::iota(hit.begin(), hit.end(), std::size_t{0});
  }
  const bool kept = reduced == Reduced::kept;
  const Layout from =
      lowering.is_first(x) && (kept || order_survives(hit)) ? Layout::channels_first : Layout::channels_last;
  const Layout to = kept ? from : Layout::channels_last;
  const Made made{lowering.at(x).type, without(dims, hit, reduced), to};
  const std::string input = lowering.in(x, from);
  if (op == "ReduceMean" && kept && from == Layout::channels_first && hit == std::vector<std::size_t>{1, 2})
    return lowering.node("GlobalAveragePool", name, {input}, made);
  std::vector<std::int64_t> numbers;
  for (const std::size_t axis : hit) numbers.push_back(static_cast<std::int64_t>(axis_in(from, axis)));
  std::sort(numbers.begin(), numbers.end());
  Attributes attributes = {{"keepdims", static_cast<std::int64_t>(kept)}};
  std::vector<std::string> inputs = {input};
  if (op == "ReduceSum")  // its axes are an input from opset 13 on, those of the others from 18 on
    inputs.push_back(lowering.integers(name + "/axes", numbers));
  else
    attributes["axes"] = numbers;
  return lowering.node(op, name, inputs, made, attributes);
}

Result<ValueId> place_of(Lowering& lowering, const std::string& name, const std::string& op, ValueId x,
                         std::int64_t axis, DataType type) {
  const Dims dims = lowering.at(x).dims;
  ALARA_TRY(const std::size_t hit, axis_of(axis, dims.size()));
  const Layout from = lowering.is_first(x) && order_survives({hit}) ? Layout::channels_first : Layout::channels_last;
  const ValueId places =
      lowering.node(op, type == DataType::int64 ? name : name + "/int64", {lowering.in(x, from)},
                    {DataType::int64, without(dims, {hit}, Reduced::dropped)},
                    {{"axis", static_cast<std::int64_t>(axis_in(from, hit))}, {"keepdims", std::int64_t{0}}});
  return cast(lowering, name, places, type);
}

Result<TopK> top_k(Lowering& lowering, const std::string& name, ValueId x, std::int64_t count) {
  Dims dims = lowering.at(x).dims;
  if (dims.empty() || count < 0 || (dims.back().known() && count > dims.back().size))
    return fail(ErrorKind::bad_input, "the {} greatest of {}", count, text_of(dims));
  dims.back() = {count, {}};
  const std::string k = lowering.integers(name + "/k", {count});
  const std::vector<ValueId> out =
      lowering.nodes("TopK", name, {lowering.last(x), k}, {{lowering.at(x).type, dims}, {DataType::int64, dims}},
                     {{"axis", std::int64_t{-1}}});
  return TopK{out[0], cast(lowering, name + "/places", out[1], DataType::int32)};
}

Result<ValueId> matrix_product(Lowering& lowering, const std::string& name, ValueId a, Side a_side, ValueId b,
                               Side b_side) {
  std::array<Dims, 2> dims = {lowering.at(a).dims, lowering.at(b).dims};
  std::array<std::string, 2> inputs;
  const std::array<std::pair<ValueId, Side>, 2> sides = {std::pair(a, a_side), std::pair(b, b_side)};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t rank = dims[i].size();
    if (rank < 2) return fail(ErrorKind::bad_input, "{} is no matrix", text_of(dims[i]));
    std::vector<std::int64_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    if (sides[i].second == Side::transposed) {
      std::swap(order[rank - 1], order[rank - 2]);
      std::swap(dims[i][rank - 1], dims[i][rank - 2]);
      inputs[i] = lowering.arranged(sides[i].first, order);
    } else {
      inputs[i] = lowering.last(sides[i].first);
    }
  }
  const Dim left = dims[0].back();
  const Dim right = dims[1][dims[1].size() - 2];
  if (left.known() && right.known() && left.size != right.size)
    return fail(ErrorKind::bad_input, "matrices of {} and {} can not be multiplied", text_of(dims[0]),
                text_of(dims[1]));
  ALARA_TRY(Dims out, broadcast({dims[0].begin(), dims[0].end() - 2}, {dims[1].begin(), dims[1].end() - 2}));
  out.push_back(dims[0][dims[0].size() - 2]);
  out.push_back(dims[1].back());
  return lowering.node("MatMul", name, {inputs[0], inputs[1]}, {lowering.at(a).type, std::move(out)});
}

Result<ValueId> dense(Lowering& lowering, const std::string& name, ValueId x, ValueId weights,
                      std::optional<ValueId> bias, const Dense& options) {
  const Dims shape = lowering.at(weights).dims;
  if (shape.size() != 2 || lowering.at(x).rank() == 0)
    return fail(ErrorKind::bad_input, "weights of {} for {}", text_of(shape), text_of(lowering.at(x).dims));
  const bool transposed = options.weights == Side::transposed;
  const Dim in = transposed ? shape[1] : shape[0];
  const Dim out = transposed ? shape[0] : shape[1];
  if (!in.known() || in.size < 1) return fail(ErrorKind::bad_input, "weights of {}", text_of(shape));
  const Dims before = lowering.at(x).dims;
  if (before.back().known() && before.back().size != in.size && options.leading == Reduced::kept)
    return fail(ErrorKind::bad_input, "weights of {} for {}", text_of(shape), text_of(before));
  const bool flat = before.size() == 2 && (!before[1].known() || before[1].size == in.size);
  if (!flat) {
    ALARA_TRY(x, reshape(lowering, name + "/rows", x, {-1, in.size}));
  }
  if (bias && (lowering.at(*bias).rank() != 1 || lowering.at(*bias).dims[0].size != out.size))
    return fail(ErrorKind::bad_input, "bias of {} for {} outputs", text_of(lowering.at(*bias).dims), out.size);
  const bool keep = options.leading == Reduced::kept && before.size() != 2;
  std::vector<std::string> inputs = {lowering.last(x), lowering.last(weights)};
  if (bias) inputs.push_back(lowering.last(*bias));
  Attributes attributes;
  if (transposed) attributes["transB"] = std::int64_t{1};
  const ValueId product = lowering.node("Gemm", keep ? name + "/flat" : name, inputs,
                                        {lowering.at(x).type, {lowering.at(x).dims[0], out}}, attributes);
  if (!keep) return product;
  std::vector<std::int64_t> target;
  for (const Dim& dim : before) target.push_back(dim.size);
  target.back() = out.size;
  if (std::count(target.begin(), target.end(), -1) > 1)
    return fail(ErrorKind::bad_input, "more than one size of {} is open", text_of(before));
  return reshape(lowering, name, product, target);
}

}  // namespace alara::graph::nhwc
