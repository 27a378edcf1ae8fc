// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "graph/onnx_file.hpp"
#include "graph/quantize/compare.hpp"
#include "infer/session.hpp"
#include "lab/curve_picture.hpp"
#include "lab/report_measure.hpp"
#include "lab/report_page.hpp"
#include "learn/data/test_files.hpp"
#include "learn/ort_executor.hpp"

namespace alara::lab {
namespace {

using graph::Tensor;

// Four classes: the largest of four inputs, which are scaled first.
graph::Model classifier(float scale_of_the_second) {
  graph::Builder builder;
  const std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {4, {}}});
  Tensor weights = Tensor::zeros(graph::DataType::float32, {4, 4});
  for (std::size_t i = 0; i < 4; ++i) weights.mutable_values<float>()[5 * i] = i == 1 ? scale_of_the_second : 1.0F;
  const std::string scores = builder.node("MatMul", "scores", {x, builder.constant("w", weights)});
  builder.output(builder.node("Softmax", "y", {scores}), graph::DataType::float32, graph::Dims{{-1, "batch"}, {4, {}}});
  return std::move(builder).finish();
}

class Reports : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto runtime = infer::runtime_info(); !runtime) GTEST_SKIP() << runtime.error().text();
    ASSERT_TRUE(graph::write_onnx(classifier(1), folder_.path() / "float.onnx"));
    ASSERT_TRUE(graph::write_onnx(classifier(0), folder_.path() / "deaf.onnx"));
    Tensor rows = Tensor::zeros(graph::DataType::float32, {8, 4});
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < 8; ++i) {
      rows.mutable_values<float>()[4 * i + i % 4] = 2;
      labels.push_back(static_cast<std::int64_t>(i % 4));
    }
    folder_.write("data/inputs.npy", rows);
    folder_.write("data/labels.npy", Tensor::of(graph::Shape{8}, labels));
  }

  [[nodiscard]] Result<Report> make(ReportRequest request = {}) const {
    request.title = "A report";
    request.original = {"float", folder_.path() / "float.onnx"};
    request.variants = {{"deaf", folder_.path() / "deaf.onnx"}};
    if (request.data.empty()) request.data = folder_.path() / "data";
    const FakeClock clock;
    Silent progress;
    return make_report(request, learn::make_ort_executor(), clock, progress);
  }

  learn::TestFolder folder_;
};

TEST_F(Reports, CountWhatIsRightAndWhatIsTheSame) {
  const auto report = make();
  ASSERT_TRUE(report) << report.error().text();
  ASSERT_EQ(report->variants.size(), 2u);
  EXPECT_EQ(report->samples, 8u);
  EXPECT_EQ(report->variants[0].accuracy, 100.0);
  EXPECT_EQ(report->variants[1].accuracy, 75.0);
  EXPECT_EQ(report->variants[1].same_answer, 75.0);
  EXPECT_EQ(report->variants[0].parameters, 16);
  EXPECT_EQ(report->variants[0].macs, 16);
  ASSERT_EQ(report->variants[1].values.size(), 2u);
  EXPECT_EQ(report->variants[1].values[0].value, "scores");
  EXPECT_NEAR(report->variants[1].values[0].sqnr_db, 10 * std::log10(4), 1e-6);  // a quarter of the signal is gone
  EXPECT_LT(report->variants[0].packed_bytes, report->variants[0].bytes + 32);
}

TEST_F(Reports, AreTheSameInEveryRunButForTimes) {
  const auto once = make();
  const auto again = make();
  ASSERT_TRUE(once && again);
  EXPECT_EQ(once->json()["report"].dump(), again->json()["report"].dump());
  EXPECT_EQ(report_page(*once), report_page(*again));  // the clock of this test stands still
}

TEST_F(Reports, DoWithoutLabels) {
  std::filesystem::remove(folder_.path() / "data/labels.npy");
  const auto report = make();
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->variants[0].accuracy, std::nullopt);
  EXPECT_EQ(report->variants[1].same_answer, 75.0);
}

TEST_F(Reports, NeverTakeNumbersThatAreNoneForAgreement) {
  ASSERT_TRUE(graph::write_onnx(classifier(std::numeric_limits<float>::quiet_NaN()), folder_.path() / "deaf.onnx"));
  const auto report = make();
  ASSERT_TRUE(report) << report.error().text();
  const VariantReport& broken = report->variants[1];
  EXPECT_EQ(broken.sqnr_db, -graph::kExactDb);
  EXPECT_EQ(broken.cosine, 0);
  EXPECT_EQ(broken.accuracy, 0);
  EXPECT_EQ(broken.same_answer, 0);
  EXPECT_EQ(broken.not_finite, std::vector<std::string>{"y"});
  const auto warnings = report->warnings();
  EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
    return warning.find("output 'y' of deaf can not be compared") != std::string::npos;
  }));
}

TEST_F(Reports, RefuseModelsOfOtherInputs) {
  graph::Builder builder;
  builder.output(builder.node("Relu", "y", {builder.input("x", graph::DataType::int32, {{4, {}}})}),
                 graph::DataType::int32);
  ASSERT_TRUE(graph::write_onnx(std::move(builder).finish(), folder_.path() / "deaf.onnx"));
  const auto report = make();
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("differ in their inputs"), std::string::npos);
}

TEST_F(Reports, SayWhichShapesDiffer) {
  graph::Builder builder;
  const std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {5, {}}});
  builder.output(builder.node("Softmax", "y", {x}), graph::DataType::float32, graph::Dims{{-1, "batch"}, {5, {}}});
  ASSERT_TRUE(graph::write_onnx(std::move(builder).finish(), folder_.path() / "deaf.onnx"));
  const auto report = make();
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("takes x: float32[batch, 4]"), std::string::npos) << report.error().text();
  EXPECT_NE(report.error().message.find("takes x: float32[batch, 5]"), std::string::npos) << report.error().text();
}

TEST_F(Reports, CountIntegersThatStandForZero) {
  graph::Builder builder;
  const std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {4, {}}});
  Tensor weights = Tensor::zeros(graph::DataType::uint8, {4, 64});  // zero points of two of four rows
  std::vector<float> scales(4, 1);
  const std::string w =
      builder.node("DequantizeLinear", "wide",
                   {builder.constant("w", weights), builder.constant("s", Tensor::of<float>({4}, scales)),
                    builder.constant("z", Tensor::of<std::uint8_t>({4}, std::vector<std::uint8_t>{0, 1, 2, 0}))},
                   {{"axis", std::int64_t{0}}});
  builder.output(builder.node("MatMul", "y", {x, w}), graph::DataType::float32, graph::Dims{{-1, "batch"}, {64, {}}});
  const graph::Model model = std::move(builder).finish();
  ASSERT_TRUE(graph::write_onnx(model, folder_.path() / "float.onnx"));
  ASSERT_TRUE(graph::write_onnx(model, folder_.path() / "deaf.onnx"));
  const auto report = make();
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->variants[0].zero_share, 0.5);
}

Report two_variants() {
  Report report;
  report.title = "<script>alert(1)</script> & \"co\"";
  report.cpu_features = {"avx2"};
  VariantReport original;
  original.name = "float";
  original.accuracy = 93;
  original.measured.p50_ms = 1;
  VariantReport integer = original;
  integer.name = "int8 <b>";
  integer.integer = true;
  integer.accuracy = 91;
  integer.measured.p50_ms = 2;
  integer.values.push_back({"conv<1>", "Conv", 31.5, 0.999, 0.1});
  report.variants = {original, integer};
  report.curves.push_back({"run", {{"loss", {1, 0.5}}, {"validation_loss", {1, 0.6}}}});
  return report;
}

TEST(Report, WarnsWhenAVariantIsSlowerOrMuchWorse) {
  Report report = two_variants();
  const auto warnings = report.warnings();
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("is slower here than float: 2 ms against 1 ms"), std::string::npos);
  EXPECT_NE(warnings[0].find("VNNI"), std::string::npos);
  EXPECT_NE(warnings[1].find("loses 2.00 points"), std::string::npos);
  report.cpu_features.emplace_back("avx512vnni");
  EXPECT_EQ(report.warnings()[0].find("VNNI"), std::string::npos);
  report.variants[1].measured.p50_ms = 0.9;
  report.variants[1].accuracy = 92.5;
  EXPECT_TRUE(report.warnings().empty());
}

TEST(ReportPage, NeverTakesNamesForMarkupAndFetchesNothing) {
  const std::string page = report_page(two_variants());
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;"), std::string::npos);
  EXPECT_NE(page.find("int8 &lt;b&gt;"), std::string::npos);
  EXPECT_NE(page.find("conv&lt;1&gt;"), std::string::npos);
  EXPECT_NE(page.find("<svg"), std::string::npos);
  for (const char* foreign : {"http:", "https:", "src=", "href=", "@import", "url("})
    EXPECT_EQ(page.find(foreign), std::string::npos);
}

TEST(CurvePicture, DrawsGapsAndNothingAtAll) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(line_chart("empty", {{"a", {none, none}}}, ""), "");
  const std::string chart = line_chart("gap", {{"a", {1, none, 3, 4}}, {"flat", {2, 2, 2, 2}}}, " %");
  EXPECT_EQ(std::count(chart.begin(), chart.end(), 'M'), 3);  // the first line begins twice
  EXPECT_EQ(chart.find("nan"), std::string::npos);
  EXPECT_EQ(line_chart("one", {{"a", {5}}}, "").find("nan"), std::string::npos);
}

TEST(Curve, IsReadAsTrainingWritesIt) {
  const auto curve = parse_curve("run", R"([{"epoch": 1, "loss": 2, "odd": 1}, {"epoch": 2, "loss": 1.5}])");
  ASSERT_TRUE(curve) << curve.error().text();
  EXPECT_EQ(curve->series, (std::map<std::string, std::vector<double>>{{"loss", {2, 1.5}}}));
  EXPECT_TRUE(parse_curve("run", R"({"curve": [{"loss": 1}]})"));
  for (const char* bad : {"", "{}", "[]", "[1]", "[{\"loss\": 1}, 2]", "{\"curve\": 3}"})
    EXPECT_FALSE(parse_curve("run", bad)) << bad;
}

}  // namespace
}  // namespace alara::lab
