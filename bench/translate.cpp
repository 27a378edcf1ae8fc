// SPDX-License-Identifier: Apache-2.0
// From a Modbus register that changes to the MQTT message at a subscriber, through a real `alara run` and a real
// mosquitto. The register takes a new value at random instants, so that the time to the next poll is part of what is
// measured. Device and subscriber are threads of this process; all times are of one monotonic clock.
#include <mosquitto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <random>

#include "base/clock.hpp"
#include "bench/bench.hpp"
#include "bench/node_process.hpp"
#include "connect/modbus/server.hpp"
#include "node/local_broker.hpp"

namespace alara::bench {
namespace {

constexpr Nanos kPoll = 10 * kMillisecond;
constexpr std::size_t kChanges = 2000, kQuickChanges = 100;
constexpr std::size_t kPings = 500;
constexpr Nanos kLeastGap = 25 * kMillisecond, kMostGap = 35 * kMillisecond;  // every change is seen by a poll
constexpr Nanos kPatience = 10 * kSecond;
constexpr std::string_view kTopic = "up/drive/speed", kPingTopic = "ping";

// Hears values 1, 2, 3, … on a topic and notes when each came.
class Subscriber {
 public:
  explicit Subscriber(int port) : came_(kChanges + 1) {
    mosquitto_lib_init();
    client_ = mosquitto_new(nullptr, true, this);
    mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(client_, [](mosquitto* client, void*, int) {
      mosquitto_subscribe(client, nullptr, kTopic.data(), 0);
      mosquitto_subscribe(client, nullptr, kPingTopic.data(), 0);
    });
    mosquitto_subscribe_callback_set(
        client_, [](mosquitto*, void* self, int, int, const int*) { ++static_cast<Subscriber*>(self)->subscribed_; });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Subscriber*>(self)->hear(
          message->topic, {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
    });
    mosquitto_connect(client_, "127.0.0.1", port, 60);
    mosquitto_loop_start(client_);
  }
  ~Subscriber() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, false);
    mosquitto_destroy(client_);
  }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  [[nodiscard]] bool subscribed() const { return subscribed_ == 2; }
  [[nodiscard]] Nanos came(std::size_t value) const { return came_[value].load(); }
  [[nodiscard]] std::uint64_t out_of_order() const { return out_of_order_; }
  [[nodiscard]] std::uint64_t not_good() const { return not_good_; }
  // Time from publishing a message to hearing it; 0 when it did not come.
  Nanos ping() {
    ping_came_ = 0;
    const Nanos begun = clock_.monotonic();
    mosquitto_publish(client_, nullptr, kPingTopic.data(), 1, "p", 0, false);
    while (ping_came_ == 0 && clock_.monotonic() - begun < kPatience) clock_.sleep_until(clock_.monotonic() + 50'000);
    return ping_came_ == 0 ? 0 : ping_came_ - begun;
  }

 private:
  void hear(std::string_view topic, std::string_view payload) {
    const Nanos now = clock_.monotonic();
    if (topic == kPingTopic) {
      ping_came_ = now;
      return;
    }
    constexpr std::string_view kBegin = "{\"value\":";
    std::size_t value = 0;
    if (!payload.starts_with(kBegin) ||
        std::from_chars(payload.data() + kBegin.size(), payload.data() + payload.size(), value).ec != std::errc{} ||
        payload.find("\"quality\":\"good\"") == std::string_view::npos) {
      ++not_good_;
      return;
    }
    if (value == 0 || value >= came_.size()) return;
    if (value != last_ + 1) ++out_of_order_;
    last_ = value;
    came_[value] = now;
  }

  SystemClock clock_;
  mosquitto* client_ = nullptr;
  std::atomic<int> subscribed_{0};
  std::vector<std::atomic<Nanos>> came_;  // [value]; 0 = not yet
  std::size_t last_ = 0;
  std::atomic<std::uint64_t> out_of_order_{0}, not_good_{0};
  std::atomic<Nanos> ping_came_{0};
};

std::string site_text(int device_port, int broker_port) {
  return fmt::format(R"(node: translate
connectors:
  plc: {{modbus: {{endpoint: "tcp://127.0.0.1:{}", poll: {}ms}}}}
  cloud: {{mqtt: {{endpoint: "mqtt://127.0.0.1:{}"}}}}
asset_types:
  drive: {{signals: {{speed: {{unit: rpm, type: uint16}}}}}}
assets:
  drive: {{type: drive, from: {{speed: plc/holding/0}}}}
pipelines:
  up: {{for: drive, publish: {{values: speed, to: "cloud/up/{{asset}}/{{value}}", only: changes}}}}
)",
                     device_port, kPoll / kMillisecond, broker_port);
}

double quantile_ms(std::vector<Nanos> values, double fraction) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(values.size())));
  return static_cast<double>(values[std::clamp<std::size_t>(rank, 1, values.size()) - 1]) / 1e6;
}

bool wait_until(Clock& clock, const auto& condition) {
  for (const Nanos end = clock.monotonic() + kPatience; clock.monotonic() < end;) {
    if (condition()) return true;
    clock.sleep_until(clock.monotonic() + kMillisecond);
  }
  return condition();
}

}  // namespace

Result<Report> run_translate(const Arguments& arguments) {
  Report report;
  const std::size_t changes = arguments.quick ? kQuickChanges : kChanges;
  report.workload = fmt::format(
      "one register polled every {} ms takes {} new values at random instants; `publish` sends each change over MQTT "
      "(QoS "
      "0) through mosquitto to a subscriber; from the write into the register to the message in the subscriber's hands",
      kPoll / kMillisecond, changes);
  SystemClock clock;
  modbus::RegisterBank bank({.holding = 1});
  ALARA_TRY(const auto server, modbus::ServerThread::create(clock));
  ALARA_TRY(const std::uint16_t port, server->listen(0, bank));
  ALARA_TRY(const auto broker, node::LocalBroker::start());
  Subscriber subscriber(broker->port());
  if (!wait_until(clock, [&] { return subscriber.subscribed(); }))
    return fail(ErrorKind::unavailable, "the subscriber can not reach the broker");
  std::vector<Nanos> pings;
  for (std::size_t i = 0; i < (arguments.quick ? kPings / 10 : kPings); ++i) pings.push_back(subscriber.ping());
  ALARA_TRY(const auto node, NodeProcess::start(arguments.program, site_text(port, broker->port())));
  ALARA_CHECK(node->wait_connected(10));

  std::mt19937_64 random(7);
  std::uniform_int_distribution<Nanos> gap(kLeastGap, kMostGap);
  std::vector<Nanos> changed(changes + 1);
  for (std::size_t value = 1; value <= changes; ++value) {
    clock.sleep_until(clock.monotonic() + gap(random));
    changed[value] = clock.monotonic();
    bank.set_register(modbus::Table::holding, 0, static_cast<std::uint16_t>(value));
  }
  const bool all = wait_until(clock, [&] { return subscriber.came(changes) != 0; });
  std::vector<Nanos> taken;
  std::size_t missing = 0;
  for (std::size_t value = 1; value <= changes; ++value) {
    if (subscriber.came(value) == 0)
      ++missing;
    else
      taken.push_back(subscriber.came(value) - changed[value]);
  }
  report.figures["modbus_to_mqtt_p50_ms"] = quantile_ms(taken, 0.5);
  report.figures["modbus_to_mqtt_p99_ms"] = quantile_ms(taken, 0.99);
  report.figures["modbus_to_mqtt_max_ms"] = quantile_ms(taken, 1);
  report.figures["poll_ms"] = static_cast<double>(kPoll) / 1e6;
  report.figures["changes"] = static_cast<double>(changes);
  report.figures["changes_missing"] = static_cast<double>(missing);
  report.baseline["mqtt_round_trip_p50_ms"] = quantile_ms(pings, 0.5);
  report.baseline["mqtt_round_trip_p99_ms"] = quantile_ms(pings, 0.99);
  report.notes.push_back("the round trip of a bare message through the same broker is in every change's time as well");
  report.checked = all && missing == 0 && subscriber.out_of_order() == 0 && subscriber.not_good() == 0;
  if (!report.checked)
    report.notes.push_back(fmt::format("{} changes missing, {} out of order, {} not good", missing,
                                       subscriber.out_of_order(), subscriber.not_good()));
  return report;
}

}  // namespace alara::bench
