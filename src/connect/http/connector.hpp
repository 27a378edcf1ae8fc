// SPDX-License-Identifier: Apache-2.0
// The HTTP connector: a listening side that takes points, and a web hook that values, commands, messages and events are
// sent to. Either may be left out.
#pragma once

#include <sys/epoll.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "connect/http/hook.hpp"
#include "connect/http/intake.hpp"
#include "connect/http/server.hpp"
#include "connect/http/settings.hpp"
#include "core/connector.hpp"

namespace alara::http {

class HttpConnector final : public Connector, public MessageSink {
 public:
  HttpConnector(std::string name, Settings settings);
  ~HttpConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  void bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] MessageSink* message_sink() override { return settings_.to_host.empty() ? nullptr : this; }
  [[nodiscard]] const ConnectorStats& stats() const override { return stats_; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

  // The address is a path behind the web hook's; any thread.
  bool publish(std::string_view address, std::string_view payload) override;

 private:
  struct Outlet {
    std::string path, unit;
    bool boolean = false;
  };
  void run(const std::stop_token& stop);
  void take_commands();
  void take_outlets();
  void listen_again(const std::stop_token& stop);
  void report(std::string error);

  const std::string name_;
  const Settings settings_;
  Intake intake_;
  std::unordered_map<std::uint32_t, std::string> actuators_;  // paths
  std::unordered_map<std::uint32_t, Outlet> outlets_;
  ConnectorContext context_;
  std::unique_ptr<IoLoop> loop_;
  std::unique_ptr<PushServer> server_;
  std::unique_ptr<Hook> hook_;
  std::mutex acks_;  // commands are answered from the hook's thread and ours: one at a time
  ConnectorStats stats_;
  mutable std::mutex mutex_;  // guards last_error_, and hook_ against publish()
  std::string last_error_;
  std::jthread thread_;
};

}  // namespace alara::http
