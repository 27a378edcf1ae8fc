// SPDX-License-Identifier: Apache-2.0
// An MQTT client for the system tests: remembers what it hears, and says what it is told to. Waits are by condition.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace alara::system_test {

class MqttPeer {
 public:
  // Connects and subscribes to `filter` (QoS 1) before it returns.
  MqttPeer(int port, const std::string& filter);
  ~MqttPeer();
  MqttPeer(const MqttPeer&) = delete;
  MqttPeer& operator=(const MqttPeer&) = delete;

  void publish(const std::string& topic, const std::string& payload);
  // All payloads of a topic so far, as JSON; what is no JSON is a discarded value.
  [[nodiscard]] std::vector<nlohmann::json> heard(const std::string& topic) const;
  // Waits until a payload of the topic has this value ("value" of an object); null when none came in time.
  nlohmann::json wait_for(const std::string& topic, const nlohmann::json& value) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alara::system_test
