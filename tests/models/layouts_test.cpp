// SPDX-License-Identifier: Apache-2.0
// Whatever order of axes the graph has a value in, an imported operator gives the same: each runs once on a value as
// it comes in, and once on one that a pool of one pixel has turned to channels first.
#include <functional>
#include <ostream>

#include "graph/nhwc/axis_ops.hpp"
#include "graph/nhwc/element_ops.hpp"
#include "graph/nhwc/reduce_ops.hpp"
#include "graph/nhwc/window_ops.hpp"
#include "tests/models/running.hpp"

namespace alara::models {
namespace {

using namespace graph::nhwc;
using graph::Shape;
using graph::Tensor;

struct Case {
  std::string name;
  std::function<Result<ValueId>(Lowering&, ValueId)> add;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class Layouts : public WithRuntime, public testing::WithParamInterface<Case> {
 protected:
  static Tensor result(Layout layout, const Tensor& x) {
    Lowering lowering("test", {"y"}, {1 << 20, 1000});
    ValueId in = lowering.input("x", graph::DataType::float32, graph::dims_of(x.shape));
    if (layout == Layout::channels_first) in = *pool(lowering, "turned", in, Pool::max, {1, 1}, {});
    const auto out = GetParam().add(lowering, in);
    if (!out) return ADD_FAILURE() << out.error().text(), Tensor{};
    const graph::Dims dims = lowering.at(*out).dims;
    const auto model = std::move(lowering).finish({{"y", *out}});
    if (!model) return ADD_FAILURE() << model.error().text(), Tensor{};
    std::vector<Tensor> made = run(*model, {x});
    if (made.empty()) return {};
    EXPECT_EQ(graph::text_of(dims), graph::text_of(made[0].shape));
    return made[0];
  }
};

TEST_P(Layouts, AreNotSeenFromOutside) {
  const Tensor x = random_tensor({2, 3, 4, 5}, 7);
  EXPECT_LT(difference(result(Layout::channels_last, x), result(Layout::channels_first, x)), 1e-6);
}

using Low = Lowering;

INSTANTIATE_TEST_SUITE_P(
    Of, Layouts,
    testing::Values(
        Case{"Relu", [](Low& l, ValueId x) -> Result<ValueId> { return activation(l, "y", Activation::relu, x); }},
        Case{"AddOfChannels",
             [](Low& l, ValueId x) {
               return broadcasting(l, "y", "Add", {x, l.constant("c", random_tensor({5}, 1))});
             }},
        Case{"AddOfColumns",
             [](Low& l, ValueId x) {
               return broadcasting(l, "y", "Add", {l.constant("c", random_tensor({4, 1}, 1)), x});
             }},
        Case{"MulOfWhole",
             [](Low& l, ValueId x) {
               return broadcasting(l, "y", "Mul", {x, l.constant("c", random_tensor({1, 3, 4, 5}, 1))});
             }},
        Case{"Prelu", [](Low& l, ValueId x) { return prelu(l, "y", x, l.constant("c", random_tensor({1, 1, 5}, 1))); }},
        Case{"Softmax", [](Low& l, ValueId x) { return softmax(l, "y", x, 2, SoftmaxForm::linear); }},
        Case{"Norm", [](Low& l, ValueId x) { return l2_normalise(l, "y", x); }},
        Case{"Reshape", [](Low& l, ValueId x) { return reshape(l, "y", x, std::vector<std::int64_t>{2, -1, 10}); }},
        Case{"Expand", [](Low& l, ValueId x) { return expand(l, "y", x, 2); }},
        Case{"TransposeToFirst", [](Low& l, ValueId x) { return transpose(l, "y", x, {0, 3, 1, 2}); }},
        Case{"TransposeToLast", [](Low& l, ValueId x) { return transpose(l, "y", x, {0, 2, 3, 1}); }},
        Case{"TransposeOther", [](Low& l, ValueId x) { return transpose(l, "y", x, {3, 1, 0, 2}); }},
        Case{"ConcatOfChannels", [](Low& l, ValueId x) { return concatenate(l, "y", {x, x}, 3); }},
        Case{"ConcatOfRowsWithConstant",
             [](Low& l, ValueId x) {
               return concatenate(l, "y", {x, l.constant("c", random_tensor({2, 1, 4, 5}, 1))}, 1);
             }},
        Case{"Pack", [](Low& l, ValueId x) { return pack(l, "y", {x, x}, 1); }},
        Case{"Split",
             [](Low& l, ValueId x) -> Result<ValueId> {
               ALARA_TRY(const auto parts, split(l, "y", x, -1, {2, 3}));
               return parts[1];
             }},
        Case{"Unpack",
             [](Low& l, ValueId x) -> Result<ValueId> {
               ALARA_TRY(const auto parts, unpack(l, "y", x, 2));
               return parts[1];
             }},
        Case{"Pad",
             [](Low& l, ValueId x) { return pad(l, "y", x, {.before = {0, 1, 0, 2}, .after = {1, 0, 3, 0}}); }},
        Case{"Slice", [](Low& l, ValueId x) { return slice(l, "y", x, {0, 1, 2, 3}, {2, 2, -1, 1}); }},
        Case{"StridedSlice",
             [](Low& l, ValueId x) {
               return strided_slice(l, "y", x,
                                    {.begin = {0, 2, 1}, .end = {2, -4, 2}, .strides = {1, -1, 1}, .shrink_mask = 4});
             }},
        Case{"Gather",
             [](Low& l, ValueId x) {
               return gather(l, "y", x, l.constant("c", Tensor::of(Shape{2}, std::vector<std::int32_t>{3, 0})), 3);
             }},
        Case{"Tile", [](Low& l, ValueId x) { return tile(l, "y", x, {1, 2, 1, 3}); }},
        Case{"MeanOfPicture", [](Low& l, ValueId x) { return reduce(l, "y", "ReduceMean", x, {1, 2}, Reduced::dropped); }},
        Case{"SumOfRows", [](Low& l, ValueId x) { return reduce(l, "y", "ReduceSum", x, {1}, Reduced::dropped); }},
        Case{"MaxOfChannels", [](Low& l, ValueId x) { return reduce(l, "y", "ReduceMax", x, {-1}, Reduced::kept); }},
        Case{"PlaceInRows",
             [](Low& l, ValueId x) { return place_of(l, "y", "ArgMax", x, 1, graph::DataType::int32); }},
        Case{"PlaceInChannels",
             [](Low& l, ValueId x) { return place_of(l, "y", "ArgMax", x, 3, graph::DataType::int64); }},
        Case{"Dense",
             [](Low& l, ValueId x) {
               return dense(l, "y", x, l.constant("w", random_tensor({6, 5}, 1)), std::nullopt,
                            {Side::transposed, Reduced::kept});
             }},
        Case{"MatrixProduct",
             [](Low& l, ValueId x) {
               return matrix_product(l, "y", x, Side::as_it_is, x, Side::transposed);
             }}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace alara::models
