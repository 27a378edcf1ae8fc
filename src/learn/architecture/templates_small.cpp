// SPDX-License-Identifier: Apache-2.0
// Networks for devices and for small data sets; each trains here in minutes.
#include "learn/architecture/templates.hpp"

namespace alara::learn {
namespace {

Property list(std::string name, std::string sentence, std::string fallback) {
  return {.name = std::move(name),
          .type = PropertyType::any,
          .sentence = std::move(sentence),
          .fallback = std::move(fallback)};
}
Property count_property(std::string name, std::string sentence, std::string fallback) {
  return {.name = std::move(name),
          .type = PropertyType::integer,
          .sentence = std::move(sentence),
          .fallback = std::move(fallback),
          .least = 1,
          .most = 65'536};
}
Property dropout_property(std::string fallback) {
  return {.name = "dropout",
          .type = PropertyType::number,
          .sentence = "Share left out by chance before the last layer",
          .fallback = std::move(fallback),
          .least = 0,
          .most = 0.9};
}

void classify(Layers& net, Flow flow, const Options& options) {
  flow = net.dropout(flow, static_cast<float>(options.number("dropout")));
  net.output(net.dense(flow, options.integer("classes")), "output");
}

void build_mlp(Layers& net, const Options& options) {
  Flow flow = net.input("input", numbers(net, options, "input"));
  for (const std::int64_t units : numbers(net, options, "hidden"))
    flow = net.activate(net.dense(flow, units), Activation::relu);
  classify(net, flow, options);
}

// As the MLPerf Tiny anomaly detector has it: dense, batch norm, relu down to the code and up again.
void build_autoencoder(Layers& net, const Options& options) {
  const Flow input = net.input("input", numbers(net, options, "input"));
  const std::vector<std::int64_t> hidden = numbers(net, options, "hidden");
  const auto block = [&](const Flow& in, std::int64_t units) {
    return net.activate(net.batch_norm(net.dense(in, units)), Activation::relu);
  };
  Flow flow = net.flatten(input);
  const std::int64_t width = flow.shape.empty() ? 0 : flow.shape[0];
  for (const std::int64_t units : hidden) flow = block(flow, units);
  flow = block(flow, options.integer("code"));
  for (auto units = hidden.rbegin(); units != hidden.rend(); ++units) flow = block(flow, *units);
  flow = net.dense(flow, width);
  net.output(net.failed() || input.shape.size() == 1 ? flow : net.reshape(flow, input.shape), "output");
}

void build_cnn1d(Layers& net, const Options& options) {
  Flow flow = net.input("input", numbers(net, options, "input"));
  for (const std::int64_t filters : numbers(net, options, "filters")) {
    flow = net.conv_norm(flow, {.filters = filters, .kernel = options.integer("kernel")}, Activation::relu);
    flow = net.max_pool(flow, {});
  }
  classify(net, net.global_average_pool(flow), options);
}

// Stages of convolutions, a pool between them; the first stage has one convolution, since it is the largest.
void build_cnn(Layers& net, const Options& options) {
  const double width = options.number("width");
  Flow flow = net.input("input", numbers(net, options, "input"));
  bool first = true;
  for (const std::int64_t filters : numbers(net, options, "filters")) {
    if (!first) flow = net.max_pool(flow, {});
    for (std::int64_t i = 0; i < (first ? 1 : options.integer("depth")); ++i)
      flow = net.conv_norm(flow, {.filters = widened(static_cast<double>(filters), width, 4)}, Activation::relu);
    first = false;
  }
  classify(net, net.global_average_pool(flow), options);
}

// Howard et al., "MobileNets", 2017, for small pictures.
void build_depthwise(Layers& net, const Options& options) {
  const double width = options.number("width");
  const std::vector<std::int64_t> filters = numbers(net, options, "filters"),
                                  strides = numbers(net, options, "strides");
  if (filters.size() != strides.size())
    net.refuse({ErrorKind::bad_input, "there are as many strides as filters", options.where("strides"), {}});
  Flow flow = net.input("input", numbers(net, options, "input"));
  flow = net.conv_norm(flow, {.filters = widened(static_cast<double>(options.integer("stem")), width, 4)},
                       Activation::relu);
  for (std::size_t i = 0; i < filters.size() && !net.failed(); ++i) {
    flow = net.depthwise_norm(flow, {.stride = strides[i]}, Activation::relu);
    flow = net.conv_norm(flow, {.filters = widened(static_cast<double>(filters[i]), width, 4), .kernel = 1},
                         Activation::relu);
  }
  classify(net, net.global_average_pool(flow), options);
}

void build_gru(Layers& net, const Options& options) {
  Flow flow = net.input("input", numbers(net, options, "input"));
  const std::int64_t layers = options.integer("layers");
  for (std::int64_t i = 0; i < layers && !net.failed(); ++i)
    flow = net.gru(flow, {.units = options.integer("units"), .sequences = i + 1 < layers});
  classify(net, flow, options);
}

// He et al., "Deep residual learning", 2016, section 4.2: three stages of 2n convolutions, for pictures of about 32
// x 32.
void build_resnet(Layers& net, const Options& options) {
  const double width = options.number("width");
  Flow flow = net.input("input", numbers(net, options, "input"));
  flow = net.conv_norm(flow, {.filters = widened(16, width, 4)}, Activation::relu);
  for (int stage = 0; stage < 3; ++stage)
    for (std::int64_t i = 0; i < options.integer("blocks") && !net.failed(); ++i) {
      const std::int64_t filters = widened(16 << stage, width, 4), stride = stage > 0 && i == 0 ? 2 : 1;
      Flow inner = net.conv_norm(flow, {.filters = filters, .stride = stride}, Activation::relu);
      inner = net.conv_norm(inner, {.filters = filters}, Activation::none);
      const bool same = inner.shape == flow.shape;
      const Flow side =
          same ? flow : net.conv_norm(flow, {.filters = filters, .kernel = 1, .stride = stride}, Activation::none);
      flow = net.activate(net.add(inner, side), Activation::relu);
    }
  classify(net, net.global_average_pool(flow), options);
}

}  // namespace

void add_small_templates(std::vector<Template>& out) {
  out.push_back({{"mlp",
                  "Dense layers over [features]",
                  {input_property("[8]"), list("hidden", "Units of each hidden layer", "[64, 64]"),
                   classes_property("2"), dropout_property("0")}},
                 build_mlp});
  out.push_back(
      {{"autoencoder",
        "Dense layers to a small code and back; what it can not restore is unusual",
        {input_property("[640]"), list("hidden", "Units of each layer before the code", "[128, 128, 128, 128]"),
         count_property("code", "Units of the code", "8")}},
       build_autoencoder});
  out.push_back(
      {{"cnn1d",
        "Convolutions over a series [channels, length]",
        {input_property("[1, 256]"), list("filters", "Of each stage; a pool by 2 after each", "[16, 32, 64]"),
         count_property("kernel", "Length of each window", "5"), classes_property("2"), dropout_property("0")}},
       build_cnn1d});
  out.push_back(
      {{"cnn",
        "Convolutions over pictures [channels, height, width]",
        {input_property("[1, 28, 28]"), list("filters", "Of each stage; a pool by 2 between them", "[16, 32, 64]"),
         count_property("depth", "Convolutions of each stage but the first", "2"), width_property(),
         classes_property("10"), dropout_property("0")}},
       build_cnn});
  out.push_back({{"depthwise",
                  "Depthwise-separable convolutions (MobileNet) over small pictures",
                  {input_property("[1, 28, 28]"), count_property("stem", "Filters of the first convolution", "16"),
                   list("filters", "Of each block", "[32, 64, 64, 128, 128]"),
                   list("strides", "Of each block", "[2, 1, 1, 2, 1]"), width_property(), classes_property("10"),
                   dropout_property("0")}},
                 build_depthwise});
  out.push_back({{"gru",
                  "Gated recurrent units over [steps, features]",
                  {input_property("[50, 4]"), count_property("units", "Numbers of the state", "32"),
                   count_property("layers", "One above the other", "1"), classes_property("2"), dropout_property("0")}},
                 build_gru});
  out.push_back({{"resnet",
                  "Small residual network over pictures of about 32 x 32",
                  {input_property("[1, 28, 28]"), count_property("blocks", "Of each of the three stages", "2"),
                   width_property(), classes_property("10"), dropout_property("0")}},
                 build_resnet});
}

}  // namespace alara::learn
