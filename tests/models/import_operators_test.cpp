// SPDX-License-Identifier: Apache-2.0
// Imported operators against numbers worked out by hand, run by ONNX Runtime.
#include "graph/tflite/tflite_file.hpp"
#include "graph/tflite/tflite_fixture.hpp"
#include "tests/models/running.hpp"

namespace alara::models {
namespace {

namespace schema = graph::tflite::schema;
using graph::Shape;
using graph::Tensor;
using graph::tflite::test::BuiltinOperator;
using graph::tflite::test::BuiltinOptions;
using graph::tflite::test::SmallTflite;
using graph::tflite::test::TensorType;
using schema::Padding;
using Floats = std::vector<float>;
using Integers = std::vector<std::int32_t>;

class Imported : public WithRuntime {
 protected:
  // What the file computes from `inputs`.
  static std::vector<Tensor> results(const std::vector<std::byte>& file, const std::vector<Tensor>& inputs) {
    const auto model = graph::parse_tflite(file);
    if (!model) {
      ADD_FAILURE() << model.error().text();
      return {};
    }
    return run(*model, inputs);
  }
  Tensor result(const std::vector<int>& in, const std::vector<int>& out, const std::vector<Tensor>& inputs) {
    std::vector<Tensor> all = results(small_.finish(in, out), inputs);
    return all.empty() ? Tensor{} : all[0];
  }
  // x[1, 1, width, 1] -> resize -> [1, 1, size, 1].
  static Floats resized(const Floats& x, int size, BuiltinOperator op, bool align_corners, bool half_pixels) {
    SmallTflite file;
    const int width = static_cast<int>(x.size());
    const int in = file.floats("x", {1, 1, width, 1});
    const int shape = file.integers("size", {1, size});
    const int out = file.floats("y", {1, 1, size, 1});
    const bool bilinear = op == BuiltinOperator::RESIZE_BILINEAR;
    auto& bytes = file.builder();
    file.op(op, {in, shape}, {out},
            bilinear ? BuiltinOptions::ResizeBilinearOptions : BuiltinOptions::ResizeNearestNeighborOptions,
            bilinear ? schema::CreateResizeBilinearOptions(bytes, 0, 0, align_corners, half_pixels).Union()
                     : schema::CreateResizeNearestNeighborOptions(bytes, align_corners, half_pixels).Union());
    const auto made = results(file.finish({in}, {out}), {Tensor::of(Shape{1, 1, width, 1}, x)});
    return made.empty() ? Floats{} : *made[0].to_floats();
  }

  SmallTflite small_;
};

TEST_F(Imported, BilinearResizeKnowsThreeGrids) {
  const auto op = BuiltinOperator::RESIZE_BILINEAR;
  EXPECT_EQ(resized({0, 10}, 4, op, false, false), (Floats{0, 5, 10, 10}));
  EXPECT_EQ(resized({0, 10}, 4, op, false, true), (Floats{0, 2.5F, 7.5F, 10}));
  EXPECT_EQ(resized({0, 10}, 3, op, true, false), (Floats{0, 5, 10}));
}

TEST_F(Imported, NearestResizeKnowsThreeGrids) {
  const auto op = BuiltinOperator::RESIZE_NEAREST_NEIGHBOR;
  EXPECT_EQ(resized({1, 2, 3, 4, 5}, 3, op, false, false), (Floats{1, 2, 4}));  // floor of 0, 1.67, 3.33
  EXPECT_EQ(resized({1, 2, 3, 4, 5}, 3, op, false, true), (Floats{1, 3, 5}));   // floor of 0.83, 2.5, 4.17
  EXPECT_EQ(resized({1, 2, 3, 4}, 3, op, true, false), (Floats{1, 3, 4}));      // round of 0, 1.5, 3
}

TEST_F(Imported, ATransposedConvolutionCutsWhatSamePaddingAdds) {
  const int size = small_.integers("size", {1, 1, 4, 1});
  const int w = small_.floats("w", {1, 1, 3, 1}, {1, 10, 100});
  const int x = small_.floats("x", {1, 1, 2, 1});
  const int y = small_.floats("y", {1, 1, 4, 1});
  small_.op(BuiltinOperator::TRANSPOSE_CONV, {size, w, x}, {y}, BuiltinOptions::TransposeConvOptions,
            schema::CreateTransposeConvOptions(small_.builder(), Padding::SAME, 2, 1).Union());
  const Tensor made = result({x}, {y}, {Tensor::of(Shape{1, 1, 2, 1}, Floats{1, 2})});
  EXPECT_EQ(*made.to_floats(), (Floats{1, 10, 102, 20}));  // of 1 10 102 20 200, one is cut at the end
}

TEST_F(Imported, ADepthwiseMultiplierKeepsAChannelsOutputsTogether) {
  const int x = small_.floats("x", {1, 1, 1, 2});
  const int w = small_.floats("w", {1, 1, 1, 4}, {1, 10, 100, 1000});
  const int y = small_.floats("y", {1, 1, 1, 4});
  small_.op(BuiltinOperator::DEPTHWISE_CONV_2D, {x, w}, {y}, BuiltinOptions::DepthwiseConv2DOptions,
            schema::CreateDepthwiseConv2DOptions(small_.builder(), Padding::VALID, 1, 1, 2).Union());
  EXPECT_EQ(*result({x}, {y}, {Tensor::of(Shape{1, 1, 1, 2}, Floats{2, 3})}).to_floats(), (Floats{2, 20, 300, 3000}));
}

TEST_F(Imported, AnAveragePoolLeavesPaddingOut) {
  const int x = small_.floats("x", {1, 1, 3, 1});
  const int y = small_.floats("y", {1, 1, 2, 1});
  small_.op(BuiltinOperator::AVERAGE_POOL_2D, {x}, {y}, BuiltinOptions::Pool2DOptions,
            schema::CreatePool2DOptions(small_.builder(), Padding::SAME, 2, 1, 2, 1).Union());
  EXPECT_EQ(*result({x}, {y}, {Tensor::of(Shape{1, 1, 3, 1}, Floats{1, 2, 5})}).to_floats(), (Floats{1.5F, 5}));
}

TEST_F(Imported, DepthBecomesSpacePixelByPixel) {
  const int x = small_.floats("x", {1, 1, 1, 8});
  const int y = small_.floats("y", {1, 2, 2, 2});
  small_.op(BuiltinOperator::DEPTH_TO_SPACE, {x}, {y}, BuiltinOptions::DepthToSpaceOptions,
            schema::CreateDepthToSpaceOptions(small_.builder(), 2).Union());
  const Floats numbers = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(*result({x}, {y}, {Tensor::of(Shape{1, 1, 1, 8}, numbers)}).to_floats(), numbers);
}

TEST_F(Imported, IntegersDivideDownwards) {
  const int x = small_.tensor("x", TensorType::INT32, {4});
  const int by = small_.integers("by", {2, 2, -2, -2});
  const int quotient = small_.tensor("quotient", TensorType::INT32, {4});
  const int rest = small_.tensor("rest", TensorType::INT32, {4});
  small_.op(BuiltinOperator::FLOOR_DIV, {x, by}, {quotient});
  small_.op(BuiltinOperator::FLOOR_MOD, {x, by}, {rest});
  const auto made = results(small_.finish({x}, {quotient, rest}), {Tensor::of(Shape{4}, Integers{7, -7, 7, -7})});
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[0], Tensor::of(Shape{4}, Integers{3, -4, -4, 3}));
  EXPECT_EQ(made[1], Tensor::of(Shape{4}, Integers{1, 1, -1, -1}));
}

TEST_F(Imported, SlicesRunBackwardsAndDropAxes) {
  const int x = small_.floats("x", {2, 3});
  const int begin = small_.integers("begin", {1, -1});
  const int end = small_.integers("end", {2, -4});
  const int strides = small_.integers("strides", {1, -2});
  const int y = small_.floats("y", {2});
  small_.op(BuiltinOperator::STRIDED_SLICE, {x, begin, end, strides}, {y}, BuiltinOptions::StridedSliceOptions,
            schema::CreateStridedSliceOptions(small_.builder(), 0, 0, 0, 0, 1).Union());
  const Tensor made = result({x}, {y}, {Tensor::of(Shape{2, 3}, Floats{1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(made, Tensor::of(Shape{2}, Floats{6, 4}));
}

TEST_F(Imported, QuantisedNumbersAddAsRealOnes) {
  const int a = small_.tensor("a", TensorType::INT8, {4}, {}, {{0.5F}, {1}});
  const int b = small_.tensor("b", TensorType::INT8, {4}, {}, {{0.25F}, {-2}});
  const int y = small_.tensor("y", TensorType::INT8, {4}, {}, {{2.0F}, {3}});
  small_.op(BuiltinOperator::ADD, {a, b}, {y}, BuiltinOptions::AddOptions,
            schema::CreateAddOptions(small_.builder(), schema::FusedActivation::RELU).Union());
  // Real numbers: 4.5 + 2.5 = 7, 0 + 0 = 0, -5.5 + 0.5 = -5, 63 + 32.25 = 95.25.
  const Tensor made = result({a, b}, {y},
                             {Tensor::of(Shape{4}, std::vector<std::int8_t>{10, 1, -10, 127}),
                              Tensor::of(Shape{4}, std::vector<std::int8_t>{8, -2, 0, 127})});
  EXPECT_EQ(made, Tensor::of(Shape{4}, std::vector<std::int8_t>{7, 3, 3, 51}));  // 7 / 2 rounds to the even 4
}

TEST_F(Imported, ADequantisedResultIsTheRealNumber) {
  const int x = small_.tensor("x", TensorType::UINT8, {2}, {}, {{0.5F}, {100}});
  const int y = small_.floats("y", {2});
  small_.op(BuiltinOperator::DEQUANTIZE, {x}, {y});
  const Tensor made = result({x}, {y}, {Tensor::of(Shape{2}, std::vector<std::uint8_t>{104, 98})});
  EXPECT_EQ(made, Tensor::of(Shape{2}, Floats{2, -1}));
}

TEST_F(Imported, SymmetricPaddingRepeatsTheEdge) {
  const int x = small_.floats("x", {3});
  const int pads = small_.tensor("pads", TensorType::INT32, {1, 2}, graph::tflite::test::raw(Integers{1, 1}));
  const int y = small_.floats("y", {5});
  small_.op(BuiltinOperator::MIRROR_PAD, {x, pads}, {y}, BuiltinOptions::MirrorPadOptions,
            schema::CreateMirrorPadOptions(small_.builder(), schema::MirrorPadMode::SYMMETRIC).Union());
  EXPECT_EQ(*result({x}, {y}, {Tensor::of(Shape{3}, Floats{1, 2, 3})}).to_floats(), (Floats{1, 1, 2, 3, 3}));
}

}  // namespace
}  // namespace alara::models
