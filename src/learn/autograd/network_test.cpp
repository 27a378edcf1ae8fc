// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/network.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "learn/autograd/agreement.hpp"

namespace alara::learn {
namespace {

using graph::Builder;
using graph::Dim;
using graph::Dims;
using graph::Shape;
using graph::Tensor;
using Ints = std::vector<std::int64_t>;

Tensor ramp(Shape shape, float from = -1, float to = 1) {
  Tensor out = Tensor::zeros(graph::DataType::float32, std::move(shape));
  const auto values = out.mutable_values<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = from + (to - from) * static_cast<float>(i) / static_cast<float>(values.size());
  return out;
}

std::vector<std::string> names_of(const std::map<std::string, at::Tensor>& tensors) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors) out.push_back(name);
  return out;
}

Network built(const graph::Model& model, const NetworkOptions& options = {}) {
  auto network = Network::build(model, options);
  EXPECT_TRUE(network) << network.error().text();
  return std::move(network).value();
}

at::Tensor run_one(Network& network, const at::Tensor& input, Mode mode = Mode::infer) {
  auto out = network.run(std::span(&input, 1), {}, mode);
  EXPECT_TRUE(out) << out.error().text();
  return out->at(0);
}

// (image - mean) * factor, Conv, BatchNormalization, Relu, Reshape to one row each, Gemm.
graph::Model small_classifier(std::int64_t batch) {
  Builder b;
  const std::string image = b.input("image", graph::DataType::float32, Dims{{batch, {}}, {2, {}}, {4, {}}, {4, {}}});
  const std::string centred = b.node("Sub", "centred", {image, b.constant("mean", ramp({2, 1, 1}))});
  const std::string conv =
      b.node("Conv", "conv", {centred, b.constant("filters", ramp({3, 2, 3, 3})), b.constant("bias", ramp({3}))});
  const std::string normal =
      b.node("BatchNormalization", "normal",
             {conv, b.constant("scale", ramp({3}, 0.5F, 1.5F)), b.constant("shift", ramp({3})),
              b.constant("running_mean", ramp({3})), b.constant("running_variance", ramp({3}, 0.5F, 2))});
  const std::string relu = b.node("Relu", "relu", {normal});
  const std::string half = b.node("Mul", "half", {relu, b.scalar("one_half", 0.5F)});
  const std::string rows = b.node("Reshape", "rows", {half, b.constant("shape", Ints{batch < 0 ? 0 : batch, 12})});
  b.output(b.node("Gemm", "logits", {rows, b.constant("weights", ramp({12, 5})), b.constant("offsets", ramp({5}))}));
  return std::move(b).finish();
}

TEST(Network, LearnsWeightsAndNotWhatIsFixed) {
  const Network network = built(small_classifier(1));
  EXPECT_EQ(names_of(network.parameters()),
            (std::vector<std::string>{"bias", "filters", "offsets", "scale", "shift", "weights"}));
  EXPECT_EQ(names_of(network.statistics()), (std::vector<std::string>{"running_mean", "running_variance"}));
  for (const auto& [name, tensor] : network.parameters())
    EXPECT_TRUE(tensor.requires_grad() && tensor.is_leaf()) << name;
}

TEST(Network, LearnsAWeightThatIsTransposedFirst) {
  Builder b;
  const std::string x = b.input("x", Shape{2, 3});
  const std::string turned = b.node("Transpose", "turned", {b.constant("weights", ramp({4, 3}))});
  const std::string product = b.node("MatMul", "product", {x, turned});
  b.output(b.node("Add", "y", {product, b.constant("bias", ramp({4}))}));
  EXPECT_EQ(names_of(built(std::move(b).finish()).parameters()), (std::vector<std::string>{"bias", "weights"}));
}

TEST(Network, RunsAModelOfOneRowWithMany) {
  Network fixed = built(small_classifier(1));
  Network free = built(small_classifier(-1));
  const at::Tensor images = at::linspace(-1, 1, 3 * 32).reshape({3, 2, 4, 4});
  const at::Tensor rows = run_one(fixed, images);
  EXPECT_EQ(rows.sizes().vec(), (Ints{3, 5}));
  EXPECT_TRUE(at::allclose(rows, run_one(free, images)));
  EXPECT_TRUE(at::allclose(rows.slice(0, 1, 2), run_one(fixed, images.slice(0, 1, 2)), 1e-4, 1e-6));
}

// Whatever else a model of one row says about rows: constant sizes of Resize, Expand, Concat with a constant row, the
// first state of a recurrence.
TEST(Network, RunsOtherOperatorsOfOneRowWithMany) {
  Builder b;
  const std::string x = b.input("x", Shape{1, 2, 3});
  const std::string sizes = b.constant("sizes", Ints{1, 2, 6});
  const std::string large = b.node("Resize", "large", {x, "", "", sizes}, {{"mode", std::string("linear")}});
  const std::string wide = b.node("Expand", "wide", {large, b.constant("shape", Ints{1, 2, 6})});
  const std::string longer =
      b.node("Concat", "longer", {wide, b.constant("token", ramp({1, 1, 6}))}, {{"axis", std::int64_t{1}}});
  const std::string times = b.node("Transpose", "times", {longer}, {{"perm", Ints{1, 0, 2}}});
  b.output(b.node("GRU", "y",
                  {times, b.constant("w", ramp({1, 6, 6})), b.constant("r", ramp({1, 6, 2})), "", "",
                   b.constant("h", ramp({1, 1, 2}))},
                  {{"hidden_size", std::int64_t{2}}}));
  Network network = built(std::move(b).finish());
  const at::Tensor rows = at::linspace(-1, 1, 24).reshape({4, 2, 3});
  const at::Tensor y = run_one(network, rows);
  EXPECT_EQ(y.sizes().vec(), (Ints{3, 1, 4, 2}));
  EXPECT_TRUE(at::allclose(y.slice(2, 2, 3), run_one(network, rows.slice(0, 2, 3)), 1e-4, 1e-6));
}

TEST(Network, KeepsAReshapeOfWhatIsNoBatchAsItIs) {
  Builder b;
  const std::string x = b.input("x", Shape{1, 3, 2});
  const std::string offsets =
      b.node("Reshape", "offsets", {b.constant("column", ramp({3})), b.constant("shape", Ints{1, 3, 1})});
  b.output(b.node("Add", "y", {x, offsets}));
  Network network = built(std::move(b).finish());
  EXPECT_EQ(run_one(network, at::zeros({3, 3, 2})).sizes().vec(), (Ints{3, 3, 2}));
}

TEST(Network, NamesAllThatItCanNotRun) {
  Builder b;
  const std::string x = b.input("x", Shape{2, 3});
  const std::string first = b.node("NoSuchThing", "first", {x});
  b.output(
      b.node("Resize", "second", {first, "", b.constant("scales", ramp({2}, 1, 3))}, {{"antialias", std::int64_t{1}}}));
  const auto network = Network::build(std::move(b).finish());
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().kind, ErrorKind::bad_input);
  for (const char* part : {"NoSuchThing 'first'", "Resize 'second'", "antialias"})
    EXPECT_NE(network.error().text().find(part), std::string::npos) << network.error().text();
}

TEST(Network, SaysWhichNodeFailedWithWhichShapes) {
  Builder b;
  const std::string x = b.input("x", graph::DataType::float32, Dims{{}, {}});
  b.output(b.node("MatMul", "product", {x, b.constant("weights", ramp({4, 2}))}));
  Network network = built(std::move(b).finish());
  const at::Tensor wrong = at::zeros({2, 3});
  const auto out = network.run(std::span(&wrong, 1));
  ASSERT_FALSE(out);
  for (const char* part : {"MatMul 'product'", "[2, 3]", "[4, 2]"})
    EXPECT_NE(out.error().text().find(part), std::string::npos) << out.error().text();
}

TEST(Network, EndsInAnErrorWhereAttributesMakeNoSense) {
  const Tensor image = ramp({1, 4, 3, 3});
  const std::vector<graph::Node> nodes = {
      {"MaxPool", {}, "n", {"x"}, {"y"}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{0, 1}}}},
      {"MaxPool", {}, "n", {"x"}, {"y"}, {{"kernel_shape", Ints{9, 9}}}},
      {"AveragePool", {}, "n", {"x"}, {"y"}, {{"kernel_shape", Ints{}}}},
      {"DepthToSpace", {}, "n", {"x"}, {"y"}, {{"blocksize", std::int64_t{0}}}},
      {"SpaceToDepth", {}, "n", {"x"}, {"y"}, {{"blocksize", std::int64_t{-1}}}},
      {"GroupNormalization", {}, "n", {"x", "zeros", "zeros"}, {"y"}, {{"num_groups", std::int64_t{0}}}},
      {"Resize", {}, "n", {"x", "", "zeros"}, {"y"}, {}},
      {"Conv", {}, "n", {"x"}, {"y"}, {}},
      {"Softmax", {}, "n", {"x"}, {"y"}, {{"axis", std::int64_t{7}}}},
      {"Gather", {}, "n", {"x", "far"}, {"y"}, {}},
      {"Slice", {}, "n", {"x", "far"}, {"y"}, {}},
  };
  for (const graph::Node& node : nodes) {
    Builder b;
    b.input("x", image.shape);
    b.constant("zeros", Tensor::zeros(graph::DataType::float32, {4}));
    b.constant("far", Ints{1000});
    b.output("y");
    graph::Model model = std::move(b).finish();
    model.graph.nodes.push_back(node);
    EXPECT_FALSE(run_once(model, std::span(&image, 1))) << node.op;
  }
}

TEST(Network, RefusesInputsThatDoNotFit) {
  Network network = built(small_classifier(1));
  const at::Tensor wrong = at::zeros({1, 3, 4, 4});
  EXPECT_EQ(network.run(std::span(&wrong, 1)).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(network.run({}).error().kind, ErrorKind::bad_input);
}

TEST(Network, GivesAnyValueAskedForAndOnlyRunsWhatItNeeds) {
  Network network = built(small_classifier(1));
  const at::Tensor image = at::ones({1, 2, 4, 4});
  const std::vector<std::string> wanted = {"relu", "image", "filters"};
  const auto out = network.run(std::span(&image, 1), wanted);
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_EQ(out->at(0).sizes().vec(), (Ints{1, 3, 2, 2}));
  EXPECT_TRUE(at::equal(out->at(1), image));
  EXPECT_TRUE(out->at(2).is_same(network.parameters().at("filters")));
  const std::vector<std::string> nowhere = {"nowhere"};
  EXPECT_EQ(network.run(std::span(&image, 1), nowhere).error().kind, ErrorKind::not_found);
}

TEST(Network, RecordsNoGradientsUnderAGuard) {
  Network network = built(small_classifier(1));
  EXPECT_TRUE(run_one(network, at::ones({1, 2, 4, 4})).requires_grad());
  const at::NoGradGuard guard;
  EXPECT_FALSE(run_one(network, at::ones({1, 2, 4, 4})).requires_grad());
}

TEST(Network, UpdatesRunningStatisticsOnlyWhenTraining) {
  Network network = built(small_classifier(1));
  const at::Tensor images = at::linspace(-1, 1, 4 * 32).reshape({4, 2, 4, 4});
  const at::Tensor before = network.statistics().at("running_mean").clone();
  run_one(network, images);
  EXPECT_TRUE(at::equal(network.statistics().at("running_mean"), before));
  run_one(network, images, Mode::train);
  EXPECT_FALSE(at::equal(network.statistics().at("running_mean"), before));
  const graph::Model model = network.model();
  const auto* stored = model.graph.constant("running_mean");
  ASSERT_NE(stored, nullptr);
  EXPECT_TRUE(at::equal(*to_torch(*stored), network.statistics().at("running_mean")));
}

TEST(Network, LearnsAndWritesWhatItLearnedIntoTheGraph) {
  Network network = built(small_classifier(1));
  const at::Tensor images = at::linspace(-1, 1, 8 * 32).reshape({8, 2, 4, 4});
  const at::Tensor target = at::linspace(0, 1, 8).unsqueeze(1).expand({8, 5});
  const auto loss = [&] { return at::mse_loss(run_one(network, images, Mode::train), target); };
  const double first = loss().item<double>();
  for (int step = 0; step < 50; ++step) {
    loss().backward();
    const at::NoGradGuard guard;
    for (const auto& [name, parameter] : network.parameters()) {
      parameter.sub_(parameter.grad() * 0.05);
      parameter.mutable_grad().reset();
    }
  }
  EXPECT_LT(loss().item<double>(), 0.5 * first);
  Network again = built(network.model());
  EXPECT_TRUE(at::allclose(run_one(again, images), run_one(network, images)));
}

TEST(Network, KeepsHalfPrecisionConstantsHalf) {
  Builder b;
  const std::string x = b.input("x", graph::DataType::float16, graph::dims_of(Shape{1, 2}));
  Tensor half = Tensor::zeros(graph::DataType::float16, {2, 1});
  const std::uint16_t one = graph::to_half(1.0F);
  for (std::size_t i = 0; i < 2; ++i) std::memcpy(half.bytes.data() + 2 * i, &one, 2);
  b.output(b.node("MatMul", "y", {x, b.constant("weights", half)}), graph::DataType::float16);
  Network network = built(std::move(b).finish());
  EXPECT_FLOAT_EQ(run_one(network, at::ones({1, 2})).item<float>(), 2);
  EXPECT_EQ(*network.model().graph.constant("weights"), half);
}

// Weights of 8 bits, as quantisation writes them: Gemm of x and dequantised integers.
graph::Model quantised_product(const std::vector<std::int8_t>& numbers = {1, -2, 127, -128}) {
  Builder b;
  const std::string x = b.input("x", Shape{1, 2});
  const std::string scale = b.constant("scale", Tensor::of(Shape{2}, std::vector<float>{0.5F, 0.25F}));
  const std::string zero = b.constant("zero", Tensor::of(Shape{2}, std::vector<std::int8_t>{0, 0}));
  const std::string integers = b.constant("integers", Tensor::of(Shape{2, 2}, numbers));
  const std::string weights =
      b.node("DequantizeLinear", "weights", {integers, scale, zero}, {{"axis", std::int64_t{1}}});
  b.output(b.node("Gemm", "y", {x, weights}));
  return std::move(b).finish();
}

TEST(Network, LearnsIntegerWeightsAsTheNumbersTheyStandFor) {
  Network network = built(quantised_product());
  ASSERT_EQ(names_of(network.parameters()), std::vector<std::string>{"integers"});
  at::Tensor real = network.parameters().at("integers");
  EXPECT_TRUE(at::equal(real, at::tensor({0.5F, -0.5F, 63.5F, -32.0F}).reshape({2, 2})));
  EXPECT_EQ(*network.model().graph.constant("integers"), *quantised_product().graph.constant("integers"));
  {
    const at::NoGradGuard guard;
    real[0][0] = 1.3F;   // 2.6 steps
    real[1][0] = 90.0F;  // outside
  }
  const at::Tensor y = run_one(network, at::ones({1, 2}));
  EXPECT_FLOAT_EQ(y[0][0].item<float>(), 1.5F + 63.5F);
  y.sum().backward();
  EXPECT_TRUE(at::equal(real.grad(), at::tensor({1.0F, 1.0F, 0.0F, 1.0F}).reshape({2, 2})));
  const graph::Model model = network.model();
  const auto stored = model.graph.constant("integers")->values<std::int8_t>();
  EXPECT_EQ((std::vector<int>{stored.begin(), stored.end()}), (std::vector<int>{3, -2, 127, -128}));
}

TEST(Network, KeepsSymmetricWeightsToTheLevelsTheyWereQuantisedWith) {
  for (const auto& [numbers, level] : {std::pair{std::vector<std::int8_t>{1, -2, 64, -64}, 64},
                                       std::pair{std::vector<std::int8_t>{1, -2, 127, -100}, 127}}) {
    Network network = built(quantised_product(numbers));
    at::Tensor real = network.parameters().at("integers");
    {
      const at::NoGradGuard guard;
      real[0][0] = 90.0F;
      real[0][1] = -90.0F;
    }
    const graph::Model model = network.model();
    const auto stored = model.graph.constant("integers")->values<std::int8_t>();
    EXPECT_EQ(stored[0], level);
    EXPECT_EQ(stored[1], -level);
  }
}

TEST(Network, DropsTheSameForTheSameSeed) {
  Builder b;
  const std::string x = b.input("x", Shape{1, 64});
  b.output(b.node("Dropout", "y", {x, b.scalar("ratio", 0.5F)}));
  const graph::Model model = std::move(b).finish();
  const auto dropped = [&](std::uint64_t seed) {
    Network network = built(model, {Precision::float32, seed});
    return run_one(network, at::ones({1, 64}), Mode::train);
  };
  EXPECT_TRUE(at::equal(dropped(3), dropped(3)));
  EXPECT_FALSE(at::equal(dropped(3), dropped(4)));
  EXPECT_EQ(dropped(3).max().item<float>(), 2.0F);
  Network network = built(model);
  EXPECT_TRUE(at::equal(run_one(network, at::ones({1, 64})), at::ones({1, 64})));
}

TEST(Tensors, KeepTheirNumbersThereAndBack) {
  const std::vector<Tensor> all = {Tensor::of(Shape{2}, std::vector<std::uint16_t>{0, 65535}),
                                   Tensor::of(Shape{2}, std::vector<std::uint32_t>{0, 4294967295U}),
                                   Tensor::of(Shape{2}, std::vector<std::int64_t>{-5, 1LL << 60}),
                                   Tensor::of(Shape{2}, std::vector<double>{0.1, -3}),
                                   Tensor::zeros(graph::DataType::boolean, {3}),
                                   Tensor::zeros(graph::DataType::float32, {0, 4})};
  for (const Tensor& tensor : all) {
    const auto there = to_torch(tensor);
    ASSERT_TRUE(there) << tensor.text();
    EXPECT_EQ(from_torch(*there, tensor.type), tensor) << tensor.text();
  }
  EXPECT_EQ(to_torch(Tensor{graph::DataType::text, {}, {}, {"a"}}).error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace alara::learn
