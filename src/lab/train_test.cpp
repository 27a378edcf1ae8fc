// SPDX-License-Identifier: Apache-2.0
// `alara-lab train` and `finetune` as a user calls them.
#include <gtest/gtest.h>

#include "graph/onnx_file.hpp"
#include "lab/commands.hpp"
#include "learn/data/random.hpp"
#include "learn/data/test_files.hpp"

namespace alara::lab {
namespace {

int run(std::vector<std::string> words) {
  words.insert(words.begin(), "alara-lab");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return run_command_line(static_cast<int>(arguments.size()), arguments.data());
}

// Points whose class is the sign of their sum.
void write_points(const learn::TestFolder& folder) {
  learn::Random chance(2);
  std::vector<float> points;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 200; ++i) {
    points.insert(points.end(), {static_cast<float>(chance.normal()), static_cast<float>(chance.normal())});
    labels.push_back(points[points.size() - 2] + points.back() > 0 ? 1 : 0);
  }
  folder.write("data/inputs.npy", graph::Tensor::of<float>({200, 2}, points));
  folder.write("data/labels.npy", graph::Tensor::of<std::int64_t>({200}, labels));
}

TEST(TrainCommand, TrainsFromAnArchitectureFileAndTrainsOn) {
  const learn::TestFolder folder;
  write_points(folder);
  const auto at = [&](const char* name) { return (folder.path() / name).string(); };
  folder.write("net.yaml", std::string("input: [2]\nlayers: [{dense: 8}, relu, {dense: 2}]\n"));
  ASSERT_EQ(run({"train", at("a.onnx"), "--template", at("net.yaml"), "--data", at("data"), "--epochs", "2",
                 "--threads", "1", "--curve", at("curve.json"), "--checkpoint", at("state")}),
            0);
  const auto model = graph::read_onnx(at("a.onnx"));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_TRUE(model->metadata.contains("alara.preprocessing"));
  EXPECT_TRUE(std::filesystem::exists(at("curve.json")));
  EXPECT_TRUE(std::filesystem::exists(at("state/training.checkpoint")));
  ASSERT_EQ(run({"finetune", at("a.onnx"), at("b.onnx"), "--data", at("data"), "--epochs", "1", "--threads", "1"}), 0);
  const auto better = graph::read_onnx(at("b.onnx"));
  ASSERT_TRUE(better);
  EXPECT_EQ(better->metadata.at("alara.preprocessing"), model->metadata.at("alara.preprocessing"));
  EXPECT_NE(better->graph.constants.at("dense.weight")->bytes, model->graph.constants.at("dense.weight")->bytes);
}

TEST(TrainCommand, TakesWhatTheUserCanMendAsBadUsage) {
  const learn::TestFolder folder;
  write_points(folder);
  const std::string data = (folder.path() / "data").string(), out = (folder.path() / "a.onnx").string();
  EXPECT_EQ(run({"train", out, "--template", "mlp", "--data", data}), 2) << "the template takes 8 numbers, not 2";
  EXPECT_EQ(run({"train", out, "--template", "mlq", "--set", "input=[2]", "--data", data}), 2);
  EXPECT_EQ(run({"train", out, "--template", "mlp", "--set", "input", "--data", data}), 2);
  EXPECT_EQ(run({"train", out, "--template", "mlp", "--set", "input=[2]", "--data", data, "--optimiser", "magic"}), 2);
  EXPECT_EQ(run({"train", out, "--data", data}), 2);
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace alara::lab
