// SPDX-License-Identifier: Apache-2.0
#include "graph/tfjs/tfjs_model.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace alara::graph {
namespace {

// A model.json, part by part. Texts are JSON.
struct SmallTfjs {
  std::string nodes;
  std::string weights;
  std::string outputs = R"("y": {"name": "y:0"})";
  std::string paths = R"("w.bin")";
  std::string bytes = {};  // of w.bin

  [[nodiscard]] std::string json() const {
    return R"({"format": "graph-model", "modelTopology": {"node": [)" + nodes + R"(]}, "signature": {"outputs": {)" +
           outputs + R"(}}, "weightsManifest": [{"paths": [)" + paths + R"(], "weights": [)" + weights + "]}]}";
  }
  [[nodiscard]] Result<Model> parse() const {
    return parse_tfjs(json(), [this](const std::string& name) -> Result<std::vector<std::byte>> {
      if (name != "w.bin") return fail(ErrorKind::not_found, "no {}", name);
      const auto all = std::as_bytes(std::span(bytes));
      return std::vector<std::byte>(all.begin(), all.end());
    });
  }
  [[nodiscard]] std::string complaint() const {
    const auto model = parse();
    return model ? "" : model.error().message;
  }
};

template <typename T>
std::string raw(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

constexpr const char* kPlaceholder =
    R"({"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"},
        "shape": {"shape": {"dim": [{"size": "-1"}, {"size": "4"}, {"size": "4"}, {"size": "2"}]}}}})";

// A convolution with a fused bias and relu: "SAME" and ["BiasAdd", "Relu"] are texts of base 64.
SmallTfjs convolution() {
  SmallTfjs out;
  out.nodes = std::string(kPlaceholder) + R"(,
    {"name": "w", "op": "Const", "attr": {}}, {"name": "b", "op": "Const", "attr": {}},
    {"name": "y", "op": "_FusedConv2D", "input": ["x", "w", "b"], "attr": {"padding": {"s": "U0FNRQ=="},
     "strides": {"list": {"i": ["1", "2", "2", "1"]}},
     "fused_ops": {"list": {"s": ["Qmlhc0FkZA==", "UmVsdQ=="]}}}})";
  out.weights = R"({"name": "w", "shape": [1, 1, 2, 3], "dtype": "float32"},
                   {"name": "b", "shape": [3], "dtype": "float32"})";
  out.bytes = raw(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  return out;
}

TEST(Tfjs, AFusedConvolutionBecomesConvolutionAndActivation) {
  const auto model = convolution().parse();
  ASSERT_TRUE(model) << model.error().text();
  ASSERT_EQ(model->graph.nodes.size(), 4u);
  EXPECT_EQ(model->graph.nodes[1].op, "Conv");
  EXPECT_EQ(model->graph.nodes[1].integers("strides"), (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(model->graph.nodes[2].op, "Relu");
  EXPECT_EQ(model->graph.inputs[0].text(), "x: float32[batch, 4, 4, 2]");
  EXPECT_EQ(model->graph.outputs[0].text(), "y: float32[batch, 2, 2, 3]");
  const Tensor* weights = model->graph.constant(model->graph.nodes[1].input(1));
  EXPECT_EQ(*weights, Tensor::of(Shape{3, 2, 1, 1}, std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(*model->graph.constant(model->graph.nodes[1].input(2))->to_floats(), (std::vector<float>{7, 8, 9}));
}

// y = x + c, with c stored in some way.
std::vector<float> stored_as(const std::string& weight, const std::string& bytes) {
  SmallTfjs small;
  small.nodes = std::string(kPlaceholder) +
                R"(, {"name": "c", "op": "Const"}, {"name": "y", "op": "AddV2", "input": ["x", "c", "^x"]})";
  small.weights = weight;
  small.bytes = bytes;
  const auto model = small.parse();
  if (!model) {
    ADD_FAILURE() << model.error().text();
    return {};
  }
  return *model->graph.constant(model->graph.nodes[0].input(1))->to_floats();
}

TEST(Tfjs, SmallerWeightsBecomeSinglePrecision) {
  EXPECT_EQ(stored_as(R"({"name": "c", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}})",
                      raw(std::vector<std::uint16_t>{0x3C00, 0xC000})),
            (std::vector<float>{1, -2}));
  EXPECT_EQ(stored_as(R"({"name": "c", "shape": [2], "dtype": "float32",
                          "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}})",
                      raw(std::vector<std::uint8_t>{0, 4})),
            (std::vector<float>{-1, 1}));
  EXPECT_EQ(stored_as(R"({"name": "c", "shape": [1], "dtype": "float32",
                          "quantization": {"dtype": "uint16", "scale": 0.5, "min": 0}})",
                      raw(std::vector<std::uint16_t>{600})),
            (std::vector<float>{300}));
}

TEST(Tfjs, NodesMayStandInAnyOrder) {
  SmallTfjs small;
  small.nodes = R"({"name": "y", "op": "Relu", "input": ["a"]}, {"name": "a", "op": "Abs", "input": ["x"]},)" +
                std::string(kPlaceholder);
  const auto model = small.parse();
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->graph.nodes[0].op, "Abs");
}

TEST(Tfjs, OnlyWhatTheOutputsNeedIsImported) {
  SmallTfjs small;
  small.nodes = std::string(kPlaceholder) +
                R"(, {"name": "y", "op": "Relu", "input": ["x"]}, {"name": "z", "op": "Odd", "input": ["y"]})";
  EXPECT_EQ(small.complaint(), "");
}

TEST(Tfjs, EveryUnsupportedOperatorIsNamedWithItsNode) {
  SmallTfjs small;
  small.nodes = std::string(kPlaceholder) + R"(, {"name": "a", "op": "Odd", "input": ["x"]},
    {"name": "b", "op": "Relu", "input": ["a"]}, {"name": "y", "op": "Odder", "input": ["b"]})";
  EXPECT_EQ(small.complaint(), "not supported: node 1 (Odd 'a'), node 3 (Odder 'y')");
}

TEST(Tfjs, CirclesAreRefused) {
  SmallTfjs small;
  small.nodes = R"({"name": "y", "op": "Relu", "input": ["a"]}, {"name": "a", "op": "Abs", "input": ["y"]})";
  EXPECT_EQ(small.complaint(), "the graph runs in a circle through node 'y'");
  small.nodes = R"({"name": "y", "op": "Relu", "input": ["y"]})";
  EXPECT_EQ(small.complaint(), "the graph runs in a circle through node 'y'");
}

TEST(Tfjs, WhatDoesNotFitIsNamed) {
  SmallTfjs small = convolution();
  small.bytes.resize(30);
  EXPECT_EQ(small.complaint(), "node 'b' (Const): weight 'b' takes bytes 24 to 36, but there are 30");
  small = convolution();
  small.paths = R"("lost.bin")";
  EXPECT_EQ(small.complaint(), "node 'w' (Const): no lost.bin");
  small = convolution();
  small.weights = R"({"name": "w", "shape": [1, 1, 2, 3], "dtype": "float32"})";
  EXPECT_EQ(small.complaint(), "node 'b' (Const): the weights do not list it");
  small.weights = R"({"name": "w", "shape": [9000000, 9000000], "dtype": "float32"})";
  EXPECT_NE(small.complaint().find("weight 'w'"), std::string::npos) << small.complaint();
  small = convolution();
  small.outputs = R"("y": {"name": "lost"})";
  EXPECT_EQ(small.complaint(), "output 'lost' is no node");
  small = convolution();
  small.outputs = R"("y": {"name": "y:3"})";
  EXPECT_EQ(small.complaint(), "'y' has no output 3");
}

TEST(Tfjs, OtherTextIsNone) {
  const auto complaint = [](const std::string& text) {
    const auto model = parse_tfjs(text, [](const std::string&) { return std::vector<std::byte>(); });
    return model ? "" : model.error().message;
  };
  EXPECT_EQ(complaint("no"), "not JSON");
  EXPECT_EQ(complaint("{}"), "no TensorFlow.js graph model: it has no modelTopology with nodes");
  EXPECT_EQ(complaint(std::string(100, '[')), "brackets within brackets, deeper than 64");
  EXPECT_EQ(complaint(R"({"modelTopology": {"node": [{"name": "x"}]}})"), "node 0 has no name or no operator");
}

TEST(Tfjs, EverySingleDamagedByteIsSurvived) {
  const SmallTfjs small = convolution();
  const std::string whole = small.json();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const char byte : {'\x00', '"', ']', '9'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      const auto model = parse_tfjs(damaged, [&small](const std::string&) -> Result<std::vector<std::byte>> {
        const auto all = std::as_bytes(std::span(small.bytes));
        return std::vector<std::byte>(all.begin(), all.end());
      });
      EXPECT_TRUE(!model || check(*model)) << "byte " << at;
      refused += model ? 0 : 1;
    }
  EXPECT_GT(refused, whole.size());
}

TEST(Tfjs, WeightsMayNotLieOutsideOfTheFolder) {
  std::string pattern = (std::filesystem::temp_directory_path() / "alara-XXXXXX").string();
  const std::filesystem::path root = mkdtemp(pattern.data());
  std::filesystem::create_directory(root / "model");
  SmallTfjs small = convolution();
  for (const char* file : {"secret.bin", "model/w.bin"}) std::ofstream(root / file, std::ios::binary) << small.bytes;
  std::filesystem::create_symlink(root / "secret.bin", root / "model" / "link.bin");
  const auto wanting = [&](const std::string& path) {
    small.paths = '"' + path + '"';
    std::ofstream(root / "model" / "model.json", std::ios::trunc) << small.json();
    const auto model = read_tfjs(root / "model" / "model.json");
    return model ? "" : model.error().message;
  };
  EXPECT_EQ(wanting("w.bin"), "");
  for (const std::string path : {"../secret.bin", "a/../../secret.bin", "link.bin", "", "..", "."})
    EXPECT_NE(wanting(path).find("does not lie in the model's folder"), std::string::npos) << path;
  EXPECT_NE(wanting((root / "secret.bin").string()).find("does not lie in"), std::string::npos);
  EXPECT_NE(wanting("lost.bin").find("can not read"), std::string::npos);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace alara::graph
