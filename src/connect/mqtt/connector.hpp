// SPDX-License-Identifier: Apache-2.0
// The MQTT connector: one thread with its own event loop that keeps a connection alive, routes what arrives, publishes
// commands and messages, and answers for each of them.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/backoff.hpp"
#include "connect/mqtt/connection.hpp"
#include "connect/mqtt/outlets.hpp"
#include "connect/mqtt/router.hpp"
#include "connect/mqtt/settings.hpp"
#include "core/connector.hpp"

namespace alara::mqtt {

inline constexpr std::size_t kMaxQueuedMessages = 1024;    // handed over by publish() and not yet acknowledged
inline constexpr std::size_t kMaxPendingCommands = 1024;   // published and not yet acknowledged
inline constexpr std::size_t kMaxMessageBytes = 1u << 20;  // of one publish()

class MqttConnector final : public Connector, public MessageSink, private ConnectionEvents {
 public:
  MqttConnector(std::string name, Settings settings);
  ~MqttConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  void bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] MessageSink* message_sink() override { return this; }
  [[nodiscard]] const ConnectorStats& stats() const override { return stats_; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

  // The address is a topic.
  bool publish(std::string_view address, std::string_view payload) override;

 private:
  struct Actuator {
    std::string topic;
    std::string member;  // of the JSON object to send; "" = a bare value
  };
  struct Pending {
    int id = 0;
    Command command;
    Nanos give_up = 0;
  };
  struct Outgoing {
    int id = 0;
    std::string topic;
    std::string payload;
  };

  // ConnectionEvents
  void logged_in() override;
  void received(std::string_view topic, std::span<const std::uint8_t> payload, bool retained) override;
  void published(const Answer& answer) override;
  void subscription_refused(std::string_view topic, std::string_view why) override;
  void lost(const Error& why) override;

  void run(const std::stop_token& stop);
  void dial();
  void retry_later();
  void take_commands();
  void send(const Command& command);
  void compose(const Actuator& actuator, double value);
  void acknowledge(const Command& command, Outcome outcome);
  void watch_timeouts();
  void give_up_late();
  void take_values();
  void send_values();
  void send_values_soon();
  void send_messages();
  void take_back_messages();
  void wind_up();
  void report(std::string error);

  // Constant after bind().
  const std::string name_;
  const Settings settings_;
  Router router_;
  std::unordered_map<std::uint32_t, Actuator> actuators_;
  std::vector<std::string> filters_;

  Outlets outlets_;  // its topics constant after bind_outlets(), its values confined to the loop's thread

  // Constant while running.
  ConnectorContext context_;
  std::unique_ptr<IoLoop> loop_;

  // Confined to the loop's thread.
  std::unique_ptr<Connection> connection_;
  bool online_ = false;
  bool stopping_ = false;
  Backoff backoff_;
  Nanos online_since_ = 0;
  bool sending_soon_ = false;
  std::deque<Pending> pending_;  // in the order of their time limits
  std::deque<Outgoing> in_flight_;
  bool timeout_watched_ = false;
  std::unique_ptr<wire::PointCodec> codec_;  // of format points
  std::string text_;                         // of the payload being composed
  std::vector<std::uint8_t> bytes_;

  ConnectorStats stats_;
  std::atomic<std::uint64_t> subscriptions_refused_{0}, commands_timed_out_{0}, sessions_resumed_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::deque<Outgoing> queue_;
  std::size_t queued_ = 0;  // in queue_ and in_flight_
  std::string last_error_;

  std::jthread thread_;
};

}  // namespace alara::mqtt
