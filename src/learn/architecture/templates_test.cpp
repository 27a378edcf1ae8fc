// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/templates.hpp"

#include <gtest/gtest.h>

#include "graph/cost.hpp"
#include "graph/shapes.hpp"
#include "learn/architecture/architecture.hpp"

namespace alara::learn {
namespace {

// Each network is built once: drawing millions of weights takes a while.
const graph::Model& build(std::string_view name, std::string_view settings = {}) {
  static std::map<std::pair<std::string, std::string>, graph::Model> built;
  const auto [at, added] = built.try_emplace({std::string(name), std::string(settings)});
  if (!added) return at->second;
  auto model = build_template(name, settings);
  EXPECT_TRUE(model) << name << ": " << model.error().text();
  if (model) at->second = std::move(*model);
  return at->second;
}

graph::ModelCost cost(const graph::Model& model) {
  const auto values = graph::infer_shapes(model, graph::fixed_inputs(model));
  EXPECT_TRUE(values) << values.error().text();
  return values ? graph::cost_of(model.graph, *values) : graph::ModelCost{};
}

// Parameters and multiply-accumulates within a share of the published ones.
void expect_cost(std::string_view name, std::string_view settings, double parameters, double macs, double share) {
  const graph::ModelCost found = cost(build(name, settings));
  EXPECT_NEAR(static_cast<double>(found.parameters), parameters, share * parameters) << name;
  EXPECT_NEAR(static_cast<double>(found.macs), macs, share * macs) << name;
  EXPECT_EQ(found.unknown_shapes, 0) << name;
}

TEST(Templates, BuildModelsWhoseDeclaredShapesAreTheInferredOnes) {
  for (const Template& each : templates()) {
    const graph::Model& model = build(each.schema.name);
    ASSERT_TRUE(graph::check(model)) << each.schema.name;
    const auto values = graph::infer_shapes(model);
    ASSERT_TRUE(values) << each.schema.name << ": " << values.error().text();
    ASSERT_FALSE(model.graph.outputs.empty());
    EXPECT_EQ(model.graph.inputs.front().dims->front().symbol, "batch");
    for (const graph::ValueInfo& output : model.graph.outputs) {
      const auto one = graph::infer_shapes(model, graph::fixed_inputs(model, 2));
      ASSERT_TRUE(one) << one.error().text();
      graph::Dims declared = *output.dims;
      declared.front() = {2, ""};
      EXPECT_EQ(graph::text_of(*one->at(output.name).dims), graph::text_of(declared)) << each.schema.name;
    }
  }
}

// He et al., 2016: 3.8 G for the stride in the 1 x 1 convolution; 4.09 G with it in the 3 x 3 one; 25.56 M parameters.
TEST(Templates, ResNet50CostsWhatIsPublished) { expect_cost("resnet50", {}, 25.557e6, 4.09e9, 0.005); }

// Iandola et al., 2016, table 1 and the authors' files: 1.248 M (1.0) and 1.235 M (1.1) parameters.
TEST(Templates, SqueezeNetCostsWhatIsPublished) {
  EXPECT_EQ(cost(build("squeezenet", "{version: '1.0'}")).parameters, 1'248'424);
  EXPECT_EQ(cost(build("squeezenet")).parameters, 1'235'496);
}

// Howard et al., 2019, tables 3 and 4: 219 M MACs and 5.4 M parameters (large), 56 M and 2.5 M (small); batch norms
// counted whole the well-known implementations have 5.483 M and 2.543 M.
TEST(Templates, MobileNetV3CostsWhatIsPublished) {
  EXPECT_EQ(cost(build("mobilenet_v3_large")).parameters, 5'483'032);
  EXPECT_EQ(cost(build("mobilenet_v3_small")).parameters, 2'542'856);
  expect_cost("mobilenet_v3_large", {}, 5.48e6, 219e6, 0.02);
  expect_cost("mobilenet_v3_small", {}, 2.54e6, 56e6, 0.02);
}

// The authors' page of the Lite variants: 4.7 M parameters, and 407 M multiply-adds, which count element-wise work too
// (6.7 M numbers go through batch norms, 6.2 M through relu6): convolutions and the dense layer alone are 385 M.
TEST(Templates, EfficientNetLite0CostsWhatIsPublished) {
  EXPECT_EQ(cost(build("efficientnet_lite0")).parameters, 4'652'008);
  expect_cost("efficientnet_lite0", {}, 4.652e6, 407e6, 0.06);
}

// Darknet's yolov3-tiny: 5.56 billion operations, two for each multiply-accumulate. Its weight file holds 8,858,734
// numbers, with mean and variance of each batch norm.
TEST(Templates, YoloTinyCostsWhatIsPublished) {
  const graph::Model& model = build("yolo_tiny");
  std::int64_t statistics = 0;
  for (const graph::Node& node : model.graph.nodes)
    if (node.is("BatchNormalization")) statistics += 2 * model.graph.constant(node.input(3))->elements();
  EXPECT_EQ(cost(model).parameters + statistics, 8'858'734);
  expect_cost("yolo_tiny", {}, 8.85e6, 5.56e9 / 2, 0.01);
}

// Sandler et al., 2018, table 6: SSDLite over MobileNetV2 at 320 x 320 has 4.3 M parameters and 0.8 G MACs.
TEST(Templates, SsdCostsWhatIsPublished) {
  expect_cost("ssd", {}, 4.3e6, 0.8e9, 0.05);
  const graph::Model& classic = build("ssd", "{input: [3, 300, 300], classes: 23}");
  EXPECT_EQ(graph::text_of(*classic.graph.outputs[0].dims), "[batch, 1917, 4]");
  EXPECT_EQ(graph::text_of(*classic.graph.outputs[1].dims), "[batch, 1917, 24]");
}

TEST(Templates, SayWhatDoesNotFit) {
  const auto message = [](std::string_view name, std::string_view settings) {
    const auto model = build_template(name, settings);
    return model ? "built" : model.error().text();
  };
  EXPECT_EQ(message("resnet18", {}), "there is no template 'resnet18' (did you mean 'resnet'?)");
  EXPECT_EQ(message("cnn", "{input: [1, 2, 2]}"),
            "options of cnn:1:1: max_pool: a kernel of 2 does not fit into [32, 1, 1]");
  EXPECT_EQ(message("cnn", "{klasses: 3}"),
            "options of cnn:1:2: cnn: unknown option 'klasses' (did you mean 'classes'?)");
  EXPECT_EQ(message("mlp", "{classes: 0}"), "options of mlp:1:11: classes: 0 is below the least allowed, 1");
  EXPECT_EQ(message("mlp", "{input: x}"), "options of mlp:1:9: input is a list of whole numbers");
  EXPECT_EQ(message("mlp", "{hidden: [1000000, 1000000]}"),
            "options of mlp:1:1: the network has more parameters than are possible");
}

TEST(Templates, GiveTheSameWeightsForTheSameSeedOnly) {
  const auto weights = [](std::uint64_t seed) {
    return *build_template("mlp", {}, {.seed = seed})->graph.constants.at("dense.weight");
  };
  EXPECT_EQ(weights(1), weights(1));
  EXPECT_NE(weights(1), weights(2));
}

}  // namespace
}  // namespace alara::learn
