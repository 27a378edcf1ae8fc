// SPDX-License-Identifier: Apache-2.0
// ResNet-50 and SqueezeNet as they were published.
#include "learn/architecture/templates.hpp"

namespace alara::learn {
namespace {

// He et al., "Deep residual learning", 2016, table 1, bottleneck blocks; the stride is in the 3 x 3 convolution, as in
// most implementations since ("v1.5").
Flow bottleneck(Layers& net, const Flow& in, std::int64_t filters, std::int64_t stride) {
  Flow flow = net.conv_norm(in, {.filters = filters, .kernel = 1}, Activation::relu);
  flow = net.conv_norm(flow, {.filters = filters, .stride = stride}, Activation::relu);
  flow = net.conv_norm(flow, {.filters = 4 * filters, .kernel = 1}, Activation::none);
  const bool same = flow.shape == in.shape;
  const Flow side =
      same ? in : net.conv_norm(in, {.filters = 4 * filters, .kernel = 1, .stride = stride}, Activation::none);
  return net.activate(net.add(flow, side), Activation::relu);
}

void build_resnet50(Layers& net, const Options& options) {
  const double width = options.number("width");
  Flow flow = net.input("input", numbers(net, options, "input"));
  net.place("stem/");
  flow = net.conv_norm(flow, {.filters = widened(64, width), .kernel = 7, .stride = 2}, Activation::relu);
  flow = net.max_pool(flow, {.kernel = 3, .stride = 2, .padding = {}});
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 0; i < blocks[stage]; ++i) {
      net.place(fmt::format("stage{}/block{}/", stage + 1, i + 1));
      flow = bottleneck(net, flow, widened(64 << stage, width), stage > 0 && i == 0 ? 2 : 1);
    }
  net.place("head/");
  net.output(net.dense(net.global_average_pool(flow), options.integer("classes")), "output");
}

// Iandola et al., "SqueezeNet", 2016: 1 x 1 convolutions, then 1 x 1 and 3 x 3 ones side by side.
Flow fire(Layers& net, const Flow& in, std::int64_t squeeze, std::int64_t expand) {
  const auto conv = [&](const Flow& from, std::int64_t filters, std::int64_t kernel) {
    return net.activate(net.conv(from, {.filters = filters, .kernel = kernel}), Activation::relu);
  };
  const Flow narrow = conv(in, squeeze, 1);
  const Flow parts[] = {conv(narrow, expand, 1), conv(narrow, expand, 3)};
  return net.concat(parts);
}

void build_squeezenet(Layers& net, const Options& options) {
  const bool older = options.text("version") == "1.0";
  const double width = options.number("width");
  const Pool pool{.kernel = 3, .stride = 2, .round_up = true};
  Flow flow = net.input("input", numbers(net, options, "input"));
  const Conv stem = older ? Conv{.filters = widened(96, width), .kernel = 7, .stride = 2, .padding = kNoPadding}
                          : Conv{.filters = widened(64, width), .kernel = 3, .stride = 2, .padding = kNoPadding};
  flow = net.max_pool(net.activate(net.conv(flow, stem), Activation::relu), pool);
  const std::int64_t squeeze[] = {16, 16, 32, 32, 48, 48, 64, 64};
  for (int i = 0; i < 8; ++i) {
    const auto inner = static_cast<double>(squeeze[i]);
    net.place(fmt::format("fire{}/", i + 2));
    flow = fire(net, flow, widened(inner, width), widened(4 * inner, width));
    // 1.0 pools behind fire4 and fire8, 1.1 behind fire3 and fire5.
    if (older ? i == 2 || i == 6 : i == 1 || i == 3) flow = net.max_pool(flow, pool);
  }
  net.place("head/");
  flow = net.dropout(flow, 0.5F);
  flow = net.activate(net.conv(flow, {.filters = options.integer("classes"), .kernel = 1}), Activation::relu);
  net.output(net.global_average_pool(flow), "output");
}

}  // namespace

void add_classic_templates(std::vector<Template>& out) {
  out.push_back({{"resnet50",
                  "Residual network of 50 layers",
                  {input_property("[3, 224, 224]"), width_property(), classes_property("1000")}},
                 build_resnet50});
  out.push_back({{"squeezenet",
                  "Fire modules of 1 x 1 and 3 x 3 convolutions",
                  {input_property("[3, 224, 224]"),
                   {.name = "version",
                    .type = PropertyType::choice,
                    .sentence = "1.1 needs 2.4 times less work",
                    .fallback = "'1.1'",
                    .choices = {"1.0", "1.1"}},
                   width_property(),
                   classes_property("1000")}},
                 build_squeezenet});
}

}  // namespace alara::learn
