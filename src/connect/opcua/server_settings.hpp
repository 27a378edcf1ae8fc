// SPDX-License-Identifier: Apache-2.0
// The options of one OPC UA server, read and checked.
#pragma once

#include <string>
#include <vector>

#include "connect/opcua/settings.hpp"

namespace alara::opcua {

enum class Rights : std::uint8_t { none, read, write };

struct ServerUser {
  std::string name, password_file;
  Rights rights = Rights::write;
};

struct ServerSettings {
  std::string host = "127.0.0.1";       // an address of this machine
  std::uint16_t port = 4840;            // 0: any that is free
  std::vector<Security> security = {};  // at least one
  bool sign_only_too = false;
  std::string pki = {};
  std::string namespace_uri = {};
  Rights anonymous = Rights::none;
  std::vector<ServerUser> users = {};
  Nanos interval = 100 * kMillisecond;  // the fastest that clients may ask for
  std::uint16_t sessions = 20;
  std::uint32_t subscriptions = 10, items = 10'000;  // of one session
  std::uint32_t message_bytes = 1 << 20;

  [[nodiscard]] bool everywhere() const { return host == "0.0.0.0" || host == "::"; }
  [[nodiscard]] std::string endpoint(std::uint16_t at_port) const;    // "opc.tcp://127.0.0.1:4840"
  [[nodiscard]] const ServerUser* user(std::string_view name) const;  // nullptr: not known
};

[[nodiscard]] const Schema& server_schema();
[[nodiscard]] Result<ServerSettings> read_server_settings(const Node& options, const std::string& directory);

// "127.0.0.1:4840", "[::1]:4840", "0.0.0.0": numbers only, so that nothing has to be looked up.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 4840;
};
[[nodiscard]] Result<ListenAddress> parse_listen(std::string_view text);

}  // namespace alara::opcua
