// SPDX-License-Identifier: Apache-2.0
// The connector contract for MQTT, against a real mosquitto. The peer behind the broker is a client of the harness.
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <condition_variable>

#include "connect/mqtt/protocol.hpp"
#include "connect/mqtt/test_broker.hpp"
#include "tests/contract/connector_contract.hpp"

namespace alara::contract {
namespace {

using mqtt::TestBroker;

// Publishes values at QoS 1 and hears from the broker whether anybody got them; remembers what the actuators' topics
// hold.
class Device {
 public:
  explicit Device(int port) : client_(mosquitto_new(nullptr, true, this)) {
    mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_publish_v5_callback_set(client_,
                                      [](mosquitto*, void* self, int id, int reason, const mosquitto_property*) {
                                        static_cast<Device*>(self)->answered(id, reason == 0);
                                      });
    mosquitto_connect_callback_set(
        client_, [](mosquitto* client, void*, int) { mosquitto_subscribe(client, nullptr, "set/#", 1); });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Device*>(self)->heard(
          message->topic, {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
    });
    mosquitto_subscribe_callback_set(
        client_, [](mosquitto*, void* self, int, int, const int*) { static_cast<Device*>(self)->subscribed(); });
    mosquitto_connect(client_, "127.0.0.1", port, 30);
    mosquitto_loop_start(client_);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5),
                      [this] { return subscribed_; });  // or it would miss the first command
  }
  ~Device() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, false);
    mosquitto_destroy(client_);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // True when the broker handed it to a subscriber. Waits for its answer.
  bool publish(const char* topic, const std::string& payload) {
    std::unique_lock lock(mutex_);
    int id = 0;
    answered_ = -1;
    if (mosquitto_publish(client_, &id, topic, static_cast<int>(payload.size()), payload.data(), 1, false) !=
        MOSQ_ERR_SUCCESS)
      return false;
    return changed_.wait_for(lock, std::chrono::seconds(1), [&] { return answered_ == id; }) && taken_;
  }
  double value(std::size_t actuator) const {
    const std::lock_guard lock(mutex_);
    return values_.at(actuator);
  }

 private:
  void answered(int id, bool taken) {
    const std::lock_guard lock(mutex_);
    answered_ = id;
    taken_ = taken;
    changed_.notify_all();
  }
  void subscribed() {
    const std::lock_guard lock(mutex_);
    subscribed_ = true;
    changed_.notify_all();
  }
  void heard(std::string_view topic, std::string_view payload) {
    const std::lock_guard lock(mutex_);
    const std::size_t which = topic == "set/speed" ? 1 : 0;
    if (which == 1) payload = payload.substr(payload.find(':') + 1);
    std::from_chars(payload.data(), payload.data() + payload.size(), values_[which]);
  }

  mosquitto* client_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int answered_ = -1;
  bool taken_ = false;
  bool subscribed_ = false;
  std::array<double, 2> values_{};
};

class MqttHarness final : public ConnectorHarness {
 public:
  MqttHarness() { mosquitto_lib_init(); }
  ~MqttHarness() override { stop_peer(); }
  const Protocol& protocol() const override { return mqtt::mqtt_protocol(); }

  void start_peer() override {
    close_listener();
    broker_ = std::make_unique<TestBroker>("", port_);
    device_ = std::make_unique<Device>(port_);
  }
  void stop_peer() override {
    stop_publishing();
    device_.reset();
    broker_.reset();
    close_listener();
  }
  void offer(double value) override {
    value_ = value;
    if (!publisher_.joinable() && device_)
      publisher_ = std::jthread([this](const std::stop_token& stop) { publish(stop); });
  }
  std::uint64_t stop_offering() override {
    stop_publishing();
    return points_;
  }

  std::string options() const override {
    return fmt::format(
        "endpoint: mqtt://127.0.0.1:{}\nconnect_timeout: 100ms\nack_timeout: 100ms\nqos: 1\nreconnect_min: "
        "2ms\nreconnect_max: 20ms\n",
        port_);
  }
  std::vector<std::string> signal_addresses() const override {
    return {"cell/state#speed", "cell/state#axes[1]", "cell/plain"};
  }
  std::vector<std::string> actuator_addresses() const override { return {"set/stop", "set/speed#value"}; }
  double actuator_value(std::size_t actuator) const override { return device_->value(actuator); }

  bool can_mute() const override { return true; }
  void mute() override {
    stop_peer();
    listen();
  }
  bool can_send_garbage() const override { return true; }
  void send_garbage() override {
    stop_peer();
    listen();
    const int peer = accept(listener_, nullptr, nullptr);
    const std::string_view garbage = "\x20\xff\xff\xff\xff\x7fHTTP/1.1 400 Bad Request\r\n\r\n";
    EXPECT_EQ(write(peer, garbage.data(), garbage.size()), static_cast<ssize_t>(garbage.size()));
    close(peer);
    start_peer();
    device_->publish("cell/state", "{\"speed\":\"\xff\"}");
  }

  std::vector<BadText> bad_options() const override {
    return {{"endpoint: 127.0.0.1:1883\n", "mqtt://"},
            {"endpoint: mqtt://x\nqos: 2\n", "qos"},
            {"endpoint: mqtt://x\nqoss: 1\n", "qos"},
            {"endpoint: mqtt://u:p@x\n", "password_file"},
            {"endpoint: mqtt://x\nformat: xml\n", "json"},
            {"endpoint: mqtt://x\nname_every: 1min\n", "protobuf"},
            {"endpoint: mqtt://x\nformat: protobuf\nname_every: 1min\nretain: true\n", "must have its names"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {{"cell/+/state", "wildcard"}, {"cell/state#a[", "]"}, {"", "empty"}, {"cell/state#", "nothing behind #"}};
  }

 private:
  void publish(const std::stop_token& stop) {
    SystemClock clock;
    while (!stop.stop_requested()) {
      const double value = value_;
      if (device_->publish("cell/state", fmt::format(R"({{"speed":{},"axes":[0,{}]}})", value, value))) points_ += 2;
      if (device_->publish("cell/plain", fmt::format("{}", value))) points_ += 1;
      clock.sleep_until(clock.monotonic() + 5 * kMillisecond);
    }
  }
  void stop_publishing() {
    publisher_.request_stop();
    if (publisher_.joinable()) publisher_.join();
  }
  void listen() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = mqtt::loopback(port_);
    ALARA_ASSERT(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
                 "the port must be free again");
    ::listen(listener_, 16);
  }
  void close_listener() {
    if (listener_ >= 0) close(listener_);
    listener_ = -1;
  }

  const int port_ = mqtt::free_port();
  std::unique_ptr<TestBroker> broker_;
  std::unique_ptr<Device> device_;
  int listener_ = -1;
  std::atomic<double> value_{0};
  std::atomic<std::uint64_t> points_{0};
  std::jthread publisher_;
};

std::unique_ptr<ConnectorHarness> make_mqtt_harness() { return std::make_unique<MqttHarness>(); }

INSTANTIATE_TEST_SUITE_P(Mqtt, ConnectorContract,
                         testing::ValuesIn(mqtt::mosquitto_path().empty()
                                               ? std::vector<MakeHarness>{}
                                               : std::vector<MakeHarness>{make_mqtt_harness}));
TEST(MqttContract, HasABrokerToTestAgainst) {
  if (mqtt::mosquitto_path().empty())
    GTEST_SKIP() << "mosquitto is not installed: the MQTT connector's contract is not tested";
  EXPECT_TRUE(TestBroker().ready());
}
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ConnectorContract);  // without mosquitto there is no peer to test against

}  // namespace
}  // namespace alara::contract
