// SPDX-License-Identifier: Apache-2.0
// The options of one MQTT connector, read and checked: those of the connection (link_settings.hpp), and what payloads
// look like.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "connect/mqtt/link_settings.hpp"
#include "core/document.hpp"
#include "core/schema.hpp"
#include "wire/payload.hpp"
#include "wire/payload_array.hpp"
#include "wire/payload_points.hpp"

namespace alara::mqtt {

enum class Format : std::uint8_t { json, array, bare, points };
enum class TimeFrom : std::uint8_t { payload, arrival };

struct Settings : LinkSettings {
  int qos = 0;
  std::vector<std::string> patterns;  // subscribed to instead of the topics they cover

  Format format = Format::json;
  wire::ElementType element = wire::ElementType::float32;  // of `bare`
  wire::PointFormat points = wire::PointFormat::protobuf;  // of `points`
  wire::PayloadLimits limits;
  TimeFrom time = TimeFrom::payload;
  std::string time_path;  // of JSON payloads; "" = the usual members

  Format publish_format = Format::json;
  wire::PointFormat publish_points = wire::PointFormat::protobuf;  // of `points`
  Nanos name_every = 0;  // of points that have an alias; 0 = the name in each message, and no alias
  bool retain = false;
  Nanos ack_timeout = 2 * kSecond;
  Nanos message_expiry = 0;        // of values and messages; 0 = never
  std::size_t topic_aliases = 64;  // at most
  std::size_t buffer = 0;          // values kept for a broker that is away; 0 = the newest of each topic
};

[[nodiscard]] const Schema& schema();
// `options` has passed schema().check(). Relative paths start at `directory`. Errors name the option's place.
[[nodiscard]] Result<Settings> read_settings(const std::string& name, const Node& options,
                                             const std::string& directory);

}  // namespace alara::mqtt
