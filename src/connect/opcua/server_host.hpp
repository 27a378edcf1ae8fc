// SPDX-License-Identifier: Apache-2.0
// One life of an OPC UA server on open62541: from listening until it is stopped or can listen no more. Internal to
// connect/opcua.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connect/opcua/server_access.hpp"
#include "connect/opcua/server_nodes.hpp"

namespace alara::opcua {

// What lasts from one life to the next; outlives the host.
struct ServerLasting {
  ServerGate gate;
  std::vector<WrittenValue> written;         // of the plan's nodes
  std::atomic<std::uint64_t> complaints{0};  // of open62541 about clients: garbage, broken messages, lost sessions
};

class ServerHost {
 public:
  // Listens at once; errors say why not.
  [[nodiscard]] static Result<std::unique_ptr<ServerHost>> open(const ServerSettings& settings, const ServerPlan& plan,
                                                                ServerLasting& lasting, Clock& clock, TakeWrite take,
                                                                ServerAccess::Report report);
  ~ServerHost();  // ends all sessions
  ServerHost(const ServerHost&) = delete;
  ServerHost& operator=(const ServerHost&) = delete;

  // Serves clients for at most `wait`; fails when it listens no more. Always the same thread.
  [[nodiscard]] Status serve(Nanos wait);

  // Any thread.
  [[nodiscard]] ServerNodes& nodes() { return *nodes_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint64_t sessions() const;
  [[nodiscard]] std::uint64_t channels() const;
  // Of our certificate; "" while all is well.
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  ServerHost(const ServerSettings& settings, ServerLasting& lasting) : settings_(settings), lasting_(lasting) {}
  [[nodiscard]] Status configure(UA_ServerConfig& config, const Identity& identity, Clock& clock,
                                 ServerAccess::Report report);
  [[nodiscard]] Status add_policies(UA_ServerConfig& config, const Identity& identity);
  void set_limits(UA_ServerConfig& config) const;
  void look_at(const Identity& identity, Nanos wall);
  [[nodiscard]] std::string last_note() const;
  static void note(void* host, UA_LogLevel level, UA_LogCategory category, const char* format, va_list arguments);

  const ServerSettings& settings_;
  ServerLasting& lasting_;
  UA_Logger logger_{};
  UA_Server* server_ = nullptr;
  std::unique_ptr<ServerAccess> access_;
  std::unique_ptr<ServerNodes> nodes_;
  std::uint16_t port_ = 0;
  std::string warning_;
  std::atomic<bool> serving_{false};
  std::atomic<bool> deaf_{false};  // the listening socket is gone
  mutable std::mutex note_mutex_;
  std::string last_note_;  // what the library last complained of
};

}  // namespace alara::opcua
