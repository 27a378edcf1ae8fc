// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/features.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "flow/feature/reference.hpp"
#include "flow/feature/step_fixture.hpp"

namespace alara::flow {
namespace {

using namespace test;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> sine(std::size_t n, double rate_hz, double hz, double amplitude, double offset = 0) {
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i)
    out[i] = offset + amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz);
  return out;
}

std::vector<double> noise(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> out(n);
  for (double& v : out) v = normal(random);
  return out;
}

Feature feature(const char* text) { return *parse_feature(text); }

FeaturePlan every_feature(std::size_t samples, double rate_hz) {
  FeaturePlan plan;
  for (const char* text :
       {"mean", "rms", "std", "peak", "peak_to_peak", "crest", "skewness", "kurtosis", "shape_factor", "impulse_factor",
        "clearance_factor", "band(500,1500)", "spectral_centroid", "dominant_frequency", "velocity_rms(100,1000)",
        "envelope(bpfo)", "envelope(bpfi)", "envelope(bsf)", "envelope(ftf)"})
    plan.features.push_back(feature(text));
  plan.samples = samples;
  plan.rate_hz = rate_hz;
  plan.envelope_low_hz = rate_hz / 12;
  plan.envelope_high_hz = rate_hz * 5 / 12;
  plan.bearing = BearingRatios{{3.5848, 5.4152, 2.357, 0.3983}};
  plan.velocity_scale = 1;
  return plan;
}

TEST(Features, AgreeWithSumsFromTheDefinitions) {
  for (const std::size_t n : {240u, 512u, 600u})
    for (const Taper taper : {Taper::hann, Taper::none}) {
      FeaturePlan plan = every_feature(n, 6400);
      plan.taper = taper;
      std::vector<double> record = noise(n, 7 + static_cast<unsigned>(n));
      const std::vector<double> tone = sine(n, 6400, 730, 3, 1000);
      for (std::size_t i = 0; i < n; ++i) record[i] += tone[i];
      FeatureExtractor extractor(plan);
      std::vector<double> out(plan.features.size());
      extractor.compute(record, 29.95, out);
      for (std::size_t k = 0; k < out.size(); ++k) {
        const double expected = reference_value(plan, plan.features[k], record, 29.95);
        EXPECT_NEAR(out[k], expected, 2e-5 * std::fabs(expected) + 1e-9) << plan.features[k].name << " n=" << n;
      }
    }
}

TEST(Features, OfASineAreTheClosedForms) {
  auto made =
      make_step(features_kind(),
                "{of: vibration, samples: 3200, taper: none, use: [rms, mean, std, peak, peak_to_peak, crest, "
                "kurtosis, skewness, "
                "shape_factor, \"band(90,110)\", spectral_centroid, dominant_frequency, \"velocity_rms(10,1000)\"]}",
                {signal("vibration", "m/s2", 6400)});
  ASSERT_TRUE(made) << made.error().text();
  Rows rows(sine(3200, 6400, 100, 2), 0, 156'250);
  const auto out = run(*made, rows);
  ASSERT_EQ(out.size(), 1u);
  const auto& v = out[0].values;
  EXPECT_EQ(out[0].quality, Quality::good);
  EXPECT_EQ(out[0].time, 3199 * 156'250);
  EXPECT_NEAR(v[0], std::sqrt(2.0), 1e-9);  // rms = A / sqrt 2
  EXPECT_NEAR(v[1], 0, 1e-12);
  EXPECT_NEAR(v[2], std::sqrt(2.0), 1e-9);
  EXPECT_NEAR(v[3], 2, 1e-12);
  EXPECT_NEAR(v[4], 4, 1e-12);
  EXPECT_NEAR(v[5], std::sqrt(2.0), 1e-9);  // crest
  EXPECT_NEAR(v[6], 1.5, 1e-9);             // kurtosis
  EXPECT_NEAR(v[7], 0, 1e-9);
  EXPECT_NEAR(v[8], std::numbers::pi / (2 * std::sqrt(2.0)), 1e-3);  // rms / mean |x|
  EXPECT_NEAR(v[9], 2, 1e-5);                                        // A^2 / 2
  EXPECT_NEAR(v[10], 100, 1e-3);
  EXPECT_NEAR(v[11], 100, 0.01);  // the neighbours of the peak are rounding noise here
  EXPECT_NEAR(v[12], 1000 * std::sqrt(2.0) / (2 * std::numbers::pi * 100), 1e-4);  // mm/s: A / (sqrt 2 * 2 pi f)
}

TEST(Features, FullBandIsTheVariance) {
  const std::vector<double> record = noise(2560, 3);
  FeaturePlan plan = every_feature(2560, 6400);
  plan.taper = Taper::none;
  plan.features = {feature("std"), feature("band(0,3200)"), feature("band(0,1000)"), feature("band(1002.5,3200)")};
  FeatureExtractor extractor(plan);
  std::vector<double> out(4);
  extractor.compute(record, kNaN, out);
  EXPECT_NEAR(out[1], out[0] * out[0], 1e-5);  // Parseval
  EXPECT_NEAR(out[2] + out[3], out[1], 1e-6);  // bands add up
}

TEST(Features, DominantFrequencyIsFoundBetweenTheLines) {
  FeaturePlan plan = every_feature(2560, 6400);
  plan.features = {feature("dominant_frequency")};
  FeatureExtractor extractor(plan);
  double out = 0;
  extractor.compute(sine(2560, 6400, 501.1, 1), kNaN, {&out, 1});  // lines are 2.5 Hz apart
  EXPECT_NEAR(out, 501.1, 0.05);
}

TEST(Features, EnvelopeFindsImpactsInNoise) {
  // A 2 kHz resonance struck 107.4 times a second, in noise.
  const std::size_t n = 12000;
  std::vector<double> record = noise(n, 5);
  for (double& v : record) v *= 0.1;
  for (int strike = 0; strike < 107; ++strike)
    for (std::size_t i = 0; i < 60; ++i) {
      const std::size_t at = static_cast<std::size_t>(strike * 12000 / 107.36) + i;
      const double t = static_cast<double>(i) / 12000;
      if (at < n) record[at] += std::exp(-1200 * t) * std::sin(2 * std::numbers::pi * 2000 * t);
    }
  FeaturePlan plan = every_feature(n, 12000);
  plan.features = {feature("envelope(bpfo)"), feature("envelope(bpfi)"), feature("envelope(bsf)"),
                   feature("envelope(ftf)")};
  plan.harmonics = 1;  // the third of bsf lies within the slip of the second of bpfo
  FeatureExtractor extractor(plan);
  std::vector<double> out(4);
  extractor.compute(record, 29.95, out);
  EXPECT_GT(out[0], 3 * std::max({out[1], out[2], out[3]}));
}

TEST(Features, EnvelopeOfAModulatedToneIsItsClosedForm) {
  // (1 + m cos wt) cos Wt has squared envelope (1 + m cos wt)^2: lines 2m at w and m^2/2 at 2w.
  const std::size_t n = 6400;
  std::vector<double> record(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / 6400;
    record[i] = (1 + 0.5 * std::cos(2 * std::numbers::pi * 40 * t)) * std::cos(2 * std::numbers::pi * 1500 * t);
  }
  FeaturePlan plan = every_feature(n, 6400);
  plan.features = {feature("envelope(bpfo)")};
  plan.bearing.per_turn[0] = 4;
  plan.harmonics = 2;
  FeatureExtractor extractor(plan);
  double out = 0;
  extractor.compute(record, 10, {&out, 1});
  EXPECT_NEAR(out, 2 * 0.5 + 0.5 * 0.5 / 2, 1e-4);
}

TEST(Features, RatiosFollowFromTheBearingsGeometry) {  // 6205-2RS, against its published ratios
  const BearingRatios ratios = BearingRatios::from_geometry(9, 7.94, 39.04, 0);
  EXPECT_NEAR(ratios.of(BearingLine::bpfo), 3.5848, 2e-3);
  EXPECT_NEAR(ratios.of(BearingLine::bpfi), 5.4152, 2e-3);
  EXPECT_NEAR(ratios.of(BearingLine::bsf), 2.357, 2e-3);
  EXPECT_NEAR(ratios.of(BearingLine::ftf), 0.3983, 2e-4);
}

TEST(Features, UnitsFollowFromTheSignals) {
  auto made =
      make_step(features_kind(),
                "{of: v, samples: 640, use: [rms, crest, band(100,200), dominant_frequency, velocity_rms(10,1000)]}",
                {signal("v", "mm/s2", 6400)});
  ASSERT_TRUE(made) << made.error().text();
  ASSERT_EQ(made->outputs.size(), 5u);
  EXPECT_EQ(made->outputs[0].name, "rms");
  EXPECT_EQ(made->outputs[0].unit.text(), "mm/s2");
  EXPECT_TRUE(made->outputs[1].unit.dimensionless());
  EXPECT_EQ(made->outputs[2].name, "band_100_200");
  EXPECT_TRUE(made->outputs[2].unit.same_dimension(signal("", "mm/s2").unit.power(2)));
  EXPECT_NEAR(made->outputs[2].unit.scale(), 1e-6, 1e-18);
  EXPECT_EQ(made->outputs[3].unit.text(), "Hz");
  EXPECT_EQ(made->outputs[4].unit.text(), "mm/s");
  Rows rows(sine(640, 6400, 100, 2000), 0, 156'250);
  EXPECT_NEAR(run(*made, rows)[0].values[4], 1000 * 2 / std::sqrt(2.0) / (2 * std::numbers::pi * 100), 0.02);
}

TEST(Features, GatherRecordsPerSlotFromMixedRows) {
  auto made = make_step(features_kind(), "{of: v, samples: 16, use: [mean]}", {signal("v", "", 0)}, 3);
  ASSERT_TRUE(made);
  FrameBuilder in(1), out(1);
  for (int i = 0; i < 40; ++i)
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      const double value = slot * 100.0;
      in.append(slot, i, Quality::good, {&value, 1});
    }
  made->code->process(in.view(0), out);
  const auto rows = rows_of(out);
  ASSERT_EQ(rows.size(), 6u);  // 2 whole records of each
  for (const Emitted& row : rows) EXPECT_EQ(row.values[0], row.slot * 100.0);
}

TEST(Features, OneBadSampleMakesARecordUncertainAndManyMakeItBad) {
  auto made =
      make_step(features_kind(), "{of: v, samples: 200, max_bad: 0.02, use: [mean, rms]}", {signal("v", "A", 0)});
  ASSERT_TRUE(made);
  std::vector<double> values(600, 2.0);
  values[210] = kNaN;
  values[220] = std::numeric_limits<double>::infinity();
  for (std::size_t i = 450; i < 460; ++i) values[i] = 99;
  Rows rows(values, 0, kMillisecond);
  rows.quality.assign(600, Quality::good);
  for (std::size_t i = 450; i < 460; ++i) rows.quality[i] = Quality::bad;
  const auto out = run(*made, rows);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0].quality, Quality::good);
  EXPECT_EQ(out[1].quality, Quality::uncertain);
  EXPECT_EQ(out[1].values[1], 2.0);  // bridged
  EXPECT_EQ(out[2].quality, Quality::bad);
  EXPECT_TRUE(std::isnan(out[2].values[0]));
  EXPECT_EQ(counter(*made->code, "records"), 3u);
  EXPECT_EQ(counter(*made->code, "uncertain_records"), 1u);
  EXPECT_EQ(counter(*made->code, "bad_records"), 1u);
  EXPECT_EQ(counter(*made->code, "bad_samples"), 12u);
}

TEST(Features, AFlatRecordHasNoCrestAndSaysSo) {
  auto made = make_step(features_kind(), "{of: v, samples: 100, use: [rms, kurtosis, spectral_centroid]}",
                        {signal("v", "A", 1000)});
  Rows rows(std::vector<double>(100, 0.1), 0, kMillisecond);
  const auto out = run(*made, rows);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_NEAR(out[0].values[0], 0.1, 1e-15);
  EXPECT_TRUE(std::isnan(out[0].values[1]));
  EXPECT_TRUE(std::isnan(out[0].values[2]));
  EXPECT_EQ(out[0].quality, Quality::uncertain);
}

TEST(Features, ARecordDoesNotReachOverAGap) {
  auto made = make_step(features_kind(), "{of: v, samples: 100, use: [mean]}", {signal("v", "A", 1000)});
  ASSERT_TRUE(made);
  Rows first(std::vector<double>(60, 1.0), 0, kMillisecond);
  Rows second(std::vector<double>(100, 2.0), kSecond, kMillisecond);
  EXPECT_TRUE(run(*made, first).empty());
  const auto out = run(*made, second);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].values[0], 2.0);
  EXPECT_EQ(counter(*made->code, "broken_records"), 1u);
}

TEST(Features, EveryTakesOneRecordPerPeriod) {
  auto made = make_step(features_kind(), "{of: v, samples: 100, every: 1s, use: [mean]}", {signal("v", "A", 1000)});
  ASSERT_TRUE(made);
  Rows rows(std::vector<double>(5000, 1.0), 0, kMillisecond);
  const auto out = run(*made, rows);
  ASSERT_EQ(out.size(), 5u);
  EXPECT_EQ(out[1].time - out[0].time, kSecond);
  EXPECT_EQ(out[4].time - out[3].time, kSecond);
}

TEST(Features, EveryTakesAllBurstsOfASenderWithJitter) {
  auto made = make_step(features_kind(), "{of: v, samples: 100, every: 1s, use: [mean]}", {signal("v", "A", 1000)});
  ASSERT_TRUE(made);
  const Nanos jitter[] = {0, -9'000'000, 20'000'000, 3'000'000, -15'000'000};
  std::size_t records = 0;
  for (int i = 0; i < 50; ++i) {
    Rows burst(std::vector<double>(100, 1.0), i * kSecond + jitter[i % 5], kMillisecond);
    records += run(*made, burst).size();
  }
  EXPECT_EQ(records, 50u);
}

TEST(Features, EveryAloneTakesItsLengthFromTheRate) {
  auto made = make_step(features_kind(), "{of: v, every: 100ms, use: [mean, band(50,100)]}", {signal("v", "A", 1000)});
  ASSERT_TRUE(made) << made.error().text();
  Rows rows(std::vector<double>(1000, 1.0), 0, kMillisecond);
  EXPECT_EQ(run(*made, rows).size(), 10u);
}

TEST(Features, TimesFromTheEndsOfTheWorldDoNoHarm) {
  auto made = make_step(features_kind(), "{of: v, samples: 20, every: 1s, use: [mean]}", {signal("v", "A", 1000)});
  ASSERT_TRUE(made);
  Rows rows(std::vector<double>(100, 1.0), 0, kMillisecond);
  for (std::size_t i = 0; i < 100; i += 7) rows.time[i] = i % 2 == 0 ? INT64_MAX : INT64_MIN;
  static_cast<void>(run(*made, rows));
  Rows sane(std::vector<double>(20, 1.0), 10 * kSecond, kMillisecond);
  EXPECT_EQ(run(*made, sane).size(), 1u);
}

TEST(Features, TakeTheSpeedFromASignal) {
  const std::string yaml =
      "{of: v, samples: 6400, speed: rpm, use: [envelope(bpfo)], harmonics: 1, bearing: {bpfo: 4, bpfi: 5, bsf: 2, "
      "ftf: 0.4}}";
  auto made = make_step(features_kind(), yaml, {signal("v", "m/s2", 6400), signal("rpm", "rpm")});
  ASSERT_TRUE(made) << made.error().text();
  std::vector<double> record(6400);
  for (std::size_t i = 0; i < record.size(); ++i) {
    const double t = static_cast<double>(i) / 6400;
    record[i] = (1 + 0.5 * std::cos(2 * std::numbers::pi * 40 * t)) * std::cos(2 * std::numbers::pi * 1500 * t);
  }
  Rows rows(record, 0, 156'250);
  rows.columns.push_back(std::vector<double>(6400, 600));  // 10 turns a second
  auto out = run(*made, rows);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_NEAR(out[0].values[0], 1.0, 1e-3);
  EXPECT_EQ(out[0].quality, Quality::good);

  std::fill(rows.columns[1].begin(), rows.columns[1].begin() + 3000, 500);  // ran up meanwhile
  for (Nanos& t : rows.time) t += kSecond;
  EXPECT_EQ(run(*made, rows)[0].quality, Quality::uncertain);

  rows.columns[1].assign(6400, kNaN);  // not known
  for (Nanos& t : rows.time) t += kSecond;
  out = run(*made, rows);
  EXPECT_TRUE(std::isnan(out[0].values[0]));
  EXPECT_EQ(out[0].quality, Quality::uncertain);
}

TEST(Features, NewsOfTheSpeedAreNotSamples) {
  auto made = make_step(
      features_kind(),
      "{of: v, samples: 100, speed: rpm, use: [mean, envelope(bpfo)], bearing: {bpfo: 4, bpfi: 5, bsf: 2, ftf: 0.4}}",
      {signal("v", "m/s2", 1000), signal("rpm", "rpm")});
  ASSERT_TRUE(made);
  // The speed comes before the first sample, between two samples, and ahead of a block that is still on its way;
  // changed or not.
  std::vector<double> wave = noise(100, 1);
  wave.insert(wave.begin() + 50, 2, wave[49]);
  wave.insert(wave.begin(), kNaN);
  Rows rows(wave, 0, kMillisecond);
  rows.columns.push_back(std::vector<double>(103, 600));
  for (std::size_t i = 51; i < 103; ++i) {
    rows.columns[1][i] = i == 51 ? 601 : 600;
    rows.time[i] = rows.time[50] + static_cast<Nanos>(i - 52) * kMillisecond;
  }
  rows.time[51] = rows.time[50] + kMillisecond / 2;
  rows.time[52] = rows.time[50] + 40 * kMillisecond;
  const auto out = run(*made, rows);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].time, 100 * kMillisecond);
  EXPECT_EQ(out[0].quality, Quality::good);
}

TEST(Features, NeverAllocateAfterTheFirstRecord) {
  auto made = make_step(
      features_kind(),
      "{of: v, samples: 640, speed: 1797rpm, use: [rms, kurtosis, clearance_factor, band(100,200), dominant_frequency, "
      "envelope(bpfo)], bearing: {balls: 9, ball_diameter: 7.94, pitch_diameter: 39.04}}",
      {signal("v", "m/s2", 6400)}, 2);
  ASSERT_TRUE(made) << made.error().text();
  Rows rows(noise(1280, 2), 0, 156'250);
  FrameBuilder out(made->outputs.size());
  made->code->process(rows.frame(), out);
  const Frame frame = rows.frame();
  const std::uint64_t before = allocations_so_far();
  for (int i = 0; i < 10; ++i) {
    out.clear();
    made->code->process(frame, out);
  }
  EXPECT_EQ(allocations_so_far(), before);
  EXPECT_GE(made->memory_bound, 2 * 640 * sizeof(double));
}

TEST(Features, RefuseWhatCanNotWorkAndSayWhy) {
  const std::vector<ValueInfo> v{signal("v", "A", 1000)}, no_rate{signal("v", "A")};
  const auto& kind = features_kind();
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [rsm]}", v).find("did you mean 'rms'"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [band(1,2)]}", no_rate).find("rate of 'v'"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [band(100,600)]}", v).find("500Hz"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [band(101,102)]}", v).find("narrower than one line"),
            std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [velocity_rms(10,100)]}", v).find("integrates an acceleration"),
            std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [envelope(bpfo)]}", v).find("`bearing`"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [envelope(bpfo)], bearing: {balls: 9, bpfo: 1}}", v)
                .find("or by all of"),
            std::string::npos);
  EXPECT_NE(
      refusal(kind, "{of: v, samples: 100, use: [envelope(bpfo)], bearing: {bpfo: 3, bpfi: 4, bsf: 2, ftf: 1}}", v)
          .find("`speed`"),
      std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, speed: 5parsec, use: [rms]}", v).find("not a speed of rotation"),
            std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, use: [rms]}", no_rate).find("`samples`"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 8, use: [rms]}", v).find("below the least"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 2000, every: 1s, use: [rms]}", v).find("longer than `every`"),
            std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, every: 1h, use: [rms]}", v).find("samples a record"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: []}", v).find("no feature"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, samples: 100, use: [rms, rms]}", v).find("twice"), std::string::npos);
}

TEST(Features, WarnWhereASpectrumCanNotUseAllSamplesOrPartTheLines) {
  auto odd = make_step(features_kind(), "{of: v, samples: 2561, use: [rms]}", {signal("v", "A", 1000)});
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->warnings.size(), 1u);
  auto coarse = make_step(
      features_kind(),
      "{of: v, samples: 2560, use: [envelope(ftf)], speed: 60rpm, bearing: {bpfo: 3, bpfi: 4, bsf: 2, ftf: 0.4}}",
      {signal("v", "m/s2", 12000)});
  ASSERT_TRUE(coarse);
  ASSERT_EQ(coarse->warnings.size(), 1u);
  EXPECT_NE(coarse->warnings[0].message.find("hardly parted"), std::string::npos);
}

TEST(FeatureList, JoinsBandsThatYamlPartedAtTheirComma) {
  const std::vector<std::string> texts{"rms", "band(500", "1500)", "envelope(bpfo)", "band(0.5kHz,2kHz)"};
  const auto parsed = parse_features(texts);
  ASSERT_TRUE(parsed) << parsed.error().text();
  ASSERT_EQ(parsed->size(), 4u);
  EXPECT_EQ((*parsed)[1].name, "band_500_1500");
  EXPECT_EQ((*parsed)[3].name, "band_500_2000");
}

TEST(FeatureList, RefusesBadTexts) {
  for (const char* text :
       {"", "(", ")", "band", "band()", "band(1)", "band(2,1)", "band(1,2,3)", "band(nan,2)", "band(-1,2)", "rms(3)",
        "envelope(x)", "velocity_rms(0,10)", "band(1,2", "band(1,2)x", "\xff\xfe"})
    EXPECT_FALSE(parse_feature(text)) << text;
  EXPECT_FALSE(parse_feature(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace alara::flow
