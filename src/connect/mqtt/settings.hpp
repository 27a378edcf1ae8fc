// SPDX-License-Identifier: Apache-2.0
// The options of one MQTT connector, read and checked. Secrets stay in files or the environment: the site file only
// says where.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/document.hpp"
#include "core/schema.hpp"
#include "wire/payload.hpp"
#include "wire/payload_array.hpp"

namespace alara::mqtt {

enum class Format : std::uint8_t { json, array, bare };
enum class TimeFrom : std::uint8_t { payload, arrival };
enum class Version : std::uint8_t { mqtt5, mqtt311 };

struct Will {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
};

struct Settings {
  std::string host;
  int port = 1883;
  bool tls = false;
  std::string ca, certificate, key;  // paths; empty = not given
  std::string tls_version;           // "tlsv1.3"

  std::string client_id;
  Version version = Version::mqtt5;
  int qos = 0;
  bool clean_start = true;
  Nanos session_expiry = 0;
  Nanos keepalive = 30 * kSecond;
  std::string username, password_file, password_env;
  std::optional<Will> will;
  int receive_maximum = 1000;
  std::vector<std::string> patterns;  // subscribed to instead of the topics they cover

  Format format = Format::json;
  wire::ElementType element = wire::ElementType::float32;  // of `bare`
  wire::PayloadLimits limits;
  TimeFrom time = TimeFrom::payload;
  std::string time_path;  // of JSON payloads; "" = the usual members

  Format publish_format = Format::json;
  bool retain = false;
  Nanos message_expiry = kNever;  // of published values
  Nanos ack_timeout = 2 * kSecond;
  Nanos connect_timeout = 10 * kSecond;
  Nanos reconnect_min = 100 * kMillisecond;
  Nanos reconnect_max = 30 * kSecond;
};

[[nodiscard]] const Schema& schema();
// `options` has passed schema().check(). Relative paths start at `directory`. Errors name the option's place.
[[nodiscard]] Result<Settings> read_settings(const std::string& name, const Node& options,
                                             const std::string& directory);

// The password as it is now (files may be rotated): "" when none is declared. Never logged, never in an error.
[[nodiscard]] Result<std::string> read_password(const Settings& settings);

}  // namespace alara::mqtt
