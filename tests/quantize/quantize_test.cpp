// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/onnx_file.hpp"
#include "graph/quantize/compare.hpp"
#include "learn/ort_executor.hpp"
#include "tests/quantize/fixture.hpp"

namespace alara::graph {
namespace {

using namespace test;

TEST_F(Quantize, KeepsASmallNetsOutputs) {
  const Model model = small_net();
  RandomSamples samples(16, {1, 3, 12, 12});
  const auto out = quantize(model, samples, executors_, {}, silent_);
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_GT(out->sqnr_db, 25);
  EXPECT_GT(out->cosine, 0.99);
  EXPECT_EQ(out->integer_macs, 1);
  EXPECT_LT(to_onnx(out->model)->size(), to_onnx(model)->size());
}

TEST_F(Quantize, GivesTheSameBytesForTheSameInput) {
  RandomSamples samples(8, {1, 3, 12, 12});
  const auto first = quantize(small_net(), samples, executors_, {}, silent_);
  const auto second = quantize(small_net(), samples, executors_, {}, silent_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*to_onnx(first->model), *to_onnx(second->model));
}

}  // namespace
}  // namespace alara::graph
