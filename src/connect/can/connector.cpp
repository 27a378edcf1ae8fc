// SPDX-License-Identifier: Apache-2.0
// Load time, the life of the bus, and what comes in; what goes out is in connector_send.cpp, logs in log_player.cpp.
#include "connect/can/connector.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <limits>

#include "base/quantity.hpp"

namespace alara::can {
namespace {

constexpr std::size_t kMostSamplesPerPush = 4096;

}  // namespace

CanConnector::CanConnector(std::string name, Settings settings)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      plan_(settings_),
      transport_(settings_.address),
      backoff_(settings_.reconnect_min, settings_.reconnect_max) {}

CanConnector::~CanConnector() { stop(); }

void CanConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                        std::vector<Error>& errors) {
  for (const SignalBinding& signal : signals)
    if (const Status added = plan_.add_signal(signal); !added) errors.push_back(located(signal, added.error()));
  for (const ActuatorBinding& actuator : actuators)
    if (const Status added = plan_.add_actuator(actuator); !added) errors.push_back(located(actuator, added.error()));
}

std::vector<std::string> CanConnector::explain() const {
  std::vector<std::string> lines = plan_.explain();
  lines.insert(lines.begin(), fmt::format("{} {}",
                                          settings_.bus == BusKind::socketcan ? "interface"
                                          : settings_.bus == BusKind::slcan   ? "slcan adapter at"
                                                                              : "play",
                                          settings_.endpoint));
  return lines;
}

Status CanConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(!thread_.joinable(), "start() of a running connector");
  context_ = context;
  backoff_.seed(context.seed);
  ALARA_TRY(loop_, IoLoop::create(*context.clock));
  if (context_.commands != nullptr)
    ALARA_CHECK(loop_->watch(context_.commands->event_fd(), EPOLLIN, [this](std::uint32_t) { take_commands(); }));
  next_ask_.assign(plan_.polls().size(), 0);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void CanConnector::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  loop_.reset();
}

void CanConnector::run(const std::stop_token& stop) {
  if (settings_.bus == BusKind::log) {
    play(stop);
  } else {
    open();
  }
  loop_->run(stop);
  if (bus_) {
    loop_->unwatch(bus_->fd());
    stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
  }
  bus_.reset();
  ++opening_;
  stats_.connected.store(false, std::memory_order_relaxed);
  for (const Pending& pending : pending_)
    if (!pending.ours) acknowledge(pending.command, Outcome::unavailable);
  pending_.clear();
  question_.reset();
  Command command;
  while (context_.commands != nullptr && context_.commands->pop(command)) acknowledge(command, Outcome::unavailable);
}

void CanConnector::open() {
  auto opened = open_bus(settings_);
  if (!opened) {
    stats_.errors.fetch_add(1, std::memory_order_relaxed);
    report(opened.error().message);
    return open_later();
  }
  bus_ = std::move(*opened);
  ++opening_;
  if (const Status watched = loop_->watch(bus_->fd(), EPOLLIN, [this](std::uint32_t) { on_bus(); }); !watched)
    return lost(watched.error().message);
  stats_.connects.fetch_add(1, std::memory_order_relaxed);
  stats_.connected.store(true, std::memory_order_relaxed);
  report("");
  last_frame_ = context_.clock->monotonic();
  watch_silence();
  if (!plan_.polls().empty()) ask_next();
}

void CanConnector::open_later() {
  loop_->at(context_.clock->monotonic() + backoff_.next(), [this] { open(); });
}

void CanConnector::lost(const std::string& why) {
  loop_->unwatch(bus_->fd());
  bus_.reset();
  ++opening_;
  stats_.connected.store(false, std::memory_order_relaxed);
  stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  report(why);
  mark_bad();
  for (const Pending& pending : pending_)
    if (!pending.ours) acknowledge(pending.command, Outcome::unavailable);
  pending_.clear();
  question_.reset();
  open_later();
}

// Every signal turns bad once.
void CanConnector::mark_bad() {
  if (all_bad_) return;
  all_bad_ = true;
  const Nanos now = context_.clock->wall();
  for (const SignalId id : plan_.signals())
    samples_.add(id, std::numeric_limits<double>::quiet_NaN(), now, Quality::bad);
  push();
}

void CanConnector::watch_silence() {
  if (settings_.silence == 0) return;
  const std::uint64_t opening = opening_;
  loop_->at(last_frame_ + settings_.silence, [this, opening] {
    if (opening != opening_) return;
    if (context_.clock->monotonic() - last_frame_ < settings_.silence) return watch_silence();
    lost(fmt::format("{}: no frame for {}", settings_.endpoint, format_duration(settings_.silence)));
  });
}

void CanConnector::on_bus() {
  received_.clear();
  const Status status = bus_->receive(received_);
  const Nanos monotonic = context_.clock->monotonic(), wall = context_.clock->wall();
  stats_.bytes_in.fetch_add(received_.bytes, std::memory_order_relaxed);
  stats_.messages_in.fetch_add(received_.frames.size(), std::memory_order_relaxed);
  if (received_.garbage > 0) {
    garbage_.fetch_add(received_.garbage, std::memory_order_relaxed);
    stats_.errors.fetch_add(received_.garbage, std::memory_order_relaxed);
  }
  if (!received_.frames.empty()) {
    last_frame_ = monotonic;
    backoff_.restart();
    stats_.last_progress.store(monotonic, std::memory_order_relaxed);
    if (!plan_.signals().empty()) all_bad_ = false;
    for (const wire::can::Frame& frame : received_.frames) take(frame, wall);
    push();
  }
  settle(received_.confirmed, received_.refused);
  for (const wire::can::Frame& reply : replies_) static_cast<void>(put(reply, nullptr));
  replies_.clear();
  if (!status) lost(fmt::format("{}: {}", settings_.endpoint, status.error().message));
}

void CanConnector::take(const wire::can::Frame& frame, Nanos time) {
  if (!plan_.polls().empty() && !frame.extended && frame.id >= wire::can::kObdFirstAnswerId &&
      frame.id <= wire::can::kObdLastAnswerId)
    return take_answer(frame, time);
  if (settings_.j1939 && frame.extended) {
    if (const auto message = transport_.take(frame, context_.clock->monotonic(), replies_))
      plan_.take(*message, time, samples_);
  } else {
    plan_.take(frame, time, samples_);
  }
  if (samples_.signal.size() >= kMostSamplesPerPush) push();
}

void CanConnector::push() {
  if (samples_.short_frames > 0) context_.inlet->reject("short_frame", samples_.short_frames);
  if (!samples_.signal.empty()) {
    Batch batch;
    batch.signal = samples_.signal;
    batch.value = samples_.value;
    batch.time = samples_.time;
    batch.quality = samples_.quality;
    batch.arrival = context_.clock->monotonic();
    context_.inlet->push(batch);
  }
  samples_.clear();
  unknown_frames_.store(plan_.unknown_frames(), std::memory_order_relaxed);
  transports_given_up_.store(transport_.given_up() + transport_.turned_away(), std::memory_order_relaxed);
}

std::string CanConnector::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void CanConnector::report(std::string error) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(error);
}

void CanConnector::counters(std::vector<Counter>& out) const {
  out.push_back({"garbage", garbage_.load(std::memory_order_relaxed)});
  out.push_back({"unknown_frames", unknown_frames_.load(std::memory_order_relaxed)});
  out.push_back({"unanswered_requests", unanswered_.load(std::memory_order_relaxed)});
  out.push_back({"broken_messages", transports_given_up_.load(std::memory_order_relaxed)});
}

}  // namespace alara::can
