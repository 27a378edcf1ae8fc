// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/detect.hpp"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace alara::flow::test {
std::uint64_t allocations_so_far();  // allocations_test.cpp
}

namespace alara::flow {
namespace {

const std::vector<std::string> kUnivariate{"ewma", "mad", "cusum", "page_hinkley", "spot", "anomaly"};

Node options_of(const std::string& text) {
  auto node = parse_document(text, "test.yaml");
  EXPECT_TRUE(node) << node.error().text();
  return *node;
}

Result<OperatorKind::Made> make(const std::string& text, std::size_t slots = 1, std::uint64_t seed = 1) {
  const Node node = options_of(text);
  std::vector<Error> errors;
  detect_kind().schema().check(node, errors);
  if (!errors.empty()) return tl::unexpected<Error>(errors.front());
  ALARA_TRY(const auto names, detect_kind().inputs(node));
  std::vector<ValueInfo> inputs;
  for (const std::string& name : names)
    inputs.push_back({.name = name, .unit = *Unit::parse("mm/s2"), .rate_hz = 2, .boolean = name == "flag"});
  const std::vector<AssetId> assets(slots);
  OperatorContext context;
  context.assets = assets;
  context.seed = seed;
  return detect_kind().make(node, inputs, context);
}

// Rows of a few assets with noise, jumps, and now and then a bad reading.
struct Rows {
  std::vector<std::uint32_t> slot;
  std::vector<Nanos> time;
  std::vector<Quality> quality;
  std::vector<std::vector<double>> values;
  std::vector<std::span<const double>> spans;

  Rows(std::size_t count, std::uint32_t slots, std::size_t columns) : values(columns) {
    std::mt19937_64 random(17);
    std::normal_distribution<double> noise(0, 1);
    for (std::size_t i = 0; i < count; ++i) {
      slot.push_back(static_cast<std::uint32_t>(i % slots));
      time.push_back(static_cast<Nanos>(i / slots) * 5 * kMinute);
      quality.push_back(i % 97 == 5 ? Quality::bad : Quality::good);
      for (auto& column : values)
        column.push_back(i % 89 == 3 ? std::nan("") : noise(random) + (i % 1000 > 990 ? 8 : 0));
    }
    spans.assign(values.begin(), values.end());
  }
  [[nodiscard]] Frame frame() const { return {slot, 0, time, quality, spans, 0}; }
};

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

TEST(Detect, DeclaresWhatItReadsAndGives) {
  EXPECT_EQ(*detect_kind().inputs(options_of("{of: load.mean, with: cusum}")), std::vector<std::string>{"load.mean"});
  EXPECT_EQ(detect_kind().inputs(options_of("{of: [a, b, c], with: hs_trees}"))->size(), 3u);
  const auto made = make("{of: vibration, with: spot, q: 0.001}");
  ASSERT_TRUE(made) << made.error().text();
  ASSERT_EQ(made->outputs.size(), 3u);
  EXPECT_EQ(made->outputs[0].name, "score");
  EXPECT_TRUE(made->outputs[1].boolean);
  EXPECT_EQ(made->outputs[2].name, "level");
  EXPECT_EQ(made->outputs[2].unit.text(), "mm/s2");
  EXPECT_EQ(made->outputs[2].rate_hz, 2);
  EXPECT_EQ(make("{of: vibration}")->outputs.size(), 2u);  // anomaly is the default
}

TEST(Detect, RefusesWhatCanNotBeMeant) {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"{of: a, with: cusun}", "cusun"},
      {"{of: a, with: ewma, drift: 5}", "ewma has no option 'drift'"},
      {"{of: [a, b], with: mad}", "mad watches one value, 2 are given"},
      {"{of: [], with: hs_trees}", "names no value"},
      {"{of: flag, with: ewma}", "'flag' is true or false"},
      {"{of: a, with: mad, window: 8, warm_up: 9}", "9 samples with a window of 8"},
      {"{of: a, with: mad, window: 5000}", "5000"},
      {"{of: a, with: spot, warm_up: 100}", "only 2 peaks"},
      {"{of: a, with: spot, warm_up: 10000}", "200 peaks"},
      {"{of: a, with: spot, tail: 0.002, warm_up: 5000, q: 0.01}", "below tail"},
      {"{of: a, with: spot, q: 0.5}", "q"},
      {"{of: a, with: hs_trees, depth: 30}", "depth"},
      {"{with: ewma}", "'of' is missing"},
  };
  for (const auto& [text, message] : bad) {
    const auto made = make(text);
    ASSERT_FALSE(made) << text;
    EXPECT_NE(made.error().text().find(message), std::string::npos) << text << " gave " << made.error().text();
  }
}

TEST(Detect, SkipsAndCountsWhatIsNoReading) {
  for (const std::string& with : kUnivariate) {
    auto made = make("{of: a, with: " + with + "}");
    FrameBuilder out(made->outputs.size());
    const std::vector<double> x{1, std::nan(""), HUGE_VAL, 1e200, 2};
    const std::vector<Quality> quality{Quality::good, Quality::good, Quality::good, Quality::good, Quality::bad};
    const std::vector<Nanos> time{0, 1, 2, 3, 4};
    const std::vector<std::span<const double>> columns{x};
    made->code->process({{}, 0, time, quality, columns, 0}, out);
    const Frame result = out.view(0);
    ASSERT_EQ(result.size(), 5u);
    EXPECT_EQ(result.quality_at(0), Quality::uncertain);  // not warm yet
    for (std::size_t i = 1; i < 5; ++i) {
      EXPECT_EQ(result.quality_at(i), Quality::bad) << with;
      EXPECT_TRUE(std::isnan(result.column(0)[i]));
      EXPECT_EQ(result.column(1)[i], 0);
    }
    std::vector<Operator::Counter> counters;
    made->code->counters(counters);
    EXPECT_EQ(counters[0].name, "skipped");
    EXPECT_EQ(counters[0].value, 4u);
  }
}

TEST(Detect, RowsAndBlocksOfEachAssetGiveTheSame) {
  const Rows rows(9000, 3, 2);
  std::vector<std::string> all{"{of: [a, b], with: hs_trees}"};
  for (const std::string& with : kUnivariate) all.push_back("{of: a, with: " + with + "}");
  for (const std::string& text : all) {
    auto mixed = make(text, 3);
    FrameBuilder together(mixed->outputs.size());
    Frame frame = rows.frame();
    if (text.find("hs_trees") == std::string::npos) frame.columns = frame.columns.first(1);
    mixed->code->process(frame, together);
    const Frame expected = together.view(0);
    std::size_t warm = 0;
    auto blocks = make(text, 3);
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      std::vector<std::size_t> index;
      std::vector<Nanos> time;
      std::vector<Quality> quality;
      std::vector<std::vector<double>> values(frame.columns.size());
      for (std::size_t i = slot; i < frame.size(); i += 3) {
        index.push_back(i);
        time.push_back(frame.time[i]);
        quality.push_back(frame.quality[i]);
        for (std::size_t k = 0; k < values.size(); ++k) values[k].push_back(frame.column(k)[i]);
      }
      const std::vector<std::span<const double>> spans(values.begin(), values.end());
      FrameBuilder alone(blocks->outputs.size());
      blocks->code->process({{}, slot, time, quality, spans, 0}, alone);
      const Frame result = alone.view(0);
      for (std::size_t i = 0; i < index.size(); ++i) {
        warm += result.quality_at(i) == Quality::good ? 1 : 0;
        ASSERT_EQ(result.quality_at(i), expected.quality_at(index[i]));
        for (std::size_t k = 0; k < blocks->outputs.size(); ++k)
          ASSERT_TRUE(same(result.column(k)[i], expected.column(k)[index[i]])) << text << " row " << i;
      }
    }
    EXPECT_GT(warm, 2000u) << text;
  }
}

TEST(Detect, AllocatesNothingAfterTheFirstFrame) {
  const Rows rows(6000, 3, 2);
  std::vector<std::string> all{"{of: [a, b], with: hs_trees}", "{of: a, with: spot, drift: 20}"};
  for (const std::string& with : kUnivariate) all.push_back("{of: a, with: " + with + "}");
  for (const std::string& text : all) {
    auto made = make(text, 3);
    FrameBuilder out(made->outputs.size());
    Frame frame = rows.frame();
    if (text.find("hs_trees") == std::string::npos) frame.columns = frame.columns.first(1);
    made->code->process(frame, out);
    out.clear();
    const std::uint64_t before = test::allocations_so_far();
    made->code->process(frame, out);
    EXPECT_EQ(test::allocations_so_far() - before, 0u) << text;
  }
}

TEST(Detect, KeepsOneSignalInTwoKilobytes) {
  for (const std::string& with : kUnivariate) {
    const auto one = make("{of: a, with: " + with + "}", 1), many = make("{of: a, with: " + with + "}", 101);
    const std::size_t bytes = (many->code->memory_bytes() - one->code->memory_bytes()) / 100;
    EXPECT_LE(bytes, 2048u) << with;
    EXPECT_EQ(many->memory_bound, many->code->memory_bytes());
    RecordProperty("bytes_" + with, static_cast<int>(bytes));
  }
}

TEST(Detect, HoldMakesOneAlarmOfOneEvent) {
  auto made = make("{of: a, with: mad, hold: 10s}");
  FrameBuilder out(3);
  std::vector<double> x;
  std::vector<Nanos> time;
  for (int i = 0; i < 90; ++i) {
    x.push_back(i == 50 || i == 55 || i == 80 ? 1000 : i % 2);
    time.push_back(i * kSecond);
  }
  const std::vector<std::span<const double>> columns{x};
  made->code->process({{}, 0, time, {}, columns, 0}, out);
  for (int i = 0; i < 90; ++i) {
    const bool expected = (i >= 50 && i < 65) || i >= 80;
    EXPECT_EQ(out.column(1)[static_cast<std::size_t>(i)] != 0, expected) << i;
  }
  std::vector<Operator::Counter> counters;
  made->code->counters(counters);
  EXPECT_EQ(counters[1].name, "hits");
  EXPECT_EQ(counters[1].value, 3u);
  EXPECT_EQ(counters[2].name, "alarms");
  EXPECT_EQ(counters[2].value, 2u);
}

TEST(Detect, ForestsDependOnTheSeedOnly) {
  const Rows rows(3000, 1, 2);
  const auto last_score = [&](std::uint64_t seed) {
    auto made = make("{of: [a, b], with: hs_trees}", 1, seed);
    FrameBuilder out(2);
    made->code->process(rows.frame(), out);
    return out.column(0)[2999];
  };
  EXPECT_EQ(last_score(4), last_score(4));
  EXPECT_NE(last_score(4), last_score(5));
}

}  // namespace
}  // namespace alara::flow
