// SPDX-License-Identifier: Apache-2.0
// Every template gives a model that libtorch and ONNX Runtime run to the same numbers.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "graph/executor.hpp"
#include "learn/architecture/architecture.hpp"
#include "learn/architecture/templates.hpp"
#include "learn/autograd/network.hpp"
#include "learn/data/random.hpp"
#include "learn/ort_executor.hpp"

namespace alara::learn {
namespace {

// Small enough to be quick; templates that are not here are small by themselves.
std::string settings_for(const std::string& name) {
  static const std::map<std::string, std::string> kSmall = {
      {"resnet50", "{input: [3, 64, 64], width: 0.25, classes: 7}"},
      {"squeezenet", "{input: [3, 64, 64], width: 0.25, classes: 7}"},
      {"mobilenet_v3_small", "{input: [3, 64, 64], width: 0.5, classes: 7}"},
      {"mobilenet_v3_large", "{input: [3, 64, 64], width: 0.5, classes: 7}"},
      {"efficientnet_lite0", "{input: [3, 64, 64], classes: 7}"},
      {"yolo_tiny", "{input: [3, 64, 96], width: 0.25, classes: 3}"},
      {"ssd", "{input: [3, 96, 96], width: 0.25, classes: 3}"}};
  const auto found = kSmall.find(name);
  return found == kSmall.end() ? "" : found->second;
}

graph::Tensor some_input(const graph::ValueInfo& input, std::int64_t rows) {
  graph::Dims dims = *input.dims;
  dims.front() = {rows, ""};
  graph::Tensor tensor = graph::Tensor::zeros(graph::DataType::float32, *graph::shape_of(dims));
  Random chance(4);
  for (float& number : tensor.mutable_values<float>()) number = static_cast<float>(chance.uniform());
  return tensor;
}

// The largest difference, as a share of the largest number.
double difference(std::span<const float> a, std::span<const float> b) {
  double most = 0, largest = 1e-6;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    largest = std::max(largest, std::abs(static_cast<double>(a[i])));
  }
  return most / largest;
}

class TemplateRun : public testing::TestWithParam<std::string> {};

TEST_P(TemplateRun, GivesTheSameNumbersInBothEngines) {
  const auto model = build_template(GetParam(), settings_for(GetParam()));
  ASSERT_TRUE(model) << model.error().text();
  const graph::Tensor input = some_input(model->graph.inputs.front(), 2);
  auto network = Network::build(*model);
  ASSERT_TRUE(network) << network.error().text();
  const at::NoGradGuard no_gradients;
  const at::Tensor given[] = {*to_torch(input)};
  const auto ours = network->run(given);
  ASSERT_TRUE(ours) << ours.error().text();
  const auto executor = make_ort_executor()(*model, {}, {});
  if (!executor && executor.error().kind == ErrorKind::unavailable) GTEST_SKIP() << executor.error().text();
  ASSERT_TRUE(executor) << executor.error().text();
  const graph::TensorView views[] = {graph::view(input)};
  const auto theirs = (*executor)->run(views);
  ASSERT_TRUE(theirs) << theirs.error().text();
  ASSERT_EQ(ours->size(), theirs->size());
  for (std::size_t i = 0; i < ours->size(); ++i) {
    const graph::Tensor number = from_torch((*ours)[i]);
    EXPECT_EQ(number.shape, graph::Shape((*theirs)[i].shape.begin(), (*theirs)[i].shape.end()));
    EXPECT_LT(difference(number.values<float>(), (*theirs)[i].values<float>()), 1e-4);
  }
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const Template& each : templates()) out.push_back(each.schema.name);
  return out;
}
INSTANTIATE_TEST_SUITE_P(All, TemplateRun, testing::ValuesIn(names()), [](const auto& name) { return name.param; });

}  // namespace
}  // namespace alara::learn
