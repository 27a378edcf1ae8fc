// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/shard.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace alara::flow {
namespace {

constexpr Nanos kClockWasSet =
    100 * kMillisecond;             // a step of the wall clock beyond this is no drift and no preemption
constexpr int kPassesPerTurn = 16;  // over the rings, one batch of each: bounds how late timers and acks can be
constexpr Nanos kHeartbeat = 200 * kMillisecond;   // longest sleep: shows that the thread lives
constexpr Nanos kLeastSleep = 100 * kMicrosecond;  // an operator that stays due must not make the shard spin
constexpr Nanos kPublication = kSecond;

}  // namespace

struct Shard::Replacement {
  Work next;                                             // kept pipelines are missing …
  std::vector<std::pair<std::size_t, PipelineId>> kept;  // … at these places
  std::size_t signals = 0;
  DecisionDesk::Routes routes;
  Work previous;  // for the control thread to destroy
  std::atomic<bool> done{false};
};

Shard::Shard(std::size_t index, ShardOptions options, Clock& clock, LatestValues& latest)
    : index_(index),
      options_(std::move(options)),
      clock_(clock),
      latest_(latest),
      desk_(index, options_.decisions, clock),
      replay_(options_.replay_jump) {
  work_.router = std::make_unique<Router>(work_.pipelines, 0);
}

Shard::~Shard() { stop(); }

Status Shard::replace(Plan plan) {
  const std::scoped_lock lock(control_);
  Replacement replacement;
  std::vector<std::shared_ptr<const PipelineStats>> shown;
  for (PipelinePlan& pipeline : plan.pipelines) {
    if (pipeline.keep) {
      const auto known =
          std::find_if(shown_.begin(), shown_.end(), [&](const auto& s) { return s->id == pipeline.id; });
      if (known == shown_.end())
        return fail(ErrorKind::internal, "pipeline '{}' can not be kept: shard {} does not run it", pipeline.name,
                    index_);
      replacement.kept.emplace_back(replacement.next.pipelines.size(), pipeline.id);
      replacement.next.pipelines.emplace_back();
      shown.push_back(*known);
      continue;
    }
    ALARA_TRY(auto made, Pipeline::create(std::move(pipeline), desk_, latest_));
    shown.push_back(made->stats());
    replacement.next.pipelines.push_back(std::move(made));
  }
  replacement.next.rings = std::move(plan.rings);
  replacement.signals = plan.signals;
  replacement.routes = std::move(plan.routes);
  if (thread_.joinable()) {
    mail_.store(&replacement, std::memory_order_seq_cst);
    wake_.tell();
    replacement.done.wait(false);
  } else {
    install(replacement);
  }
  shown_ = std::move(shown);
  return {};
}

// The safe point: no batch is being worked on. Building the router allocates; a reload is no hot path.
void Shard::install(Replacement& replacement) {
  Work& next = replacement.next;
  std::vector<Ring*> leaving;
  for (Ring* ring : work_.rings)
    if (std::find(next.rings.begin(), next.rings.end(), ring) == next.rings.end()) leaving.push_back(ring);
  const Nanos monotonic = clock_.monotonic();
  while (drain_rings(leaving, monotonic)) {
  }
  for (const auto& [place, id] : replacement.kept) {
    auto known = std::find_if(work_.pipelines.begin(), work_.pipelines.end(),
                              [id = id](const auto& pipeline) { return pipeline != nullptr && pipeline->id() == id; });
    ALARA_ASSERT(known != work_.pipelines.end(), "a pipeline was to be kept twice");
    next.pipelines[place] = std::move(*known);
  }
  for (const auto& pipeline : work_.pipelines)
    if (pipeline != nullptr) desk_.forget(pipeline.get());
  desk_.route(std::move(replacement.routes));
  next.router = std::make_unique<Router>(next.pipelines, replacement.signals);
  replacement.previous = std::move(work_);
  work_ = std::move(next);
  replacement.done.store(true, std::memory_order_release);
  replacement.done.notify_one();
}

void Shard::make_safe() {
  safe_wanted_.store(true, std::memory_order_seq_cst);
  wake_.tell();
}

bool Shard::turn() {
  if (mail_.load(std::memory_order_relaxed) != nullptr) install(*mail_.exchange(nullptr, std::memory_order_acquire));
  const Nanos monotonic = clock_.monotonic();
  if (safe_wanted_.load(std::memory_order_relaxed) && safe_wanted_.exchange(false, std::memory_order_acquire))
    for (const auto& pipeline : work_.pipelines) pipeline->make_safe(monotonic);
  bool worked = desk_.take_acks();
  if (options_.live) worked = pass_live_time(monotonic) || worked;
  for (int pass = 0; pass < kPassesPerTurn && drain_rings(work_.rings, monotonic); ++pass) worked = true;
  if (options_.live && worked) static_cast<void>(pass_live_time(clock_.monotonic()));
  const Nanos end = clock_.monotonic();
  desk_.check_deadlines(end);
  if (end >= next_publication_) publish_counters(end);
  stats_.turns.add();
  stats_.last_turn.store(end, std::memory_order_relaxed);
  if (worked) stats_.busy_ns.add(static_cast<std::uint64_t>(end - monotonic));
  return worked;
}

// One batch of each ring; false when all are empty.
bool Shard::drain_rings(std::span<Ring* const> rings, Nanos monotonic) {
  bool any = false;
  Ring::Entry entry;
  for (Ring* ring : rings) {
    if (!ring->front(entry)) continue;
    take(entry, monotonic);
    ring->pop();
    any = true;
  }
  return any;
}

void Shard::take(const Ring::Entry& entry, Nanos monotonic) {
  const Batch& batch = entry.batch;
  // In a replay the time up to the batch passes first, so that timers fire between samples as they would have live.
  if (!options_.live && replay_.moves(batch.time_at(0))) {
    replay_.see(batch.time_at(0));
    let_time_pass(replay_.now(), monotonic);
  }
  for (Pipeline* pipeline : work_.router->scatter(batch, entry.greatest_signal))
    pipeline->run_rows(batch.arrival, stats_.event_time.load(std::memory_order_relaxed), monotonic);
  stats_.batches.add();
  stats_.points.add(batch.size());
  stats_.unused.set(work_.router->unused());
  if (options_.live) return;
  replay_.see(batch);
  stats_.held_back.set(replay_.held_back());
  if (replay_.started()) let_time_pass(replay_.now(), monotonic);
}

bool Shard::let_time_pass(Nanos now, Nanos monotonic) {
  stats_.event_time.store(now, std::memory_order_relaxed);
  bool any = false;
  for (const auto& pipeline : work_.pipelines) {
    if (pipeline->next_due() > now) continue;
    pipeline->run_time(now, monotonic);
    any = true;
  }
  return any;
}

bool Shard::pass_live_time(Nanos monotonic) {
  const Nanos wall = clock_.wall();
  const Nanos ahead = wall - monotonic;
  const bool was_set = wall_ahead_ != kNever && std::abs(ahead - wall_ahead_) > kClockWasSet;
  wall_ahead_ = ahead;
  if (was_set)
    for (const auto& pipeline : work_.pipelines) pipeline->run_time_anew(wall, monotonic);
  return let_time_pass(wall, monotonic) || was_set;
}

void Shard::publish_counters(Nanos monotonic) {
  next_publication_ = monotonic + kPublication;
  for (const auto& pipeline : work_.pipelines) pipeline->publish_counters();
}

Nanos Shard::next_due() const {
  Nanos due = kNever;
  for (const auto& pipeline : work_.pipelines) due = std::min(due, pipeline->next_due());
  return due;
}

std::vector<std::shared_ptr<const PipelineStats>> Shard::pipelines() const {
  const std::scoped_lock lock(control_);
  return shown_;
}

std::string Shard::scheduling_note() const {
  const std::scoped_lock lock(control_);
  return scheduling_note_;
}

void Shard::start() {
  const std::scoped_lock lock(control_);
  if (thread_.joinable()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  ask_for_priority();
}

void Shard::stop() {
  const std::scoped_lock lock(control_);
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  thread_ = {};
}

void Shard::ask_for_priority() {
  const pthread_t thread = thread_.native_handle();
  pthread_setname_np(thread, options_.name.substr(0, 15).c_str());
  scheduling_note_.clear();
  if (options_.cpu >= 0) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(options_.cpu), &cores);
    if (const int error = pthread_setaffinity_np(thread, sizeof cores, &cores); error != 0)
      scheduling_note_ = fmt::format("can not run on core {} only: {}", options_.cpu, std::strerror(error));
  }
  if (options_.fifo_priority > 0) {
    const sched_param wanted{options_.fifo_priority};
    if (const int error = pthread_setschedparam(thread, SCHED_FIFO, &wanted); error != 0)
      scheduling_note_ +=
          fmt::format("{}no real-time priority {}: {} (needs CAP_SYS_NICE or an rtprio limit)",
                      scheduling_note_.empty() ? "" : "; ", options_.fifo_priority, std::strerror(error));
  }
}

void Shard::run(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { wake_.tell(); });
  for (Nanos idle_since = 0;;) {
    if (turn()) {
      idle_since = 0;
      // Only an empty shard gathers: one that has not emptied its rings in this turn would fall behind while it sleeps.
      if (options_.gather > 0 && !has_news() && !stop.stop_requested())
        clock_.sleep_until(clock_.monotonic() + options_.gather);
      continue;
    }
    if (stop.stop_requested()) return;
    if (options_.spin > 0) {
      const Nanos now = clock_.monotonic();
      if (idle_since == 0) idle_since = now;
      if (now - idle_since < options_.spin) continue;
    }
    const std::uint32_t prepared = wake_.prepare();
    const Nanos limit = sleep_limit();
    if (limit == 0 || has_news() || stop.stop_requested()) {
      wake_.cancel();
      continue;
    }
    stats_.sleeps.add();
    wake_.wait(prepared, limit);
    idle_since = 0;
  }
}

bool Shard::has_news() const {
  return mail_.load(std::memory_order_seq_cst) != nullptr || safe_wanted_.load(std::memory_order_seq_cst) ||
         desk_.has_acks() ||
         std::any_of(work_.rings.begin(), work_.rings.end(), [](const Ring* ring) { return !ring->empty(); });
}

// How long nothing can be due: until the next timer (live) or command deadline.
Nanos Shard::sleep_limit() const {
  Nanos limit = kHeartbeat;
  const Nanos due = options_.live ? next_due() : kNever;
  const Nanos wall = clock_.wall();
  if (due != kNever) limit = std::min(limit, due <= wall ? kLeastSleep : std::max(due - wall, kLeastSleep));
  if (desk_.next_deadline() != kNever)
    limit = std::min(limit, std::max(desk_.next_deadline() + 1 - clock_.monotonic(), kLeastSleep));
  return limit;
}

}  // namespace alara::flow
