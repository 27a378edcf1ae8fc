// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/quantize.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

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
}

TEST_F(Quantize, GivesTheSameBytesForTheSameInput) {
  RandomSamples samples(8, {1, 3, 12, 12});
  const auto first = quantize(small_net(), samples, executors_, {}, silent_);
  const auto second = quantize(small_net(), samples, executors_, {}, silent_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*to_onnx(first->model), *to_onnx(second->model));
}

TEST_F(Quantize, TakesBatchesAndShapesThatVary) {
  class Varying final : public SampleSource {
   public:
    [[nodiscard]] std::size_t size() const override { return 6; }
    [[nodiscard]] Result<std::vector<Tensor>> sample(std::size_t i) override {
      return std::vector<Tensor>{random_tensor({static_cast<std::int64_t>(i % 3) + 1, 3, 12, 12}, 1, unsigned(i))};
    }
  } samples;
  const auto out = quantize(small_net(), samples, executors_, {}, silent_);
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_GT(out->sqnr_db, 25);
}

TEST_F(Quantize, PerChannelIsNoWorseThanPerTensor) {
  RandomSamples samples(16, {1, 3, 12, 12});
  for (const auto method : {RangeMethod::min_max, RangeMethod::percentile, RangeMethod::entropy, RangeMethod::mse}) {
    QuantizeOptions options;
    options.method = method;
    const auto fine = quantize(small_net(), samples, executors_, options, silent_);
    options.granularity = Granularity::per_tensor;
    const auto coarse = quantize(small_net(), samples, executors_, options, silent_);
    ASSERT_TRUE(fine && coarse);
    EXPECT_GE(fine->sqnr_db, coarse->sqnr_db) << name_of(method);
  }
}

TEST_F(Quantize, LeavesOutWhatItIsTold) {
  RandomSamples samples(4, {1, 3, 12, 12});
  QuantizeOptions options;
  options.exclude = {"stem", "Gemm"};
  const auto out = quantize(small_net(), samples, executors_, options, silent_);
  ASSERT_TRUE(out) << out.error().text();
  for (const LayerReport& layer : out->layers)
    EXPECT_EQ(layer.integer, layer.name != "Conv 'stem'" && layer.op != "Gemm") << layer.name;
  EXPECT_LT(out->integer_macs, 1);
  options.exclude = {"no such node"};
  EXPECT_EQ(quantize(small_net(), samples, executors_, options, silent_).error().kind, ErrorKind::bad_input);
}

// A layer whose 8-bit inputs are worthless: two channels, one a thousand times the other, and only the small counts.
Model hard_net() {
  Builder builder("hard");
  const auto x = builder.input("x", Shape{1, 2, 8, 8});
  const auto wide = builder.constant("wide", Tensor::of<float>({2, 2, 1, 1}, std::vector<float>{1000, 0, 0, 1}));
  const auto pick = builder.constant("pick", Tensor::of<float>({1, 2, 1, 1}, std::vector<float>{0, 1}));
  const auto bias = builder.constant("bias", Tensor::of<float>({1}, std::vector<float>{0.5F}));
  auto value = builder.node("Conv", "widen", {x, wide});
  value = builder.node("Conv", "narrow", {value, pick, bias});
  value = conv(builder, "harmless", value, {4, 1, 3, 3}, {}, 4);
  builder.output(value);
  return std::move(builder).finish();
}

TEST_F(Quantize, PutsLayersBackUntilTheMetricHolds) {
  RandomSamples samples(8, {1, 2, 8, 8});
  QuantizeOptions options;
  options.max_drop = 0.1;  // of the cosine, in percent
  const auto out = quantize(hard_net(), samples, executors_, options, silent_);
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_GE(out->put_back, 1u);
  EXPECT_LE(out->put_back, 2u);
  EXPECT_GE(out->cosine, 0.999);
  EXPECT_LT(out->integer_macs, 1);
  const auto harmless = std::find_if(out->layers.begin(), out->layers.end(),
                                     [](const LayerReport& layer) { return layer.name == "Conv 'harmless'"; });
  ASSERT_NE(harmless, out->layers.end());
  EXPECT_TRUE(harmless->integer);
}

TEST_F(Quantize, StopsWhenAskedTo) {
  class Stopping final : public Progress {
   public:
    void begin(std::string_view, std::size_t) override {}
    void step(std::size_t done, std::string_view) override { steps += done > 0 ? 1 : 0; }
    [[nodiscard]] bool stopped() const override { return steps >= 2; }
    int steps = 0;
  } progress;
  RandomSamples samples(100, {1, 3, 12, 12});
  const auto out = quantize(small_net(), samples, executors_, {}, progress);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::refused);
  EXPECT_EQ(progress.steps, 2);
}

// Stopped again and again, each time one step of the long parts later, it ends as if it never had been.
TEST_F(Quantize, GoesOnWhereItWasStopped) {
  class Stopping final : public Progress {
   public:
    void begin(std::string_view task, std::size_t) override {
      long_part_ = task.starts_with("rounding") || task.starts_with("measuring") || task.starts_with("searching");
    }
    void step(std::size_t, std::string_view) override { steps_ += long_part_ ? 1 : 0; }
    [[nodiscard]] bool stopped() const override { return long_part_ && steps_ >= most; }
    int most = 0;

   private:
    bool long_part_ = false;
    int steps_ = 0;
  };
  const auto path = std::filesystem::temp_directory_path() / fmt::format("alara-quantize-journal-{}", getpid());
  RandomSamples samples(8, {1, 2, 8, 8});
  int scored = 0;
  QuantizeOptions options;
  options.adaround = true;
  options.max_drop = 0.5;
  options.metric = [&](const Model& model) -> Result<double> {
    ++scored;
    ALARA_TRY(const std::string bytes, to_onnx(model));
    return bytes.find("QuantizeLinear") == std::string::npos ? 100.0 : 99.0;
  };
  const auto whole = quantize(hard_net(), samples, executors_, options, silent_);
  ASSERT_TRUE(whole) << whole.error().text();
  const int scored_at_once = std::exchange(scored, 0);
  int stops = 0;
  for (bool done = false; !done; ++stops) {
    ASSERT_LT(stops, 100);
    auto journal = WorkJournal::open(path);
    ASSERT_TRUE(journal) << journal.error().text();
    options.journal = &*journal;
    Stopping progress;
    progress.most = stops;
    const auto out = quantize(hard_net(), samples, executors_, options, progress);
    done = out.has_value();
    if (!done) {
      EXPECT_EQ(out.error().kind, ErrorKind::refused) << out.error().text();
      continue;
    }
    EXPECT_EQ(*to_onnx(out->model), *to_onnx(whole->model));
    EXPECT_EQ(out->notes, whole->notes);
    EXPECT_GT(journal->recalled(), 4U);
  }
  std::filesystem::remove(path);
  EXPECT_GT(stops, 4);
  EXPECT_GE(scored_at_once, 3);
  EXPECT_LE(scored, scored_at_once);  // equal models are scored once
}

TEST_F(Quantize, SaysWhatIsMissing) {
  RandomSamples none(0, {1, 3, 12, 12}), wrong(2, {1, 5, 12, 12});
  EXPECT_EQ(quantize(small_net(), none, executors_, {}, silent_).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(quantize(small_net(), wrong, executors_, {}, silent_).error().kind, ErrorKind::bad_input);
  Builder builder("nothing");
  builder.output(builder.node("Relu", "y", {builder.input("x", Shape{1, 3})}));
  RandomSamples samples(2, {1, 3});
  EXPECT_EQ(quantize(std::move(builder).finish(), samples, executors_, {}, silent_).error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace alara::graph
