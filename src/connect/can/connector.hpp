// SPDX-License-Identifier: Apache-2.0
// The CAN connector: one thread that keeps the bus open, takes frames apart, asks for OBD parameters, writes frames and
// answers for each of them; or that plays a log.
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
#include "connect/can/bus.hpp"
#include "connect/can/plan.hpp"
#include "wire/can/isotp.hpp"

namespace alara::can {

class CanConnector final : public Connector {
 public:
  CanConnector(std::string name, Settings settings);
  ~CanConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] const ConnectorStats& stats() const override { return stats_; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Pending {
    Command command;
    Nanos give_up = 0;
    bool ours = false;  // a frame of the protocol (a request, a handshake): nobody waits for its ack
  };

  void run(const std::stop_token& stop);
  void open();
  void open_later();
  void on_bus();
  void take(const wire::can::Frame& frame, Nanos time);
  void push();
  void lost(const std::string& why);
  void mark_bad();
  void watch_silence();
  void take_commands();
  void send(const Command& command);
  [[nodiscard]] bool put(const wire::can::Frame& frame, const Command* command);
  void settle(std::size_t confirmed, std::size_t refused);
  void watch_timeouts();
  void acknowledge(const Command& command, Outcome outcome);
  void ask_next();
  void take_answer(const wire::can::Frame& frame, Nanos time);
  void answer_overdue();
  void report(std::string error);
  void play(const std::stop_token& stop);

  const std::string name_;
  const Settings settings_;
  Plan plan_;

  // Constant while running.
  ConnectorContext context_;
  std::unique_ptr<IoLoop> loop_;

  // Confined to the connector's thread.
  std::unique_ptr<Bus> bus_;
  std::uint64_t opening_ = 0;  // number of the present opening: timers of an earlier one have nothing to say
  bool all_bad_ = true;
  Nanos last_frame_ = 0;
  Bus::Received received_;
  Samples samples_;
  wire::can::J1939Transport transport_;
  Backoff backoff_;
  std::vector<wire::can::Frame> replies_;
  std::deque<Pending> pending_;
  // OBD: one question at a time.
  struct Question {
    std::size_t poll = 0;
    Nanos asked = 0;
  };
  std::optional<Question> question_;
  std::vector<Nanos> next_ask_;  // by poll
  wire::can::IsotpReceiver answer_;

  ConnectorStats stats_;
  std::atomic<std::uint64_t> garbage_{0}, unknown_frames_{0}, unanswered_{0}, transports_given_up_{0};
  mutable std::mutex mutex_;  // guards last_error_
  std::string last_error_;
  std::jthread thread_;
};

}  // namespace alara::can
