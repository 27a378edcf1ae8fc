// SPDX-License-Identifier: Apache-2.0
// `engine`: the cost of a sample from the connector's push to the rule, on one core. Connector and shard run in one
// thread, so the figures hold everything: the inlet's checks, the newest value, the copy into the ring, the scatter to
// slots, the window operator as site files get it, and a threshold on its mean.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "bench/allocations.hpp"
#include "bench/bench.hpp"
#include "core/document.hpp"
#include "flow/engine/engine.hpp"
#include "flow/window/window.hpp"

namespace alara::bench {
namespace {

constexpr std::size_t kWindow = 100;
constexpr std::size_t kBatch = 1000;           // rows of one push, as a poll or a message brings them
constexpr std::size_t kBlock = 256;            // samples of one block
constexpr std::size_t kTableValues = 1 << 20;  // the input repeats after this many samples
constexpr double kLimit = 0.05;
constexpr const char* kStep = "{of: x, kind: sliding, count: 100, use: [mean, min, max, std, rms]}";
constexpr ConnectorId kSource{0};

// Emits a row when the first input of a slot crosses the limit.
class Threshold final : public Operator {
 public:
  explicit Threshold(std::size_t slots) : over_(slots) {}
  void process(const Frame& in, FrameBuilder& out) override {
    const auto value = in.column(0);
    if (in.single_slot()) {
      std::uint8_t over = over_[in.only_slot];
      for (std::size_t i = 0; i < in.size(); ++i)
        if ((value[i] > kLimit) != (over != 0)) over = cross(in, i, over, out);
      over_[in.only_slot] = over;
      return;
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      std::uint8_t& over = over_[in.slot[i]];
      if ((value[i] > kLimit) != (over != 0)) over = cross(in, i, over, out);
    }
  }
  [[nodiscard]] std::size_t memory_bytes() const override { return over_.size(); }

 private:
  std::uint8_t cross(const Frame& in, std::size_t i, std::uint8_t over, FrameBuilder& out) const {
    const double result = 1 - over;
    out.append(in.slot_at(i), in.time[i], in.quality_at(i), {&result, 1});
    return static_cast<std::uint8_t>(1 - over);
  }

  std::vector<std::uint8_t> over_;
};

// Holds the window's rows against the definitions.
class Checker final : public Operator {
 public:
  explicit Checker(const std::vector<std::vector<double>>& input) : input_(input), seen_(input.size()) {}
  void process(const Frame& in, FrameBuilder&) override {
    for (std::size_t i = 0; i < in.size(); ++i) check(in, i);
  }
  [[nodiscard]] std::size_t memory_bytes() const override { return 0; }
  [[nodiscard]] std::uint64_t checked() const { return checked_; }
  [[nodiscard]] double worst() const { return worst_; }

 private:
  void check(const Frame& in, std::size_t row) {
    const std::uint32_t slot = in.slot_at(row);
    const std::size_t end = ++seen_[slot];
    const std::size_t n = std::min(end, kWindow);
    const double* x = input_[slot].data() + (end - n);
    const auto count = static_cast<double>(n);
    double sum = 0, squares = 0, deviations = 0;
    for (std::size_t k = 0; k < n; ++k) {
      sum += x[k];
      squares += x[k] * x[k];
    }
    for (std::size_t k = 0; k < n; ++k) deviations += (x[k] - sum / count) * (x[k] - sum / count);
    hold(in.column(0)[row], sum / count);
    hold(in.column(1)[row], *std::min_element(x, x + n));
    hold(in.column(2)[row], *std::max_element(x, x + n));
    hold(in.column(3)[row], std::sqrt(deviations / count));
    hold(in.column(4)[row], std::sqrt(squares / count));
    ++checked_;
  }
  void hold(double measured, double expected) {
    const double error = std::abs(measured - expected) / std::max(1e-3, std::abs(expected));
    worst_ = error > worst_ || error != error ? error : worst_;
  }

  const std::vector<std::vector<double>>& input_;
  std::vector<std::size_t> seen_;
  std::uint64_t checked_ = 0;
  double worst_ = 0;
};

// Takes the rows and does nothing: what is left is the engine's own cost.
class Nothing final : public Operator {
 public:
  void process(const Frame& in, FrameBuilder&) override { keep(in.size()); }
  [[nodiscard]] std::size_t memory_bytes() const override { return 0; }
};

// A running engine with one pipeline over `signals` assets with one signal each.
struct Site {
  FakeClock clock;
  flow::Engine engine{{flow::ShardOptions{}}, clock};
  flow::Engine::Connection* source = nullptr;
  Nanos time = clock.wall() - kHour;

  void pass(Nanos by) {
    clock.advance(by);
    time += by;
  }
  void settle() {
    while (engine.turn()) {
    }
  }
};

flow::StepPlan step_of(std::string name, std::unique_ptr<Operator> code, std::vector<flow::InputRef> inputs,
                       std::uint32_t outputs) {
  flow::StepPlan step;
  step.name = std::move(name);
  step.code = std::move(code);
  step.inputs = std::move(inputs);
  step.outputs = outputs;
  return step;
}

Result<flow::StepPlan> window_step(const std::vector<AssetId>& assets) {
  ALARA_TRY(const Node options, parse_document(kStep, "bench"));
  ValueInfo input;
  input.name = "x";
  input.type = SignalType::float32;
  OperatorContext context;
  context.assets = assets;
  ALARA_TRY(auto made, flow::window_kind().make(options, {&input, 1}, context));
  return step_of("window", std::move(made.code), {flow::signal_input(0)},
                 static_cast<std::uint32_t>(made.outputs.size()));
}

enum class Steps { none, window };

// `last` reads the window's five columns, or the signal itself when there is no window.
Result<std::unique_ptr<Site>> make_site(std::size_t signals, Steps steps, std::unique_ptr<Operator> last) {
  auto site = std::make_unique<Site>();
  ALARA_TRY(site->source, site->engine.connect(kSource, {.name = "source"}));
  flow::PipelinePlan pipeline;
  pipeline.name = "bench";
  pipeline.signals.emplace_back();
  for (std::uint32_t i = 0; i < signals; ++i) {
    pipeline.assets.push_back(AssetId{i});
    pipeline.signals[0].push_back(SignalId{i});
  }
  std::vector<flow::InputRef> inputs{flow::signal_input(0)};
  if (steps == Steps::window) {
    ALARA_TRY(auto window, window_step(pipeline.assets));
    pipeline.steps.push_back(std::move(window));
    inputs.clear();
    for (std::uint32_t column = 0; column < 5; ++column) inputs.push_back(flow::step_output(0, column));
  }
  pipeline.steps.push_back(step_of("last", std::move(last), std::move(inputs), 1));
  flow::EnginePlan plan;
  plan.pipelines.push_back(std::move(pipeline));
  plan.connector_of_signal.assign(signals, kSource);
  ALARA_CHECK(site->engine.apply(std::move(plan)));
  return site;
}

// Values as a float32 sensor sends them.
std::vector<double> value_table() {
  std::vector<double> values(kTableValues);
  std::uint64_t state = 88172645463325252u;
  for (std::size_t i = 0; i < values.size(); ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const double noise = static_cast<double>(state >> 40) / static_cast<double>(1u << 24) - 0.5;
    values[i] = static_cast<float>(0.3 * std::sin(static_cast<double>(i % 4001) * 0.01) + noise);
  }
  return values;
}

// Pushes one sample of every signal, in batches of kBatch rows with a time for each row.
class RowFeed {
 public:
  RowFeed(std::size_t signals, const std::vector<double>& values) : ids_(signals), times_(kBatch), values_(values) {
    for (std::uint32_t i = 0; i < signals; ++i) ids_[i] = SignalId{i};
  }
  void round(Site& site) {
    site.pass(10 * kMillisecond);
    std::fill(times_.begin(), times_.end(), site.time);
    for (std::size_t first = 0; first < ids_.size(); first += kBatch) {
      const std::size_t n = std::min(kBatch, ids_.size() - first);
      if (at_ + n > values_.size()) at_ = 0;
      Batch batch;
      batch.signal = std::span(ids_).subspan(first, n);
      batch.value = std::span(values_).subspan(at_, n);
      batch.time = std::span(times_).first(n);
      at_ += n;
      site.source->inlet.push(batch);
      site.engine.turn();
    }
  }

 private:
  std::vector<SignalId> ids_;
  std::vector<Nanos> times_;
  const std::vector<double>& values_;
  std::size_t at_ = 0;
};

// Pushes one block of every signal.
class BlockFeed {
 public:
  BlockFeed(std::size_t signals, const std::vector<double>& values) : signals_(signals), values_(values) {}
  void round(Site& site) {
    for (std::uint32_t i = 0; i < signals_; ++i) {
      if (at_ + kBlock > values_.size()) at_ = 0;
      Batch batch;
      batch.block_signal = SignalId{i};
      batch.value = std::span(values_).subspan(at_, kBlock);
      batch.time0 = site.time;
      batch.step = kMillisecond;
      at_ += kBlock;
      site.source->inlet.push(batch);
      site.engine.turn();
    }
    site.pass(kBlock * kMillisecond);
  }

 private:
  std::size_t signals_;
  const std::vector<double>& values_;
  std::size_t at_ = 0;
};

struct Measured {
  double ns_per_sample = 0;
  double allocations_per_sample = 0;
};

// Best of several runs: the machine may be shared.
template <typename Feed>
Result<Measured> measure(Site& site, Feed& feed, double samples_per_round, double seconds) {
  const double warm_until = thread_cpu_seconds() + seconds / 4;
  int warm_rounds = 0;
  while (warm_rounds++ < 3 * static_cast<int>(kWindow) / 2 && (warm_rounds < 3 || thread_cpu_seconds() < warm_until))
    feed.round(site);
  Measured best{1e9, 0};
  std::uint64_t allocations = 0;
  double samples = 0;
  constexpr int kRuns = 15;
  for (int run = 0; run < kRuns; ++run) {
    const std::uint64_t allocations_before = allocations_of_this_thread();
    const double begin = thread_cpu_seconds();
    double took = 0;
    int rounds = 0;
    while (took < seconds / kRuns) {
      feed.round(site);
      ++rounds;
      took = thread_cpu_seconds() - begin;
    }
    allocations += allocations_of_this_thread() - allocations_before;
    samples += rounds * samples_per_round;
    best.ns_per_sample = std::min(best.ns_per_sample, took * 1e9 / (rounds * samples_per_round));
  }
  best.allocations_per_sample = static_cast<double>(allocations) / samples;
  site.settle();
  const flow::InletAccount account = site.source->inlet.account();
  if (account.delivered != account.accepted)
    return fail(ErrorKind::internal, "{} of {} samples were not delivered", account.accepted - account.delivered,
                account.accepted);
  return best;
}

Result<Measured> measure_rows(std::size_t signals, Steps steps, const std::vector<double>& values, double seconds) {
  std::unique_ptr<Operator> last;
  if (steps == Steps::window)
    last = std::make_unique<Threshold>(signals);
  else
    last = std::make_unique<Nothing>();
  ALARA_TRY(auto site, make_site(signals, steps, std::move(last)));
  RowFeed feed(signals, values);
  return measure(*site, feed, static_cast<double>(signals), seconds);
}

Result<Measured> measure_blocks(std::size_t signals, Steps steps, const std::vector<double>& values, double seconds) {
  std::unique_ptr<Operator> last;
  if (steps == Steps::window)
    last = std::make_unique<Threshold>(signals);
  else
    last = std::make_unique<Nothing>();
  ALARA_TRY(auto site, make_site(signals, steps, std::move(last)));
  BlockFeed feed(signals, values);
  return measure(*site, feed, static_cast<double>(signals * kBlock), seconds);
}

// The same input and as much window memory, in the simplest loop: replace the oldest value, keep two sums, compare.
double plain_loop_ns(std::size_t signals, const std::vector<double>& values, double seconds) {
  struct Sums {
    double sum = 0, squares = 0;
  };
  std::vector<float> window(signals * kWindow);
  std::vector<Sums> sums(signals);
  std::size_t at = 0, oldest = 0, over = 0;
  double best = 1e9;
  for (int run = 0; run < 5; ++run) {
    const double begin = thread_cpu_seconds();
    double took = 0;
    int rounds = 0;
    for (; took < seconds / 5; ++rounds, took = thread_cpu_seconds() - begin) {
      for (std::size_t i = 0; i < signals; ++i) {
        const double value = values[at];
        at = at + 1 == values.size() ? 0 : at + 1;
        float& cell = window[i * kWindow + oldest];
        const double old = cell;
        cell = static_cast<float>(value);
        sums[i].sum += value - old;
        sums[i].squares += value * value - old * old;
        over += sums[i].sum > kLimit * kWindow;
      }
      oldest = (oldest + 1) % kWindow;
    }
    best = std::min(best, took * 1e9 / (rounds * static_cast<double>(signals)));
  }
  keep(over);
  return best;
}

enum class Arrival { rows, blocks };

// Every row the window makes, for rows, for blocks and for both in turn, against the definitions.
Status check_against_reference(const std::vector<double>& values) {
  constexpr std::size_t kSignals = 97, kSamples = 2 * kBlock + 300;
  for (const auto& [first, second] :
       {std::pair{Arrival::rows, Arrival::rows}, std::pair{Arrival::blocks, Arrival::blocks},
        std::pair{Arrival::rows, Arrival::blocks}}) {
    std::vector<std::vector<double>> input(kSignals);
    for (std::size_t s = 0; s < kSignals; ++s)
      for (std::size_t i = 0; i < kSamples; ++i) input[s].push_back(values[(s * 7919 + i) % values.size()]);
    auto checker = std::make_unique<Checker>(input);
    const Checker& seen = *checker;
    ALARA_TRY(auto site, make_site(kSignals, Steps::window, std::move(checker)));
    std::vector<SignalId> ids;
    for (std::uint32_t s = 0; s < kSignals; ++s) ids.push_back(SignalId{s});
    for (std::size_t i = 0; i < kSamples;) {
      const bool block = (i / kBlock % 2 == 0 ? first : second) == Arrival::blocks && i % kBlock == 0;
      const std::size_t n = block ? std::min(kBlock, kSamples - i) : 1;
      std::vector<double> row;
      for (std::size_t s = 0; s < kSignals; ++s) {
        Batch batch;
        batch.block_signal = ids[s];
        batch.value = std::span(input[s]).subspan(i, n);
        batch.time0 = site->time + static_cast<Nanos>(i) * kMillisecond;
        batch.step = kMillisecond;
        row.push_back(input[s][i]);
        if (block) site->source->inlet.push(batch);
      }
      if (!block) {
        Batch batch;
        batch.signal = ids;
        batch.value = row;
        batch.time0 = site->time + static_cast<Nanos>(i) * kMillisecond;
        site->source->inlet.push(batch);
      }
      site->settle();
      i += n;
    }
    if (seen.checked() != kSignals * kSamples)
      return fail(ErrorKind::internal, "{} rows came out instead of {}", seen.checked(), kSignals * kSamples);
    if (!(seen.worst() < 1e-9)) return fail(ErrorKind::internal, "a window's result is off by {:.3g}", seen.worst());
  }
  return {};
}

}  // namespace

Result<Report> run_engine(const Arguments& arguments) {
  const double seconds = arguments.seconds > 0 ? arguments.seconds : arguments.quick ? 0.05 : 1.5;
  const std::vector<double> values = value_table();
  Report report;
  report.workload = fmt::format(
      "sliding mean, min, max, std and rms over {} samples and a threshold on the mean, for 10,000 signals: one sample "
      "of each at a time in batches of {} rows, or in blocks of {}; inlet, ring and shard in one thread, CPU time",
      kWindow, kBatch, kBlock);
  ALARA_CHECK(check_against_reference(values));
  report.checked = true;

  ALARA_TRY(const Measured rows, measure_rows(10'000, Steps::window, values, seconds));
  ALARA_TRY(const Measured blocks, measure_blocks(10'000, Steps::window, values, seconds));
  ALARA_TRY(const Measured few, measure_rows(100, Steps::window, values, seconds));
  ALARA_TRY(const Measured many, measure_rows(100'000, Steps::window, values, seconds));
  ALARA_TRY(const Measured bare, measure_rows(10'000, Steps::none, values, seconds / 2));
  ALARA_TRY(const Measured bare_blocks, measure_blocks(10'000, Steps::none, values, seconds / 2));
  const double plain = plain_loop_ns(10'000, values, seconds / 2);

  auto& figures = report.figures;
  figures["samples_per_second_per_core"] = 1e9 / rows.ns_per_sample;
  figures["block_samples_per_second_per_core"] = 1e9 / blocks.ns_per_sample;
  figures["cost_ratio_100_to_100k"] = many.ns_per_sample / few.ns_per_sample;
  figures["allocations_per_sample"] = std::max({rows.allocations_per_sample, blocks.allocations_per_sample,
                                                few.allocations_per_sample, many.allocations_per_sample});
  figures["fraction_of_plain_loop"] = plain / rows.ns_per_sample;
  figures["ns_per_sample"] = rows.ns_per_sample;
  figures["ns_per_block_sample"] = blocks.ns_per_sample;
  figures["ns_per_sample_without_window"] = bare.ns_per_sample;
  figures["ns_per_block_sample_without_window"] = bare_blocks.ns_per_sample;
  figures["ns_per_sample_100_signals"] = few.ns_per_sample;
  figures["ns_per_sample_100k_signals"] = many.ns_per_sample;
  report.baseline["plain_loop_ns_per_sample"] = plain;
  report.notes.push_back(
      "the plain loop replaces a value of a 100-value window per signal, keeps sum and sum of squares "
      "and compares: no minimum, no maximum, no roots, no rows");
  if (!counts_allocations()) report.notes.push_back("allocations are not counted under a sanitizer");
  return report;
}

}  // namespace alara::bench
