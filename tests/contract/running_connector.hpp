// SPDX-License-Identifier: Apache-2.0
// A running connector for tests: made and bound as the node does it, with what it hears, is told and publishes.
#pragma once

#include <gtest/gtest.h>

#include "core/document.hpp"
#include "core/fakes.hpp"
#include "tests/contract/recorders.hpp"

namespace alara::contract {

class RunningConnector : public ::testing::Test {
 protected:
  // Options name files relative to `directory`.
  explicit RunningConnector(const Protocol& protocol, std::string directory = ".")
      : protocol_(protocol), directory_(std::move(directory)) {}
  ~RunningConnector() override {
    if (connector_) connector_->stop();
  }
  void start(const std::string& options, const std::vector<std::string>& addresses,
             const std::vector<std::string>& targets = {}, const std::vector<std::string>& published = {}) {
    const auto node = parse_document(options, "site.yaml");
    ASSERT_TRUE(node.has_value());
    std::vector<Error> errors;
    protocol_.schema().check(*node, errors);
    ASSERT_TRUE(errors.empty()) << errors[0].text();
    auto made = protocol_.make("under-test", *node, directory_);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    connector_ = std::move(*made);
    std::vector<SignalBinding> signals;
    for (const std::string& address : addresses) {
      SignalBinding binding;
      binding.signal = SignalId{static_cast<std::uint32_t>(signals.size())};
      binding.name = binding.address = address;
      signals.push_back(binding);
    }
    std::vector<ActuatorBinding> actuators;
    for (const std::string& target : targets)
      actuators.push_back({ActuatorId{static_cast<std::uint32_t>(actuators.size())}, target, target, {}});
    std::vector<OutletBinding> outlets;
    for (const std::string& address : published) {
      OutletBinding& outlet = outlets.emplace_back();
      outlet.outlet = OutletId{static_cast<std::uint32_t>(outlets.size() - 1)};
      outlet.name = outlet.address = address;
      outlet.unit = *Unit::parse("degC");
    }
    connector_->bind(signals, actuators, errors);
    if (!outlets.empty()) connector_->bind_outlets(outlets, errors);
    ASSERT_TRUE(errors.empty()) << errors[0].text();
    ConnectorContext context{&inlet_, &commands_, &running_.clock(), &running_.loop(), 1};
    if (!outlets.empty()) context.outlets = &outlets_;
    ASSERT_TRUE(connector_->start(context));
  }
  [[nodiscard]] bool connected() const { return connector_->stats().connected; }
  [[nodiscard]] bool has(std::uint32_t signal, double value) const {
    return inlet_.last(signal).quality == Quality::good && inlet_.last(signal).value == value;
  }
  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    std::vector<Connector::Counter> counters;
    connector_->counters(counters);
    for (const auto& each : counters)
      if (each.name == name) return each.value;
    return 0;
  }

  const Protocol& protocol_;
  const std::string directory_;
  RecordingInlet inlet_;
  CommandQueue commands_;
  alara::testing::FakeOutlets outlets_;
  RunningLoop running_;
  std::unique_ptr<Connector> connector_;
};

}  // namespace alara::contract
