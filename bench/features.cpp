// SPDX-License-Identifier: Apache-2.0
// `features`: what the waveform features of a hall of machines cost. The whole step runs as in a node (blocks in, rows
// out), on records that are all different, and its rows are held against the definitions first.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <random>

#include "bench/bench.hpp"
#include "flow/feature/features.hpp"
#include "flow/feature/fft.hpp"
#include "flow/feature/reference.hpp"

namespace alara::bench {
namespace {

constexpr std::size_t kMachines = 100, kAxes = 3, kSamples = 2560, kBlock = 256;
constexpr std::size_t kWaveforms = kMachines * kAxes;
constexpr double kRate = 25'600, kPeriodSeconds = 10, kShaftHz = 1797.0 / 60;
constexpr double kTolerance = 1e-4;  // relative; transforms are in single precision

constexpr const char* kStep =
    "{of: vibration, samples: 2560, speed: 1797rpm, bearing: {balls: 9, ball_diameter: 7.94, pitch_diameter: 39.04}, "
    "use: [mean, rms, std, peak, peak_to_peak, crest, skewness, kurtosis, shape_factor, impulse_factor, "
    "clearance_factor, "
    "band(500,1500), band(1500,5000), spectral_centroid, dominant_frequency, velocity_rms(10,1000), "
    "envelope(bpfo), envelope(bpfi), envelope(bsf), envelope(ftf)]}";

// The plan that the step's text comes to, said a second time for the reference.
flow::FeaturePlan plan_of_step(const std::vector<ValueInfo>& outputs) {
  flow::FeaturePlan plan;
  plan.samples = kSamples;
  plan.rate_hz = kRate;
  plan.envelope_low_hz = kRate / 12;
  plan.envelope_high_hz = kRate * 5 / 12;
  plan.bearing = flow::BearingRatios::from_geometry(9, 7.94, 39.04, 0);
  plan.velocity_scale = 1;  // mm/s2 to mm/s
  for (const ValueInfo& output : outputs) {
    std::string text = output.name;  // band_500_1500 back to band(500,1500)
    for (const std::string_view word : {"band_", "velocity_rms_", "envelope_"})
      if (text.starts_with(word)) {
        text[word.size() - 1] = '(';
        if (const std::size_t comma = text.find('_', word.size()); comma != std::string::npos) text[comma] = ',';
        text += ')';
      }
    if (auto feature = flow::parse_feature(text)) plan.features.push_back(*feature);
  }
  return plan;
}

// A shaft with harmonics, a struck resonance and noise.
std::vector<double> waveform(std::size_t index) {
  std::mt19937 random(static_cast<unsigned>(index));
  std::normal_distribution<double> noise(0, 300);
  std::vector<double> out(kSamples);
  const double strikes_hz = 3.585 * kShaftHz, resonance_hz = 3000 + 10 * static_cast<double>(index);
  for (std::size_t i = 0; i < kSamples; ++i) {
    const double t = static_cast<double>(i) / kRate;
    const double since = std::fmod(t, 1 / strikes_hz);
    out[i] = 2000 * std::sin(2 * std::numbers::pi * kShaftHz * t) +
             700 * std::sin(4 * std::numbers::pi * kShaftHz * t + 1) +
             4000 * std::exp(-900 * since) * std::sin(2 * std::numbers::pi * resonance_hz * since) + noise(random);
  }
  return out;
}

class Hall {
 public:
  explicit Hall(OperatorKind::Made made) : made_(std::move(made)), out_(made_.outputs.size()), time_(kSamples) {
    for (std::size_t w = 0; w < kWaveforms; ++w) waveforms_.push_back(waveform(w));
  }

  // One record of every waveform, arriving in blocks.
  void one_period(Nanos start) {
    const double step = 1e9 / kRate;
    for (std::size_t i = 0; i < kSamples; ++i) time_[i] = start + static_cast<Nanos>(static_cast<double>(i) * step);
    for (std::size_t at = 0; at < kSamples; at += kBlock)
      for (std::size_t w = 0; w < kWaveforms; ++w) {
        const std::span<const double> column(waveforms_[w].data() + at, kBlock);
        const Frame frame{{}, static_cast<std::uint32_t>(w), {time_.data() + at, kBlock}, {}, {&column, 1}, 0};
        made_.code->process(frame, out_);
      }
  }
  FrameBuilder& out() { return out_; }
  [[nodiscard]] const OperatorKind::Made& made() const { return made_; }
  [[nodiscard]] const std::vector<std::vector<double>>& waveforms() const { return waveforms_; }

 private:
  OperatorKind::Made made_;
  FrameBuilder out_;
  std::vector<Nanos> time_;
  std::vector<std::vector<double>> waveforms_;
};

Result<Hall> build_hall() {
  ALARA_TRY(const Node options, parse_document(kStep, "bench"));
  ALARA_TRY(const Unit unit, Unit::parse("mm/s2"));
  const std::vector<AssetId> assets(kWaveforms);
  OperatorContext context;
  context.assets = assets;
  const ValueInfo input{"vibration", unit, kRate, false};
  ALARA_TRY(OperatorKind::Made made, flow::features_kind().make(options, {&input, 1}, context));
  return Hall(std::move(made));
}

Status check(Hall& hall, std::size_t records) {
  const flow::FeaturePlan plan = plan_of_step(hall.made().outputs);
  if (plan.features.size() != hall.made().outputs.size())
    return fail(ErrorKind::internal, "the reference lacks a feature");
  hall.out().clear();
  hall.one_period(0);
  const Frame rows = hall.out().view(0);
  if (rows.size() != kWaveforms) return fail(ErrorKind::internal, "{} rows for {} records", rows.size(), kWaveforms);
  for (std::size_t r = 0; r < records; ++r) {
    const std::size_t row = r * (kWaveforms / records);
    for (std::size_t k = 0; k < plan.features.size(); ++k) {
      const double got = rows.column(k)[row];
      const double expected =
          flow::reference_value(plan, plan.features[k], hall.waveforms()[rows.slot_at(row)], kShaftHz);
      if (!(std::fabs(got - expected) <= kTolerance * std::fabs(expected) + 1e-9))
        return fail(ErrorKind::internal, "{} of waveform {} is {}, by its definition {}", plan.features[k].name,
                    rows.slot_at(row), got, expected);
    }
  }
  return {};
}

// The same records, each transformed once and nothing more.
double bare_fft_seconds(const Hall& hall) {
  const flow::RealFft fft(kSamples);
  std::vector<float> in(kSamples);
  std::vector<std::complex<float>> lines(fft.bins());
  const double start = thread_cpu_seconds();
  for (const std::vector<double>& record : hall.waveforms()) {
    std::copy(record.begin(), record.end(), in.begin());
    fft.transform(in, lines);
    keep(lines[1]);
  }
  return thread_cpu_seconds() - start;
}

}  // namespace

Result<Report> run_features(const Arguments& arguments) {
  ALARA_TRY(Hall hall, build_hall());
  Report report;
  report.workload = fmt::format(
      "{} machines x {} axes x {} samples at {:g} kHz, {} features each, in blocks of {}; one record per {:g} s",
      kMachines, kAxes, kSamples, kRate / 1000, hall.made().outputs.size(), kBlock, kPeriodSeconds);
  ALARA_CHECK(check(hall, arguments.quick ? 1 : 4));
  report.checked = true;

  const double seconds = arguments.seconds > 0 ? arguments.seconds : arguments.quick ? 0.1 : 2;
  const double end = seconds_now() + seconds;
  double cpu = 0, bare = 0;
  std::size_t periods = 0;
  do {  // in turns, so that both meet the same machine
    const double start = thread_cpu_seconds();
    hall.out().clear();
    hall.one_period(static_cast<Nanos>(++periods) * 10 * kSecond);
    cpu += thread_cpu_seconds() - start;
    bare += bare_fft_seconds(hall);
  } while (seconds_now() < end);

  const double records = static_cast<double>(periods * kWaveforms);
  report.figures["core_share"] = cpu / (static_cast<double>(periods) * kPeriodSeconds);
  report.figures["us_per_record"] = cpu / records * 1e6;
  report.figures["cpu_seconds_per_million_samples"] = cpu / (records * kSamples) * 1e6;
  report.figures["memory_mb"] = static_cast<double>(hall.made().memory_bound) / 1e6;
  report.figures["times_bare_fft"] = cpu / bare;
  report.baseline["bare_fft_us_per_record"] = bare / records * 1e6;
  report.baseline["bare_fft_core_share"] = bare / (static_cast<double>(periods) * kPeriodSeconds);
  report.notes.push_back(
      "four transforms a record (spectrum; band-pass there and back; envelope) and six passes over its samples are "
      "what the features need");
  return report;
}

}  // namespace alara::bench
