// SPDX-License-Identifier: Apache-2.0
// The connector contract for Sparkplug, against a real mosquitto. The peer behind the broker is a host application that
// writes metrics.
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/socket.h>

#include <condition_variable>

#include "connect/mqtt/edge_payload.hpp"
#include "connect/mqtt/protocol.hpp"
#include "connect/mqtt/test_broker.hpp"
#include "tests/contract/connector_contract.hpp"

namespace alara::contract {
namespace {

using mqtt::TestBroker;

std::string command(const std::vector<std::string>& names, double value) {
  std::vector<mqtt::EdgeMetric> metrics;
  for (const std::string& name : names) {
    mqtt::EdgeMetric metric;
    metric.name = name;
    metric.value = value;
    metrics.push_back(metric);
  }
  std::string payload;
  mqtt::encode_edge_payload(0, std::nullopt, metrics, payload);
  return payload;
}

// Publishes commands at QoS 1 and hears from the broker whether anybody got them.
class Host {
 public:
  explicit Host(int port) : client_(mosquitto_new(nullptr, true, this)) {
    mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_publish_v5_callback_set(client_,
                                      [](mosquitto*, void* self, int id, int reason, const mosquitto_property*) {
                                        static_cast<Host*>(self)->answered(id, reason == 0);
                                      });
    mosquitto_connect(client_, "127.0.0.1", port, 30);
    mosquitto_loop_start(client_);
  }
  ~Host() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, false);
    mosquitto_destroy(client_);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

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

 private:
  void answered(int id, bool taken) {
    const std::lock_guard lock(mutex_);
    answered_ = id;
    taken_ = taken;
    changed_.notify_all();
  }

  mosquitto* client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int answered_ = -1;
  bool taken_ = false;
};

class SparkplugHarness final : public ConnectorHarness {
 public:
  SparkplugHarness() {
    mosquitto_lib_init();
    std::string folder = (std::filesystem::temp_directory_path() / "alara-sparkplug-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
  }
  ~SparkplugHarness() override {
    stop_peer();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const Protocol& protocol() const override { return mqtt::sparkplug_protocol(); }

  void start_peer() override {
    close_listener();
    broker_ = std::make_unique<TestBroker>("", port_);
    host_ = std::make_unique<Host>(port_);
  }
  void stop_peer() override {
    stop_publishing();
    host_.reset();
    broker_.reset();
    close_listener();
  }
  void offer(double value) override {
    value_ = value;
    if (!publisher_.joinable() && host_)
      publisher_ = std::jthread([this](const std::stop_token& stop) { publish(stop); });
  }
  std::uint64_t stop_offering() override {
    stop_publishing();
    return points_;
  }

  std::string options() const override {
    return fmt::format(
        "endpoint: mqtt://127.0.0.1:{}\ngroup: plant\nedge_node: edge\nconnect_timeout: 100ms\nbirth_jitter: 0s\n"
        "reconnect_min: 2ms\nreconnect_max: 20ms\nbd_seq_file: {}/seq\n",
        port_, folder_);
  }
  std::vector<std::string> signal_addresses() const override { return {"cell/speed", "cell/level", "mode"}; }

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
    host_->publish("spBv1.0/plant/DCMD/edge/cell", "\xff\xff\xff");
  }

  std::vector<BadText> bad_options() const override {
    return {{"endpoint: 127.0.0.1:1883\ngroup: a\nedge_node: b\n", "mqtt://"},
            {"endpoint: mqtt://x\ngroup: a+\nedge_node: b\n", "separate and match topics"},
            {"endpoint: mqtt://x\ngroup: a\nedge_node: b\nstore: 0\n", "store"},
            {"endpoint: mqtt://x\ngroup: a\nedge_nod: b\n", "edge_node"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {{"", "names no metric"}, {"cell/", "names no metric"}, {"a+b/c", "separate"}, {"bdSeq", "Sparkplug's own"}};
  }

 private:
  void publish(const std::stop_token& stop) {
    SystemClock clock;
    while (!stop.stop_requested()) {
      const double value = value_;
      if (host_->publish("spBv1.0/plant/DCMD/edge/cell", command({"speed", "level"}, value))) points_ += 2;
      if (host_->publish("spBv1.0/plant/NCMD/edge", command({"mode"}, value))) points_ += 1;
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
  std::string folder_;
  std::unique_ptr<TestBroker> broker_;
  std::unique_ptr<Host> host_;
  int listener_ = -1;
  std::atomic<double> value_{0};
  std::atomic<std::uint64_t> points_{0};
  std::jthread publisher_;
};

std::unique_ptr<ConnectorHarness> make_sparkplug_harness() { return std::make_unique<SparkplugHarness>(); }

INSTANTIATE_TEST_SUITE_P(Sparkplug, ConnectorContract,
                         testing::ValuesIn(mqtt::mosquitto_path().empty()
                                               ? std::vector<MakeHarness>{}
                                               : std::vector<MakeHarness>{make_sparkplug_harness}));
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ConnectorContract);  // without mosquitto there is no peer to test against

}  // namespace
}  // namespace alara::contract
