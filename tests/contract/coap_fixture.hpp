// SPDX-License-Identifier: Apache-2.0
// A running CoAP connector for tests, with what it hears, is told and publishes.
#pragma once

#include <gtest/gtest.h>

#include "connect/coap/coap.hpp"
#include "core/document.hpp"
#include "core/fakes.hpp"
#include "tests/contract/recorders.hpp"

namespace alara::contract {

class CoapTest : public ::testing::Test {
 protected:
  ~CoapTest() override {
    if (connector_) connector_->stop();
  }
  void start(const std::string& options, const std::vector<std::string>& addresses,
             const std::vector<std::string>& targets = {}, const std::vector<std::string>& published = {}) {
    const auto node = parse_document(options, "site.yaml");
    ASSERT_TRUE(node.has_value());
    auto made = coap::coap_protocol().make("coap", *node, ".");
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
    std::vector<Error> errors;
    connector_->bind(signals, actuators, errors);
    connector_->bind_outlets(outlets, errors);
    ASSERT_TRUE(errors.empty()) << errors[0].text();
    ConnectorContext context{&inlet_, &commands_, &running_.clock(), &running_.loop(), 1};
    context.outlets = &outlets_;
    ASSERT_TRUE(connector_->start(context));
  }
  bool has(std::uint32_t signal, double value) const {
    return inlet_.last(signal).quality == Quality::good && inlet_.last(signal).value == value;
  }
  std::uint64_t counter(std::string_view name) const {
    std::vector<Connector::Counter> counters;
    connector_->counters(counters);
    for (const auto& each : counters)
      if (each.name == name) return each.value;
    return 0;
  }

  RecordingInlet inlet_;
  CommandQueue commands_;
  alara::testing::FakeOutlets outlets_;
  RunningLoop running_;
  std::unique_ptr<Connector> connector_;
};

}  // namespace alara::contract
