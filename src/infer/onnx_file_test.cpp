// SPDX-License-Identifier: Apache-2.0
#include "infer/onnx_file.hpp"

#include <gtest/gtest.h>

#include "infer/inspect.hpp"
#include "infer/model_fixture.hpp"

namespace alara::infer {
namespace {

using test::Folder;

Result<ModelInfo> parse(const std::string& bytes) {
  return parse_onnx(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

TEST(OnnxFile, SaysWhatAModelTakesGivesAndUses) {
  const auto info = parse(SmallMlp::random({8, 64, 64, 2}, 1).onnx());
  ASSERT_TRUE(info) << info.error().text();
  ASSERT_EQ(info->inputs.size(), 1u);
  EXPECT_EQ(info->inputs[0].text(), "features: float32[batch, 8]");
  ASSERT_EQ(info->outputs.size(), 1u);
  EXPECT_EQ(info->outputs[0].text(), "prediction: float32[batch, 2]");
  EXPECT_EQ(info->operators, (std::map<std::string, std::size_t>{{"Gemm", 3}, {"Relu", 2}}));
  EXPECT_EQ(info->opsets, (std::map<std::string, std::int64_t>{{"", 17}}));
  EXPECT_EQ(info->parameters, 8u * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2);
  EXPECT_EQ(info->producer, "alara");
  EXPECT_FALSE(info->external_data);
}

TEST(OnnxFile, EveryCutShortFileIsRefused) {
  const std::string whole = SmallMlp::random({3, 4, 1}, 1).onnx();
  ASSERT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto info = parse(whole.substr(0, size));
    ASSERT_FALSE(info) << "the first " << size << " bytes";
    EXPECT_EQ(info.error().kind, ErrorKind::corrupt);
  }
}

TEST(OnnxFile, EverySingleDamagedByteIsSurvived) {
  const std::string whole = SmallMlp::random({2, 2, 1}, 1).onnx();
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const char byte : {'\x00', '\x7f', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      static_cast<void>(parse(damaged));  // must return; what it says depends on the byte
    }
}

TEST(OnnxFile, NumbersOfMoreThan64BitsAreCorrupt) {
  const auto info = parse(std::string(11, '\xff'));
  ASSERT_FALSE(info);
  EXPECT_NE(info.error().message.find("more than 64 bits"), std::string::npos) << info.error().message;
}

TEST(OnnxFile, GraphsNestedTooDeepAreRefused) {
  const auto nested = [](int depth) {  // model.graph.node.attribute.graph.node.attribute…
    std::string bytes;
    const auto wrap = [&](char field) {
      std::string outer(1, static_cast<char>(field << 3 | 2));
      for (std::size_t size = bytes.size();; size >>= 7) {
        outer += static_cast<char>((size & 0x7f) | (size >= 0x80 ? 0x80 : 0));
        if (size < 0x80) break;
      }
      bytes = outer + bytes;
    };
    for (int i = 0; i < depth; ++i) {
      wrap(6);  // attribute.g
      wrap(5);  // node.attribute
      wrap(1);  // graph.node
    }
    wrap(7);  // model.graph
    return bytes;
  };
  EXPECT_TRUE(parse(nested(kMaxGraphDepth)));
  EXPECT_FALSE(parse(nested(kMaxGraphDepth + 1)));
  EXPECT_FALSE(parse(nested(1'000)));
}

TEST(OnnxFile, ConstantsListedAmongTheInputsAreNotInputs) {
  SmallModel model;
  const std::vector<float> weight{2};
  model.input("x", {-1, 1});
  model.input("weight", {1});
  model.constant("weight", {1}, weight);
  model.output("y", {-1, 1});
  model.node("Mul", {"x", "weight"}, {"y"});
  const auto info = parse(model.bytes());
  ASSERT_TRUE(info);
  ASSERT_EQ(info->inputs.size(), 1u);
  EXPECT_EQ(info->inputs[0].name, "x");
}

TEST(OnnxFile, TheDigestIsTheFilesSha256) {
  const Folder folder;
  const std::string bytes("\x3a\x00", 2);  // an empty graph
  const auto file = read_model_file(folder.write("m.onnx", bytes));
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->info.digest, "sha256:7648eb81c4e9fef7b51879c6fcd6fb4b8863eea0cb2a978c508711dc52c80041");
  EXPECT_EQ(file->info.bytes, 2u);
}

TEST(OnnxFile, MissingFilesFoldersAndGarbageAreNamed) {
  const Folder folder;
  const auto missing = read_model_file(folder.path() + "/none.onnx");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_NE(missing.error().message.find("none.onnx"), std::string::npos);

  const auto directory = read_model_file(folder.path());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().kind, ErrorKind::bad_input);

  for (const std::string& garbage : {std::string(), std::string("hello"), std::string(1000, 'x')}) {
    const auto file = read_model_file(folder.write("garbage.onnx", garbage));
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind, ErrorKind::corrupt);
  }
}

TEST(Inspect, SaysWhetherTheModelRunsHere) {
  ALARA_NEEDS_ONNXRUNTIME();
  const Folder folder;
  const FakeClock clock;
  const auto good = inspect(folder.write("good.onnx", SmallMlp::random({8, 16, 2}, 1).onnx()), clock);
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->loads) << good->loads.error().text();
  const std::string text = good->text();
  for (const char* part : {"input      features: float32[batch, 8]", "operators  Gemm x2, Relu x1", "ai.onnx 17",
                           "sha256:", "cpu", "runs here  yes"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;

  SmallModel odd;
  odd.input("x", {-1, 1});
  odd.output("y", {-1, 1});
  odd.node("Frobnicate", {"x"}, {"y"}, {}, "com.example");
  const auto bad = inspect(folder.write("bad.onnx", odd.bytes()), clock);
  ASSERT_TRUE(bad);
  EXPECT_FALSE(bad->loads);
  EXPECT_NE(bad->text().find("runs here  no: "), std::string::npos) << bad->text();
  EXPECT_NE(bad->text().find("com.example.Frobnicate x1"), std::string::npos) << bad->text();
}

}  // namespace
}  // namespace alara::infer
