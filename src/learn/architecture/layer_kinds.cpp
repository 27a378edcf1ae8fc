// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/layer_kinds.hpp"

#include <algorithm>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::learn {
namespace {

constexpr double kMost = static_cast<double>(kMaxWidth);

Property count(std::string name, std::string sentence, std::string fallback = {}) {
  const bool required = fallback.empty();
  return {.name = std::move(name),
          .type = PropertyType::integer,
          .sentence = std::move(sentence),
          .fallback = std::move(fallback),
          .required = required,
          .least = 1,
          .most = kMost};
}
Property sizes(std::string name, std::string sentence, std::string fallback) {
  return {.name = std::move(name),
          .type = PropertyType::any,
          .sentence = std::move(sentence) + "; one number, or one for each dimension",
          .fallback = std::move(fallback)};
}
Property flag(std::string name, std::string sentence, std::string fallback) {
  return {.name = std::move(name),
          .type = PropertyType::boolean,
          .sentence = std::move(sentence),
          .fallback = std::move(fallback)};
}
Property padding(std::string fallback) {
  return {.name = "padding",
          .type = PropertyType::text,
          .sentence = "same (output = input / stride), valid (none), or so many zeros on each side",
          .fallback = std::move(fallback)};
}
Property activation(std::string fallback) {
  Property out{
      .name = "activation", .type = PropertyType::choice, .sentence = "What follows", .fallback = std::move(fallback)};
  for (const std::string_view name : activation_names()) out.choices.emplace_back(name);
  return out;
}

Sizes read_sizes(Layers& net, const Options& options, std::string_view name) {
  const Node& node = *options.node(name);  // the map is completed
  Sizes out(numbers_of(node));
  if (out.each.empty())
    net.refuse({ErrorKind::bad_input, fmt::format("{} is one whole number or a list of them", name), node.where, {}});
  return out;
}

Padding read_padding(Layers& net, const Options& options) {
  const std::string text = options.text("padding");
  if (text == "same") return {};
  if (text == "valid") return kNoPadding;
  const auto number = parse_integer(text);
  if (!number || *number < 0)
    net.refuse({ErrorKind::bad_input,
                fmt::format("padding '{}' is not same, valid or a number of zeros", text),
                options.where("padding"),
                {}});
  return {number.value_or(0)};
}

Activation read_activation(const Options& options) { return activation_named(options.text("activation")); }

Conv read_conv(Layers& net, const Options& options) {
  return {.kernel = read_sizes(net, options, "kernel"),
          .stride = read_sizes(net, options, "stride"),
          .padding = read_padding(net, options),
          .dilation = read_sizes(net, options, "dilation")};
}

Flow finished(Layers& net, Flow out, const Options& options) {
  if (options.boolean("batch_norm")) out = net.batch_norm(out);
  return net.activate(out, read_activation(options));
}

Flow build_conv(Layers& net, const Flow& in, const Options& options) {
  Conv conv = read_conv(net, options);
  conv.filters = options.integer("filters");
  conv.groups = options.integer("groups");
  conv.bias = !options.boolean("batch_norm");
  return finished(net, net.conv(in, conv), options);
}

Flow build_depthwise(Layers& net, const Flow& in, const Options& options) {
  Conv conv = read_conv(net, options);
  conv.bias = !options.boolean("batch_norm");
  return finished(net, net.depthwise(in, conv), options);
}

// Howard et al., "MobileNets", 2017: depthwise, then 1 x 1, each with batch norm and activation.
Flow build_separable(Layers& net, const Flow& in, const Options& options) {
  Conv conv = read_conv(net, options);
  const bool norm = options.boolean("batch_norm");
  conv.bias = !norm;
  const Flow mixed = finished(net, net.depthwise(in, conv), options);
  return finished(net, net.conv(mixed, {.filters = options.integer("filters"), .kernel = 1, .bias = !norm}), options);
}

Pool read_pool(Layers& net, const Options& options) {
  Pool pool{.kernel = read_sizes(net, options, "kernel"), .padding = read_padding(net, options)};
  pool.stride = options.has("stride") ? read_sizes(net, options, "stride") : pool.kernel;
  return pool;
}

Recurrent read_recurrent(const Options& options) {
  return {options.integer("units"), options.boolean("sequences"), options.boolean("bidirectional")};
}

template <Activation A>
Flow build_activation(Layers& net, const Flow& in, const Options&) {
  return net.activate(in, A);
}

LayerKind simple(std::string name, std::string sentence, Flow (*build)(Layers&, const Flow&, const Options&)) {
  return {{std::move(name), std::move(sentence), {}}, {}, build};
}

std::vector<Property> window_properties(std::string fallback_kernel) {
  return {sizes("kernel", "Size of the window", std::move(fallback_kernel)), sizes("stride", "Step of the window", "1"),
          padding("same"), sizes("dilation", "Distance between the window's numbers", "1")};
}
std::vector<Property> with(std::vector<Property> properties, std::vector<Property> more) {
  properties.insert(properties.end(), more.begin(), more.end());
  return properties;
}
std::vector<Property> norm_and_activation(std::string norm, std::string activation_fallback) {
  return {flag("batch_norm", "Batch normalisation behind it, in place of a bias", std::move(norm)),
          activation(std::move(activation_fallback))};
}

void add_convolutions(std::vector<LayerKind>& out) {
  out.push_back({{"conv", "Convolution over [channels, length] or [channels, height, width]",
                  with(with(window_properties("3"),
                            {count("filters", "Channels of the output"), count("groups", "Groups of channels", "1")}),
                       norm_and_activation("false", "none"))},
                 "filters",
                 build_conv});
  out.push_back({{"depthwise", "Convolution of each channel by itself",
                  with(window_properties("3"), norm_and_activation("false", "none"))},
                 "kernel",
                 build_depthwise});
  out.push_back({{"separable", "Depthwise convolution, then one of 1 x 1",
                  with(with(window_properties("3"), {count("filters", "Channels of the output")}),
                       norm_and_activation("true", "relu"))},
                 "filters",
                 build_separable});
}

void add_pools(std::vector<LayerKind>& out) {
  const std::vector<Property> properties = {sizes("kernel", "Size of the window", "2"),
                                            sizes("stride", "Step of the window; the kernel's size without it", ""),
                                            padding("valid")};
  out.push_back(
      {{"max_pool", "Largest number of each window", properties},
       "kernel",
       [](Layers& net, const Flow& in, const Options& options) { return net.max_pool(in, read_pool(net, options)); }});
  out.push_back({{"average_pool", "Mean of each window", properties},
                 "kernel",
                 [](Layers& net, const Flow& in, const Options& options) {
                   return net.average_pool(in, read_pool(net, options));
                 }});
  out.push_back(simple("global_average_pool", "Mean of each channel: [channels]",
                       [](Layers& net, const Flow& in, const Options&) { return net.global_average_pool(in); }));
  out.push_back({{"upsample", "Repeats each number in all directions", {count("factor", "How often", "2")}},
                 "factor",
                 [](Layers& net, const Flow& in, const Options& options) {
                   return net.upsample(in, options.integer("factor"));
                 }});
}

void add_dense(std::vector<LayerKind>& out) {
  out.push_back({{"dense",
                  "Fully connected; flattens what is not flat",
                  {count("units", "Numbers of the output"), activation("none")}},
                 "units",
                 [](Layers& net, const Flow& in, const Options& options) {
                   return net.activate(net.dense(in, options.integer("units")), read_activation(options));
                 }});
  const std::vector<Property> recurrent = {count("units", "Numbers of the state"),
                                           flag("sequences", "Give the state of every step", "false"),
                                           flag("bidirectional", "Also read from the end; twice the units", "false")};
  out.push_back(
      {{"gru", "Gated recurrent unit over [steps, features]", recurrent},
       "units",
       [](Layers& net, const Flow& in, const Options& options) { return net.gru(in, read_recurrent(options)); }});
  out.push_back(
      {{"lstm", "Long short-term memory over [steps, features]", recurrent},
       "units",
       [](Layers& net, const Flow& in, const Options& options) { return net.lstm(in, read_recurrent(options)); }});
}

void add_shapes(std::vector<LayerKind>& out) {
  out.push_back(simple("batch_norm", "Batch normalisation of each channel",
                       [](Layers& net, const Flow& in, const Options&) { return net.batch_norm(in); }));
  out.push_back(
      simple("flatten", "One dimension", [](Layers& net, const Flow& in, const Options&) { return net.flatten(in); }));
  out.push_back(simple("softmax",
                       "Shares that sum to 1, along channels; not before a cross-entropy loss, which has its own",
                       [](Layers& net, const Flow& in, const Options&) { return net.softmax(in); }));
  out.push_back({{"dropout",
                  "Leaves numbers out by chance while training",
                  {{.name = "rate",
                    .type = PropertyType::number,
                    .sentence = "Chance of each number to be left out",
                    .required = true,
                    .least = 0,
                    .most = 0.99}}},
                 "rate",
                 [](Layers& net, const Flow& in, const Options& options) {
                   return net.dropout(in, static_cast<float>(options.number("rate")));
                 }});
  const auto listed = [](std::string name, std::string sentence) {
    return Property{
        .name = std::move(name), .type = PropertyType::any, .sentence = std::move(sentence), .required = true};
  };
  out.push_back({{"reshape", "Another shape of as many numbers", {listed("shape", "Sizes without the batch")}},
                 "shape",
                 [](Layers& net, const Flow& in, const Options& options) {
                   return net.reshape(in, numbers_of(*options.node("shape")));
                 }});
  out.push_back({{"transpose",
                  "Other order of the dimensions, as from [channels, length] to [steps, features] by [1, 0]",
                  {listed("order", "Old numbers of the dimensions, from 0, without the batch")}},
                 "order",
                 [](Layers& net, const Flow& in, const Options& options) {
                   return net.transpose(in, numbers_of(*options.node("order")));
                 }});
  out.push_back({{"squeeze_excite",
                  "Weighs channels by what all of them hold",
                  {count("reduce", "Channels divided by it are the inner ones", "4")}},
                 "reduce",
                 [](Layers& net, const Flow& in, const Options& options) {
                   const std::int64_t inner = std::max<std::int64_t>(1, in.shape.front() / options.integer("reduce"));
                   return net.squeeze_excite(in, inner, Activation::relu, Activation::hard_sigmoid);
                 }});
}

std::vector<LayerKind> make_kinds() {
  std::vector<LayerKind> out;
  add_convolutions(out);
  add_pools(out);
  add_dense(out);
  add_shapes(out);
  out.push_back(simple("relu", "max(x, 0)", build_activation<Activation::relu>));
  out.push_back(simple("relu6", "x kept within 0 and 6", build_activation<Activation::relu6>));
  out.push_back(simple("leaky_relu", "x, or a tenth of it below 0", build_activation<Activation::leaky_relu>));
  out.push_back(simple("hard_swish", "x * hard_sigmoid(x)", build_activation<Activation::hard_swish>));
  out.push_back(simple("hard_sigmoid", "x / 6 + 0.5 kept within 0 and 1", build_activation<Activation::hard_sigmoid>));
  out.push_back(simple("sigmoid", "1 / (1 + exp(-x))", build_activation<Activation::sigmoid>));
  out.push_back(simple("tanh", "tanh(x)", build_activation<Activation::tanh>));
  out.push_back(simple("swish", "x * sigmoid(x)", build_activation<Activation::swish>));
  out.push_back(simple("elu", "x, or exp(x) - 1 below 0", build_activation<Activation::elu>));
  return out;
}

}  // namespace

std::span<const LayerKind> layer_kinds() {
  static const std::vector<LayerKind> kinds = make_kinds();
  return kinds;
}

const LayerKind* layer_kind(std::string_view name) {
  for (const LayerKind& kind : layer_kinds())
    if (kind.schema.name == name) return &kind;
  return nullptr;
}

Node completed(const Node& map, const Schema& schema) {
  Node out = map;
  for (const Property& property : schema.properties) {
    if (property.fallback.empty() || map.find(property.name) != nullptr) continue;
    auto value = parse_document(property.fallback, "default of " + property.name);
    ALARA_ASSERT(value.has_value(), "declared defaults are good YAML");
    value->where = map.where;
    out.entries.push_back({property.name, map.where, std::move(*value)});
  }
  return out;
}

std::vector<std::int64_t> numbers_of(const Node& node) {
  const auto number = [](const Node& item) { return item.is_scalar() ? parse_integer(item.scalar).value_or(-1) : -1; };
  std::vector<std::int64_t> out;
  if (node.is_scalar()) out.push_back(number(node));
  for (const Node& item : node.items) out.push_back(number(item));
  if (std::any_of(out.begin(), out.end(), [](std::int64_t n) { return n < 0; })) out.clear();
  return out;
}

}  // namespace alara::learn
