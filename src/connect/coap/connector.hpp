// SPDX-License-Identifier: Apache-2.0
// The CoAP connector as the node sees it: binds addresses at load time, starts and stops a client or a server on the
// protocol's loop.
#pragma once

#include <memory>

#include "connect/coap/bindings.hpp"
#include "connect/coap/settings.hpp"
#include "connect/coap/telemetry.hpp"

namespace alara::coap {

class CoapConnector final : public Connector, public MessageSink {
 public:
  CoapConnector(std::string name, Settings settings);
  ~CoapConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  void bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] MessageSink* message_sink() override { return settings_.server ? nullptr : this; }
  [[nodiscard]] const ConnectorStats& stats() const override { return telemetry_->stats; }
  [[nodiscard]] std::string last_error() const override { return telemetry_->last_error(); }
  void counters(std::vector<Counter>& out) const override;

  // The address is a resource's path; any thread. Sent by POST.
  bool publish(std::string_view address, std::string_view payload) override;

 private:
  const std::string name_;
  const Settings settings_;
  Bindings bindings_;
  std::shared_ptr<Telemetry> telemetry_ = std::make_shared<Telemetry>();
  std::shared_ptr<Session> session_;
  std::shared_ptr<std::atomic<int>> messages_ = std::make_shared<std::atomic<int>>(0);  // on their way to the loop
  IoLoop* loop_ = nullptr;
};

}  // namespace alara::coap
