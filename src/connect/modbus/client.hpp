// SPDX-License-Identifier: Apache-2.0
// The Modbus connector as the node sees it: binds addresses and plans at load time, starts and stops a session on the
// shared loop. stop() must not be called from within Inlet::push().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/modbus/plan.hpp"
#include "connect/modbus/settings.hpp"
#include "connect/modbus/telemetry.hpp"
#include "connect/modbus/writer.hpp"
#include "core/connector.hpp"

namespace alara::modbus {

class Session;

class Client final : public Connector {
 public:
  Client(std::string name, Settings settings);
  ~Client() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] const ConnectorStats& stats() const override { return telemetry_->stats; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

  // From each poll's slot to the sending of its request: how well the schedule is kept. Any thread.
  [[nodiscard]] const Histogram& request_delay() const { return telemetry_->request_delay; }

 private:
  const std::string name_;
  const Settings settings_;
  std::vector<Tag> tags_;
  std::vector<Actuator> actuators_;
  std::shared_ptr<Telemetry> telemetry_ = std::make_shared<Telemetry>();
  std::shared_ptr<Session> session_;
  IoLoop* loop_ = nullptr;
};

}  // namespace alara::modbus
