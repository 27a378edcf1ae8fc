// SPDX-License-Identifier: Apache-2.0
// Operators that leave dimensions away, and those that turn shapes into values and back.
#include <algorithm>
#include <cmath>

#include "graph/shape_rules.hpp"

namespace alara::graph {
namespace {

// `dims` without the marked dimensions, or with 1 in their place.
Dims reduced(const Dims& dims, const std::vector<bool>& gone, bool keep) {
  Dims out;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!gone[i])
      out.push_back(dims[i]);
    else if (keep)
      out.push_back({1, {}});
  }
  return out;
}

void follow_product(ShapeContext& context, bool keep) {
  const auto numbers = context.integers(0);
  if (context.node.op != "ReduceProd" || !numbers || numbers->size() > kMaxFollowedValues) return;
  std::int64_t product = 1;
  for (const std::int64_t number : *numbers) {
    if (number < 0 || (number != 0 && product > kMaxSize / number)) return;
    product *= number;
  }
  context.follow(0, {Dims{{product, {}}}, !keep});
}

Status reduce(ShapeContext& context) {
  const Dims* input = context.dims(0);
  const bool keep = context.node.integer("keepdims", 1) != 0;
  const bool open = context.node.has("axes") || !context.node.input(1).empty();
  const auto axes = open ? context.axes() : std::nullopt;
  if (input == nullptr || (open && !axes)) {
    context.set(0, context.type(0), input != nullptr && keep ? std::optional(Dims(input->size())) : std::nullopt);
    return {};
  }
  const bool all = !open || axes->empty();
  if (all && context.node.integer("noop_with_empty_axes", 0) != 0) {
    context.set(0, context.type(0), *input);
    return {};
  }
  std::vector<bool> gone(input->size(), all);
  for (std::size_t i = 0; !all && i < axes->size(); ++i) {
    ALARA_TRY(const std::size_t at, context.axis_of((*axes)[i], input->size()));
    gone[at] = true;
  }
  context.set(0, context.type(0), reduced(*input, gone, keep));
  follow_product(context, keep);
  return {};
}

Status arg(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) {
    context.set(0, DataType::int64);
    return {};
  }
  ALARA_TRY(const std::size_t axis, context.axis_of(context.node.integer("axis", 0), input->size()));
  std::vector<bool> gone(input->size(), false);
  gone[axis] = true;
  context.set(0, DataType::int64, reduced(*input, gone, context.node.integer("keepdims", 1) != 0));
  return {};
}

Status top_k(ShapeContext& context) {
  std::optional<Dims> out;
  if (const Dims* input = context.dims(0)) {
    ALARA_TRY(const std::size_t axis, context.axis_of(context.node.integer("axis", -1), input->size()));
    const auto wanted = context.numbers(1);
    out = *input;
    (*out)[axis] = wanted && wanted->numbers.size() == 1 ? wanted->numbers.front() : Dim{};
  }
  context.set(1, DataType::int64, out);
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status shape(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) {
    context.set(0, DataType::int64, Dims(1));
    return {};
  }
  const auto rank = static_cast<std::int64_t>(input->size());
  const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t first = bound(context.node.integer("start", 0));
  const std::int64_t last = std::max(first, bound(context.node.integer("end", rank)));
  context.set(0, DataType::int64, Dims{{last - first, {}}});
  context.follow(0, {Dims(input->begin() + first, input->begin() + last), false});
  return {};
}

Status size(ShapeContext& context) {
  context.set(0, DataType::int64, Dims{});
  return {};
}

Status constant_of_shape(ShapeContext& context) {
  const Tensor* value = context.node.tensor("value");
  const auto target = context.numbers(0);
  context.set(0, value == nullptr ? DataType::float32 : value->type,
              target ? std::optional(target->numbers) : std::nullopt);
  const auto sizes = context.integers(0);
  if (value == nullptr || !sizes || sizes->size() > 1) return {};
  const auto filled = value->to_integers();
  const std::int64_t length = sizes->empty() ? 1 : sizes->front();
  if (!filled || filled->size() != 1 || length < 0 || length > static_cast<std::int64_t>(kMaxFollowedValues)) return {};
  const std::int64_t number = filled->front();
  const Dim dim{number, number < 0 ? std::string(kLiteral) : std::string()};
  context.follow(0, {Dims(static_cast<std::size_t>(length), dim), sizes->empty()});
  return {};
}

Status range(ShapeContext& context) {
  const auto start = context.integers(0);
  const auto limit = context.integers(1);
  const auto step = context.integers(2);
  Dim length;
  if (start && limit && step && start->size() == 1 && limit->size() == 1 && step->size() == 1) {
    const double count = step->front() == 0
                             ? -1.0
                             : (static_cast<double>(limit->front()) - static_cast<double>(start->front())) /
                                   static_cast<double>(step->front());
    if (step->front() == 0 || count > static_cast<double>(kMaxSize)) return context.misfit("it makes too many numbers");
    length.size = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(count)));
  }
  context.set(0, context.type(0), Dims{length});
  return {};
}

Status one_hot(ShapeContext& context) {
  std::optional<Dims> out;
  if (const Dims* indices = context.dims(0)) {
    out = *indices;
    ALARA_TRY(const std::size_t axis, context.axis_of(context.node.integer("axis", -1), indices->size() + 1));
    const auto depth = context.numbers(1);
    out->insert(out->begin() + static_cast<std::ptrdiff_t>(axis),
                depth && depth->numbers.size() == 1 ? depth->numbers.front() : Dim{});
  }
  context.set(0, context.type(2), std::move(out));
  return {};
}

Status non_zero(ShapeContext& context) {
  const Dims* input = context.dims(0);
  context.set(0, DataType::int64,
              Dims{input == nullptr ? Dim{} : Dim{static_cast<std::int64_t>(input->size()), {}}, Dim{}});
  return {};
}

Status non_max_suppression(ShapeContext& context) {
  context.set(0, DataType::int64, Dims{Dim{}, {3, {}}});
  return {};
}

}  // namespace

ShapeRules reduce_rules() {
  ShapeRules rules;
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                         "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"})
    rules[op] = reduce;
  rules["ArgMax"] = arg;
  rules["ArgMin"] = arg;
  rules["TopK"] = top_k;
  rules["Shape"] = shape;
  rules["Size"] = size;
  rules["ConstantOfShape"] = constant_of_shape;
  rules["Range"] = range;
  rules["OneHot"] = one_hot;
  rules["NonZero"] = non_zero;
  rules["NonMaxSuppression"] = non_max_suppression;
  return rules;
}

}  // namespace alara::graph
