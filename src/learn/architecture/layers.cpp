// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/layers.hpp"

#include <algorithm>
#include <array>

#include "learn/architecture/initial_weights.hpp"
#include "learn/architecture/window.hpp"

namespace alara::learn {
namespace {

using graph::Attribute;
using graph::DataType;
using graph::Shape;
using graph::Tensor;
using graph::text_of;

constexpr std::array<std::string_view, 10> kActivations = {
    "none", "relu", "relu6", "leaky_relu", "hard_swish", "hard_sigmoid", "sigmoid", "tanh", "swish", "elu"};
constexpr float kLeak = 0.1F;  // of leaky_relu, as in Darknet

graph::Dims with_batch(const Shape& sample) {
  graph::Dims dims = {{-1, "batch"}};
  for (const std::int64_t size : sample) dims.push_back({size, ""});
  return dims;
}

Shape shape_with(std::int64_t channels, const std::vector<std::int64_t>& sizes) {
  Shape shape = {channels};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  return shape;
}

}  // namespace

std::span<const std::string_view> activation_names() { return kActivations; }

Activation activation_named(std::string_view name) {
  const auto found = std::find(kActivations.begin(), kActivations.end(), name);
  ALARA_ASSERT(found != kActivations.end(), "an activation that does not exist");
  return static_cast<Activation>(found - kActivations.begin());
}

Layers::Layers(const std::string& name, std::uint64_t seed, std::int64_t max_parameters)
    : builder_(name), seed_(seed), parameters_left_(max_parameters) {}

void Layers::refuse(Error error) {
  if (status_) status_ = tl::unexpected<Error>(std::move(error));
}

// What a layer gives, unless its shape is beyond what is possible.
Flow Layers::made(std::string value, Shape shape, const Flow& in) {
  for (const std::int64_t size : shape)
    if (size < 1 || size > kMaxWidth)
      return refuse(in, "'{}' would have shape {}; sizes are 1 to {}", value, text_of(shape), kMaxWidth);
  if (!graph::elements_of(shape)) return refuse(in, "'{}' would have shape {}, too large", value, text_of(shape));
  if (builder_.graph().nodes.size() > kMaxLayerNodes)
    return refuse(in, "the network has more than {} nodes", kMaxLayerNodes);
  return {std::move(value), std::move(shape)};
}

bool Layers::spend(std::initializer_list<std::int64_t> factors) {
  std::int64_t count = 1;
  for (const std::int64_t factor : factors) {
    if (factor < 1 || factor > kMaxParameters || count > kMaxParameters) {
      count = -1;
      break;
    }
    count *= factor;
  }
  if (count >= 0 && count <= parameters_left_) {
    parameters_left_ -= count;
    return true;
  }
  refuse(Error{ErrorKind::exhausted, "the network has more parameters than are possible", {}, {}});
  return false;
}

Flow Layers::input(const std::string& name, const Shape& sample) {
  const Flow in{name, sample};
  if (sample.empty()) return refuse(in, "the input has no dimensions");
  builder_.input(name, DataType::float32, with_batch(sample));
  return made(name, sample, in);
}

void Layers::output(const Flow& flow, const std::string& name) {
  if (failed()) return;
  const bool taken = std::any_of(outputs_.begin(), outputs_.end(),
                                 [&](const auto& entry) { return entry.first == flow.value || entry.second == name; });
  if (taken) return refuse(Error{ErrorKind::bad_input, fmt::format("output '{}' is given twice", name), {}, {}});
  if (builder_.graph().inputs.front().name == flow.value)
    return refuse(Error{ErrorKind::bad_input, "the network has no layers", {}, {}});
  outputs_[flow.value] = builder_.fresh(name);
  builder_.output(outputs_[flow.value], DataType::float32, with_batch(flow.shape));
}

// The first "conv" of a place is conv, the next ones conv_1, conv_2, …
std::string Layers::named(std::string_view kind) {
  const std::string name = prefix_ + std::string(kind);
  const int before = counts_[name]++;
  return before == 0 ? name : fmt::format("{}_{}", name, before);
}

Flow Layers::conv(const Flow& in, const Conv& conv) {
  if (failed()) return in;
  auto plan = plan_window("conv", in.shape, conv.kernel, conv.stride, conv.dilation, conv.padding, false);
  if (!plan) {
    refuse(plan.error());
    return in;
  }
  const std::int64_t channels = in.shape[0];
  if (conv.filters < 1 || conv.filters > kMaxWidth)
    return refuse(in, "conv: filters {} is not within 1 and {}", conv.filters, kMaxWidth);
  if (conv.groups < 1 || channels % conv.groups != 0 || conv.filters % conv.groups != 0)
    return refuse(in, "conv: {} groups do not divide {} channels and {} filters", conv.groups, channels, conv.filters);
  std::int64_t taps = 1;
  for (const std::int64_t size : plan->kernel) taps *= size;
  const std::int64_t fan_in = channels / conv.groups * taps;
  if (!spend({conv.filters, channels / conv.groups, taps})) return in;
  const std::string name = named("conv");
  Shape shape = {conv.filters, channels / conv.groups};
  shape.insert(shape.end(), plan->kernel.begin(), plan->kernel.end());
  std::vector<std::string> inputs = {
      in.value, builder_.constant(name + ".weight", he_normal(std::move(shape), fan_in, chance()))};
  if (conv.bias) inputs.push_back(builder_.constant(name + ".bias", filled({conv.filters}, 0)));
  std::string value = builder_.node("Conv", name, std::move(inputs),
                                    {{"kernel_shape", plan->kernel},
                                     {"strides", plan->stride},
                                     {"dilations", plan->dilation},
                                     {"pads", plan->pads},
                                     {"group", conv.groups}});
  return made(std::move(value), shape_with(conv.filters, plan->out), in);
}

Flow Layers::depthwise(const Flow& in, Conv conv) {
  if (failed()) return in;
  conv.filters = conv.groups = in.shape[0];
  return this->conv(in, conv);
}

Flow Layers::batch_norm(const Flow& in) {
  if (failed()) return in;
  const std::int64_t channels = in.shape[0];
  if (!spend({channels, 2})) return in;
  const std::string name = named("norm");
  std::string value = builder_.node("BatchNormalization", name,
                                    {in.value, builder_.constant(name + ".scale", filled({channels}, 1)),
                                     builder_.constant(name + ".shift", filled({channels}, 0)),
                                     builder_.constant(name + ".mean", filled({channels}, 0)),
                                     builder_.constant(name + ".variance", filled({channels}, 1))},
                                    {{"epsilon", 1e-5F}});
  return made(std::move(value), in.shape, in);
}

Flow Layers::activate(const Flow& in, Activation activation) {
  if (failed() || activation == Activation::none) return in;
  const std::string name = named(kActivations[static_cast<std::size_t>(activation)]);
  const auto simple = [&](const char* op, std::map<std::string, Attribute> attributes = {}) {
    return made(builder_.node(op, name, {in.value}, std::move(attributes)), in.shape, in);
  };
  switch (activation) {
    case Activation::none:
      return in;
    case Activation::relu:
      return simple("Relu");
    case Activation::leaky_relu:
      return simple("LeakyRelu", {{"alpha", kLeak}});
    case Activation::hard_swish:
      return simple("HardSwish");
    case Activation::hard_sigmoid:
      return simple("HardSigmoid", {{"alpha", 1.F / 6}, {"beta", 0.5F}});
    case Activation::sigmoid:
      return simple("Sigmoid");
    case Activation::tanh:
      return simple("Tanh");
    case Activation::elu:
      return simple("Elu");
    case Activation::relu6:
      return made(builder_.node("Clip", name,
                                {in.value, builder_.scalar(name + ".least", 0), builder_.scalar(name + ".most", 6)}),
                  in.shape, in);
    case Activation::swish: {
      const std::string gate = builder_.node("Sigmoid", name + "/sigmoid", {in.value});
      return made(builder_.node("Mul", name, {in.value, gate}), in.shape, in);
    }
  }
  return in;
}

Flow Layers::conv_norm(const Flow& in, Conv conv, Activation activation) {
  conv.bias = false;
  return activate(batch_norm(this->conv(in, conv)), activation);
}

Flow Layers::depthwise_norm(const Flow& in, Conv conv, Activation activation) {
  conv.bias = false;
  return activate(batch_norm(depthwise(in, conv)), activation);
}

Flow Layers::pool(const Flow& in, const Pool& pool, std::string_view kind) {
  if (failed()) return in;
  auto plan = plan_window(kind, in.shape, pool.kernel, pool.stride, 1, pool.padding, pool.round_up);
  if (!plan) {
    refuse(plan.error());
    return in;
  }
  std::map<std::string, Attribute> attributes = {
      {"kernel_shape", plan->kernel}, {"strides", plan->stride}, {"pads", plan->pads}};
  if (pool.round_up) attributes["ceil_mode"] = std::int64_t{1};
  for (std::size_t i = 0; i < plan->kernel.size(); ++i)
    if (std::max(plan->pads[i], plan->pads[plan->kernel.size() + i]) >= plan->kernel[i])
      return refuse(in, "{}: padding must be smaller than the kernel", kind);
  std::string value =
      builder_.node(kind == "max_pool" ? "MaxPool" : "AveragePool", named(kind), {in.value}, std::move(attributes));
  return made(std::move(value), shape_with(in.shape[0], plan->out), in);
}

Flow Layers::max_pool(const Flow& in, const Pool& pool) { return this->pool(in, pool, "max_pool"); }
Flow Layers::average_pool(const Flow& in, const Pool& pool) { return this->pool(in, pool, "average_pool"); }

Flow Layers::global_average_pool(const Flow& in) {
  if (failed()) return in;
  if (in.shape.size() < 2) return refuse(in, "global_average_pool needs [channels, …], not {}", text_of(in.shape));
  const std::string pooled = builder_.node("GlobalAveragePool", named("global_average_pool"), {in.value});
  return made(builder_.node("Flatten", named("flatten"), {pooled}, {{"axis", std::int64_t{1}}}), {in.shape[0]}, in);
}

Flow Layers::flatten(const Flow& in) {
  if (failed() || in.shape.size() == 1) return in;
  const auto elements = graph::elements_of(in.shape);
  return made(builder_.node("Flatten", named("flatten"), {in.value}, {{"axis", std::int64_t{1}}}),
              {elements.value_or(0)}, in);
}

Flow Layers::dense(const Flow& in, std::int64_t units) {
  if (failed()) return in;
  if (units < 1 || units > kMaxWidth) return refuse(in, "dense: units {} is not within 1 and {}", units, kMaxWidth);
  const Flow flat = flatten(in);
  if (failed() || !spend({units, flat.shape[0]})) return in;
  const std::string name = named("dense");
  const std::string weight =
      builder_.constant(name + ".weight", glorot_uniform({units, flat.shape[0]}, flat.shape[0], units, chance()));
  const std::string bias = builder_.constant(name + ".bias", filled({units}, 0));
  return made(builder_.node("Gemm", name, {flat.value, weight, bias}, {{"transB", std::int64_t{1}}}), {units}, in);
}

Flow Layers::dropout(const Flow& in, float rate) {
  if (failed() || rate == 0) return in;
  if (!(rate > 0 && rate < 1)) return refuse(in, "dropout: rate {} is not within 0 and 1", rate);
  const std::string name = named("dropout");
  return made(builder_.node("Dropout", name, {in.value, builder_.scalar(name + ".rate", rate)}), in.shape, in);
}

Flow Layers::add(const Flow& a, const Flow& b) {
  if (failed()) return a;
  if (a.shape != b.shape) return refuse(a, "add: {} and {} differ", text_of(a.shape), text_of(b.shape));
  return made(builder_.node("Add", named("add"), {a.value, b.value}), a.shape, a);
}

Flow Layers::scale_channels(const Flow& in, const Flow& gate) {
  if (failed()) return in;
  return made(builder_.node("Mul", named("scale"), {in.value, gate.value}), in.shape, in);
}

Flow Layers::concat(std::span<const Flow> parts) {
  ALARA_ASSERT(!parts.empty(), "there is something to join");
  if (failed()) return parts.front();
  Shape shape = parts.front().shape;
  std::vector<std::string> values = {parts.front().value};
  for (const Flow& part : parts.subspan(1)) {
    if (part.shape.size() != shape.size() || !std::equal(shape.begin() + 1, shape.end(), part.shape.begin() + 1))
      return refuse(parts.front(), "concat: {} and {} differ in more than their channels", text_of(parts.front().shape),
                    text_of(part.shape));
    shape[0] += part.shape[0];
    values.push_back(part.value);
  }
  return made(builder_.node("Concat", named("concat"), std::move(values), {{"axis", std::int64_t{1}}}), shape,
              parts.front());
}

// Hu et al., "Squeeze-and-excitation networks", 2018, with 1 x 1 convolutions in place of the dense layers.
Flow Layers::squeeze_excite(const Flow& in, std::int64_t squeezed, Activation inner, Activation gate) {
  if (failed()) return in;
  if (in.shape.size() < 2) return refuse(in, "squeeze_excite needs [channels, …], not {}", text_of(in.shape));
  Shape one(in.shape.size(), 1);
  one[0] = in.shape[0];
  const Flow mean = made(builder_.node("GlobalAveragePool", named("squeeze"), {in.value}), one, in);
  const Flow narrow = activate(conv(mean, {.filters = squeezed, .kernel = 1}), inner);
  const Flow wide = activate(conv(narrow, {.filters = in.shape[0], .kernel = 1}), gate);
  return failed() ? in : scale_channels(in, wide);
}

Flow Layers::upsample(const Flow& in, std::int64_t factor) {
  if (failed()) return in;
  if (in.shape.size() < 2 || factor < 1 || factor > 64)
    return refuse(in, "upsample: a factor of {} of {} is not possible", factor, text_of(in.shape));
  const std::string name = named("upsample");
  std::vector<float> scales(in.shape.size() + 1, static_cast<float>(factor));
  scales[0] = scales[1] = 1;
  const std::string constant =
      builder_.constant(name + ".scales", Tensor::of<float>({static_cast<std::int64_t>(scales.size())}, scales));
  Shape shape = in.shape;
  for (std::size_t i = 1; i < shape.size(); ++i) shape[i] *= factor;
  return made(builder_.node("Resize", name, {in.value, "", constant},
                            {{"mode", std::string("nearest")},
                             {"nearest_mode", std::string("floor")},
                             {"coordinate_transformation_mode", std::string("asymmetric")}}),
              shape, in);
}

Flow Layers::reshape(const Flow& in, const Shape& sample) {
  if (failed()) return in;
  const auto from = graph::elements_of(in.shape), to = graph::elements_of(sample);
  if (!to || *from != *to) return refuse(in, "reshape: {} can not become {}", text_of(in.shape), text_of(sample));
  const std::string name = named("reshape");
  std::vector<std::int64_t> numbers = {0};  // the batch as it is
  numbers.insert(numbers.end(), sample.begin(), sample.end());
  return made(builder_.node("Reshape", name, {in.value, builder_.constant(name + ".shape", std::move(numbers))}),
              sample, in);
}

Flow Layers::transpose(const Flow& in, const std::vector<std::int64_t>& order) {
  if (failed()) return in;
  std::vector<std::int64_t> sorted = order, perm = {0};
  std::sort(sorted.begin(), sorted.end());
  Shape shape;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order.size() != in.shape.size() || sorted[i] != static_cast<std::int64_t>(i))
      return refuse(in, "transpose: {} is no order of the {} dimensions", text_of(order), in.shape.size());
    perm.push_back(order[i] + 1);
    shape.push_back(in.shape[static_cast<std::size_t>(order[i])]);
  }
  return made(builder_.node("Transpose", named("transpose"), {in.value}, {{"perm", perm}}), shape, in);
}

Flow Layers::softmax(const Flow& in) {
  if (failed()) return in;
  return made(builder_.node("Softmax", named("softmax"), {in.value}, {{"axis", std::int64_t{1}}}), in.shape, in);
}

Result<graph::Model> Layers::finish() && {
  if (failed()) return tl::unexpected<Error>(status_.error());
  graph::Model model = std::move(builder_).finish();
  const auto rename = [&](std::string& value) {
    if (const auto found = outputs_.find(value); found != outputs_.end()) value = found->second;
  };
  for (graph::Node& node : model.graph.nodes) {
    std::for_each(node.inputs.begin(), node.inputs.end(), rename);
    std::for_each(node.outputs.begin(), node.outputs.end(), rename);
  }
  ALARA_CHECK(graph::check(model));
  return model;
}

}  // namespace alara::learn
