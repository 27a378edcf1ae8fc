// SPDX-License-Identifier: Apache-2.0
// A model's file is exchanged under a running node.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "infer/session.hpp"
#include "infer/small_models.hpp"
#include "node/runtime.hpp"

namespace alara::node {
namespace {

class ModelReload : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto library = infer::runtime_info(); !library) GTEST_SKIP() << library.error().text();
    std::string pattern = (std::filesystem::temp_directory_path() / "alara-model-reload-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    std::ofstream csv(folder + "/recording.csv");
    csv << "a,b\n";
    for (int i = 0; i < 2000; ++i) csv << i % 7 << "," << i % 5 << "\n";
    csv.close();
    std::ofstream(folder + "/site.yaml") << R"(node: models
settings: {http: "", when_full: block}
connectors:
  recording: {file: {path: recording.csv, rate: 1kHz, speed: "1", stamp: now, loop: true}}
asset_types:
  pump: {signals: {a: {}, b: {}}}
assets:
  pump-1: {type: pump, from: {a: recording/a, b: recording/b}}
pipelines:
  score:
    for: pump
    steps:
      judge: {model: {file: judge.onnx, inputs: [a, b], outputs: [score]}}
)";
    write_model(1);
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  }
  void write_model(std::uint64_t seed) const {
    ASSERT_TRUE(
        infer::write_bytes(folder + "/judge.onnx", infer::SmallMlp::random({2, 4, 1}, seed).onnx()).has_value());
  }
  static bool wait_for_rows(const Runtime& runtime, std::uint64_t rows) {
    SystemClock clock;
    for (const Nanos end = clock.monotonic() + 5 * kSecond; clock.monotonic() < end;
         clock.sleep_until(clock.monotonic() + kMillisecond))
      if (const NodeStatus status = runtime.status(); !status.pipelines.empty() && status.pipelines[0].rows >= rows)
        return true;
    return false;
  }

  std::string folder;
  SystemClock clock;
};

TEST_F(ModelReload, TakesANewFileOverWithoutMissingARow) {
  Diagnosis diagnosis;
  const auto runtime = Runtime::start(folder + "/site.yaml", clock, {.realtime = false}, diagnosis);
  ASSERT_TRUE(runtime) << diagnosis.errors.front().text();
  ASSERT_TRUE(wait_for_rows(*runtime, 200));
  const std::string before = runtime->status().models.at(0).digest;

  write_model(2);
  diagnosis = runtime->reload();
  EXPECT_TRUE(diagnosis.ok());
  EXPECT_TRUE(diagnosis.warnings.empty());
  NodeStatus status = runtime->status();
  EXPECT_EQ(status.models.at(0).replaced, 1u);
  EXPECT_NE(status.models.at(0).digest, before);
  ASSERT_TRUE(wait_for_rows(*runtime, status.pipelines[0].rows + 200));

  runtime->stop();
  status = runtime->status();
  EXPECT_EQ(status.points_unaccounted(), 0u);
  EXPECT_EQ(status.connectors.at(0).account.dropped_points(), 0u);
}

TEST_F(ModelReload, KeepsTheOldModelWhenTheNewFileIsNoModel) {
  Diagnosis diagnosis;
  const auto runtime = Runtime::start(folder + "/site.yaml", clock, {.realtime = false}, diagnosis);
  ASSERT_TRUE(runtime) << diagnosis.errors.front().text();
  const std::string before = runtime->status().models.at(0).digest;
  std::ofstream(folder + "/judge.onnx") << "no model";
  diagnosis = runtime->reload();
  ASSERT_EQ(diagnosis.warnings.size(), 1u);
  EXPECT_NE(diagnosis.warnings[0].text().find("goes on with its old model"), std::string::npos)
      << diagnosis.warnings[0].text();
  EXPECT_EQ(runtime->status().models.at(0).digest, before);
  EXPECT_EQ(runtime->status().models.at(0).replaced, 0u);
}

}  // namespace
}  // namespace alara::node
