// SPDX-License-Identifier: Apache-2.0
// Runs a fixture: the real engine and the real pipelines under a clock that is moved by hand. Commands are acknowledged
// as done at the instant at which they are sent.
#include <algorithm>

#include "base/quantity.hpp"
#include "flow/engine/engine.hpp"
#include "node/compile.hpp"
#include "node/fixtures.hpp"

namespace alara::node {
namespace {

struct Happened {
  Nanos at = 0;
  Expectation::Kind kind = Expectation::Kind::command;
  std::string name, asset, text;
  double value = 0;

  [[nodiscard]] std::string line() const {
    if (kind == Expectation::Kind::command)
      return fmt::format("{:>10}  command {} = {:g}", format_duration(at), name, value);
    return fmt::format("{:>10}  event {} {}: {} {}", format_duration(at),
                       kind == Expectation::Kind::event_raised ? "raised by" : "cleared by", name, asset, text);
  }
};

class FixtureRun {
 public:
  FixtureRun(const Site& site, const Fixture& fixture)
      : site_(site), fixture_(fixture), engine_(shard_options(site), clock_), start_(clock_.wall()) {}

  Result<FixtureOutcome> run() {
    ALARA_CHECK(prepare());
    play();
    FixtureOutcome outcome;
    outcome.name = fixture_.name;
    for (const Happened& happened : happened_) outcome.log.push_back(happened.line());
    judge(outcome);
    return outcome;
  }

 private:
  static std::vector<flow::ShardOptions> shard_options(const Site& site) {
    std::vector<flow::ShardOptions> shards(static_cast<std::size_t>(site.settings.shards) + 1);
    for (std::size_t i = 0; i < shards.size(); ++i) shards[i].name = fmt::format("shard-{}", i);
    return shards;
  }

  Status prepare() {
    std::vector<Decisions*> decisions;
    for (std::size_t i = 0; i < engine_.shard_count(); ++i) decisions.push_back(&engine_.shard(i).decisions());
    Diagnosis diagnosis;
    compiled_ = compile(site_, identities_, decisions, nullptr, diagnosis);
    if (!diagnosis.ok()) return tl::unexpected<Error>(diagnosis.errors.front());
    for (const CompiledConnector& connector : compiled_.connectors) {
      flow::InletOptions options;
      options.name = connector.name;
      options.max_skew = site_.settings.max_skew;
      ALARA_TRY(flow::Engine::Connection* const connection, engine_.connect(connector.id, options));
      connection->inlet.when_full_call([this] { engine_.turn(); });
      connections_.push_back(connection);
    }
    return engine_.apply(std::move(compiled_.engine));
  }

  void play() {
    const Nanos end = start_ + fixture_.lasts;
    settle();
    std::size_t next = 0;
    for (;;) {
      Nanos due = end;
      if (next < fixture_.trace.size()) due = std::min(due, start_ + fixture_.trace[next].at);
      due = std::min(due, engine_.next_due());
      // A due time that has passed without its work being done must not hold the clock.
      if (due <= clock_.wall() && !(next < fixture_.trace.size() && start_ + fixture_.trace[next].at <= clock_.wall()))
        due = clock_.wall() + kMillisecond;
      if (due > clock_.wall()) clock_.advance(due - clock_.wall());
      while (next < fixture_.trace.size() && start_ + fixture_.trace[next].at <= clock_.wall())
        push(fixture_.trace[next++]);
      settle();
      if (clock_.wall() >= end) return;
    }
  }

  void push(const TraceStep& step) {
    const AssetSpec& asset = site_.assets[step.asset];
    const SignalSpec& signal = site_.asset_types[asset.type].signals[step.signal];
    const SignalId id = identities_.signals.id_of(asset.name + "." + signal.name);
    const auto source = std::ranges::find(asset.sources, step.signal, &SourceSpec::signal);
    if (source == asset.sources.end()) return;
    const Nanos time = start_ + step.at + step.shift;
    const Quality quality = step.missing ? Quality::bad : Quality::good;
    Batch batch;
    batch.block_signal = id;
    batch.value = {&step.value, 1};
    batch.time = {&time, 1};
    batch.quality = {&quality, 1};
    batch.arrival = clock_.monotonic();
    connections_[source->endpoint.connector]->inlet.push(batch);
  }

  // Turns until nothing moves: samples, commands, acks, events.
  void settle() {
    constexpr int kMaxTurns = 10'000;
    for (int turn = 0; turn < kMaxTurns; ++turn) {
      const bool worked = engine_.turn();
      if (!take_decisions() && !worked) return;
    }
  }

  bool take_decisions() {
    bool any = false;
    for (flow::Engine::Connection* connection : connections_) {
      Command command;
      while (connection->inbox->pop(command)) {
        any = true;
        Happened happened;
        happened.at = clock_.wall() - start_;
        happened.name = identities_.actuators.name_of(command.actuator);
        happened.value = command.value;
        happened_.push_back(std::move(happened));
        connection->inbox->acknowledge(
            {command.id, command.actuator, Outcome::done, clock_.monotonic(), command.value});
      }
    }
    for (flow::Engine::Connection* connection : connections_) {
      OutletSample sample;
      while (connection->outlets->pop(sample)) connection->outlets->delivered(1);
    }
    for (std::size_t i = 0; i < engine_.shard_count(); ++i) {
      Event event;
      while (engine_.shard(i).decisions().next_event(event)) {
        any = true;
        Happened happened;
        happened.at = clock_.wall() - start_;
        happened.kind = event.raised ? Expectation::Kind::event_raised : Expectation::Kind::event_cleared;
        const std::string& part = identities_.pipelines.name_of(event.pipeline);
        happened.name = part.substr(0, part.find('#'));
        happened.asset = identities_.assets.name_of(event.asset);
        happened.text = event.text;
        happened_.push_back(std::move(happened));
      }
      flow::AuditLine line;
      while (engine_.shard(i).decisions().next_audit_line(line)) {
      }
      flow::DeadLetter letter;
      while (engine_.shard(i).decisions().next_dead_letter(letter)) {
      }
    }
    return any;
  }

  static bool matches(const Expectation& wanted, const Happened& happened) {
    return wanted.kind == happened.kind && wanted.name == happened.name && happened.at >= wanted.earliest &&
           happened.at <= wanted.latest && (wanted.asset.empty() || wanted.asset == happened.asset) &&
           (wanted.any_value || wanted.value == happened.value) &&
           (wanted.text.empty() || happened.text.find(wanted.text) != std::string::npos);
  }

  static std::string described(const Expectation& wanted) {
    std::string out = wanted.kind == Expectation::Kind::command        ? fmt::format("command {}", wanted.name)
                      : wanted.kind == Expectation::Kind::event_raised ? fmt::format("event of '{}'", wanted.name)
                                                                       : fmt::format("clearing of '{}'", wanted.name);
    if (!wanted.any_value) out += fmt::format(" = {:g}", wanted.value);
    if (!wanted.asset.empty()) out += " for " + wanted.asset;
    if (!wanted.text.empty()) out += fmt::format(" with '{}'", wanted.text);
    if (wanted.earliest > 0) out += " not before " + format_duration(wanted.earliest);
    if (wanted.latest != kNever) out += " until " + format_duration(wanted.latest);
    return out;
  }

  void judge(FixtureOutcome& outcome) const {
    for (const Expectation& wanted : fixture_.expect)
      if (std::ranges::none_of(happened_, [&](const Happened& h) { return matches(wanted, h); }))
        outcome.failures.push_back(fmt::format("{}: did not happen: {}", wanted.where.text(), described(wanted)));
    for (const Expectation& unwanted : fixture_.never)
      for (const Happened& happened : happened_)
        if (matches(unwanted, happened))
          outcome.failures.push_back(fmt::format("{}: must never happen: {}, but at {} it did", unwanted.where.text(),
                                                 described(unwanted), format_duration(happened.at)));
  }

  const Site& site_;
  const Fixture& fixture_;
  FakeClock clock_;
  flow::Engine engine_;
  const Nanos start_;
  Identities identities_;
  Compiled compiled_;
  std::vector<flow::Engine::Connection*> connections_;
  std::vector<Happened> happened_;
};

}  // namespace

Result<FixtureOutcome> run_fixture(const Site& site, const Fixture& fixture) { return FixtureRun(site, fixture).run(); }

}  // namespace alara::node
