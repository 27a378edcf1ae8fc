// SPDX-License-Identifier: Apache-2.0
// Load time and the life of the connection; commands and messages are in connector_send.cpp.
#include "connect/mqtt/connector.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "base/quantity.hpp"

namespace alara::mqtt {
namespace {

constexpr std::size_t kTopicsShown = 8;

}  // namespace

MqttConnector::MqttConnector(std::string name, Settings settings)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      router_(settings_),
      outlets_(settings_),
      backoff_(settings_.reconnect_min, settings_.reconnect_max) {
  if (settings_.publish_format == Format::points) codec_ = wire::make_point_codec(settings_.publish_points);
}

MqttConnector::~MqttConnector() { stop(); }

void MqttConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                         std::vector<Error>& errors) {
  for (const SignalBinding& signal : signals) {
    const auto address = parse_address(signal.address);
    const Status added = address ? router_.add(*address, signal) : Status(tl::unexpected<Error>(address.error()));
    if (!added) errors.push_back(located(signal, added.error()));
  }
  router_.seal();
  for (const ActuatorBinding& actuator : actuators) {
    auto address = parse_address(actuator.address);
    if (address && codec_ == nullptr && address->path.find_first_of(".[]") != std::string::npos)
      address = fail(ErrorKind::bad_input,
                     "'#{}' is not one member name; a value is written as number or {{member: number}}", address->path);
    if (!address) {
      errors.push_back(located(actuator, address.error()));
      continue;
    }
    actuators_[index_of(actuator.actuator)] = Actuator{address->topic, address->path};
  }
  filters_ = settings_.patterns;
  for (const std::string& topic : router_.topics()) {
    const bool covered = std::any_of(settings_.patterns.begin(), settings_.patterns.end(),
                                     [&](const std::string& pattern) { return covers(pattern, topic); });
    if (!covered) filters_.push_back(topic);
  }
}

void MqttConnector::bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  for (const OutletBinding& outlet : outlets)
    if (const Status added = outlets_.add(outlet); !added) errors.push_back(located(outlet, added.error()));
}

std::vector<std::string> MqttConnector::explain() const {
  const std::vector<std::string> topics = router_.topics();
  std::vector<std::string> lines;
  lines.push_back(settings_.text());
  lines.push_back(fmt::format("{} signals from {} topics, {} subscriptions at QoS {}", router_.signals(), topics.size(),
                              filters_.size(), settings_.qos));
  for (std::size_t i = 0; i < std::min(filters_.size(), kTopicsShown); ++i) lines.push_back("subscribe " + filters_[i]);
  if (filters_.size() > kTopicsShown) lines.push_back(fmt::format("… and {} more", filters_.size() - kTopicsShown));
  for (const auto& [id, actuator] : actuators_)
    lines.push_back(fmt::format("publish {}{}{}", actuator.topic, actuator.member.empty() ? "" : "#", actuator.member));
  for (std::string& line : outlets_.explain()) lines.push_back(std::move(line));
  return lines;
}

Status MqttConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(!thread_.joinable(), "start() of a running connector");
  context_ = context;
  backoff_.seed(context.seed);
  stopping_ = false;
  ALARA_TRY(loop_, IoLoop::create(*context.clock));
  if (context_.commands != nullptr)
    ALARA_CHECK(loop_->watch(context_.commands->event_fd(), EPOLLIN, [this](std::uint32_t) { take_commands(); }));
  if (context_.outlets != nullptr)
    ALARA_CHECK(loop_->watch(context_.outlets->event_fd(), EPOLLIN, [this](std::uint32_t) { take_values(); }));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void MqttConnector::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  const std::lock_guard lock(mutex_);  // publish() may be about to use the loop
  loop_.reset();
}

void MqttConnector::run(const std::stop_token& stop) {
  dial();
  loop_->run(stop);
  wind_up();
}

// The loop's last turns: what is under way may still be answered, then the broker hears a good-bye.
void MqttConnector::wind_up() {
  stopping_ = true;
  const Nanos until = context_.clock->monotonic() + kWindUp;
  send_messages();
  if (context_.outlets != nullptr) take_values();
  while (online_ && (!pending_.empty() || !in_flight_.empty() || outlets_.buffered() > 0 || connection_->busy()) &&
         context_.clock->monotonic() < until)
    loop_->run_once(10 * kMillisecond);
  if (context_.commands != nullptr) {
    Command command;
    while (context_.commands->pop(command)) acknowledge(command, Outcome::unavailable);
    loop_->unwatch(context_.commands->event_fd());
  }
  if (context_.outlets != nullptr) {
    outlets_.take(*context_.outlets, Outlets::Link::down);
    outlets_.give_up(*context_.outlets);
    loop_->unwatch(context_.outlets->event_fd());
  }
  for (const Pending& pending : pending_) acknowledge(pending.command, Outcome::unavailable);
  pending_.clear();
  take_back_messages();
  if (connection_) connection_->close();
  connection_.reset();
  if (online_) stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
  online_ = false;
  stats_.connected.store(false, std::memory_order_relaxed);
}

void MqttConnector::dial() {
  ConnectionEvents& events = *this;
  connection_ = std::make_unique<Connection>(settings_, *loop_, *context_.clock, events);
  if (const Status dialled = connection_->dial(); !dialled) lost(dialled.error());
}

void MqttConnector::retry_later() {
  loop_->at(context_.clock->monotonic() + backoff_.next(), [this] { dial(); });
}

void MqttConnector::logged_in() {
  online_ = true;
  online_since_ = context_.clock->monotonic();
  stats_.connects.fetch_add(1, std::memory_order_relaxed);
  stats_.connected.store(true, std::memory_order_relaxed);
  stats_.last_progress.store(online_since_, std::memory_order_relaxed);
  report("");
  if (connection_->limits().session_present) sessions_resumed_.fetch_add(1, std::memory_order_relaxed);
  // Not from within the library's callback: what is published there waits for the next write.
  loop_->post([this] {
    if (!online_) return;
    if (const Status subscribed = connection_->subscribe(filters_, settings_.qos); !subscribed)
      report(subscribed.error().message);
    send_messages();
    send_values();
  });
}

void MqttConnector::received(std::string_view topic, std::span<const std::uint8_t> payload, bool retained) {
  const Message message{topic, payload, retained, context_.clock->wall(), context_.clock->monotonic()};
  stats_.messages_in.fetch_add(1, std::memory_order_relaxed);
  stats_.bytes_in.fetch_add(topic.size() + payload.size(), std::memory_order_relaxed);
  stats_.last_progress.store(message.monotonic, std::memory_order_relaxed);
  router_.deliver(message, *context_.inlet);
}

void MqttConnector::subscription_refused(std::string_view topic, std::string_view why) {
  subscriptions_refused_.fetch_add(1, std::memory_order_relaxed);
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  report(fmt::format("the broker refuses the subscription to {}: {}", topic, why));
}

void MqttConnector::lost(const Error& why) {
  const bool was_online = online_;
  online_ = false;
  stats_.connected.store(false, std::memory_order_relaxed);
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  if (was_online) {
    stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
    router_.mark_bad(context_.clock->wall(), context_.clock->monotonic(), *context_.inlet);
  }
  if (was_online && context_.clock->monotonic() - online_since_ >= kLasting) backoff_.restart();
  report(why.message);
  for (const Pending& pending : pending_) acknowledge(pending.command, Outcome::unavailable);
  pending_.clear();
  take_back_messages();
  if (context_.outlets != nullptr) outlets_.take_back(*context_.outlets);
  if (stopping_) return;
  // The connection is on the stack below us: it goes, and its socket with it, in the loop's next turn.
  loop_->post([this] {
    if (!online_ && !stopping_) connection_.reset();
  });
  retry_later();
}

std::string MqttConnector::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void MqttConnector::report(std::string error) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(error);
}

void MqttConnector::counters(std::vector<Counter>& out) const {
  out.push_back({"subscriptions_refused", subscriptions_refused_.load(std::memory_order_relaxed)});
  out.push_back({"sessions_resumed", sessions_resumed_.load(std::memory_order_relaxed)});
  out.push_back({"values_buffered", outlets_.buffered()});
  out.push_back({"commands_timed_out", commands_timed_out_.load(std::memory_order_relaxed)});
}

}  // namespace alara::mqtt
