// SPDX-License-Identifier: Apache-2.0
// One life of a session with a server, on open62541: connect, be trusted, read, write, call, subscribe, until it is
// lost. A new session is a new object. Confined to one thread. Internal to connect/opcua.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connect/opcua/address.hpp"
#include "connect/opcua/settings.hpp"
#include "connect/opcua/ua.hpp"

namespace alara::opcua {

class Session {
 public:
  // Connects, checking the server's certificate against the trust list first. Gives up when `stopped` says so or the
  // time limit passes. Errors say what to do (a stranger's certificate is put aside for `alara trust`).
  [[nodiscard]] static Result<std::unique_ptr<Session>> open(const Settings& settings, Clock& clock,
                                                             const std::function<bool()>& stopped);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] UA_Client* client() const { return client_; }
  // Lets the network work for at most `wait`; fails when the session is lost or the server silent.
  [[nodiscard]] Status iterate(Nanos wait);
  // How many nodes the server takes in one request, within what we would ask for at most.
  struct Limits {
    std::size_t items = 1000, reads = 500;
  };
  [[nodiscard]] const Limits& limits() const { return limits_; }
  // As the server's namespace table has it now.
  [[nodiscard]] Result<UaNodeId> resolve(const NodeName& name) const;

 private:
  Session() = default;
  [[nodiscard]] Status configure(const Settings& settings, Clock& clock);
  [[nodiscard]] Status secure(UA_ClientConfig& config, const Settings& settings, Clock& clock);
  void accept_only_trusted(UA_ClientConfig& config);
  [[nodiscard]] Status connect(const Settings& settings, Clock& clock, const std::function<bool()>& stopped);
  [[nodiscard]] Status read_namespaces();
  void read_limits();
  static void note(void* session, UA_LogLevel level, UA_LogCategory category, const char* format, va_list arguments);

  UA_Client* client_ = nullptr;
  UA_Logger logger_{};
  std::string last_note_;  // what the library last complained of
  std::string trusted_;    // fingerprint of the server's certificate
  std::string silent_;     // set by its watchdogs
  std::vector<std::string> namespaces_;
  Limits limits_;
};

[[nodiscard]] std::string name_of(UA_StatusCode status);

}  // namespace alara::opcua
