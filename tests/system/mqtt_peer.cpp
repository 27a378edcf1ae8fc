// SPDX-License-Identifier: Apache-2.0
#include "tests/system/mqtt_peer.hpp"

#include <mosquitto.h>

#include <atomic>
#include <mutex>

#include "tests/system/running_node.hpp"

namespace alara::system_test {

struct MqttPeer::State {
  std::string filter;
  mosquitto* client = nullptr;
  std::atomic<bool> subscribed{false};
  mutable std::mutex mutex;
  std::map<std::string, std::vector<nlohmann::json>> heard;
};

MqttPeer::MqttPeer(int port, const std::string& filter) : state_(std::make_unique<State>()) {
  mosquitto_lib_init();
  state_->filter = filter;
  state_->client = mosquitto_new(nullptr, true, state_.get());
  mosquitto_int_option(state_->client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_callback_set(state_->client, [](mosquitto* client, void* self, int) {
    mosquitto_subscribe(client, nullptr, static_cast<State*>(self)->filter.c_str(), 1);
  });
  mosquitto_subscribe_callback_set(state_->client, [](mosquitto*, void* self, int, int, const int*) {
    static_cast<State*>(self)->subscribed = true;
  });
  mosquitto_message_callback_set(state_->client, [](mosquitto*, void* self, const mosquitto_message* message) {
    auto& state = *static_cast<State*>(self);
    const auto* text = static_cast<const char*>(message->payload);
    const std::lock_guard lock(state.mutex);
    state.heard[message->topic].push_back(nlohmann::json::parse(text, text + message->payloadlen, nullptr, false));
  });
  mosquitto_connect(state_->client, "127.0.0.1", port, 30);
  mosquitto_loop_start(state_->client);
  EXPECT_TRUE(eventually([this] { return state_->subscribed.load(); })) << "the peer can not reach the broker";
}

MqttPeer::~MqttPeer() {
  mosquitto_disconnect(state_->client);
  mosquitto_loop_stop(state_->client, false);
  mosquitto_destroy(state_->client);
}

void MqttPeer::publish(const std::string& topic, const std::string& payload) {
  mosquitto_publish(state_->client, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1, false);
}

std::vector<nlohmann::json> MqttPeer::heard(const std::string& topic) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->heard.find(topic);
  return found == state_->heard.end() ? std::vector<nlohmann::json>{} : found->second;
}

nlohmann::json MqttPeer::wait_for(const std::string& topic, const nlohmann::json& value) const {
  nlohmann::json found;
  const bool came = eventually([&] {
    for (const nlohmann::json& payload : heard(topic))
      if ((payload.is_object() && payload.contains("value") ? payload["value"] : payload) == value) {
        found = payload;
        return true;
      }
    return false;
  });
  EXPECT_TRUE(came) << topic << " never became " << value.dump() << "; it said " << nlohmann::json(heard(topic)).dump();
  return found;
}

}  // namespace alara::system_test
