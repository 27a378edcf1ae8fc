// SPDX-License-Identifier: Apache-2.0
#include "graph/import/source.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "graph/builder.hpp"
#include "graph/onnx_file.hpp"

namespace alara::graph {
namespace {

Model two_outputs() {
  Builder builder;
  const std::string x = builder.input("x", Shape{1, 4});
  builder.output(builder.node("Relu", "a", {x}));
  builder.output(builder.node("Abs", "b", {x}));
  return std::move(builder).finish();
}

TEST(Source, TellsFormatsByContentThenByName) {
  EXPECT_EQ(*format_of("model.onnx", "anything"), SourceFormat::onnx);
  EXPECT_EQ(*format_of("model.tflite", "anything"), SourceFormat::tflite);
  EXPECT_EQ(*format_of("model.json", "anything"), SourceFormat::tfjs);
  EXPECT_EQ(*format_of("weights.bin", std::string_view("\x1c\0\0\0TFL3", 8)), SourceFormat::tflite);
  EXPECT_EQ(*format_of("weights", "  {\"format\""), SourceFormat::tfjs);
  const auto unknown = format_of("weights.bin", "anything");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().text(),
            "what kind of model weights.bin is can not be told (name it .onnx, .tflite or (TensorFlow.js) .json)");
}

TEST(Source, ReadsAndChecksWhatItFinds) {
  std::string pattern = (std::filesystem::temp_directory_path() / "alara-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  ASSERT_TRUE(write_onnx(two_outputs(), folder / "model.onnx"));
  const auto model = read_model(folder / "model.onnx");
  EXPECT_TRUE(model) << model.error().text();
  std::ofstream(folder / "broken.tflite") << "nothing";
  const auto broken = read_model(folder / "broken.tflite");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().text(),
            (folder / "broken.tflite").string() + ": not a TensorFlow Lite file: it does not have TFL3 at byte 4");
  EXPECT_EQ(read_model(folder / "lost.onnx").error().kind, ErrorKind::not_found);
  EXPECT_EQ(read_model(folder).error().kind, ErrorKind::not_found);
  std::filesystem::remove_all(folder);
}

TEST(Source, OutputsThatAreNotWantedGoWithWhatTheyNeed) {
  Model model = two_outputs();
  ASSERT_TRUE(keep_outputs(model, {"b"}));
  ASSERT_EQ(model.graph.nodes.size(), 1u);
  EXPECT_EQ(model.graph.nodes[0].op, "Abs");
  const Status lost = keep_outputs(model, {"a"});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().message, "'a' is no output of the model; it has b");
}

}  // namespace
}  // namespace alara::graph
