// SPDX-License-Identifier: Apache-2.0
// MobileNetV3 and EfficientNet-Lite0: inverted residual blocks (Sandler et al., "MobileNetV2", 2018).
#include "learn/architecture/inverted_residual.hpp"
#include "learn/architecture/templates.hpp"

namespace alara::learn {

Flow inverted_residual(Layers& net, const Flow& in, const InvertedResidual& block) {
  Flow flow = in;
  const std::int64_t channels = net.failed() ? 0 : in.shape[0];
  if (block.expanded != channels)
    flow = net.conv_norm(flow, {.filters = block.expanded, .kernel = 1}, block.activation);
  flow = net.depthwise_norm(flow, {.kernel = block.kernel, .stride = block.stride}, block.activation);
  if (block.squeezed > 0) flow = net.squeeze_excite(flow, block.squeezed, Activation::relu, Activation::hard_sigmoid);
  flow = net.conv_norm(flow, {.filters = block.filters, .kernel = 1}, Activation::none);
  return block.stride == 1 && block.filters == channels ? net.add(flow, in) : flow;
}

namespace {

// A line of the tables in Howard et al., "Searching for MobileNetV3", 2019.
struct Row {
  std::int64_t kernel, expanded, filters;
  bool squeeze;
  Activation activation;
  std::int64_t stride;
};
constexpr Activation kRelu = Activation::relu, kSwish = Activation::hard_swish;
constexpr Row kLarge[] = {  // table 1
    {3, 16, 16, false, kRelu, 1},   {3, 64, 24, false, kRelu, 2},   {3, 72, 24, false, kRelu, 1},
    {5, 72, 40, true, kRelu, 2},    {5, 120, 40, true, kRelu, 1},   {5, 120, 40, true, kRelu, 1},
    {3, 240, 80, false, kSwish, 2}, {3, 200, 80, false, kSwish, 1}, {3, 184, 80, false, kSwish, 1},
    {3, 184, 80, false, kSwish, 1}, {3, 480, 112, true, kSwish, 1}, {3, 672, 112, true, kSwish, 1},
    {5, 672, 160, true, kSwish, 2}, {5, 960, 160, true, kSwish, 1}, {5, 960, 160, true, kSwish, 1}};
constexpr Row kSmall[] = {  // table 2
    {3, 16, 16, true, kRelu, 2},   {3, 72, 24, false, kRelu, 2},  {3, 88, 24, false, kRelu, 1},
    {5, 96, 40, true, kSwish, 2},  {5, 240, 40, true, kSwish, 1}, {5, 240, 40, true, kSwish, 1},
    {5, 120, 48, true, kSwish, 1}, {5, 144, 48, true, kSwish, 1}, {5, 288, 96, true, kSwish, 2},
    {5, 576, 96, true, kSwish, 1}, {5, 576, 96, true, kSwish, 1}};

void build_mobilenet_v3(Layers& net, const Options& options, std::span<const Row> rows, std::int64_t last,
                        std::int64_t head) {
  const double width = options.number("width");
  const auto wide = [&](std::int64_t channels) { return widened(static_cast<double>(channels), width); };
  Flow flow = net.input("input", numbers(net, options, "input"));
  net.place("stem/");
  flow = net.conv_norm(flow, {.filters = wide(16), .stride = 2}, kSwish);
  int number = 0;
  for (const Row& row : rows) {
    net.place(fmt::format("block{}/", ++number));
    const std::int64_t expanded = wide(row.expanded);
    flow = inverted_residual(net, flow,
                             {.kernel = row.kernel,
                              .expanded = expanded,
                              .filters = wide(row.filters),
                              .stride = row.stride,
                              .squeezed = row.squeeze ? widened(static_cast<double>(expanded), 0.25) : 0,
                              .activation = row.activation});
  }
  net.place("head/");
  flow = net.global_average_pool(net.conv_norm(flow, {.filters = wide(last), .kernel = 1}, kSwish));
  flow = net.activate(net.dense(flow, head), kSwish);
  net.output(net.dense(net.dropout(flow, 0.2F), options.integer("classes")), "output");
}

void build_mobilenet_v3_large(Layers& net, const Options& options) {
  build_mobilenet_v3(net, options, kLarge, 960, 1280);
}
void build_mobilenet_v3_small(Layers& net, const Options& options) {
  build_mobilenet_v3(net, options, kSmall, 576, 1024);
}

// Tan and Le, "EfficientNet", 2019, table 1, in the Lite form: relu6 and no squeeze-and-excitation.
void build_efficientnet_lite0(Layers& net, const Options& options) {
  struct Stage {
    std::int64_t expand, filters, repeats, stride, kernel;
  };
  constexpr Stage kStages[] = {{1, 16, 1, 1, 3},  {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3},
                               {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};
  Flow flow = net.input("input", numbers(net, options, "input"));
  net.place("stem/");
  flow = net.conv_norm(flow, {.filters = 32, .stride = 2}, Activation::relu6);
  int number = 0;
  for (const Stage& stage : kStages)
    for (std::int64_t i = 0; i < stage.repeats && !net.failed(); ++i) {
      net.place(fmt::format("block{}/", ++number));
      flow = inverted_residual(net, flow,
                               {.kernel = stage.kernel,
                                .expanded = stage.expand * flow.shape[0],
                                .filters = stage.filters,
                                .stride = i == 0 ? stage.stride : 1,
                                .activation = Activation::relu6});
    }
  net.place("head/");
  flow = net.global_average_pool(net.conv_norm(flow, {.filters = 1280, .kernel = 1}, Activation::relu6));
  net.output(net.dense(net.dropout(flow, 0.2F), options.integer("classes")), "output");
}

}  // namespace

void add_mobile_templates(std::vector<Template>& out) {
  const std::vector<Property> scaled = {input_property("[3, 224, 224]"), width_property(), classes_property("1000")};
  out.push_back({{"mobilenet_v3_small", "MobileNetV3-Small: squeeze-and-excitation and hard-swish", scaled},
                 build_mobilenet_v3_small});
  out.push_back({{"mobilenet_v3_large", "MobileNetV3-Large: squeeze-and-excitation and hard-swish", scaled},
                 build_mobilenet_v3_large});
  out.push_back({{"efficientnet_lite0",
                  "EfficientNet-Lite0: made to be quantised",
                  {input_property("[3, 224, 224]"), classes_property("1000")}},
                 build_efficientnet_lite0});
}

}  // namespace alara::learn
