// SPDX-License-Identifier: Apache-2.0
#include "graph/fold.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "graph/edit.hpp"
#include "graph/reference.hpp"

namespace alara::graph {
namespace {

using Integers = std::vector<std::int64_t>;

std::size_t fold(Model& model, const FoldOptions& options = {}) {
  const auto values = infer_shapes(model);
  EXPECT_TRUE(values) << values.error().text();
  return values ? fold_constants(model.graph, *values, options) : 0;
}

TEST(Fold, ComputesAChainOfConstantsAndDropsWhatNobodyNeeds) {
  Builder builder;
  const std::string x = builder.input("x", Shape{2});
  const std::string sum = builder.node("Add", "sum", {builder.scalar("a", 2), builder.scalar("b", 3)});
  const std::string root = builder.node("Sqrt", "root", {builder.node("Mul", "square", {sum, sum})});
  builder.output(builder.node("Mul", "y", {x, root}));
  Model model = std::move(builder).finish();
  EXPECT_EQ(fold(model), 3u);
  ASSERT_EQ(model.graph.nodes.size(), 1u);
  ASSERT_EQ(model.graph.constants.size(), 1u);
  EXPECT_FLOAT_EQ(model.graph.constant("root")->values<float>()[0], 5);
}

TEST(Fold, KnowsTheSizesThatAreKnownOfAPartlyKnownShape) {
  Builder builder;
  const std::string x = builder.input("x", DataType::float32, {{-1, "batch"}, {3, {}}, {7, {}}});
  const std::string shape = builder.node("Shape", "shape", {x});
  const auto pick = [&](const std::string& name, std::int64_t axis) {
    return builder.node("Gather", name, {shape, builder.constant(name + "_i", Integers{axis})});
  };
  const std::string rest =
      builder.node("Slice", "rest", {shape, builder.constant("s", Integers{1}), builder.constant("e", Integers{99})});
  const std::string both = builder.node("Concat", "both", {pick("seven", -1), rest}, {{"axis", std::int64_t{0}}});
  builder.output(both, DataType::int64);
  builder.output(pick("batch", 0), DataType::int64);
  Model model = std::move(builder).finish();
  EXPECT_EQ(fold(model), 2u);  // seven and rest; both is an output and batch is not known
  EXPECT_EQ(*model.graph.constant("seven")->to_integers(), Integers{7});
  EXPECT_EQ(*model.graph.constant("rest")->to_integers(), (Integers{3, 7}));
  EXPECT_EQ(model.graph.nodes.size(), 3u);
}

Model expanding(Integers shape) {
  Builder builder;
  const std::string big =
      builder.node("Expand", "big", {builder.scalar("one", 1), builder.constant("shape", std::move(shape))});
  builder.output(builder.node("ReduceSum", "y", {big}, {{"keepdims", std::int64_t{0}}}));
  return std::move(builder).finish();
}

TEST(Fold, StopsAtTheLimitOfOneResult) {
  Model fits = expanding({4, 256});
  EXPECT_EQ(fold(fits, {FoldOptions::Dequantize::keep, 4096}), 1u);
  Model bomb = expanding({4, 257});
  EXPECT_EQ(fold(bomb, {FoldOptions::Dequantize::keep, 4096}), 0u);
  EXPECT_EQ(bomb.graph.nodes.size(), 2u);
}

TEST(Fold, StopsAtTheLimitOfAllResults) {
  const auto limit = static_cast<std::int64_t>(kMaxFoldedTotalBytes / 4);
  Builder builder;
  std::vector<std::string> parts;
  for (int i = 0; i < 6; ++i)
    parts.push_back(builder.node("ConstantOfShape", "part", {builder.constant("n", Integers{limit / 5})}));
  std::string sum = builder.input("x", Shape{1});
  for (const std::string& part : parts) sum = builder.node("Add", "sum", {sum, part});
  builder.output(sum);
  Model model = std::move(builder).finish();
  EXPECT_EQ(fold(model), 5u);
}

// Small results, and each reads much: what is bounded here is time.
TEST(Fold, StopsAtTheLimitOfWhatIsRead) {
  Builder builder;
  const std::string many = builder.node("ConstantOfShape", "many", {builder.constant("n", Integers{1000})});
  std::string sum = builder.input("x", Shape{1});
  for (int i = 0; i < 6; ++i) sum = builder.node("Add", "sum", {sum, builder.node("ReduceMax", "most", {many})});
  builder.output(sum);
  Model model = std::move(builder).finish();
  FoldOptions options;
  options.max_read_bytes = 4 * 4000;
  EXPECT_EQ(fold(model, options), 1u + 4u);
}

TEST(Fold, KeepsWhatDoesNotCompute) {
  Builder builder;
  const std::string x = builder.input("x", Shape{2});
  const std::string bad =
      builder.node("Gather", "bad", {builder.constant("data", Integers{1, 2}), builder.constant("at", Integers{9})});
  builder.output(builder.node("Expand", "y", {x, bad}));
  Model model = std::move(builder).finish();
  const ValueTable nothing_known;
  EXPECT_EQ(fold_constants(model.graph, nothing_known), 0u);
  EXPECT_EQ(model.graph.nodes.size(), 2u);
}

TEST(Fold, LeavesQuantisedWeightsUnlessAsked) {
  const auto quantised = [] {
    Builder builder;
    const std::string x = builder.input("x", Shape{1, 2});
    const std::string w =
        builder.node("DequantizeLinear", "w",
                     {builder.constant("w8", Tensor::of<std::int8_t>({2, 2}, std::vector<std::int8_t>{1, 2, 3, 4})),
                      builder.constant("s", Tensor::of<float>({2}, std::vector<float>{0.5F, 2})),
                      builder.constant("z", Tensor::of<std::int8_t>({2}, std::vector<std::int8_t>{0, 1}))},
                     {{"axis", std::int64_t{1}}});
    builder.output(builder.node("MatMul", "y", {x, w}));
    return std::move(builder).finish();
  };
  Model kept = quantised();
  EXPECT_EQ(fold(kept), 0u);
  Model folded = quantised();
  EXPECT_EQ(fold(folded, {FoldOptions::Dequantize::fold}), 1u);
  EXPECT_EQ(*folded.graph.constant("w")->to_floats(), (std::vector<float>{0.5F, 2, 1.5F, 6}));
}

// Every value of a long chain has a user of its own besides: work must not grow with the square of its length.
TEST(Edit, FollowsLongChainsOfRenamesOnce) {
  Builder builder;
  std::string x = builder.input("x", Shape{1});
  constexpr int kLength = 30'000;
  for (int i = 0; i < kLength; ++i) {
    x = builder.node("Identity", "same", {x});
    builder.node("Relu", "user", {x});
  }
  Model model = std::move(builder).finish();
  Edit edit(model.graph);
  for (std::size_t i = 0; i < edit.size(); ++i)
    if (edit.node(i).is("Identity")) {
      EXPECT_TRUE(edit.bypass(i));
    }
  EXPECT_EQ(edit.finish(), static_cast<std::size_t>(kLength));
  ASSERT_EQ(model.graph.nodes.size(), static_cast<std::size_t>(kLength));
  for (const Node& node : model.graph.nodes) EXPECT_EQ(node.input(0), "x");
}

TEST(Reference, IntegersWrapAndDivisionByZeroIsRefused) {
  const Tensor most = Tensor::scalar(std::numeric_limits<std::int64_t>::max());
  const Tensor least = Tensor::scalar(std::numeric_limits<std::int64_t>::min());
  const Tensor one = Tensor::scalar<std::int64_t>(1);
  const Tensor minus_one = Tensor::scalar<std::int64_t>(-1);
  const Tensor zero = Tensor::scalar<std::int64_t>(0);
  const auto number = [](const std::string& op, const Tensor& a, const Tensor& b) {
    const std::array inputs{&a, &b};
    const auto out = compute({op, {}, {}, {"a", "b"}, {"c"}}, inputs, 1024);
    return out ? std::optional(out->front().values<std::int64_t>()[0]) : std::nullopt;
  };
  EXPECT_EQ(number("Add", most, one), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(number("Div", least, minus_one), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(number("Div", most, zero), std::nullopt);
  EXPECT_EQ(number("Mul", most, most), 1);
}

TEST(Reference, RefusesToSliceAnAxisTwice) {
  const Tensor data = Tensor::zeros(DataType::float32, {10});
  const Tensor starts = Tensor::of(Shape{2}, Integers{5, 5});
  const Tensor ends = Tensor::of(Shape{2}, Integers{10, 10});
  const Tensor axes = Tensor::of(Shape{2}, Integers{0, -1});
  const std::array inputs{&data, &starts, &ends, &axes};
  const auto out = compute({"Slice", {}, {}, {"x", "s", "e", "a"}, {"y"}}, inputs, 1024);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().message, "Slice 'y': axis -1 comes twice");
}

TEST(Reference, RefusesMoreDimensionsThanTensorsCanHave) {
  const Tensor data = Tensor::scalar(1.0F);
  const Tensor shape = Tensor::of(Shape{65}, Integers(65, 1));
  const std::array inputs{&data, &shape};
  EXPECT_FALSE(compute({"Expand", {}, {}, {"x", "s"}, {"y"}}, inputs, 1024));
}

TEST(Reference, RefusesListsThatNoNodeNeeds) {
  const Tensor data = Tensor::scalar(1.0F);
  const Tensor shape = Tensor::zeros(DataType::int8, {70'000});
  const std::array inputs{&data, &shape};
  const auto out = compute({"Expand", {}, {}, {"x", "s"}, {"y"}}, inputs, 1024);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().message, "Expand 'y': input 1 lists 70000 numbers, more than 65536");
}

TEST(Reference, SaysWhenAResultWouldBeTooLarge) {
  const Tensor start = Tensor::scalar<std::int64_t>(0);
  const Tensor limit = Tensor::scalar(std::numeric_limits<std::int64_t>::max());
  const Tensor step = Tensor::scalar<std::int64_t>(1);
  const std::array inputs{&start, &limit, &step};
  const auto out = compute({"Range", {}, {}, {"a", "b", "c"}, {"d"}}, inputs, 1024);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::exhausted);
}

}  // namespace
}  // namespace alara::graph
