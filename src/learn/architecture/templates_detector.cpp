// SPDX-License-Identifier: Apache-2.0
// Detectors as graphs with heads: raw outputs, whose boxes and scores are made by what comes after the model.
#include "learn/architecture/inverted_residual.hpp"
#include "learn/architecture/templates.hpp"

namespace alara::learn {
namespace {

// Redmon and Farhadi, "YOLOv3", 2018, in its tiny form: two heads of [anchors * (5 + classes), height, width].
void build_yolo_tiny(Layers& net, const Options& options) {
  const double width = options.number("width");
  const std::int64_t outputs = options.integer("anchors") * (5 + options.integer("classes"));
  const auto conv = [&](const Flow& in, double filters, std::int64_t kernel) {
    return net.conv_norm(in, {.filters = widened(filters, width), .kernel = kernel}, Activation::leaky_relu);
  };
  Flow flow = conv(net.input("input", numbers(net, options, "input")), 16, 3);
  for (const double filters : {32.0, 64.0, 128.0, 256.0}) flow = conv(net.max_pool(flow, {}), filters, 3);
  const Flow fine = flow;
  flow = conv(net.max_pool(flow, {}), 512, 3);
  flow = net.max_pool(flow, {.kernel = 2, .stride = 1, .padding = {}});
  flow = conv(conv(flow, 1024, 3), 256, 1);
  net.place("coarse/");
  net.output(net.conv(conv(flow, 512, 3), {.filters = outputs, .kernel = 1}), "coarse");
  net.place("fine/");
  const Flow parts[] = {net.upsample(conv(flow, 128, 1), 2), fine};
  net.output(net.conv(conv(net.concat(parts), 256, 3), {.filters = outputs, .kernel = 1}), "fine");
}

// The feature maps that SSD looks at: the expansion of block 14 of MobileNetV2 (Sandler et al., 2018, table 2), its
// last layer, and four smaller ones.
std::vector<Flow> ssd_maps(Layers& net, const Flow& input, double width) {
  struct Stage {
    std::int64_t expand, filters, repeats, stride;
  };
  constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                               {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  const auto wide = [&](std::int64_t channels) { return widened(static_cast<double>(channels), width); };
  std::vector<Flow> maps;
  net.place("stem/");
  Flow flow = net.conv_norm(input, {.filters = wide(32), .stride = 2}, Activation::relu6);
  int number = 0;
  for (const Stage& stage : kStages)
    for (std::int64_t i = 0; i < stage.repeats && !net.failed(); ++i) {
      net.place(fmt::format("block{}/", ++number));
      const std::int64_t expanded = stage.expand * flow.shape[0];
      InvertedResidual block{.expanded = expanded, .filters = wide(stage.filters), .stride = i == 0 ? stage.stride : 1};
      if (number == 14) {  // the expansion is looked at, and the block goes on from it
        flow = net.conv_norm(flow, {.filters = expanded, .kernel = 1}, Activation::relu6);
        maps.push_back(flow);
      }
      flow = inverted_residual(net, flow, block);
    }
  net.place("extra/");
  maps.push_back(net.conv_norm(flow, {.filters = wide(1280), .kernel = 1}, Activation::relu6));
  for (const std::int64_t filters : {512, 256, 256, 128}) {
    if (net.failed()) break;
    maps.push_back(net.activate(
        inverted_residual(net, maps.back(), {.expanded = wide(filters / 2), .filters = wide(filters), .stride = 2}),
        Activation::relu6));
  }
  return maps;
}

// Liu et al., "SSD", 2016, with separable heads (SSDLite): boxes [anchors, 4] and scores [anchors, classes].
void build_ssd(Layers& net, const Options& options) {
  const std::int64_t classes = options.integer("classes") + 1;  // and the background
  const std::vector<Flow> maps =
      ssd_maps(net, net.input("input", numbers(net, options, "input")), options.number("width"));
  const auto head = [&](std::int64_t numbers_each, const std::string& name) {
    std::vector<Flow> parts;
    for (const Flow& map : maps) {
      if (net.failed()) return;
      const std::int64_t anchors = parts.empty() ? 3 : 6;
      net.place(fmt::format("{}{}/", name, parts.size() + 1));
      const Flow mixed = net.depthwise_norm(map, {}, Activation::relu6);
      const Flow raw = net.conv(mixed, {.filters = anchors * numbers_each, .kernel = 1});
      if (net.failed()) return;
      const std::int64_t places = raw.shape[1] * raw.shape[2];
      parts.push_back(net.reshape(net.transpose(raw, {1, 2, 0}), {places * anchors, numbers_each}));
    }
    net.output(net.concat(parts), name);
  };
  head(4, "boxes");
  head(classes, "scores");
}

}  // namespace

void add_detector_templates(std::vector<Template>& out) {
  out.push_back({{"yolo_tiny",
                  "YOLOv3-tiny with two raw heads",
                  {input_property("[3, 416, 416]"),
                   {.name = "anchors",
                    .type = PropertyType::integer,
                    .sentence = "Boxes at each place",
                    .fallback = "3",
                    .least = 1,
                    .most = 32},
                   width_property(),
                   classes_property("80")}},
                 build_yolo_tiny});
  out.push_back({{"ssd",
                  "SSDLite over MobileNetV2 with raw boxes and scores; input sizes that 32 divides, or 300",
                  {input_property("[3, 320, 320]"), width_property(), classes_property("80")}},
                 build_ssd});
}

}  // namespace alara::learn
