// SPDX-License-Identifier: Apache-2.0
// The way out: commands with their acks, and messages with theirs.
#include <algorithm>

#include "connect/mqtt/connector.hpp"
#include "wire/payload_json.hpp"

namespace alara::mqtt {

void MqttConnector::take_commands() {
  Command command;
  while (context_.commands->pop(command)) send(command);
}

void MqttConnector::acknowledge(const Command& command, Outcome outcome) {
  context_.commands->acknowledge(Ack{command.id, command.actuator, outcome, context_.clock->monotonic(), 0});
}

// The payload of one value, into text_.
void MqttConnector::compose(const Actuator& actuator, double value) {
  if (codec_ != nullptr) {
    const wire::Point point{.name = actuator.member, .value = value, .time = context_.clock->wall()};
    return codec_->write({&point, 1}, text_);
  }
  text_.clear();
  if (settings_.publish_format == Format::array) {
    wire::write_array({wire::ElementType::float64, context_.clock->wall(), 0}, std::span(&value, 1), bytes_);
    text_.assign(bytes_.begin(), bytes_.end());
    return;
  }
  if (!actuator.member.empty()) {
    text_ += '{';
    wire::append_json_string(actuator.member, text_);
    text_ += ':';
  }
  wire::append_number(value, text_);
  if (!actuator.member.empty()) text_ += '}';
}

void MqttConnector::send(const Command& command) {
  const auto found = actuators_.find(index_of(command.actuator));
  if (found == actuators_.end() || !online_ || pending_.size() >= kMaxPendingCommands)
    return acknowledge(command, Outcome::unavailable);
  if (command.verify) {  // a topic can not be read back; saying "done" would be a lie
    report(fmt::format("{}: a value written to an MQTT topic can not be verified by reading it back",
                       found->second.topic));
    return acknowledge(command, Outcome::unavailable);
  }
  const Nanos now = context_.clock->monotonic();
  compose(found->second, command.value);
  Publication publication{found->second.topic, text_, settings_.qos, settings_.retain, kNever};
  // An old command must not reach a device that comes back later.
  if (command.deadline != kNever) publication.expires_in = std::max<Nanos>(command.deadline - now, 1);
  pending_.push_back({-1, command, now + settings_.ack_timeout});
  const std::size_t before = pending_.size();
  const Status sent = connection_->publish(publication, pending_.back().id);
  if (!sent) {
    report(sent.error().message);
    if (pending_.size() == before) pending_.pop_back();
    return acknowledge(command, Outcome::unavailable);
  }
  stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
  stats_.bytes_out.fetch_add(publication.topic.size() + text_.size(), std::memory_order_relaxed);
  watch_timeouts();
}

void MqttConnector::take_values() {
  outlets_.take(*context_.outlets, online_ ? Outlets::Link::up : Outlets::Link::down);
  send_values();
}

void MqttConnector::send_values() {
  if (!online_ || context_.outlets == nullptr) return;
  if (const Status sent = outlets_.send(*connection_, *context_.outlets, context_.clock->monotonic()); !sent)
    report(sent.error().message);
}

// One turn of the loop for many answers, and not from within the library's callback.
void MqttConnector::send_values_soon() {
  if (sending_soon_) return;
  sending_soon_ = true;
  loop_->post([this] {
    sending_soon_ = false;
    send_values();
  });
}

void MqttConnector::published(const Answer& answer) {
  const auto [id, accepted, why] = answer;
  const auto command =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& pending) { return pending.id == answer.id; });
  if (command != pending_.end()) {
    stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
    if (!accepted)
      report(fmt::format("the broker refuses the command to {}: {}",
                         actuators_.at(index_of(command->command.actuator)).topic, why));
    acknowledge(command->command, accepted ? Outcome::done : Outcome::refused_device);
    pending_.erase(command);
    return;
  }
  if (context_.outlets != nullptr) {
    const Outlets::Settled settled = outlets_.settle(answer, *context_.outlets, stats_);
    if (settled.ours) {
      stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
      if (!settled.refusal.empty()) {
        stats_.errors.fetch_add(1, std::memory_order_relaxed);
        report(settled.refusal);
      }
      return send_values_soon();
    }
  }
  const auto message = std::find_if(in_flight_.begin(), in_flight_.end(),
                                    [&](const Outgoing& outgoing) { return outgoing.id == answer.id; });
  if (message == in_flight_.end()) return;
  if (!accepted) {
    stats_.errors.fetch_add(1, std::memory_order_relaxed);
    report(fmt::format("the broker refuses messages to {}: {}", message->topic, why));
  }
  in_flight_.erase(message);
  const std::lock_guard lock(mutex_);
  --queued_;
}

void MqttConnector::watch_timeouts() {
  if (timeout_watched_ || pending_.empty()) return;
  timeout_watched_ = true;
  loop_->at(pending_.front().give_up, [this] {
    timeout_watched_ = false;
    give_up_late();
    watch_timeouts();
  });
}

void MqttConnector::give_up_late() {
  const Nanos now = context_.clock->monotonic();
  while (!pending_.empty() && pending_.front().give_up <= now) {
    commands_timed_out_.fetch_add(1, std::memory_order_relaxed);
    acknowledge(pending_.front().command, Outcome::timed_out);
    pending_.pop_front();
  }
}

bool MqttConnector::publish(std::string_view address, std::string_view payload) {
  if (payload.size() > kMaxMessageBytes || !check_topic(address)) return false;
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr || !stats_.connected.load(std::memory_order_relaxed) || queued_ >= kMaxQueuedMessages)
    return false;
  queue_.push_back({0, std::string(address), std::string(payload)});
  ++queued_;
  loop_->post([this] { send_messages(); });
  return true;
}

void MqttConnector::send_messages() {
  while (online_) {
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return;
      in_flight_.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    Outgoing& message = in_flight_.back();
    message.id = -1;
    const std::size_t bytes = message.topic.size() + message.payload.size();
    Publication publication{message.topic, message.payload, settings_.qos};
    if (settings_.message_expiry > 0) publication.expires_in = settings_.message_expiry;
    const Status sent = connection_->publish(publication, message.id);
    if (!sent && sent.error().kind == ErrorKind::exhausted) {  // no broker that says so will ever take it
      stats_.errors.fetch_add(1, std::memory_order_relaxed);
      report(sent.error().message);
      in_flight_.pop_back();
      const std::lock_guard lock(mutex_);
      --queued_;
      continue;
    }
    if (!sent) {
      report(sent.error().message);
      return take_back_messages();
    }
    stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
    stats_.bytes_out.fetch_add(bytes, std::memory_order_relaxed);
  }
}

// What the broker has not acknowledged goes back to the front of the queue, in order, for the next connection.
void MqttConnector::take_back_messages() {
  const std::lock_guard lock(mutex_);
  while (!in_flight_.empty()) {
    queue_.push_front(std::move(in_flight_.back()));
    in_flight_.pop_back();
  }
}

}  // namespace alara::mqtt
