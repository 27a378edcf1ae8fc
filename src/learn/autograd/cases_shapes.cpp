// SPDX-License-Identifier: Apache-2.0
// Shapes, picks by place, Resize, quantisation.
#include "graph/builder.hpp"
#include "learn/autograd/case_maker.hpp"

namespace alara::learn {

using namespace cases;

std::vector<Case> shape_cases() {
  const Argument x = input(numbers({2, 3, 4}));
  const Argument image = input(numbers({1, 8, 2, 4}));
  const auto value = [](graph::Tensor tensor) { return Attributes{{"value", graph::share(std::move(tensor))}}; };
  return {
      make({"Concat", "", {x, input(numbers({2, 1, 4}, 2)), input(numbers({2, 2, 4}, 3))}, {{"axis", Int{1}}}}),
      make({"Concat", "last axis", {x, input(numbers({2, 3, 1}, 2))}, {{"axis", Int{-1}}}}),
      plain({"ConstantOfShape",
             "",
             {constant(Ints{2, 3})},
             value(graph::Tensor::of(graph::Shape{1}, std::vector<float>{1.5F}))}),
      plain({"ConstantOfShape", "default", {constant(Ints{2, 3})}}),
      make({"DepthToSpace", "DCR", {image}, {{"blocksize", Int{2}}}}),
      make({"DepthToSpace", "CRD", {image}, {{"blocksize", Int{2}}, {"mode", std::string("CRD")}}}),
      make({"SpaceToDepth", "", {image}, {{"blocksize", Int{2}}}}),
      make({"Expand", "both ways", {input(numbers({3, 1})), constant(Ints{2, 1, 4})}}),
      make({"Flatten", "", {x}}),
      make({"Flatten", "axis 0", {x}, {{"axis", Int{0}}}}),
      make({"Flatten", "axis -1", {x}, {{"axis", Int{-1}}}}),
      make({"Identity", "", {x}}),
      plain({"Range",
             "",
             {constant(graph::Tensor::scalar(std::int64_t{10})), constant(graph::Tensor::scalar(std::int64_t{1})),
              constant(graph::Tensor::scalar(std::int64_t{-3}))}}),
      make({"Reshape", "", {x, constant(Ints{4, 6})}}),
      make({"Reshape", "copied and inferred", {x, constant(Ints{0, -1})}}),
      plain({"Shape", "", {x}}),
      plain({"Shape", "part", {x}, {{"start", Int{1}}, {"end", Int{-1}}}}),
      plain({"Size", "", {x}}),
      make({"Split", "equal", {x}, {{"axis", Int{2}}}, 2}),
      make({"Split", "sizes", {x, constant(Ints{1, 2})}, {{"axis", Int{1}}}, 2}),
      make({"Split", "num_outputs", {x}, {{"axis", Int{1}}, {"num_outputs", Int{2}}}, 2, 18}),
      make({"Squeeze", "all", {input(numbers({1, 3, 1, 2}))}}),
      make({"Squeeze", "axes", {input(numbers({1, 3, 1, 2})), constant(Ints{-2})}}),
      make({"Unsqueeze", "", {x, constant(Ints{0, -1})}}),
      make({"Tile", "", {x, constant(Ints{2, 1, 3})}}),
      make({"Transpose", "reversed", {x}}),
      make({"Transpose", "perm", {x}, {{"perm", Ints{1, 0, 2}}}}),
  };
}

std::vector<Case> index_cases() {
  const Argument x = input(numbers({3, 4, 5}));
  const Argument places = constant(whole({2, 2}, {0, -1, 2, 1}));
  const Argument elements = constant(whole({2, 3}, {0, 1, -1, 2, 0, 1}));
  const Argument pads = constant(Ints{1, 0, 2, 0, 1, 1});
  const Argument plane = input(numbers({4, 4}));
  return {
      make({"CumSum", "", {x, constant(whole({}, {1}))}}),
      make({"CumSum",
            "exclusive, reverse",
            {x, constant(whole({}, {-1}))},
            {{"exclusive", Int{1}}, {"reverse", Int{1}}}}),
      make({"Gather", "table", {constant(numbers({3, 4})), input(whole({2}, {2, 0}))}}),
      make({"Gather", "axis 1", {x, places}, {{"axis", Int{1}}}}),
      make({"Gather", "one", {x, constant(whole({}, {-1}))}, {{"axis", Int{2}}}}),
      make({"GatherElements", "", {input(numbers({3, 3})), elements}, {{"axis", Int{0}}}}),
      make({"GatherND", "", {x, constant(whole({2, 2}, {0, 1, 2, -1}))}}),
      make({"GatherND", "batch_dims", {x, constant(whole({3, 1}, {1, 0, 3}))}, {{"batch_dims", Int{1}}}}),
      plain({"NonZero", "", {input(truth({2, 3}, {1, 0, 1, 0, 0, 1}))}}),
      make({"OneHot", "", {input(whole({3}, {1, -1, 0})), constant(whole({}, {4})), input(numbers({2}))}}),
      make({"OneHot",
            "axis 0",
            {input(whole({3}, {1, 2, 0})), constant(whole({}, {3})), input(numbers({2}))},
            {{"axis", Int{0}}}}),
      make({"Pad", "zeros", {x, pads}}),
      make({"Pad", "value", {x, pads, constant(0.7F)}}),
      make({"Pad", "cut", {x, constant(Ints{0, -1, 0, -1, 0, 2})}}),
      make({"Pad", "reflect", {x, pads}, {{"mode", std::string("reflect")}}}),
      make({"Pad", "edge", {x, pads}, {{"mode", std::string("edge")}}}),
      make({"Pad", "wrap", {x, pads}, {{"mode", std::string("wrap")}}, 1, 19}),
      make({"Pad", "axes", {x, constant(Ints{1, 2}), none(), constant(Ints{-1})}, {}, 1, 18}),
      make({"ScatterElements",
            "",
            {input(numbers({3, 3})), constant(whole({1, 3}, {2, 0, 1})), input(numbers({1, 3}, 2))}}),
      make({"ScatterElements",
            "add",
            {input(numbers({3, 3})), constant(whole({2, 3}, {2, 0, 1, 2, 1, 1})), input(numbers({2, 3}, 2))},
            {{"reduction", std::string("add")}}}),
      make({"ScatterND", "", {x, constant(whole({2, 1}, {2, 0})), input(numbers({2, 4, 5}, 2))}}),
      make({"ScatterND",
            "add",
            {x, constant(whole({2, 1}, {1, 1})), input(numbers({2, 4, 5}, 2))},
            {{"reduction", std::string("add")}}}),
      make({"Slice", "", {x, constant(Ints{1, 0}), constant(Ints{3, 3})}}),
      make({"Slice",
            "axes, steps",
            {x, constant(Ints{0, -4}), constant(Ints{4, 1000}), constant(Ints{1, -1}), constant(Ints{2, 3})}}),
      make({"Slice",
            "backwards",
            {x, constant(Ints{-1, 3}), constant(Ints{-1000, 0}), constant(Ints{2, 1}), constant(Ints{-2, -1})}}),
      make({"TopK", "", {x, constant(Ints{2})}, {}, 2}),
      make({"TopK", "smallest, axis 1", {x, constant(Ints{3})}, {{"axis", Int{1}}, {"largest", Int{0}}}, 2}),
      make({"Trilu", "upper", {plane, constant(whole({}, {1}))}}),
      make({"Trilu", "lower", {plane}, {{"upper", Int{0}}}}),
  };
}

std::vector<Case> resize_cases() {
  std::vector<Case> out;
  const Argument image = input(numbers({1, 2, 4, 5}));
  const auto scales = [](float rows, float columns) {
    return constant(graph::Tensor::of(graph::Shape{4}, std::vector<float>{1, 1, rows, columns}));
  };
  const auto by_scale = [&](const std::string& mode, const std::string& coordinates, float rows, float columns,
                            Attributes more = {}) {
    more["mode"] = mode;
    more["coordinate_transformation_mode"] = coordinates;
    out.push_back(make({"Resize",
                        fmt::format("{}, {}, scales {} {}", mode, coordinates, rows, columns),
                        {image, none(), scales(rows, columns)},
                        more}));
  };
  for (const std::string coordinates : {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
    for (const std::string rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})
      out.push_back(make({"Resize",
                          "nearest, " + coordinates + ", " + rounding,
                          {image, none(), none(), constant(Ints{1, 2, 7, 3})},
                          {{"mode", std::string("nearest")},
                           {"coordinate_transformation_mode", coordinates},
                           {"nearest_mode", rounding}}}));
    by_scale("linear", coordinates, 2, 1.5F);
    by_scale("linear", coordinates, 0.6F, 0.5F);
    by_scale("cubic", coordinates, 2, 1.5F);
  }
  by_scale("cubic", "half_pixel", 0.6F, 0.8F, {{"exclude_outside", Int{1}}, {"cubic_coeff_a", -0.5F}});
  by_scale("nearest", "asymmetric", 2, 2, {{"nearest_mode", std::string("floor")}});
  out.push_back(make({"Resize",
                      "linear, sizes",
                      {image, none(), none(), constant(Ints{1, 2, 9, 3})},
                      {{"mode", std::string("linear")}}}));
  out.push_back(make({"Resize",
                      "axes",
                      {image, none(), none(), constant(Ints{8, 10})},
                      {{"mode", std::string("linear")}, {"axes", Ints{2, 3}}},
                      1,
                      18}));
  out.push_back(make(
      {"Resize",
       "not_larger",
       {image, none(), none(), constant(Ints{7, 12})},
       {{"mode", std::string("linear")}, {"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", std::string("not_larger")}},
       1,
       18}));
  out.push_back(
      make({"Resize",
            "half_pixel_symmetric",
            {image, none(), scales(1.3F, 0.7F)},
            {{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("half_pixel_symmetric")}},
            1,
            19}));
  out.push_back(make({"Resize",
                      "one dimension",
                      {input(numbers({1, 2, 5})), none(), none(), constant(Ints{1, 2, 8})},
                      {{"mode", std::string("linear")}}}));
  return out;
}

namespace {

// x, QuantizeLinear, DequantizeLinear: all that training sees of quantisation. Without rounding it is Clip.
Case there_and_back(const std::string& variant, graph::Tensor scale, graph::Tensor zero, float low, float high) {
  const graph::Tensor x = numbers({2, 3, 4}, 3, -4, 4);
  const auto frame = [&](auto add_nodes) {
    graph::Builder builder("case");
    const std::string name = builder.input("input", x.type, graph::dims_of(x.shape));
    builder.output(add_nodes(builder, name));
    return std::move(builder).finish();
  };
  Case out{"QuantizeLinear", variant, {}, {x}};
  out.model = frame([&](graph::Builder& builder, const std::string& value) {
    const std::string s = builder.constant("scale", scale);
    const std::string z = builder.constant("zero", zero);
    return builder.node("DequantizeLinear", "y", {builder.node("QuantizeLinear", "q", {value, s, z}), s, z});
  });
  out.smooth = frame([&](graph::Builder& builder, const std::string& value) {
    return builder.node("Clip", "y", {value, builder.scalar("low", low), builder.scalar("high", high)});
  });
  return out;
}

}  // namespace

std::vector<Case> quantize_cases() {
  using graph::Shape;
  using graph::Tensor;
  const auto bytes = [](Shape shape, std::vector<std::uint8_t> numbers) {
    return Tensor::of(std::move(shape), numbers);
  };
  const auto chars = [](Shape shape, std::vector<std::int8_t> numbers) {
    return Tensor::of(std::move(shape), numbers);
  };
  const Tensor scales = Tensor::of(Shape{3}, std::vector<float>{0.1F, 0.02F, 0.05F});
  const Argument x = input(numbers({2, 3, 4}, 3, -4, 4));
  return {
      there_and_back("uint8, there and back", Tensor::scalar(0.02F), Tensor::scalar(std::uint8_t{100}), -2.0F, 3.1F),
      there_and_back("int8, there and back", Tensor::scalar(0.02F), Tensor::scalar(std::int8_t{10}), -2.76F, 2.34F),
      plain({"QuantizeLinear", "uint8", {x, constant(0.03F), constant(bytes({}, {128}))}}),
      plain({"QuantizeLinear", "int8", {x, constant(0.03F), constant(chars({}, {-3}))}}),
      plain({"QuantizeLinear", "no zero point", {x, constant(0.03F)}}),
      plain({"QuantizeLinear",
             "along axis 1",
             {x, constant(scales), constant(chars({3}, {0, 5, -5}))},
             {{"axis", Int{1}}}}),
      plain({"QuantizeLinear",
             "ties to even",
             {input(Tensor::of(Shape{6}, std::vector<float>{0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F})), constant(1.0F),
              constant(chars({}, {0}))}}),
      plain({"DequantizeLinear",
             "uint8",
             {input(bytes({4}, {0, 100, 128, 255})), constant(0.03F), constant(bytes({}, {128}))}}),
      plain({"DequantizeLinear",
             "int8 along axis 0",
             {input(chars({3, 2}, {-128, 127, 0, 5, -7, 100})), constant(scales), constant(chars({3}, {0, 5, -5}))},
             {{"axis", Int{0}}}}),
      plain({"DequantizeLinear",
             "int32, no zero point",
             {input(Tensor::of(Shape{3}, std::vector<std::int32_t>{-70000, 0, 123456})), constant(0.001F)}}),
  };
}

}  // namespace alara::learn
