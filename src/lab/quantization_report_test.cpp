// SPDX-License-Identifier: Apache-2.0
#include "lab/quantization_report.hpp"

#include <gtest/gtest.h>

namespace alara::lab {
namespace {

QuantizationReport sample() {
  QuantizationReport report;
  report.from = "a.onnx";
  report.to = "b.onnx";
  report.kind = "int8";
  report.weight_type = "int7";
  report.bytes_before = 4000;
  report.bytes_after = 1200;
  graph::LayerReport conv{"Conv 'stem'", "Conv", "stem"};
  conv.bits = 7;
  conv.scales = 16;
  conv.sqnr_db = 31.25;
  conv.macs = 1'500'000;
  graph::LayerReport gemm{"Gemm 'head'", "Gemm", "head"};
  gemm.integer = false;
  gemm.scales = 0;
  gemm.sensitivity = 0.25;
  gemm.warnings = {"put back to float: the outputs suffer from it most"};
  report.result.layers = {conv, gemm};
  report.result.integer_macs = 0.75;
  report.result.notes = {"simplified first: 3 rewrites"};
  report.accuracy = Accuracies{92.5, 92.25, 10'000};
  return report;
}

TEST(QuantizationReport, GivesEachLayerItsFigures) {
  const auto json = sample().json();
  EXPECT_EQ(json["weights"], "int7");
  EXPECT_EQ(json["layers"].size(), 2u);
  EXPECT_EQ(json["layers"][0]["scales"], "channel");
  EXPECT_EQ(json["layers"][0]["sqnr_db"], 31.25);
  EXPECT_EQ(json["layers"][1]["integer"], false);
  EXPECT_EQ(json["layers"][1]["sensitivity"], 0.25);
  EXPECT_EQ(json["accuracy"]["after"], 92.25);
  EXPECT_EQ(json["integer_macs"], 0.75);
}

TEST(QuantizationReport, IsReadable) {
  const std::string text = sample().text();
  EXPECT_NE(text.find("int7, 16 scales"), std::string::npos) << text;
  EXPECT_NE(text.find("75.0 % of the MACs"), std::string::npos) << text;
  EXPECT_NE(text.find("92.50 % before, 92.25 % now"), std::string::npos) << text;
  EXPECT_NE(text.find("put back to float"), std::string::npos) << text;
  EXPECT_NE(text.find("a.onnx (4.00 KB) to b.onnx (1.20 KB)"), std::string::npos) << text;
}

TEST(QuantizationReport, ShortensTheNamesOfConverters) {
  QuantizationReport report = sample();
  report.result.layers[0].name = std::string(50, 'a') + std::string(50, 'z');
  const std::string text = report.text();
  EXPECT_EQ(text.find(std::string(40, 'a')), std::string::npos);
  EXPECT_NE(text.find("aaa...zzz"), std::string::npos) << text;
}

}  // namespace
}  // namespace alara::lab
