// SPDX-License-Identifier: Apache-2.0
// The Sparkplug connector: one thread with its own event loop that keeps an edge node (edge_node.hpp) connected, each
// connection with the next bdSeq in its will, and settles published values when their messages have left.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.hpp"
#include "connect/mqtt/bd_sequence.hpp"
#include "connect/mqtt/connection.hpp"
#include "connect/mqtt/edge_node.hpp"
#include "core/connector.hpp"

namespace alara::mqtt {

class EdgeConnector final : public Connector, private ConnectionEvents, private EdgeOutput {
 public:
  EdgeConnector(std::string name, EdgeSettings settings);
  ~EdgeConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  void bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override { return node_.explain(); }
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] const ConnectorStats& stats() const override { return stats_; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Unsent {
    int id = 0;
    std::vector<OutletSample> values;
  };

  // ConnectionEvents
  void logged_in() override;
  void received(std::string_view topic, std::span<const std::uint8_t> payload, bool retained) override;
  void published(const Answer& answer) override;
  void subscribed() override;
  void subscription_refused(std::string_view topic, std::string_view why) override;
  void lost(const Error& why) override;
  // EdgeOutput
  bool send(EdgeMessage&& message) override;
  [[nodiscard]] std::size_t unsent_values() const override { return unsent_values_; }
  void leave(std::string_view why) override;

  void run(const std::stop_token& stop);
  void dial();
  void step();
  void step_soon();
  void watch_due();
  void take_values();
  void refuse_commands();
  void say_goodbye();
  void end_session();
  void mark_bad();
  void wind_up();
  void count();
  void report(std::string error);
  [[nodiscard]] EdgeInstant now() const { return {context_.clock->wall(), context_.clock->monotonic()}; }

  // Constant while running.
  const std::string name_;
  EdgeSettings settings_;  // but for the will, which changes with every connection
  std::vector<SignalId> signals_;
  ConnectorContext context_;
  std::unique_ptr<IoLoop> loop_;

  // Confined to the loop's thread.
  EdgeNode node_;
  BdSequence sequence_;
  std::uint8_t bd_seq_ = 0;
  bool bd_seq_unused_ = false;  // by any session yet
  std::unique_ptr<Connection> connection_;
  Backoff backoff_;
  bool online_ = false, stopping_ = false, leaving_ = false;
  bool step_posted_ = false;
  Nanos online_since_ = 0;
  IoLoop::TimerId due_timer_{};
  Nanos due_at_ = kNever;
  std::deque<Unsent> unsent_;
  std::size_t unsent_values_ = 0;

  ConnectorStats stats_;
  std::atomic<std::uint64_t> births_{0}, device_births_{0}, device_deaths_{0}, rebirths_{0}, historical_{0},
      buffered_{0}, host_online_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::string last_error_;

  std::jthread thread_;
};

}  // namespace alara::mqtt
