// SPDX-License-Identifier: Apache-2.0
// Models of old operator sets compute the same once they are brought to today's: ONNX Runtime runs the old one as it
// is, and the new one.
#include "graph/upgrade.hpp"

#include "tests/models/running.hpp"

namespace alara::models {
namespace {

using graph::Attribute;
using graph::Builder;
using graph::Model;
using graph::Tensor;
using Integers = std::vector<std::int64_t>;
using Floats = std::vector<float>;

// One node of an old opset over x, and constants behind it.
struct Case {
  std::string op;
  std::int64_t opset;
  graph::Shape x;
  std::map<std::string, Attribute> attributes = {};
  std::vector<Tensor> constants = {};
  std::vector<graph::DataType> outputs = {graph::DataType::float32};
};

Tensor floats(const Floats& numbers) {
  return Tensor::of(graph::Shape{static_cast<std::int64_t>(numbers.size())}, numbers);
}

void expect_same(const Model& old, const std::vector<Tensor>& inputs, const std::string& what) {
  Model today = old;
  const auto status = graph::upgrade(today);
  ASSERT_TRUE(status) << what << ": " << status.error().text();
  const auto wanted = run(old, inputs);
  const auto got = run(today, inputs);
  ASSERT_EQ(wanted.size(), old.graph.outputs.size()) << what;
  ASSERT_EQ(got.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_LT(difference(wanted[i], got[i]), 1e-6) << what << ", output " << i;
}

void expect_same(const Case& each) {
  Builder builder;
  std::vector<std::string> inputs{builder.input("x", each.x)};
  for (const Tensor& constant : each.constants) inputs.push_back(builder.constant("c", constant));
  const auto outputs = builder.node(each.op, "y", inputs, each.outputs.size(), each.attributes);
  for (std::size_t i = 0; i < outputs.size(); ++i) builder.output(outputs[i], each.outputs[i]);
  Model old = std::move(builder).finish();
  old.opsets[""] = each.opset;
  std::string what = fmt::format("{} of opset {} over {}", each.op, each.opset, graph::text_of(each.x));
  for (const auto& [name, attribute] : each.attributes) what += ", " + name;
  expect_same(old, random_inputs(old, 5), what);
}

class Upgraded : public WithRuntime {};

TEST_F(Upgraded, BoundsAreTheSame) {
  expect_same({"Clip", 7, {2, 9}, {{"min", -0.25F}, {"max", 0.5F}}});
  expect_same({"Clip", 10, {2, 9}, {{"min", 0.0F}}});
  expect_same({"Clip", 10, {2, 9}});
}

TEST_F(Upgraded, PadsAreTheSame) {
  const Integers pads{0, 1, 2, 1, 0, 2};
  expect_same({"Pad", 7, {3, 3, 4}, {{"pads", pads}, {"value", 0.75F}}});
  expect_same({"Pad", 10, {3, 3, 4}, {{"pads", pads}}});
  expect_same({"Pad", 10, {3, 3, 4}, {{"pads", Integers{0, -1, 2, 0, 0, -1}}}});
  expect_same({"Pad", 10, {3, 3, 4}, {{"pads", pads}, {"mode", std::string("reflect")}}});
  expect_same({"Pad", 10, {3, 3, 4}, {{"pads", pads}, {"mode", std::string("edge")}}});
}

TEST_F(Upgraded, SlicesAreTheSame) {
  expect_same({"Slice", 7, {4, 5}, {{"starts", Integers{1, -3}}, {"ends", Integers{9, -1}}}});
  expect_same({"Slice", 9, {4, 5}, {{"starts", Integers{1}}, {"ends", Integers{3}}, {"axes", Integers{1}}}});
}

TEST_F(Upgraded, AxesAreTheSame) {
  expect_same({"Squeeze", 7, {1, 3, 1, 2}, {{"axes", Integers{0, 2}}}});
  expect_same({"Squeeze", 11, {1, 3, 1, 2}, {{"axes", Integers{-2}}}});
  expect_same({"Squeeze", 11, {1, 3, 1, 2}});
  expect_same({"Unsqueeze", 7, {3, 2}, {{"axes", Integers{0, 3}}}});
  expect_same({"Unsqueeze", 12, {3, 2}, {{"axes", Integers{-1}}}});
  expect_same({"ReduceSum", 7, {2, 3, 4}, {{"axes", Integers{0, 2}}}});
  expect_same({"ReduceSum", 11, {2, 3, 4}, {{"axes", Integers{-2}}, {"keepdims", std::int64_t{0}}}});
  expect_same({"ReduceSum", 11, {2, 3, 4}});
}

TEST_F(Upgraded, PartsAreTheSame) {
  const std::vector<graph::DataType> two(2, graph::DataType::float32);
  expect_same({"Split", 7, {2, 6}, {{"split", Integers{2, 4}}, {"axis", std::int64_t{1}}}, {}, two});
  expect_same({"Split", 11, {2, 6}, {{"axis", std::int64_t{-1}}}, {}, two});
  expect_same({"TopK", 7, {3, 8}, {{"k", std::int64_t{3}}}, {}, {graph::DataType::float32, graph::DataType::int64}});
  expect_same({"TopK",
               9,
               {3, 8},
               {{"k", std::int64_t{2}}, {"axis", std::int64_t{0}}},
               {},
               {graph::DataType::float32, graph::DataType::int64}});
}

TEST_F(Upgraded, UpsamplingIsTheSame) {
  for (const Floats& scales : {Floats{1, 1, 2, 2}, Floats{1, 1, 1.6F, 2.3F}})
    for (const char* mode : {"nearest", "linear"}) {
      const Attribute text = std::string(mode);
      expect_same({"Upsample", 7, {1, 2, 5, 7}, {{"scales", scales}, {"mode", text}}});
      expect_same({"Upsample", 9, {1, 2, 5, 7}, {{"mode", text}}, {floats(scales)}});
    }
}

const std::vector<Floats> kScales = {{1, 1, 2, 2},       {1, 1, 1.6F, 2.3F}, {1, 1, 0.6F, 0.6F},
                                     {1, 1, 0.5F, 0.3F}, {1, 1, 0.6F, 1.7F}, {1, 1, 2, 0.45F}};

TEST_F(Upgraded, ResizingIsTheSame) {
  for (const Floats& scales : kScales) {
    expect_same({"Resize", 10, {1, 2, 10, 7}, {}, {floats(scales)}});
    expect_same({"Resize", 10, {1, 2, 10, 7}, {{"mode", std::string("linear")}}, {floats(scales)}});
  }
}

TEST_F(Upgraded, ResizingByScalesThatComeWhenItRunsIsTheSame) {
  for (const Floats& scales : kScales) {
    Builder builder;
    const auto x = builder.input("x", graph::Shape{1, 2, 10, 7});
    const auto s = builder.input("s", graph::Shape{4});
    builder.output(builder.node("Resize", "y", {x, s}));
    Model old = std::move(builder).finish();
    old.opsets[""] = 10;
    expect_same(old, {random_tensor({1, 2, 10, 7}, 3), floats(scales)},
                fmt::format("scales {}", fmt::join(scales, " ")));
  }
}

TEST_F(Upgraded, DropoutAndNormalisationAreTheSame) {
  expect_same({"Dropout", 7, {2, 9}, {{"ratio", 0.4F}}});
  expect_same({"Dropout", 10, {2, 9}});
  const std::vector<Tensor> parameters{random_tensor({3}, 1, 0.5F, 2), random_tensor({3}, 2), random_tensor({3}, 3),
                                       random_tensor({3}, 4, 0.1F, 3)};
  expect_same({"BatchNormalization", 7, {2, 3, 4}, {{"spatial", std::int64_t{1}}, {"epsilon", 0.01F}}, parameters});
  expect_same({"BatchNormalization", 9, {2, 3, 4}, {{"momentum", 0.8F}}, parameters});
}

TEST_F(Upgraded, SoftmaxIsTheSame) {
  const std::vector<graph::Shape> shapes{{2, 3, 4, 5}, {2, 6, 1, 1}, {2, 1, 6, 1}, {2, 1, 1, 1}};
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"})
    for (const graph::Shape& shape : shapes) {
      expect_same({op, 7, shape});
      for (const std::int64_t axis : {0, 1, 2, 3, -1, -2, -4}) expect_same({op, 11, shape, {{"axis", axis}}});
    }
}

}  // namespace
}  // namespace alara::models
