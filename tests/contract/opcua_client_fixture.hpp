// SPDX-License-Identifier: Apache-2.0
// An OPC UA client of ours, and the test server of this process that it talks to, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "connect/opcua/opcua.hpp"
#include "tests/contract/opcua_test_server.hpp"
#include "tests/contract/recorders.hpp"

namespace alara::contract {

class OpcuaClient : public testing::Test {
 protected:
  void make(const std::string& more, const std::vector<std::string>& signals,
            const std::vector<std::string>& actuators = {}) {
    server_.start();
    const auto node =
        parse_document(fmt::format("endpoint: {}\n{}interval: 20ms\nreconnect_min: 2ms\n{}", server_.endpoint(),
                                   more.find("security:") == std::string::npos ? "security: none\n" : "", more),
                       "site.yaml")
            .value();
    std::vector<Error> errors;
    opcua::opcua_protocol().schema().check(node, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    auto made = opcua::opcua_protocol().make("plc", node, ".");
    ASSERT_TRUE(made.has_value()) << made.error().text();
    connector_ = std::move(*made);
    std::vector<SignalBinding> bindings;
    for (const std::string& address : signals) {
      SignalBinding binding;
      binding.signal = SignalId{static_cast<std::uint32_t>(bindings.size())};
      binding.name = binding.address = address;
      bindings.push_back(binding);
    }
    std::vector<ActuatorBinding> outputs;
    for (const std::string& address : actuators)
      outputs.push_back({ActuatorId{static_cast<std::uint32_t>(outputs.size())}, address, address, {}});
    connector_->bind(bindings, outputs, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    ASSERT_TRUE(connector_->start({&inlet_, &commands_, &running_.clock(), &running_.loop(), 1}));
  }
  void TearDown() override {
    if (connector_) connector_->stop();
  }
  Outcome command(std::uint32_t actuator, double value, bool verify = false) {
    const std::size_t before = commands_.acks().size();
    commands_.send(ActuatorId{actuator}, value, verify);
    EXPECT_TRUE(eventually([&] { return commands_.acks().size() > before; }));
    return commands_.acks().empty() ? Outcome::timed_out : commands_.acks().back().outcome;
  }
  [[nodiscard]] bool connected() const { return connector_->stats().connected; }
  [[nodiscard]] bool has(std::uint32_t signal, double value, Quality quality = Quality::good) const {
    if (inlet_.points(signal).empty()) return false;
    const Point last = inlet_.last(signal);
    return last.quality == quality && (quality == Quality::bad || last.value == value);
  }

  OpcuaTestServer server_;
  RecordingInlet inlet_;
  CommandQueue commands_;
  RunningLoop running_;
  std::unique_ptr<Connector> connector_;
};

}  // namespace alara::contract
