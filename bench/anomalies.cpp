// SPDX-License-Identifier: Apache-2.0
// `alara bench anomalies --data DIR`: the `detect: {with: anomaly}` step, as any site file would run it, on the series
// of the Numenta Anomaly Benchmark under DIR. One causal configuration, the step's defaults, for all files.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/quantity.hpp"
#include "bench/bench.hpp"
#include "bench/nab_score.hpp"
#include "flow/detect/detect.hpp"

namespace alara::bench {
namespace {

constexpr std::size_t kFullCorpus = 58;  // series of NAB v1.1

using Scores = std::vector<std::vector<double>>;  // per series, per row

// Builds the step from the text a user would write, through its schema.
Result<std::unique_ptr<Operator>> make_step(const std::string& options) {
  static const std::array<AssetId, 1> kAsset{AssetId{0}};
  ALARA_TRY(const Node node, parse_document(options, "bench"));
  std::vector<Error> errors;
  flow::detect_kind().schema().check(node, errors);
  if (!errors.empty()) return tl::unexpected<Error>(errors.front());
  OperatorContext context;
  context.assets = kAsset;
  const std::array<ValueInfo, 1> input{ValueInfo{.name = "value", .unit = {}}};
  ALARA_TRY(auto made, flow::detect_kind().make(node, input, context));
  return std::move(made.code);
}

// The benchmark wants one number in 0…1 per row: the step's score on the row that raises an alarm, 0 elsewhere.
Result<std::vector<double>> detect(const NabSeries& series, const std::string& options) {
  ALARA_TRY(const auto step, make_step(options));
  FrameBuilder out(2, 1);
  std::vector<double> scores(series.value.size());
  bool raised = false;
  for (std::size_t row = 0; row < series.value.size(); ++row) {  // row by row: nothing can look ahead
    const std::array<std::span<const double>, 1> columns{std::span(series.value).subspan(row, 1)};
    out.clear();
    step->process({.slot = {}, .time = std::span(series.time).subspan(row, 1), .quality = {}, .columns = columns}, out);
    const bool alarm = out.column(1)[0] != 0;
    const double score = out.column(0)[0];
    scores[row] = alarm && !raised ? score / (1 + score) : 0;
    raised = alarm;
  }
  return scores;
}

Result<Scores> detect_all(std::span<const NabSeries> corpus, const std::string& options) {
  Scores out;
  for (const NabSeries& series : corpus) {
    ALARA_TRY(auto scores, detect(series, options));
    out.push_back(std::move(scores));
  }
  return out;
}

std::vector<NabRun> runs_of(std::span<const NabSeries> corpus, const Scores& scores) {
  std::vector<NabRun> runs;
  for (std::size_t i = 0; i < corpus.size(); ++i) runs.push_back({&corpus[i], scores[i]});
  return runs;
}

// The scorer against what it must give by definition: nothing said = 0, every window at its first row = 100, and the
// best threshold's score counted again the plain way.
bool scorer_agrees(std::span<const NabSeries> corpus, const Scores& scores) {
  Scores silent, perfect;
  for (const NabSeries& series : corpus) {
    silent.emplace_back(series.value.size(), 0.0);
    perfect.emplace_back(series.value.size(), 0.0);
    for (const NabWindow& window : series.windows) perfect.back()[window.first] = 1;
  }
  for (const NabProfile& profile : kNabProfiles) {
    const auto runs = runs_of(corpus, scores);
    const NabResult best = nab_best(runs, profile);
    if (std::fabs(nab_score(runs_of(corpus, silent), profile, 0.5).normalised) > 1e-9) return false;
    if (std::fabs(nab_score(runs_of(corpus, perfect), profile, 0.5).normalised - 100) > 1e-9) return false;
    if (std::fabs(nab_score(runs, profile, best.threshold).normalised - best.normalised) > 1e-9) return false;
  }
  return true;
}

void report_scores(std::span<const NabRun> runs, Report& report) {
  for (const NabProfile& profile : kNabProfiles) {
    const NabResult best = nab_best(runs, profile);
    report.figures[fmt::format("nab_{}", profile.name)] = best.normalised;
    for (const NabRun& run : runs) {
      if (!run.series->windows.empty())
        report.figures[fmt::format("nab_{}/{}", profile.name, run.series->name)] =
            nab_score({&run, 1}, profile, best.threshold).normalised;
      if (profile.name == "standard")
        report.figures[fmt::format("false_alarms/{}", run.series->name)] =
            static_cast<double>(nab_count(run, best.threshold).false_positives);
    }
  }
}

void report_found(std::span<const NabRun> runs, Report& report) {
  const double threshold = nab_best(runs, kNabProfiles[0]).threshold;
  double found = 0, windows = 0, false_positives = 0;
  for (const NabRun& run : runs) {
    const NabCount count = nab_count(run, threshold);
    found += static_cast<double>(count.windows_found);
    windows += static_cast<double>(run.series->windows.size());
    false_positives += static_cast<double>(count.false_positives);
    if (run.series->name.ends_with("machine_temperature_system_failure"))
      report.figures["machine_temperature_found"] = static_cast<double>(count.windows_found);
    if (!run.series->name.starts_with("real")) continue;
    for (std::size_t row = nab_probation(run.scores.size()); row < run.scores.size(); ++row)
      if (run.scores[row] >= threshold)
        report.notes.push_back(
            fmt::format("{}: alarm at {}{}", run.series->name, format_instant(run.series->time[row]),
                        nab_row_score(*run.series, row, kNabProfiles[0]) >= 0 ? ", in a labelled window" : ""));
  }
  report.figures["windows"] = windows;
  report.figures["windows_found"] = found;
  report.figures["false_alarms"] = false_positives;
}

// How much the result owes to the two options that matter: all combinations, and the score of each series under the
// combination that is best for the other series alone.
Status report_sensitivity(std::span<const NabSeries> corpus, Report& report) {
  std::vector<Scores> grid;
  std::vector<double> whole;
  for (const int memory : {4320, 6048, 8640, 12960, 17280})
    for (const double threshold : {0.1, 0.15, 0.2, 0.25, 0.3}) {
      ALARA_TRY(auto scores, detect_all(corpus, fmt::format("{{of: value, with: anomaly, memory: {}, threshold: {}}}",
                                                            memory, threshold)));
      grid.push_back(std::move(scores));
      whole.push_back(nab_best(runs_of(corpus, grid.back()), kNabProfiles[0]).normalised);
    }
  std::sort(whole.begin(), whole.end());
  report.figures["nab_standard_grid_least"] = whole.front();
  report.figures["nab_standard_grid_median"] = whole[whole.size() / 2];
  report.figures["nab_standard_grid_most"] = whole.back();

  double score = 0, null = 0, perfect = 0;
  for (std::size_t left_out = 0; left_out < corpus.size(); ++left_out) {
    std::optional<NabResult> best;
    const Scores* chosen = nullptr;
    for (const Scores& scores : grid) {
      auto runs = runs_of(corpus, scores);
      runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(left_out));
      const NabResult result = nab_best(runs, kNabProfiles[0]);
      if (best && result.normalised <= best->normalised) continue;
      best = result;
      chosen = &scores;
    }
    const NabRun run{&corpus[left_out], (*chosen)[left_out]};
    score += nab_score({&run, 1}, kNabProfiles[0], best->threshold).score;
    null += nab_score({&run, 1}, kNabProfiles[0], HUGE_VAL).score;
    perfect += static_cast<double>(corpus[left_out].windows.size());
  }
  report.figures["nab_standard_leave_one_out"] = 100 * (score - null) / (perfect - null);
  return {};
}

// What each detector costs on real values: all series one after the other, as blocks of one signal.
Status report_costs(std::span<const NabSeries> corpus, Report& report) {
  for (const char* with : {"ewma", "mad", "cusum", "page_hinkley", "spot", "hs_trees", "anomaly"}) {
    ALARA_TRY(const auto step, make_step(fmt::format("{{of: value, with: {}}}", with)));
    FrameBuilder out(3);
    std::size_t rows = 0;
    const double began = thread_cpu_seconds();
    for (int round = 0; round < 3; ++round)
      for (const NabSeries& series : corpus) {
        const std::array<std::span<const double>, 1> columns{series.value};
        out.clear();
        step->process({.slot = {}, .time = series.time, .quality = {}, .columns = columns}, out);
        keep(out.column(0)[0]);
        rows += series.value.size();
      }
    report.figures[fmt::format("nanoseconds_per_sample/{}", with)] =
        (thread_cpu_seconds() - began) * 1e9 / static_cast<double>(rows);
    report.figures[fmt::format("bytes_per_signal/{}", with)] = static_cast<double>(step->memory_bytes());
  }
  return {};
}

}  // namespace

Result<Report> run_anomalies(const Arguments& arguments) {
  if (arguments.data.empty())
    return fail(ErrorKind::bad_input, "the benchmark 'anomalies' needs --data DIR, a folder with NAB's series");
  ALARA_TRY(const auto corpus, load_nab(arguments.data));
  const std::string options = "{of: value, with: anomaly}";
  ALARA_TRY(const Scores scores, detect_all(corpus, options));
  const auto runs = runs_of(corpus, scores);

  Report report;
  std::size_t rows = 0;
  for (const NabSeries& series : corpus) rows += series.value.size();
  report.workload = fmt::format(
      "detect: {} on {} series ({} rows) of the Numenta Anomaly Benchmark, its v1 scoring, one row at a time", options,
      corpus.size(), rows);
  report.checked = scorer_agrees(corpus, scores);
  if (corpus.size() < kFullCorpus)
    report.notes.push_back(
        fmt::format("{} of NAB's {} series: not comparable with its published scoreboard", corpus.size(), kFullCorpus));
  report_scores(runs, report);
  report_found(runs, report);
  ALARA_CHECK(report_costs(corpus, report));
  if (!arguments.quick) ALARA_CHECK(report_sensitivity(corpus, report));

  Scores gaussian;
  for (const NabSeries& series : corpus) gaussian.push_back(nab_windowed_gaussian(series));
  Scores silent;
  for (const NabSeries& series : corpus) silent.emplace_back(series.value.size(), 0.0);
  for (const NabProfile& profile : kNabProfiles) {
    report.baseline[fmt::format("windowed_gaussian_{}", profile.name)] =
        nab_best(runs_of(corpus, gaussian), profile).normalised;
    report.baseline[fmt::format("null_{}", profile.name)] = nab_score(runs_of(corpus, silent), profile, 0.5).normalised;
  }
  report.notes.push_back(
      "the step's defaults were chosen by looking at these series; nab_standard_leave_one_out (memory and threshold "
      "chosen without the "
      "series scored) and the grid of both say what that is worth");
  return report;
}

}  // namespace alara::bench
