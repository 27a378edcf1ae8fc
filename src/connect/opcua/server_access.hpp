// SPDX-License-Identifier: Apache-2.0
// Who gets in to an OPC UA server of ours, and what they may do: clients by their certificates, users by their
// passwords, writes by the users' rights. Plugs into open62541's configuration. Internal to connect/opcua.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "connect/opcua/server_settings.hpp"
#include "connect/opcua/server_ua.hpp"
#include "connect/opcua/trust.hpp"

namespace alara::opcua {

// Counters of several lives of the server; written by its thread, read by any.
struct ServerGate {
  std::atomic<std::uint64_t> strangers{0};       // connections refused because of their certificate
  std::atomic<std::uint64_t> refused_logins{0};  // of users, and of clients without one
  std::atomic<std::uint64_t> logins{0};
};

// Lives as long as the server that it is installed in. Confined to the server's thread.
class ServerAccess {
 public:
  using Report = std::function<void(std::string)>;  // "" after somebody got in

  ServerAccess(const ServerSettings& settings, Clock& clock, ServerGate& gate, Report report);
  ServerAccess(const ServerAccess&) = delete;
  ServerAccess& operator=(const ServerAccess&) = delete;

  // Once its security policies are there. Replaces what open62541 does by itself: to trust anybody with anything.
  [[nodiscard]] Status install(UA_ServerConfig& config);

 private:
  [[nodiscard]] UA_StatusCode judge(std::span<const std::uint8_t> certificate);
  [[nodiscard]] UA_StatusCode log_in(std::string_view user, std::string_view password, void** session);
  [[nodiscard]] Rights rights_of(const void* session) const;
  void install_trust(UA_ServerConfig& config);
  static void restrict_everything_else(UA_AccessControl& control);
  static ServerAccess& of(UA_Server* server);
  void refresh_trusted();

  const ServerSettings& settings_;
  Clock& clock_;
  ServerGate& gate_;
  const Report report_;
  const TrustList trust_;
  std::unique_ptr<const TrustStore> trusted_;  // as of `trusted_at_`
  Nanos trusted_at_ = -kNever;
  Nanos rejected_at_ = -kNever;
  decltype(UA_AccessControl::activateSession) activate_ = nullptr;  // open62541's
};

}  // namespace alara::opcua
