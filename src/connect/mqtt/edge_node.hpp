// SPDX-License-Identifier: Apache-2.0
// A Sparkplug B edge node without its connection: which message comes next, from what happened and what time it is.
// Births, deaths, data with sequence numbers and aliases, rebirths, commands, the primary host, and the store of values
// for when nobody listens. Confined to one thread; reads no clock, so that tests hand the time in.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "connect/mqtt/edge_payload.hpp"
#include "connect/mqtt/edge_settings.hpp"
#include "connect/mqtt/host_state.hpp"
#include "core/connector.hpp"

namespace alara::mqtt {

inline constexpr std::size_t kMetricsPerMessage = 200;
inline constexpr std::size_t kMaxUnsentValues = 20'000;  // handed to the connection and not yet on their way

// A message on its way, with the published values it settles.
struct EdgeMessage {
  std::string topic;
  std::string payload;
  std::vector<OutletSample> values;
};

class EdgeOutput {
 public:
  virtual ~EdgeOutput() = default;
  // Sends at QoS 0, not retained. False when there is no connection (any more): the values are still the caller's.
  virtual bool send(EdgeMessage&& message) = 0;
  [[nodiscard]] virtual std::size_t unsent_values() const = 0;
  // Ends the session: NDEATH, then DISCONNECT, then connect afresh.
  virtual void leave(std::string_view why) = 0;
};

struct EdgeInstant {
  Nanos wall = 0;
  Nanos monotonic = 0;
};

class EdgeNode {
 public:
  EdgeNode(const EdgeSettings& settings, EdgeOutput& output) : settings_(settings), output_(output) {}

  // Load time. Errors have no place yet.
  Status add_outlet(const OutletBinding& outlet);
  Status add_command(const SignalBinding& signal);  // a metric that hosts may write
  [[nodiscard]] std::vector<std::string> explain() const;
  [[nodiscard]] std::vector<std::string> filters() const;  // topics to subscribe to

  // The will of the next session.
  [[nodiscard]] std::string death_payload(std::uint8_t bd_seq, Nanos wall) const;

  // The session stands and all subscriptions are granted. The first birth may come `jitter` later.
  void session_began(std::uint8_t bd_seq, EdgeInstant now, Nanos jitter);
  // Values of messages that never left are handed back, oldest first.
  void session_ended(std::span<const OutletSample> unsent, OutletQueue* queue);
  void received(std::string_view topic, std::span<const std::uint8_t> payload, EdgeInstant now, Inlet& inlet);
  void take(OutletQueue& queue, EdgeInstant now);
  // Does what is due: births, what is stored. Again at due(), and when messages have left.
  void step(EdgeInstant now);
  [[nodiscard]] Nanos due() const { return due_; }  // monotonic; kNever = nothing
  void give_up(OutletQueue& queue);                 // stops: what is stored is dropped

  [[nodiscard]] bool live() const { return live_; }
  [[nodiscard]] bool host_online() const { return host_.online(); }
  [[nodiscard]] std::uint64_t stored() const { return store_.size(); }
  struct Counts {
    std::uint64_t births = 0, device_births = 0, device_deaths = 0, rebirths_asked = 0, historical = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Metric {
    std::string name;
    std::size_t device = 0;
    SignalType type = SignalType::float64;
    std::string unit;
    bool outlet = false;             // its value comes from the node
    std::optional<SignalId> signal;  // what hosts write becomes a sample of it
    bool known = false;
    double value = 0;
    Quality quality = Quality::bad;
    Quality told = Quality::good;  // to the hosts
    Nanos time = 0;
    [[nodiscard]] bool lost() const { return known && quality == Quality::bad; }
  };
  struct Device {
    std::string name;  // "" = the edge node itself, which is always alive
    std::vector<std::size_t> metrics;
    std::size_t outlets = 0, lost = 0;  // metrics of values, and those of them that are bad
    bool born = false;
    std::optional<Nanos> born_at;
    std::vector<OutletSample> data;  // of the message being gathered
  };
  Result<std::size_t> metric_at(std::string_view address);
  [[nodiscard]] std::uint64_t alias_of(std::size_t metric) const;
  [[nodiscard]] EdgeMetric described(std::size_t metric) const;
  void remember(const OutletSample& sample);
  [[nodiscard]] bool wants_to_live(const Device& device) const;

  void publish_value(const OutletSample& sample, OutletQueue& queue, EdgeInstant now);
  void keep(const OutletSample& sample, OutletQueue* queue);
  void flush_data(EdgeInstant now);
  bool send_data(const Device& device, std::span<const OutletSample> values, bool historical, EdgeInstant now);
  bool send_metrics(std::string_view message, const Device& device, std::span<const EdgeMetric> metrics,
                    std::span<const OutletSample> values, EdgeInstant now);
  void flush_store(EdgeInstant now);

  void give_birth(EdgeInstant now);
  bool send_node_birth(EdgeInstant now);
  bool send_device_birth(Device& device, std::span<const OutletSample> values, EdgeInstant now);
  bool send_device_death(Device& device, std::span<const OutletSample> values, EdgeInstant now);
  void bear_late_devices(EdgeInstant now);
  void ask_for_rebirth(EdgeInstant now);
  void update_due();

  void hear_host(std::span<const std::uint8_t> payload, EdgeInstant now);
  void obey(std::size_t device, std::span<const std::uint8_t> payload, EdgeInstant now, Inlet& inlet);
  void write_metric(std::size_t device, const WrittenMetric& written, EdgeInstant now, Inlet& inlet);
  [[nodiscard]] std::optional<std::size_t> find(std::size_t device, const WrittenMetric& written) const;

  const EdgeSettings& settings_;  // outlive this
  EdgeOutput& output_;

  // Constant after load time.
  std::vector<Metric> metrics_;
  std::vector<Device> devices_{Device{}};                    // the first is the node itself
  std::unordered_map<std::uint32_t, std::size_t> outlets_;   // to metrics
  std::unordered_map<std::string, std::size_t> by_address_;  // "device/metric" to metrics

  bool session_ = false;
  bool born_ = false;  // a birth went out in this session
  bool live_ = false;  // and no other is due
  Nanos jitter_ = 0;
  std::uint8_t bd_seq_ = 0, seq_ = 0;
  PrimaryHost host_;
  std::optional<Nanos> birth_at_;  // monotonic, when one is to come
  std::optional<Nanos> last_birth_;
  std::optional<Nanos> device_birth_at_;  // the first of devices that come back too soon
  bool flush_wanted_ = false;             // something stored may go out
  Nanos due_ = kNever;
  std::deque<OutletSample> store_;
  Counts counts_;
};

}  // namespace alara::mqtt
