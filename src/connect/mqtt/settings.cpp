// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/settings.hpp"

#include <algorithm>

#include "connect/mqtt/address.hpp"

namespace alara::mqtt {
namespace {

const Schema& will_schema() {
  static const Schema kSchema{
      "will",
      "What the broker publishes for this node when its connection breaks.",
      {{.name = "topic", .type = PropertyType::text, .sentence = "Where it goes.", .required = true},
       {.name = "payload", .type = PropertyType::text, .sentence = "What it says.", .fallback = "offline"},
       {.name = "qos", .type = PropertyType::integer, .sentence = "0 or 1.", .fallback = "1", .least = 0, .most = 1},
       {.name = "retain",
        .type = PropertyType::boolean,
        .sentence = "Kept for later subscribers.",
        .fallback = "true"}}};
  return kSchema;
}

Schema make_schema() {
  static const Property kPattern{.name = "pattern", .type = PropertyType::text, .sentence = "A topic filter."};
  using T = PropertyType;
  Schema made{"mqtt connector", "Reads topics of an MQTT broker, and publishes values, events and summaries to it.",
              link_properties()};
  const std::vector<Property> own{
      {.name = "qos",
       .type = T::integer,
       .sentence = "Quality of service of subscriptions and of what is published. 1 costs an answer per message "
                   "and loses nothing while connected.",
       .fallback = "0",
       .least = 0,
       .most = 1},
      {.name = "clean_start",
       .type = T::boolean,
       .sentence = "Forget the broker's queue for this client at every connect. With false, set qos 1, a fixed "
                   "client_id and session_expiry to get what came while offline.",
       .fallback = "true"},
      {.name = "session_expiry",
       .type = T::duration,
       .sentence = "How long the broker keeps the session after a break (MQTT 5).",
       .fallback = "0s"},
      {.name = "will",
       .type = T::object,
       .sentence = "Published by the broker when this node disappears.",
       .fields = &will_schema()},
      {.name = "subscribe",
       .type = T::list,
       .sentence = "Topic filters (line/+/state, $share/group/line/#) to subscribe to instead of the topics they "
                   "cover. Other topics that match are counted as unknown_topic.",
       .element = &kPattern},
      {.name = "format",
       .type = T::choice,
       .sentence = "Of payloads: JSON, messages of points (docs/formats/README.md), arrays with header "
                   "(docs/formats/array.md), or bare little-endian elements of one type.",
       .fallback = "json",
       .choices = {"json", "protobuf", "flatbuffers", "messagepack", "array", "int8", "uint8", "int16", "uint16",
                   "int32", "uint32", "int64", "uint64", "float32", "float64"}},
      {.name = "max_payload",
       .type = T::size,
       .sentence = "Larger payloads are counted as too_large and not looked at.",
       .fallback = "1MB",
       .least = 1,
       .most = 64e6},
      {.name = "time",
       .type = T::choice,
       .sentence = "Event time: the payload's where it has one, or always that of arrival.",
       .fallback = "payload",
       .choices = {"payload", "arrival"}},
      {.name = "time_path",
       .type = T::text,
       .sentence = "Where the time stands in a JSON payload. Default: the member t, ts, time or timestamp."},
      {.name = "publish_format",
       .type = T::choice,
       .sentence =
           "Of values written and published: JSON (a written value is a number, or an object when the address "
           "has #member), a message of one point, or an array with one float64. Default: that of `format` where "
           "it is a format of points, else json.",
       .choices = {"json", "protobuf", "flatbuffers", "messagepack", "array"}},
      {.name = "name_every",
       .type = T::duration,
       .sentence = "Published points (`topic#name`, formats of points) go by a number after their first message, and "
                   "are named again so often, for readers that came later; those wait so long. 0s: each message has "
                   "the names. Fewer bytes; one sender for each topic.",
       .fallback = "0s",
       .least = 0,
       .most = 24.0 * kHour},
      {.name = "retain",
       .type = T::boolean,
       .sentence = "Ask the broker to keep written values for later subscribers.",
       .fallback = "false"},
      {.name = "ack_timeout",
       .type = T::duration,
       .sentence = "A written value without the broker's answer after this time counts as timed out (QoS 1).",
       .fallback = "2s",
       .least = 1e6},
      {.name = "message_expiry",
       .type = T::duration,
       .sentence = "The broker forgets what we publish when nobody took it for so long (MQTT 5, whole seconds); 0s: "
                   "never. Commands expire with their deadline in any case.",
       .fallback = "0s",
       .most = 4294967295e9},
      {.name = "topic_aliases",
       .type = T::integer,
       .sentence = "At most so many topics of published values are sent by number after their first message (MQTT "
                   "5), as far as the broker allows. Fewer bytes, and memory at the broker.",
       .fallback = "64",
       .least = 0,
       .most = 65535},
      {.name = "buffer",
       .type = T::integer,
       .sentence = "Published values kept while the broker is away or slow; the oldest goes when one more comes, and "
                   "each costs 40 bytes. 0: only the newest of each topic.",
       .fallback = "0",
       .least = 0,
       .most = 1e7},
  };
  made.properties.insert(made.properties.end(), own.begin(), own.end());
  return made;
}

Status read_will(const Options& options, Settings& out) {
  const Node* const node = options.node("will");
  if (node == nullptr) return {};
  const Options will(*node, will_schema());
  out.will =
      Will{will.text("topic"), will.text("payload"), static_cast<int>(will.integer("qos")), will.boolean("retain")};
  if (const Status topic = check_topic(out.will->topic); !topic)
    return fail_at(will.where("topic"), "{}", topic.error().message);
  return {};
}

Status read_session(const Options& options, Settings& out) {
  out.qos = static_cast<int>(options.integer("qos"));
  out.clean_start = options.boolean("clean_start");
  out.session_expiry = options.duration("session_expiry");
  out.message_expiry = options.duration("message_expiry");
  out.topic_aliases = static_cast<std::size_t>(options.integer("topic_aliases"));
  if (!out.clean_start && !options.has("client_id"))
    return fail_at(options.where("clean_start"),
                   "clean_start: false needs a client_id, or the broker can not find the session again");
  for (const std::string_view name : {"session_expiry", "message_expiry"})
    if (out.version == Version::mqtt311 && options.duration(name) != 0)
      return fail_at(options.where(name), "{} needs version 5", name);
  out.patterns = options.texts("subscribe");
  for (const std::string& pattern : out.patterns)
    if (const Status ok = check_pattern(pattern); !ok)
      return fail_at(options.where("subscribe"), "{}", ok.error().message);
  return {};
}

void read_formats(const Options& options, Settings& out) {
  const std::string format = options.text("format");
  if (const auto element = wire::element_type_named(format)) {
    out.format = Format::bare;
    out.element = *element;
  } else if (const auto points = wire::point_format_named(format)) {
    out.format = out.publish_format = Format::points;
    out.points = out.publish_points = *points;
  } else {
    out.format = format == "array" ? Format::array : Format::json;
  }
  if (!options.has("publish_format")) return;
  const std::string published = options.text("publish_format");
  if (const auto points = wire::point_format_named(published)) {
    out.publish_format = Format::points;
    out.publish_points = *points;
  } else {
    out.publish_format = published == "array" ? Format::array : Format::json;
  }
}

}  // namespace

const Schema& schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

Result<Settings> read_settings(const std::string& name, const Node& node, const std::string& directory) {
  const Options options(node, schema());
  Settings out;
  ALARA_CHECK(read_link(name, options, directory, out));
  ALARA_CHECK(read_session(options, out));
  ALARA_CHECK(read_will(options, out));

  read_formats(options, out);
  out.limits.bytes = options.size("max_payload");
  out.maximum_packet = std::max(out.maximum_packet, 2 * out.limits.bytes);
  out.time = options.text("time") == "arrival" ? TimeFrom::arrival : TimeFrom::payload;
  out.time_path = options.text("time_path");
  if (!out.time_path.empty() && out.format != Format::json)
    return fail_at(options.where("time_path"), "time_path is for format json");

  out.retain = options.boolean("retain");
  out.name_every = options.duration("name_every");
  if (out.name_every > 0 && out.publish_format != Format::points)
    return fail_at(options.where("name_every"), "name_every is for protobuf, flatbuffers and messagepack");
  if (out.name_every > 0 && out.retain)
    return fail_at(options.where("name_every"),
                   "a retained message must have its names: leave out name_every, or retain");
  out.ack_timeout = options.duration("ack_timeout");
  out.buffer = static_cast<std::size_t>(options.integer("buffer"));
  return out;
}

}  // namespace alara::mqtt
