// SPDX-License-Identifier: Apache-2.0
// The options of one OPC UA client, read and checked. Secrets stay in files: the site file only says where.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "core/schema.hpp"

namespace alara::opcua {

enum class Security : std::uint8_t { none, aes128_sha256_rsaoaep, basic256sha256, aes256_sha256_rsapss };
enum class TimeFrom : std::uint8_t { source, server, arrival };
enum class Trigger : std::uint8_t { value, timestamp };

struct Settings {
  std::string endpoint;  // opc.tcp://host:port/path
  Security security = Security::none;
  bool sign_only = false;
  std::string pki;  // folder of own certificate and trust list
  std::string username, password_file;
  bool subscribe = true;
  Nanos interval = 100 * kMillisecond;  // of signals without a `poll` of their own
  std::uint32_t queue = 10;
  Trigger trigger = Trigger::value;
  TimeFrom time = TimeFrom::source;
  Nanos timeout = 900 * kMillisecond;  // of a request
  Nanos silence = 3 * kSecond;         // without a sign of life
  Nanos retry = 30 * kSecond;          // of nodes that the server refused
  Nanos reconnect_min = 100 * kMillisecond, reconnect_max = 3 * kSecond;
};

[[nodiscard]] const Schema& schema();
[[nodiscard]] Result<Settings> read_settings(const Node& options, const std::string& directory);
[[nodiscard]] std::string_view policy_uri(Security security);
[[nodiscard]] Result<std::string> read_password(const Settings& settings);

}  // namespace alara::opcua
