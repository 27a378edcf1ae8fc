// SPDX-License-Identifier: Apache-2.0
// The OPC UA server as a connector. Two threads: one serves clients and pushes what they write, the other shows
// published values and alarms as soon as they come.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "connect/opcua/server_host.hpp"
#include "core/connector.hpp"

namespace alara::opcua {

class OpcuaServerConnector final : public Connector, public EventSink {
 public:
  OpcuaServerConnector(std::string name, ServerSettings settings);
  ~OpcuaServerConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  void bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] EventSink* event_sink() override { return this; }
  void announce(const EventNotice& event) override;
  [[nodiscard]] const ConnectorStats& stats() const override { return stats_; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

  // While it listens; 0 otherwise. Any thread.
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Shown {  // of one node with an outlet
    std::optional<OutletSample> newest;
    bool held = false;  // not settled yet
  };

  void serve(const std::stop_token& stop);
  void serve_host(const std::stop_token& stop);
  void wait(Nanos until, const std::stop_token& stop);
  void feed(const std::stop_token& stop);
  void show_all();
  void take_outlets();
  void show(std::size_t index);
  void give_up_outlets();
  void show_alarms();
  void take_write(const ServerNode& node, double value, Nanos time, const char* fault);
  void ring() const;
  void report(std::string error);

  const std::string name_;
  const ServerSettings settings_;
  ServerPlan plan_;
  ConnectorContext context_;
  ServerLasting lasting_;  // of the serving thread, but for its counters
  AlarmBoard alarms_;

  std::vector<Shown> shown_;  // of the feeding thread, by the plan's indices

  mutable std::mutex host_mutex_;  // guards the pointer; what it points to is used with it held, but for serve()
  std::unique_ptr<ServerHost> host_;
  std::atomic<bool> fresh_{false};  // a new host, that has shown nothing yet
  int bell_ = -1;                   // wakes the feeding thread

  ConnectorStats stats_;
  mutable std::mutex error_mutex_;  // guards last_error_
  std::string last_error_;
  std::jthread server_thread_, feeder_;
};

}  // namespace alara::opcua
