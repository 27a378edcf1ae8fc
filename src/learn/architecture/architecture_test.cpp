// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/architecture.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/shapes.hpp"
#include "learn/architecture/initial_weights.hpp"

namespace alara::learn {
namespace {

std::string outcome(std::string_view yaml) {
  const auto model = parse_architecture(yaml, "net.yaml");
  return model ? "built" : model.error().text();
}

std::string operators(const graph::Model& model) {
  std::string out;
  for (const graph::Node& node : model.graph.nodes) out += (out.empty() ? "" : " ") + node.op;
  return out;
}

TEST(Architecture, BuildsLayersInOrder) {
  const auto model = parse_architecture(R"(
name: press
input: [1, 28, 28]
layers:
  - conv: {filters: 8, kernel: 3}
  - batch_norm
  - relu
  - max_pool: 2
  - separable: {filters: 16, stride: 2}
  - squeeze_excite: 4
  - residual: [{conv: {filters: 32, stride: 2, batch_norm: true}}, hard_swish]
  - global_average_pool
  - dropout: 0.2
  - dense: 10
)",
                                        "net.yaml");
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->graph.name, "press");
  EXPECT_EQ(
      operators(*model),
      "Conv BatchNormalization Relu MaxPool Conv BatchNormalization Relu Conv BatchNormalization Relu "
      "GlobalAveragePool Conv Relu Conv HardSigmoid Mul Conv BatchNormalization HardSwish Conv BatchNormalization "
      "Add GlobalAveragePool Flatten Dropout Gemm");
  const auto values = graph::infer_shapes(*model, graph::fixed_inputs(*model, 3));
  ASSERT_TRUE(values) << values.error().text();
  EXPECT_EQ(values->at("output").text(), "output: float32[3, 10]");
}

TEST(Architecture, JoinsNamedValuesAndBranches) {
  const auto model = parse_architecture(R"(
input: [4, 8]
layers:
  - {conv: 8, as: early}
  - branches: [[relu], [{conv: {filters: 4, kernel: 1}}]]
  - concat: [early]
  - {conv: {filters: 8, kernel: 1}, output: map}
  - add: early
  - transpose: [1, 0]
  - gru: {units: 5, sequences: true, bidirectional: true}
  - lstm: 3
  - {dense: 2, output: scores}
)",
                                        "net.yaml");
  ASSERT_TRUE(model) << model.error().text();
  const auto values = graph::infer_shapes(*model, graph::fixed_inputs(*model, 2));
  ASSERT_TRUE(values) << values.error().text();
  EXPECT_EQ(values->at("map").text(), "map: float32[2, 8, 8]");
  EXPECT_EQ(values->at("scores").text(), "scores: float32[2, 2]");
  EXPECT_EQ(model->graph.outputs[0].text(), "map: float32[batch, 8, 8]");
}

TEST(Architecture, TakesATemplateWithOptions) {
  const auto model = parse_architecture("template: gru\noptions: {input: [20, 3], units: 8, classes: 1}", "net.yaml");
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->graph.outputs[0].text(), "output: float32[batch, 1]");
}

TEST(Architecture, SaysFileAndLineOfWhatIsWrong) {
  const std::string head = "input: [3, 8, 8]\nlayers:\n";
  EXPECT_EQ(outcome(head + "  - conf: 8"), "net.yaml:3:5: there is no layer 'conf' (did you mean 'conv'?)");
  EXPECT_EQ(outcome(head + "  - relu\n  - conv: {filters: 8, kernal: 3}"),
            "net.yaml:4:24: conv: unknown option 'kernal' (did you mean 'kernel'?)");
  EXPECT_EQ(outcome(head + "  - conv: {kernel: 3}"),
            "net.yaml:3:11: conv: 'filters' is missing (Channels of the output)");
  EXPECT_EQ(outcome(head + "  - conv: {filters: 8, kernel: 9, padding: valid}"),
            "net.yaml:3:5: conv: a kernel of 9 does not fit into [3, 8, 8]");
  EXPECT_EQ(outcome(head + "  - conv: {filters: 8, kernel: [3, 3, 3]}"),
            "net.yaml:3:5: conv: kernel [3, 3, 3] is for 3 dimensions, but the input has 2");
  EXPECT_EQ(outcome(head + "  - conv: {filters: 8, groups: 2}"),
            "net.yaml:3:5: conv: 2 groups do not divide 3 channels and 8 filters");
  EXPECT_EQ(outcome(head + "  - conv: {filters: 8, padding: some}"),
            "net.yaml:3:33: padding 'some' is not same, valid or a number of zeros");
  EXPECT_EQ(outcome(head + "  - conv: {filters: 8, activation: rule}"),
            "net.yaml:3:36: activation: 'rule' is not one of none, relu, relu6, leaky_relu, hard_swish, hard_sigmoid, "
            "sigmoid, tanh, swish, elu");
  EXPECT_EQ(outcome(head + "  - gru: 8"), "net.yaml:3:5: gru needs [steps, features], not [3, 8, 8]");
  EXPECT_EQ(outcome(head + "  - concat: [x]"), "net.yaml:3:14: concat: nothing before it is named 'x'");
  EXPECT_EQ(outcome(head + "  - residual: [{dense: 8}]"), "net.yaml:3:5: residual: [3, 8, 8] can not be added to [8]");
  EXPECT_EQ(outcome(head + "  - relu: 3"), "net.yaml:3:11: relu takes no value");
  EXPECT_EQ(outcome(head + "  - {relu: , into: x}"),
            "net.yaml:3:14: 'into' does not belong here: beside a layer stand 'as: name' and 'output: name'");
  EXPECT_EQ(outcome(head + "  - reshape: [5, 5]"), "net.yaml:3:5: reshape: [3, 8, 8] can not become [5, 5]");
  EXPECT_EQ(outcome("input: [3]"), "net.yaml:1:1: an architecture has 'input' and 'layers', or 'template'");
  EXPECT_EQ(outcome("input: [3]\nlayers: []"), "net.yaml:2:9: the network has no layers");
  EXPECT_EQ(outcome("input: red\nlayers: [relu]"), "net.yaml:1:8: input is the shape of one sample, as [1, 28, 28]");
  EXPECT_EQ(outcome("template: gnu"), "net.yaml:1:11: there is no template 'gnu' (did you mean 'gru'?)");
}

TEST(Architecture, KeepsWithinItsLimits) {
  EXPECT_EQ(outcome("input: [100000]\nlayers: [{dense: 100000}]"),
            "net.yaml:2:11: the network has more parameters than are possible");
  EXPECT_EQ(outcome("input: [9000000]\nlayers: [relu]"),
            "net.yaml:1:8: 'input' would have shape [9000000]; sizes are 1 to 1048576");
  const auto small = parse_architecture("input: [10]\nlayers: [{dense: 11}]", "net.yaml", {.max_parameters = 109});
  EXPECT_FALSE(small);
}

TEST(InitialWeights, HaveTheirVariance) {
  const graph::Tensor he = he_normal({100, 100}, 50, Random(3));
  double squares = 0;
  for (const float weight : he.values<float>()) squares += static_cast<double>(weight) * static_cast<double>(weight);
  EXPECT_NEAR(squares / 10'000, 2.0 / 50, 0.002);
  const graph::Tensor glorot = glorot_uniform({100, 100}, 100, 200, Random(4));
  for (const float weight : glorot.values<float>()) EXPECT_LE(std::abs(weight), std::sqrt(6.0 / 300) + 1e-6);
}

TEST(InitialWeights, OfRecurrencesAreOrthogonal) {
  const graph::Tensor tensor = orthogonal(2, 5, Random(1));
  const auto w = tensor.values<float>();
  for (std::size_t block = 0; block < 2; ++block)
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t k = 0; k < 5; ++k) {
        float product = 0;
        for (std::size_t j = 0; j < 5; ++j) product += w[block * 25 + i * 5 + j] * w[block * 25 + k * 5 + j];
        EXPECT_NEAR(product, i == k ? 1 : 0, 1e-5);
      }
}

}  // namespace
}  // namespace alara::learn
