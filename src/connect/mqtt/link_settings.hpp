// SPDX-License-Identifier: Apache-2.0
// What every connection to a broker needs, whatever is said on it: where, as whom, how secured, how patient. The
// options are declared once and are part of the schema of each protocol that runs over MQTT. Secrets stay in files or
// the environment: the site file only says where.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/schema.hpp"

namespace alara::mqtt {

enum class Version : std::uint8_t { mqtt5, mqtt311 };

struct Will {
  std::string topic;
  std::string payload;  // any bytes
  int qos = 0;
  bool retain = false;
};

inline constexpr Nanos kLasting = 5 * kSecond;        // a connection that lasts so long starts the back-off afresh
inline constexpr Nanos kWindUp = 300 * kMillisecond;  // for what is still under way when stopping

struct LinkSettings {
  std::string host;
  int port = 1883;
  bool tls = false;
  std::string ca, certificate, key;  // paths; empty = not given
  std::string tls_version;           // "tlsv1.3"

  std::string client_id;
  Version version = Version::mqtt5;
  bool clean_start = true;
  Nanos session_expiry = 0;
  Nanos keepalive = 30 * kSecond;
  std::string username, password_file, password_env;
  std::optional<Will> will;
  int receive_maximum = 1000;
  // Larger packets the broker shall keep to itself (MQTT 5): more than any payload we read, so that one too large
  // arrives and is counted, and little enough that nobody can make us hold much.
  std::size_t maximum_packet = 4u << 20;

  Nanos connect_timeout = 10 * kSecond;
  Nanos reconnect_min = 100 * kMillisecond;
  Nanos reconnect_max = 30 * kSecond;

  [[nodiscard]] std::string text() const;  // "mqtts://broker:8883 as press-3, MQTT 5"
};

// The declarations of endpoint, client_id, version, keepalive, credentials, TLS, receive_maximum and patience.
[[nodiscard]] std::vector<Property> link_properties();
// Reads them into `out`; errors name the option's place. Relative paths start at `directory`.
[[nodiscard]] Status read_link(const std::string& connector, const Options& options, const std::string& directory,
                               LinkSettings& out);

// The password as it is now (files may be rotated): "" when none is declared. Never logged, never in an error.
[[nodiscard]] Result<std::string> read_password(const LinkSettings& settings);

}  // namespace alara::mqtt
