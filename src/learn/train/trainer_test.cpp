// SPDX-License-Identifier: Apache-2.0
#include "learn/train/trainer.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "graph/onnx_file.hpp"
#include "graph/upgrade.hpp"
#include "learn/architecture/architecture.hpp"
#include "learn/data/test_files.hpp"
#include "learn/train/recipes.hpp"
#include "learn/train/stop_at.hpp"

namespace alara::learn {
namespace {

using graph::Tensor;

// Two spirals of points, the classic set that no straight line divides.
FoundRows spirals(std::int64_t rows) {
  Random chance(5);
  std::vector<float> points;
  FoundRows out;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double along = 0.5 + 3 * chance.uniform(), turn = i % 2 == 0 ? 0 : 3.14159265;
    points.push_back(static_cast<float>(along * std::cos(2 * along + turn) / 3 + 0.02 * chance.normal()));
    points.push_back(static_cast<float>(along * std::sin(2 * along + turn) / 3 + 0.02 * chance.normal()));
    out.train.labels.push_back(i % 2);
  }
  out.train.inputs = Tensor::of<float>({rows, 2}, points);
  return out;
}

// Bright squares at a chance place of a dark picture, in two sizes.
FoundRows squares(std::int64_t rows) {
  Random chance(6);
  FoundRows out;
  out.train.inputs = Tensor::zeros(graph::DataType::uint8, {rows, 8, 8});
  const auto pixels = out.train.inputs.mutable_values<std::uint8_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t side = 2 + i % 2, top = chance.between(0, 8 - side), left = chance.between(0, 8 - side);
    for (std::int64_t y = top; y < top + side; ++y)
      for (std::int64_t x = left; x < left + side; ++x) pixels[static_cast<std::size_t>(i * 64 + y * 8 + x)] = 255;
    out.train.labels.push_back(i % 2);
  }
  out.train.natural_scale = 1.F / 255;
  return out;
}

struct Case {
  graph::Model model;
  Dataset data;
};

Case make_case(std::string_view name, std::string_view settings, FoundRows rows, DatasetOptions options = {}) {
  options.validation = 0.2;
  graph::Model model = *build_template(name, settings);
  Dataset data = *Dataset::of(std::move(rows), model.graph.inputs[0], options);
  return {std::move(model), std::move(data)};
}
Case spirals_case() {
  return make_case("mlp", "{input: [2], hidden: [32, 32], classes: 2, dropout: 0.05}", spirals(600));
}

TrainOptions quick() {
  TrainOptions options;
  options.epochs = 20;
  options.batch = 32;
  options.rate = 0.02;
  options.threads = 1;
  return options;
}

std::string bytes_of(const graph::Model& model) { return *graph::to_onnx(model); }

TEST(Trainer, LearnsSpiralsToAKnownAccuracyAndAlwaysTheSameWay) {
  Silent silent;
  const Case spiral = spirals_case();
  const auto a = train(spiral.model, spiral.data, quick(), silent),
             b = train(spiral.model, spiral.data, quick(), silent);
  ASSERT_TRUE(a) << a.error().text();
  ASSERT_TRUE(b);
  EXPECT_GE(a->report.curve.back().validation_accuracy, 95);
  EXPECT_LT(a->report.curve.back().loss, 0.3 * a->report.curve.front().loss);
  EXPECT_EQ(bytes_of(a->model), bytes_of(b->model));
  EXPECT_EQ(a->model.metadata.at("alara.preprocessing"), "scale=1 order=rgb");
  TrainOptions other = quick();
  other.seed = 2;
  EXPECT_NE(bytes_of(train(spiral.model, spiral.data, other, silent)->model), bytes_of(a->model));
}

TEST(Trainer, GoesOnFromACheckpointAsIfItHadNotBeenStopped) {
  const TestFolder folder;
  Silent silent;
  for (const OptimiserKind kind : {OptimiserKind::adam, OptimiserKind::sgd}) {
    const Case spiral = spirals_case();
    TrainOptions options = quick();
    options.epochs = 4;
    options.optimiser = kind;
    options.average = 0.9;
    options.keep_best = true;
    options.clip = 1;
    const auto unbroken = train(spiral.model, spiral.data, options, silent);
    ASSERT_TRUE(unbroken) << unbroken.error().text();
    options.checkpoint = folder.path() / (kind == OptimiserKind::adam ? "adam" : "sgd");
    for (const std::size_t step : {7, 30, 31}) {  // within the first and the third epoch
      test::StopAt stop(step);
      const auto part = train(spiral.model, spiral.data, options, stop);
      ASSERT_TRUE(part) << part.error().text();
      EXPECT_TRUE(part->report.stopped);
      EXPECT_NE(bytes_of(part->model), bytes_of(unbroken->model));
    }
    const auto whole = train(spiral.model, spiral.data, options, silent);
    ASSERT_TRUE(whole) << whole.error().text();
    EXPECT_TRUE(whole->report.continued);
    EXPECT_EQ(bytes_of(whole->model), bytes_of(unbroken->model));
    ASSERT_EQ(whole->report.curve.size(), 4);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(whole->report.curve[i].loss, unbroken->report.curve[i].loss);
    options.rate *= 2;
    const auto other = train(spiral.model, spiral.data, options, silent);
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().message.find("the checkpoint is of another training"), std::string::npos);
  }
}

TEST(Trainer, LearnsPicturesWithConvolutionsAndSgd) {
  Silent silent;
  DatasetOptions data_options;
  data_options.measure_mean = true;
  const Case picture =
      make_case("cnn", "{input: [1, 8, 8], filters: [8, 16], depth: 1, classes: 2}", squares(400), data_options);
  TrainOptions options = quick();
  options.optimiser = OptimiserKind::sgd;
  options.rate = 0.1;
  options.epochs = 6;
  options.augmentation.flip = 0.5;
  const auto trained = train(picture.model, picture.data, options, silent);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_GE(trained->report.curve.back().validation_accuracy, 95);
}

TEST(Trainer, LearnsInputsByThemselvesAndNumbers) {
  Silent silent;
  FoundRows rows;
  Random chance(3);
  std::vector<float> inputs, targets;
  for (int i = 0; i < 400; ++i) {
    const auto x = static_cast<float>(chance.uniform()), y = static_cast<float>(chance.uniform());
    inputs.insert(inputs.end(), {x, y, x + y, x - y});
    targets.push_back(x * y);
  }
  rows.train.inputs = Tensor::of<float>({400, 4}, inputs);
  rows.train.targets = Tensor::of<float>({400, 1}, targets);
  const Case product = make_case("mlp", "{input: [4], hidden: [24], classes: 1}", rows);
  const auto regression = train(product.model, product.data, quick(), silent);
  ASSERT_TRUE(regression) << regression.error().text();
  EXPECT_LT(regression->report.curve.back().validation_loss, 0.005) << "the variance of the targets is about 0.05";
  DatasetOptions itself;
  itself.target = Target::itself;
  const Case copy = make_case("autoencoder", "{input: [4], hidden: [16], code: 2}", rows, itself);
  const auto restored = train(copy.model, copy.data, quick(), silent);
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_LT(restored->report.curve.back().validation_loss, 0.02) << "two numbers are enough for the four";
}

TEST(Trainer, CallsHooksAndKeepsWhatTheyDo) {
  const Case spiral = spirals_case();
  Network network = *Network::build(spiral.model);
  std::int64_t steps = 0, epochs = 0;
  Hooks hooks;
  hooks.after_step = [&](Network& net, std::int64_t step) {
    EXPECT_EQ(step, ++steps);
    const at::NoGradGuard no_gradients;
    net.parameters().at("dense.weight")[0].zero_();
  };
  hooks.after_epoch = [&](Network&, const EpochReport& epoch) -> Status {
    EXPECT_EQ(epoch.epoch, ++epochs);
    return epochs == 2 ? fail(ErrorKind::refused, "enough") : Status{};
  };
  Silent silent;
  Trainer trainer(network, spiral.data, quick(), *objective_for(spiral.model, spiral.data, 0), hooks);
  const auto report = trainer.run(silent);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "enough");
  EXPECT_EQ(steps, 2 * (480 / 32));
  EXPECT_EQ(network.parameters().at("dense.weight")[0].abs().sum().item<float>(), 0);
}

// x, quantised, times int8 weights plus an int32 bias: what quantising makes of a dense layer.
graph::Model quantised_line() {
  graph::Builder b;
  const std::string x = b.input("x", graph::DataType::float32, {{-1, "batch"}, {2, ""}});
  const auto zero = [&](auto number) { return b.constant("zero", Tensor::scalar(number)); };
  const std::string step = b.scalar("step", 0.02F), weight_step = b.scalar("weight_step", 0.05F);
  const std::string q = b.node("QuantizeLinear", "q", {x, step, zero(std::uint8_t{128})});
  const std::string d = b.node("DequantizeLinear", "d", {q, step, zero(std::uint8_t{128})});
  const std::string weights =
      b.constant("weights", Tensor::of<std::int8_t>({2, 2}, std::vector<std::int8_t>{3, 0, -2, 1}));
  const std::string bias = b.constant("bias", Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{0, 500}));
  const std::string w = b.node("DequantizeLinear", "w", {weights, weight_step, zero(std::int8_t{0})});
  const std::string c = b.node("DequantizeLinear", "c", {bias, b.scalar("bias_step", 0.001F), zero(std::int32_t{0})});
  b.output(b.node("Gemm", "y", {d, w, c}));
  return std::move(b).finish();
}

TEST(Trainer, TrainsAQuantisedModelWhichStaysQuantised) {
  Silent silent;
  FoundRows rows;
  Random chance(8);
  std::vector<float> points;
  for (int i = 0; i < 400; ++i) {
    const auto x = static_cast<float>(2 * chance.uniform() - 1), y = static_cast<float>(2 * chance.uniform() - 1);
    points.insert(points.end(), {x, y});
    rows.train.labels.push_back(x + 0.5F * y > 0.2F ? 1 : 0);
  }
  rows.train.inputs = Tensor::of<float>({400, 2}, points);
  const graph::Model model = quantised_line();
  DatasetOptions options;
  options.validation = 0.2;
  const Dataset data = *Dataset::of(rows, model.graph.inputs[0], options);
  const auto trained = train(model, data, quick(), silent);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_LT(trained->report.curve.front().validation_accuracy, 90);
  EXPECT_GE(trained->report.curve.back().validation_accuracy, 95);
  const Tensor& weights = *trained->model.graph.constants.at("weights");
  EXPECT_EQ(weights.type, graph::DataType::int8);
  EXPECT_NE(weights, *model.graph.constants.at("weights"));
  EXPECT_EQ(trained->model.graph.constants.at("bias")->type, graph::DataType::int32);
  EXPECT_EQ(*trained->model.graph.constants.at("step"), *model.graph.constants.at("step"));
}

TEST(Trainer, EndsWhenValidationGetsNoBetter) {
  Silent silent;
  const Case spiral = spirals_case();
  TrainOptions options = quick();
  options.epochs = 200;
  options.patience = 3;
  options.keep_best = true;
  const auto trained = train(spiral.model, spiral.data, options, silent);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_TRUE(trained->report.ended_early);
  EXPECT_LT(trained->report.curve.size(), 200);
  EXPECT_EQ(static_cast<int>(trained->report.curve.size()), trained->report.best_epoch + 3);
  Network network = *Network::build(trained->model);
  const auto score = evaluate(network, spiral.data, Part::validation, *objective_for(trained->model, spiral.data, 0));
  ASSERT_TRUE(score);
  EXPECT_DOUBLE_EQ(score->accuracy,
                   trained->report.curve[static_cast<std::size_t>(trained->report.best_epoch - 1)].validation_accuracy);
}

TEST(Trainer, SaysWhenNumbersAreNoLongerFinite) {
  Silent silent;
  FoundRows rows;
  rows.train.inputs = counting({40, 2});
  rows.train.targets = Tensor::of<float>({40, 1}, std::vector<float>(40, 1e30F));  // its square is not finite
  const Case huge = make_case("mlp", "{input: [2], classes: 1}", rows);
  const auto trained = train(huge.model, huge.data, quick(), silent);
  ASSERT_FALSE(trained);
  EXPECT_NE(trained.error().message.find("a lower rate than 0.02"), std::string::npos) << trained.error().text();
}

TEST(Recipe, IsTrainedOnceAndThenReadFromItsFolder) {
  const TestFolder folder;
  const FoundRows rows = spirals(200);
  folder.write("data/inputs.npy", rows.train.inputs);
  folder.write("data/labels.npy", Tensor::of(graph::Shape{200}, rows.train.labels));
  Recipe recipe{
      "spirals", "template: mlp\noptions: {input: [2], hidden: [8], classes: 2}", folder.path() / "data", {}, quick()};
  recipe.training.epochs = 2;
  const std::filesystem::path cache = folder.path() / "kept";
  test::StopAt stop(3);
  EXPECT_EQ(trained(recipe, cache, stop).error().kind, ErrorKind::refused);
  Silent silent;
  const auto first = trained(recipe, cache, silent), second = trained(recipe, cache, silent);
  ASSERT_TRUE(first) << first.error().text();
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_FALSE(first->from_cache);
  EXPECT_TRUE(second->from_cache);
  EXPECT_EQ(second->curve, first->curve);
  EXPECT_EQ(bytes_of(second->model), bytes_of(first->model));
  recipe.training.seed = 9;
  EXPECT_FALSE(trained(recipe, cache, silent)->from_cache);
}

TEST(Objective, LooksBehindAFinalSoftmax) {
  graph::Builder builder;
  const std::string x = builder.input("x", {1, 3});
  const std::string y = builder.node("Softmax", "y", {builder.node("Relu", "logits", {x})});
  builder.output(y);
  EXPECT_EQ(logits_of(builder.graph()), "logits");
}

TEST(Objective, LooksBehindASoftmaxOverAllThatFollows) {  // opset 11, as upgrade() leaves it
  graph::Builder builder;
  const std::string x = builder.input("x", {1, 3, 1, 1});
  builder.output(builder.node("Softmax", "y", {builder.node("Relu", "logits", {x})}, {{"axis", std::int64_t{1}}}));
  graph::Model model = std::move(builder).finish();
  model.opsets[""] = 11;
  ASSERT_TRUE(graph::upgrade(model));
  const std::string logits = logits_of(model.graph);
  const auto maker = graph::Wiring(model.graph).producer(logits);
  ASSERT_TRUE(maker.has_value());
  EXPECT_TRUE(model.graph.nodes[*maker].is("Relu") || model.graph.nodes[*maker].is("Flatten"));
}

TEST(Objective, RefusesAModelWithTooFewClasses) {
  Silent silent;
  const Case spiral = spirals_case();
  const graph::Model narrow = *build_template("mlp", "{input: [2], classes: 1}");
  const auto trained = train(narrow, spiral.data, quick(), silent);
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().message, "the model gives 1 numbers for each row, but there are 2 classes");
}

}  // namespace
}  // namespace alara::learn
