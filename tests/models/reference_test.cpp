// SPDX-License-Identifier: Apache-2.0
// What constant folding computes is what ONNX Runtime computes, operator by operator.
#include "graph/reference.hpp"

#include "tests/models/running.hpp"

namespace alara::models {
namespace {

using graph::Attribute;
using graph::Tensor;
using Integers = std::vector<std::int64_t>;

struct Case {
  std::string op;
  std::vector<Tensor> inputs;  // without elements and of undefined type: left out
  std::map<std::string, Attribute> attributes = {};
  std::size_t outputs = 1;
};

Tensor integers(Integers numbers) {
  return Tensor::of(graph::Shape{static_cast<std::int64_t>(numbers.size())}, numbers);
}
Tensor floats(graph::Shape shape, unsigned seed = 1, float low = -2, float high = 2) {
  return random_tensor(std::move(shape), seed, low, high);
}
template <typename T>
Tensor bytes(std::vector<T> numbers) {
  return Tensor::of(graph::Shape{static_cast<std::int64_t>(numbers.size())}, numbers);
}
Tensor truths(std::vector<int> values) {
  Tensor out = Tensor::zeros(graph::DataType::boolean, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) out.mutable_values<bool>()[i] = values[i] != 0;
  return out;
}

std::vector<Case> cases() {
  const Tensor x = floats({2, 3, 4});
  std::vector<Case> out{
      {"Transpose", {x}, {{"perm", Integers{2, 0, 1}}}},
      {"Transpose", {x}},
      {"Reshape", {x, integers({0, -1, 2})}},
      {"Flatten", {x}, {{"axis", std::int64_t{2}}}},
      {"Squeeze", {floats({1, 3, 1, 2}), integers({0, -2})}},
      {"Squeeze", {floats({1, 3, 1, 2})}},
      {"Unsqueeze", {floats({3, 2}), integers({0, -1})}},
      {"Expand", {floats({3, 1}), integers({2, 1, 5})}},
      {"Slice", {x, integers({1, 0}), integers({9, -1}), integers({-1, 1}), integers({2, 1})}},
      {"Slice", {x, integers({-1, 5}), integers({-9, 0}), integers({1, 2}), integers({-1, -2})}},
      {"Gather", {x, Tensor::of(graph::Shape{2, 2}, Integers{1, -1, 0, 2})}, {{"axis", std::int64_t{1}}}},
      {"Gather", {integers({4, 5, 6}), Tensor::scalar<std::int64_t>(-1)}},
      {"Concat", {x, floats({2, 1, 4}, 2)}, {{"axis", std::int64_t{-2}}}},
      {"Split", {x, integers({1, 2})}, {{"axis", std::int64_t{1}}}, 2},
      {"Shape", {x}, {{"start", std::int64_t{-2}}}},
      {"Size", {x}},
      {"Range", {Tensor::scalar<std::int64_t>(2), Tensor::scalar<std::int64_t>(-7), Tensor::scalar<std::int64_t>(-2)}},
      {"Range", {Tensor::scalar(0.5F), Tensor::scalar(2.1F), Tensor::scalar(0.25F)}},
      {"ConstantOfShape", {integers({2, 3})}, {{"value", graph::share(bytes<std::int64_t>({7}))}}},
      {"Pow", {floats({2, 3}, 1, 0.1F, 3), Tensor::scalar(1.5F)}},
      {"Max", {x, Tensor::scalar(0.3F), floats({3, 1}, 5)}},
      {"Min", {x, floats({4}, 5)}},
      {"Div", {integers({7, -7, 9}), integers({2, 2, -4})}},
      {"Sub", {integers({1, 2, 3}), Tensor::scalar<std::int64_t>(5)}},
      {"Mul", {bytes<std::int32_t>({3, -4}), bytes<std::int32_t>({5, 6})}},
      {"Equal", {integers({1, 2, 3}), integers({1, 5, 3})}},
      {"Greater", {x, Tensor::scalar(0.0F)}},
      {"LessOrEqual", {integers({1, 2, 3}), Tensor::scalar<std::int64_t>(2)}},
      {"And", {truths({1, 0, 1}), truths({1, 1, 0})}},
      {"Or", {truths({1, 0, 0}), truths({1, 1, 0})}},
      {"Not", {truths({1, 0})}},
      {"Where", {truths({1, 0, 1, 0}), x, Tensor::scalar(9.0F)}},
      {"Cast", {floats({9}, 3, -300, 300)}, {{"to", std::int64_t{6}}}},
      {"Cast", {floats({9}, 3, -3, 3)}, {{"to", std::int64_t{10}}}},
      {"Cast", {integers({0, 3, -1})}, {{"to", std::int64_t{9}}}},
      {"Cast", {integers({0, 3, -1})}, {{"to", std::int64_t{1}}}},
      {"ReduceSum", {x, integers({0, -1})}, {{"keepdims", std::int64_t{0}}}},
      {"ReduceProd", {integers({2, 3, 4})}, {{"keepdims", std::int64_t{0}}}},
      {"ReduceMax", {x}, {{"axes", Integers{1}}}},
      {"ReduceMin", {x}, {{"axes", Integers{0, 1}}, {"keepdims", std::int64_t{0}}}},
      {"DequantizeLinear",
       {bytes<std::uint8_t>({0, 128, 255}), Tensor::scalar(0.1F), Tensor::scalar<std::uint8_t>(128)}},
      {"DequantizeLinear", {bytes<std::int32_t>({-100000, 7}), Tensor::scalar(0.1F)}},
      {"DequantizeLinear",
       {Tensor::of(graph::Shape{2, 3}, std::vector<std::int8_t>{-128, 1, 127, 4, 5, 6}), floats({3}, 4, 0.1F, 1),
        bytes<std::int8_t>({1, 2, 3})},
       {{"axis", std::int64_t{-1}}}},
  };
  for (const char* op : {"Add", "Sub", "Mul", "Div"})
    out.push_back({op, {floats({3, 1}, 1, 1, 2), floats({2, 1, 4}, 2, 1, 2)}});
  for (const char* op : {"Abs", "Neg", "Floor", "Ceil", "Exp", "Tanh", "Sigmoid", "Relu", "Identity"})
    out.push_back({op, {x}});
  for (const char* op : {"Sqrt", "Log", "Reciprocal"}) out.push_back({op, {floats({7}, 3, 0.1F, 4)}});
  return out;
}

// One node whose inputs are the graph's.
graph::Model model_of(const Case& wanted) {
  graph::Model model;
  graph::Node node{wanted.op, {}, wanted.op, {}, {}, wanted.attributes};
  for (const Tensor& input : wanted.inputs) {
    node.inputs.push_back(fmt::format("x{}", node.inputs.size()));
    model.graph.inputs.push_back({node.inputs.back(), input.type, graph::dims_of(input.shape)});
  }
  for (std::size_t i = 0; i < wanted.outputs; ++i) node.outputs.push_back(fmt::format("y{}", i));
  for (const std::string& output : node.outputs)
    model.graph.outputs.push_back({output, graph::DataType::undefined, {}});
  model.graph.nodes.push_back(std::move(node));
  return model;
}

class Reference : public WithRuntime {};

TEST_F(Reference, ComputesWhatOnnxRuntimeComputes) {
  for (const Case& wanted : cases()) {
    SCOPED_TRACE(wanted.op);
    graph::Model model = model_of(wanted);
    std::vector<const Tensor*> inputs;
    for (const Tensor& input : wanted.inputs) inputs.push_back(&input);
    const auto got = graph::compute(model.graph.nodes.front(), inputs, 1 << 20);
    ASSERT_TRUE(got) << got.error().text();
    ASSERT_EQ(got->size(), wanted.outputs);
    for (std::size_t i = 0; i < got->size(); ++i) model.graph.outputs[i].type = got->at(i).type;
    const auto expected = run(model, wanted.inputs);
    ASSERT_EQ(expected.size(), got->size());
    for (std::size_t i = 0; i < got->size(); ++i) {
      EXPECT_EQ(got->at(i).text(), expected[i].text());
      if (!graph::is_float(expected[i].type))
        EXPECT_EQ(got->at(i), expected[i]);
      else
        EXPECT_LT(difference(expected[i], got->at(i)), 1e-6);
    }
  }
}

}  // namespace
}  // namespace alara::models
