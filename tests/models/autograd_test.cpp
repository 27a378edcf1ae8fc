// SPDX-License-Identifier: Apache-2.0
// Whole imported models as networks: they give what ONNX Runtime gives, learn all their layers, and run with more rows
// than their one.
#include <ATen/ATen.h>

#include <filesystem>

#include "graph/tflite/tflite_file.hpp"
#include "learn/autograd/agreement.hpp"
#include "tests/models/running.hpp"

namespace alara::models {
namespace {

namespace fs = std::filesystem;

struct Expected {
  const char* file;
  std::int64_t learned;  // numbers that training may change
  double tolerance;      // of float models rounding, of 8-bit ones one step of the output on the other side of a tie
};

constexpr Expected kModels[] = {
    {"ad_fp32.tflite", 265864, 1e-5},  {"ic_fp32.tflite", 77706, 1e-5},   {"kws_fp32.tflite", 22604, 1e-5},
    {"vww_fp32.tflite", 210850, 1e-5}, {"ad_int8.tflite", 265864, 0.05},  {"ic_int8.tflite", 77706, 0.05},
    {"kws_int8.tflite", 22604, 0.05},  {"vww_int8.tflite", 210850, 0.05},
};

// Numbers in -1 … 1, for 8-bit inputs a hundred times as much.
graph::Tensor input_of(const graph::Model& model) {
  graph::Tensor out = random_inputs(model)[0];
  if (model.graph.inputs[0].type != graph::DataType::int8) return out;
  graph::Tensor bytes = graph::Tensor::zeros(graph::DataType::int8, out.shape);
  std::ranges::transform(out.values<float>(), bytes.mutable_values<std::int8_t>().begin(),
                         [](float number) { return static_cast<std::int8_t>(100 * number); });
  return bytes;
}

class ImportedModels : public WithRuntime {
 protected:
  void SetUp() override {
    WithRuntime::SetUp();
    if (!IsSkipped() && !fs::exists(kFolder)) GTEST_SKIP() << kFolder << " is not there";
  }

  static graph::Model read(const Expected& expected) {
    auto model = graph::read_tflite(fs::path(kFolder) / expected.file);
    EXPECT_TRUE(model) << model.error().text();
    return model.value_or(graph::Model{});
  }
  static constexpr const char* kFolder = "../shared/data/mlperf_tiny";
};

TEST_F(ImportedModels, GiveWhatOnnxRuntimeGives) {
  for (const Expected& expected : kModels) {
    SCOPED_TRACE(expected.file);
    const graph::Model model = read(expected);
    const graph::Tensor input = input_of(model);
    const auto error = learn::largest_forward_error(model, std::span(&input, 1), learn::make_ort_executor());
    ASSERT_TRUE(error) << error.error().text();
    EXPECT_LE(*error, expected.tolerance);
  }
}

TEST_F(ImportedModels, LearnAllTheirLayers) {
  for (const Expected& expected : kModels) {
    SCOPED_TRACE(expected.file);
    const graph::Model model = read(expected);
    auto network = learn::Network::build(model);
    ASSERT_TRUE(network) << network.error().text();
    std::int64_t learned = 0;
    for (const auto& [name, parameter] : network->parameters()) learned += parameter.numel();
    EXPECT_EQ(learned, expected.learned);
    const at::Tensor row = *learn::to_torch(input_of(model));
    const auto outputs = network->run(std::span(&row, 1), {}, learn::Mode::train);
    ASSERT_TRUE(outputs) << outputs.error().text();
    outputs->at(0).sum().backward();
    for (const auto& [name, parameter] : network->parameters()) EXPECT_TRUE(parameter.grad().defined()) << name;
  }
}

TEST_F(ImportedModels, RunWithMoreRowsThanTheirOne) {
  const at::NoGradGuard guard;
  for (const Expected& expected : kModels) {
    SCOPED_TRACE(expected.file);
    const graph::Model model = read(expected);
    auto network = learn::Network::build(model);
    ASSERT_TRUE(network) << network.error().text();
    const at::Tensor row = *learn::to_torch(input_of(model));
    const at::Tensor rows = at::cat({row.flip(-1), row, row});
    const auto one = network->run(std::span(&row, 1));
    const auto three = network->run(std::span(&rows, 1));
    ASSERT_TRUE(one && three);
    const std::int64_t count = one->at(0).size(0);
    ASSERT_EQ(three->at(0).size(0), 3 * count);
    EXPECT_TRUE(at::allclose(three->at(0).slice(0, count, 2 * count), one->at(0), 1e-4, 1e-4));
  }
}

}  // namespace
}  // namespace alara::models
