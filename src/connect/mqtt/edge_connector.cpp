// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/edge_connector.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <limits>

namespace alara::mqtt {
namespace {

constexpr int kCommandQos = 1;  // of the subscriptions (Sparkplug 3.0, section 5.2)

}  // namespace

EdgeConnector::EdgeConnector(std::string name, EdgeSettings settings)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      node_(settings_, *this),
      sequence_(settings_.bd_seq_file),
      backoff_(settings_.reconnect_min, settings_.reconnect_max) {}

EdgeConnector::~EdgeConnector() { stop(); }

void EdgeConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                         std::vector<Error>& errors) {
  for (const SignalBinding& signal : signals) {
    if (const Status added = node_.add_command(signal); !added) errors.push_back(located(signal, added.error()));
    signals_.push_back(signal.signal);
  }
  for (const ActuatorBinding& actuator : actuators)
    errors.push_back(located(actuator, {ErrorKind::bad_input,
                                        "a Sparkplug edge node writes to nobody; publish the value as a metric instead",
                                        {},
                                        {}}));
}

void EdgeConnector::bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  for (const OutletBinding& outlet : outlets)
    if (const Status added = node_.add_outlet(outlet); !added) errors.push_back(located(outlet, added.error()));
}

Status EdgeConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(!thread_.joinable(), "start() of a running connector");
  context_ = context;
  backoff_.seed(context.seed);
  stopping_ = false;
  ALARA_TRY(loop_, IoLoop::create(*context.clock));
  if (context_.commands != nullptr)
    ALARA_CHECK(loop_->watch(context_.commands->event_fd(), EPOLLIN, [this](std::uint32_t) { refuse_commands(); }));
  if (context_.outlets != nullptr)
    ALARA_CHECK(loop_->watch(context_.outlets->event_fd(), EPOLLIN, [this](std::uint32_t) { take_values(); }));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void EdgeConnector::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  loop_.reset();
}

void EdgeConnector::run(const std::stop_token& stop) {
  dial();
  loop_->run(stop);
  wind_up();
}

void EdgeConnector::wind_up() {
  stopping_ = true;
  if (context_.outlets != nullptr) take_values();
  refuse_commands();
  const Nanos until = context_.clock->monotonic() + kWindUp;
  while (online_ && connection_->busy() && context_.clock->monotonic() < until) loop_->run_once(10 * kMillisecond);
  if (online_) say_goodbye();
  if (connection_) connection_->close();
  if (online_) stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
  end_session();
  connection_.reset();
  if (context_.outlets != nullptr) {
    node_.take(*context_.outlets, now());
    node_.give_up(*context_.outlets);
    loop_->unwatch(context_.outlets->event_fd());
  }
  if (context_.commands != nullptr) loop_->unwatch(context_.commands->event_fd());
  count();
}

// Every session has a number of its own, in its will and in its births. One that came to no login was no session: its
// number is used again, and a broker that is away costs no writes to the disk.
void EdgeConnector::dial() {
  leaving_ = false;
  if (!bd_seq_unused_) {
    Status problem;
    bd_seq_ = sequence_.next(problem);
    bd_seq_unused_ = true;
    if (!problem) {
      stats_.errors.fetch_add(1, std::memory_order_relaxed);
      report(problem.error().message);
    }
  }
  settings_.will =
      Will{edge_topic(settings_, "NDEATH"), node_.death_payload(bd_seq_, context_.clock->wall()), 1, false};
  ConnectionEvents& events = *this;
  connection_ = std::make_unique<Connection>(settings_, *loop_, *context_.clock, events);
  if (const Status dialled = connection_->dial(); !dialled) lost(dialled.error());
}

void EdgeConnector::logged_in() {
  online_ = true;
  bd_seq_unused_ = false;
  online_since_ = context_.clock->monotonic();
  stats_.connects.fetch_add(1, std::memory_order_relaxed);
  stats_.connected.store(true, std::memory_order_relaxed);
  stats_.last_progress.store(online_since_, std::memory_order_relaxed);
  report("");
  loop_->post([this] {  // not from within the library's callback
    if (!online_) return;
    const std::vector<std::string> filters = node_.filters();
    if (const Status asked = connection_->subscribe(filters, kCommandQos); !asked) report(asked.error().message);
  });
}

void EdgeConnector::subscribed() {
  node_.session_began(bd_seq_, now(), backoff_.below(settings_.birth_jitter));
  step_soon();
}

void EdgeConnector::subscription_refused(std::string_view topic, std::string_view why) {
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  report(fmt::format("the broker refuses the subscription to {}: {}", topic, why));
}

void EdgeConnector::received(std::string_view topic, std::span<const std::uint8_t> payload, bool retained) {
  const EdgeInstant instant = now();
  stats_.messages_in.fetch_add(1, std::memory_order_relaxed);
  stats_.bytes_in.fetch_add(topic.size() + payload.size(), std::memory_order_relaxed);
  stats_.last_progress.store(instant.monotonic, std::memory_order_relaxed);
  // A retained command is of unknown age and must not act again with every connection.
  if (retained && topic != state_topic(settings_)) return context_.inlet->reject("retained_command", 1);
  node_.received(topic, payload, instant, *context_.inlet);
  step_soon();
}

void EdgeConnector::published(const Answer& answer) {
  const auto found =
      std::find_if(unsent_.begin(), unsent_.end(), [&](const Unsent& unsent) { return unsent.id == answer.id; });
  if (found == unsent_.end()) return;
  const std::size_t values = found->values.size();
  unsent_values_ -= values;
  unsent_.erase(found);
  count();  // before they are settled: nobody sees them twice
  if (values > 0) context_.outlets->delivered(values);
  stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
  stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
  if (node_.stored() > 0) step_soon();
}

bool EdgeConnector::send(EdgeMessage&& message) {
  if (!online_ || leaving_) return false;
  const std::size_t bytes = message.topic.size() + message.payload.size();
  unsent_values_ += message.values.size();
  unsent_.push_back({-1, std::move(message.values)});
  const std::size_t before = unsent_.size();
  const Status sent = connection_->publish({message.topic, message.payload}, unsent_.back().id);
  if (sent) {
    stats_.bytes_out.fetch_add(bytes, std::memory_order_relaxed);
    return true;
  }
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  report(sent.error().message);
  if (unsent_.size() < before) return true;  // the connection broke meanwhile, and the values went back to the store
  unsent_values_ -= unsent_.back().values.size();
  unsent_.pop_back();
  return false;
}

void EdgeConnector::say_goodbye() {
  int id = 0;
  const std::string death = node_.death_payload(bd_seq_, context_.clock->wall());
  static_cast<void>(connection_->publish({settings_.will->topic, death, 1, false}, id));
}

// Called by the node from within received(): the connection goes in the loop's next turn.
void EdgeConnector::leave(std::string_view why) {
  leaving_ = true;
  loop_->post([this, text = std::string(why)] {
    if (!online_ || stopping_) return;
    say_goodbye();
    connection_->close();
    lost({ErrorKind::unavailable, text, {}, {}});
  });
}

void EdgeConnector::lost(const Error& why) {
  const bool was_online = online_;
  if (was_online && context_.clock->monotonic() - online_since_ >= kLasting) backoff_.restart();
  if (was_online) stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
  end_session();
  if (was_online) mark_bad();
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  report(why.message);
  if (stopping_) return;
  loop_->post([this] {  // the connection is on the stack below us
    if (!online_ && !stopping_) connection_.reset();
  });
  loop_->at(context_.clock->monotonic() + backoff_.next(), [this] { dial(); });
}

void EdgeConnector::end_session() {
  online_ = false;
  stats_.connected.store(false, std::memory_order_relaxed);
  std::vector<OutletSample> values;
  for (const Unsent& unsent : unsent_) values.insert(values.end(), unsent.values.begin(), unsent.values.end());
  unsent_.clear();
  unsent_values_ = 0;
  node_.session_ended(values, context_.outlets);
  watch_due();
  count();
}

// Nobody can write the bound metrics now.
void EdgeConnector::mark_bad() {
  if (signals_.empty()) return;
  const std::vector<double> values(signals_.size(), std::numeric_limits<double>::quiet_NaN());
  const std::vector<Quality> qualities(signals_.size(), Quality::bad);
  Batch batch;
  batch.signal = signals_;
  batch.value = values;
  batch.quality = qualities;
  batch.time0 = context_.clock->wall();
  batch.arrival = context_.clock->monotonic();
  context_.inlet->push(batch);
}

void EdgeConnector::take_values() {
  node_.take(*context_.outlets, now());
  step();
}

void EdgeConnector::refuse_commands() {
  Command command;
  while (context_.commands != nullptr && context_.commands->pop(command))
    context_.commands->acknowledge(
        Ack{command.id, command.actuator, Outcome::unavailable, context_.clock->monotonic(), 0});
}

void EdgeConnector::step() {
  node_.step(now());
  watch_due();
  count();
}

void EdgeConnector::step_soon() {
  if (step_posted_) return;
  step_posted_ = true;
  loop_->post([this] {
    step_posted_ = false;
    step();
  });
}

void EdgeConnector::watch_due() {
  if (node_.due() == due_at_) return;
  if (due_at_ != kNever) loop_->cancel(due_timer_);
  due_at_ = node_.due();
  if (due_at_ == kNever) return;
  due_timer_ = loop_->at(due_at_, [this] {
    due_at_ = kNever;
    step();
  });
}

void EdgeConnector::count() {
  const EdgeNode::Counts& counts = node_.counts();
  births_.store(counts.births, std::memory_order_relaxed);
  device_births_.store(counts.device_births, std::memory_order_relaxed);
  device_deaths_.store(counts.device_deaths, std::memory_order_relaxed);
  rebirths_.store(counts.rebirths_asked, std::memory_order_relaxed);
  historical_.store(counts.historical, std::memory_order_relaxed);
  buffered_.store(node_.stored() + unsent_values_, std::memory_order_relaxed);
  host_online_.store(node_.host_online() ? 1 : 0, std::memory_order_relaxed);
}

void EdgeConnector::counters(std::vector<Counter>& out) const {
  const auto add = [&](std::string_view name, const std::atomic<std::uint64_t>& value) {
    out.push_back({name, value.load(std::memory_order_relaxed)});
  };
  add("births", births_);
  add("device_births", device_births_);
  add("device_deaths", device_deaths_);
  add("rebirths_asked", rebirths_);
  add("historical_values", historical_);
  add("values_buffered", buffered_);
  add("primary_host_online", host_online_);
}

std::string EdgeConnector::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void EdgeConnector::report(std::string error) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(error);
}

}  // namespace alara::mqtt
