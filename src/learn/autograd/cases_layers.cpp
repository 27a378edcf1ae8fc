// SPDX-License-Identifier: Apache-2.0
// Convolutions, products, pools, normalisations.
#include "learn/autograd/case_maker.hpp"

namespace alara::learn {

using namespace cases;

std::vector<Case> layer_cases() {
  const Argument image = input(numbers({2, 4, 5, 6}));
  const auto filters = [](graph::Shape shape) { return constant(numbers(std::move(shape), 2, -0.6, 0.6)); };
  const auto same = [](const char* where) {
    return Attributes{{"auto_pad", std::string(where)}, {"strides", Ints{2, 2}}};
  };
  return {
      make({"Conv", "plain", {image, filters({3, 4, 3, 3}), constant(numbers({3}))}}),
      make({"Conv",
            "padded, strided",
            {image, filters({3, 4, 3, 3})},
            {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 1}}}}),
      make({"Conv",
            "uneven pads",
            {image, filters({3, 4, 2, 3}), constant(numbers({3}))},
            {{"pads", Ints{0, 1, 1, 2}}}}),
      make({"Conv", "dilated", {image, filters({2, 4, 2, 3})}, {{"dilations", Ints{2, 2}}}}),
      make({"Conv", "two groups", {image, filters({4, 2, 3, 3})}, {{"group", Int{2}}}}),
      make({"Conv",
            "depthwise",
            {image, filters({4, 1, 3, 3}), constant(numbers({4}))},
            {{"group", Int{4}}, {"pads", Ints{1, 1, 1, 1}}}}),
      make({"Conv", "depthwise, two filters each", {image, filters({8, 1, 3, 3})}, {{"group", Int{4}}}}),
      make({"Conv", "pads above", {image, filters({3, 4, 2, 2})}, same("SAME_UPPER")}),
      make({"Conv", "pads below", {image, filters({3, 4, 2, 2})}, same("SAME_LOWER")}),
      make({"Conv", "auto_pad VALID", {image, filters({3, 4, 3, 3})}, same("VALID")}),
      make({"Conv", "one by one", {image, filters({3, 4, 1, 1})}}),
      make({"Conv",
            "one dimension",
            {input(numbers({2, 3, 9})), filters({4, 3, 3}), constant(numbers({4}))},
            {{"pads", Ints{2, 0}}, {"strides", Ints{2}}}}),
      make({"Conv",
            "three dimensions",
            {input(numbers({1, 2, 3, 4, 4})), filters({2, 2, 2, 3, 2})},
            {{"pads", Ints{1, 1, 0, 1, 1, 0}}}}),
      make({"ConvTranspose", "plain", {input(numbers({1, 3, 3, 4})), filters({3, 2, 3, 3}), constant(numbers({2}))}}),
      make({"ConvTranspose",
            "strided, padded, output_padding",
            {input(numbers({1, 3, 3, 4})), filters({3, 2, 3, 3})},
            {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 1}}}}),
      make({"ConvTranspose",
            "uneven pads",
            {input(numbers({1, 3, 3, 4})), filters({3, 2, 3, 3})},
            {{"strides", Ints{2, 2}}, {"pads", Ints{0, 1, 1, 0}}}}),
      make({"ConvTranspose",
            "output_shape",
            {input(numbers({1, 2, 3, 3})), filters({2, 2, 3, 3}), constant(numbers({2}))},
            {{"strides", Ints{3, 2}}, {"output_shape", Ints{8, 6}}}}),
      make({"ConvTranspose", "pads above", {input(numbers({1, 2, 3, 3})), filters({2, 2, 3, 3})}, same("SAME_UPPER")}),
      make({"ConvTranspose",
            "groups, dilated",
            {input(numbers({1, 4, 3, 3})), filters({4, 1, 2, 2})},
            {{"group", Int{2}}, {"dilations", Ints{2, 2}}}}),
      make({"ConvTranspose",
            "one dimension",
            {input(numbers({2, 3, 5})), filters({3, 2, 4})},
            {{"strides", Ints{2}}, {"pads", Ints{1, 1}}}}),
      make({"ConvTranspose", "three dimensions", {input(numbers({1, 2, 2, 3, 2})), filters({2, 1, 2, 2, 2})}}),
      make({"Gemm", "plain", {input(numbers({3, 4})), constant(numbers({4, 5})), constant(numbers({5}))}}),
      make({"Gemm",
            "transposed, scaled",
            {input(numbers({4, 3})), constant(numbers({5, 4})), constant(numbers({3, 1}))},
            {{"transA", Int{1}}, {"transB", Int{1}}, {"alpha", 0.5F}, {"beta", 2.0F}}}),
      make({"Gemm", "no bias", {input(numbers({3, 4})), constant(numbers({4, 5}))}, {{"alpha", 0.25F}}}),
      make({"MatMul", "matrices", {input(numbers({3, 4})), constant(numbers({4, 2}))}}),
      make({"MatMul", "batches", {input(numbers({2, 1, 3, 4})), input(numbers({3, 4, 2}, 3))}}),
      make({"MatMul", "vector", {input(numbers({2, 3, 4})), constant(numbers({4}))}}),
      make({"Einsum",
            "product",
            {input(numbers({2, 3, 4})), input(numbers({2, 4, 5}, 3))},
            {{"equation", std::string("bij, bjk -> bik")}}}),
      make({"Einsum",
            "with ellipsis",
            {input(numbers({2, 3, 4})), constant(numbers({4, 3}))},
            {{"equation", std::string("...ij,ji->...i")}}}),
      make({"Einsum", "implicit output", {input(numbers({3, 4}))}, {{"equation", std::string("ji")}}}),
  };
}

std::vector<Case> pool_cases() {
  const Argument image = input(numbers({2, 2, 5, 6}));
  const Argument line = input(numbers({1, 2, 7}));
  const Argument volume = input(numbers({1, 2, 4, 3, 4}));
  std::vector<Case> out;
  const Attributes small = {{"kernel_shape", Ints{2, 3}}};
  const Attributes uneven = {{"kernel_shape", Ints{3, 2}}, {"pads", Ints{1, 0, 2, 1}}, {"strides", Ints{2, 2}}};
  const Attributes ceil_mode = {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", Int{1}}};
  const Attributes padded_ceil = {
      {"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"ceil_mode", Int{1}}};
  const Attributes same = {
      {"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}};
  const Attributes lower = {{"kernel_shape", Ints{2, 2}}, {"auto_pad", std::string("SAME_LOWER")}};
  for (const std::string op : {"MaxPool", "AveragePool", "LpPool"}) {
    out.push_back(make({op, "plain", {image}, small}));
    out.push_back(make({op, "uneven pads", {image}, uneven}));
    out.push_back(make({op, "pads above", {image}, same}));
    out.push_back(make({op, "pads below", {image}, lower}));
    out.push_back(
        make({op, "one dimension", {line}, {{"kernel_shape", Ints{3}}, {"pads", Ints{1, 1}}, {"strides", Ints{2}}}}));
    out.push_back(
        make({op, "three dimensions", {volume}, {{"kernel_shape", Ints{2, 2, 2}}, {"strides", Ints{2, 1, 2}}}}));
    if (op == "LpPool") continue;
    out.push_back(make({op, "ceil_mode", {image}, ceil_mode}));
    out.push_back(make({op, "ceil_mode, padded", {image}, padded_ceil}));
  }
  out.push_back(make({"MaxPool", "dilated", {image}, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 3}}}}));
  Attributes with_pads = uneven;
  with_pads["count_include_pad"] = Int{1};
  out.push_back(make({"AveragePool", "count_include_pad", {image}, with_pads}));
  with_pads = padded_ceil;
  with_pads["count_include_pad"] = Int{1};
  out.push_back(make({"AveragePool", "count_include_pad, ceil_mode", {image}, with_pads}));
  out.push_back(make({"LpPool", "p of 3", {image}, {{"kernel_shape", Ints{2, 2}}, {"p", Int{3}}}}));
  out.push_back(make({"GlobalAveragePool", "", {image}}));
  out.push_back(make({"GlobalAveragePool", "one dimension", {line}}));
  out.push_back(make({"GlobalMaxPool", "", {image}}));
  out.push_back(make({"GlobalLpPool", "", {image}, {{"p", Int{2}}}}));
  return out;
}

std::vector<Case> normalize_cases() {
  const Argument image = input(numbers({2, 4, 3, 2}));
  const Argument rows = input(numbers({3, 4}));
  const auto each = [](std::int64_t n) { return constant(numbers({n}, 4)); };
  const std::vector<Argument> batch = {image, each(4), each(4), each(4), constant(positive({4}))};
  Case trained = make({"BatchNormalization", "statistics of the batch", batch, {{"epsilon", 1e-3F}}});
  trained.mode = Mode::train;
  Case trained_rows = make({"BatchNormalization",
                            "statistics of the batch, rows",
                            {rows, each(4), each(4), each(4), constant(positive({4}))}});
  trained_rows.mode = Mode::train;
  return {
      make({"BatchNormalization", "running statistics", batch, {{"epsilon", 1e-3F}}}),
      std::move(trained),
      std::move(trained_rows),
      make({"Dropout", "passes all when inferring", {image, constant(0.5F)}}),
      make({"GroupNormalization", "scales of groups", {image, each(2), each(2)}, {{"num_groups", Int{2}}}, 1, 18}),
      make({"GroupNormalization", "scales of channels", {image, each(4), each(4)}, {{"num_groups", Int{2}}}, 1, 21}),
      make({"InstanceNormalization", "", {image, each(4), each(4)}}),
      make({"LayerNormalization", "last axis", {image, each(2), each(2)}}),
      make({"LayerNormalization",
            "from axis 1",
            {image, constant(numbers({4, 3, 2}, 4)), constant(numbers({4, 3, 2}, 5))},
            {{"axis", Int{1}}}}),
      make({"LayerNormalization", "no bias", {rows, each(4)}, {{"epsilon", 1e-2F}}}),
      make({"LRN", "odd", {image}, {{"size", Int{3}}, {"alpha", 0.1F}, {"bias", 1.5F}}}),
      make({"LRN", "one dimension of channels beyond", {image}, {{"size", Int{5}}, {"beta", 0.6F}, {"alpha", 0.2F}}}),
      make({"LpNormalization", "2", {rows}}),
      make({"LpNormalization", "1, axis 0", {rows}, {{"p", Int{1}}, {"axis", Int{0}}}}),
      make({"MeanVarianceNormalization", "", {image}}),
      make({"MeanVarianceNormalization", "axes", {image}, {{"axes", Ints{2, 3}}}}),
      make({"Softmax", "last axis", {image}}),
      make({"Softmax", "channels", {image}, {{"axis", Int{1}}}}),
      make({"LogSoftmax", "last axis", {rows}}),
      make({"LogSoftmax", "axis 0", {rows}, {{"axis", Int{0}}}}),
  };
}

std::vector<Case> recurrent_cases() {
  std::vector<Case> out;
  constexpr std::int64_t kTimes = 3, kBatch = 2, kValues = 2, kHidden = 3;
  const auto add = [&](const std::string& op, std::int64_t gates, const std::string& variant, Attributes attributes,
                       bool lengths, bool states, bool bias) {
    const auto direction = attributes.find("direction");
    const std::int64_t ways =
        direction != attributes.end() && std::get<std::string>(direction->second) == "bidirectional" ? 2 : 1;
    attributes["hidden_size"] = Int{kHidden};
    const bool lstm = op == "LSTM";
    std::vector<Argument> arguments = {
        input(numbers({kTimes, kBatch, kValues})), constant(numbers({ways, gates * kHidden, kValues}, 2, -1, 1)),
        constant(numbers({ways, gates * kHidden, kHidden}, 3, -1, 1)),
        bias ? constant(numbers({ways, 2 * gates * kHidden}, 4, -1, 1)) : none(), none()};
    if (lengths) arguments[4] = constant(graph::Tensor::of(graph::Shape{kBatch}, std::vector<std::int32_t>{3, 2}));
    if (states) arguments.push_back(input(numbers({ways, kBatch, kHidden}, 5)));
    if (states && lstm) arguments.push_back(input(numbers({ways, kBatch, kHidden}, 6)));
    out.push_back(
        make({op, variant, std::move(arguments), std::move(attributes), lstm ? std::size_t{3} : std::size_t{2}}));
  };
  for (const auto& [op, gates] : std::map<std::string, std::int64_t>{{"RNN", 1}, {"GRU", 3}, {"LSTM", 4}}) {
    add(op, gates, "plain", {}, false, false, true);
    add(op, gates, "no bias, initial states", {}, false, true, false);
    add(op, gates, "reverse", {{"direction", std::string("reverse")}}, false, true, true);
    add(op, gates, "bidirectional", {{"direction", std::string("bidirectional")}}, false, false, true);
    add(op, gates, "lengths", {{"direction", std::string("bidirectional")}}, true, true, true);
    add(op, gates, "clipped", {{"clip", 0.7F}}, false, false, true);
  }
  add("GRU", 3, "linear_before_reset", {{"linear_before_reset", Int{1}}}, false, true, true);
  add("GRU", 3, "linear_before_reset, bidirectional",
      {{"linear_before_reset", Int{1}}, {"direction", std::string("bidirectional")}}, false, true, true);
  add("RNN", 1, "relu", {{"activations", Strings{"Relu"}}}, false, false, true);
  add("GRU", 3, "other activations", {{"activations", Strings{"HardSigmoid", "Softsign"}}}, false, false, true);
  add("LSTM", 4, "input_forget", {{"input_forget", Int{1}}}, false, true, true);
  Case peephole = make({"LSTM",
                        "peepholes",
                        {input(numbers({kTimes, kBatch, kValues})), constant(numbers({1, 12, kValues}, 2, -1, 1)),
                         constant(numbers({1, 12, kHidden}, 3, -1, 1)), none(), none(), none(), none(),
                         constant(numbers({1, 9}, 7, -1, 1))},
                        {{"hidden_size", Int{kHidden}}},
                        3});
  out.push_back(std::move(peephole));
  return out;
}

}  // namespace alara::learn
