// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/settings.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "connect/mqtt/address.hpp"

namespace alara::mqtt {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 << 10;

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
  return Schema{
      "mqtt connector",
      "Reads topics of an MQTT broker, and publishes values, events and summaries to it.",
      {
          {.name = "endpoint",
           .type = T::text,
           .sentence = "The broker: mqtt://host:port, or mqtts:// for TLS.",
           .required = true},
          {.name = "client_id",
           .type = T::text,
           .sentence = "Unique on the broker. Two clients with one id throw each other out. Default: "
                       "`alara-<connector>-<host>-<process>`."},
          {.name = "version",
           .type = T::choice,
           .sentence = "Protocol version.",
           .fallback = "5",
           .choices = {"5", "3.1.1"}},
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
          {.name = "keepalive",
           .type = T::duration,
           .sentence = "A silent connection is probed after this time and given up after one and a half of it.",
           .fallback = "30s",
           .least = 5e9,
           .most = 65535e9},
          {.name = "username", .type = T::text, .sentence = "Name to log in with."},
          {.name = "password_file",
           .type = T::text,
           .sentence = "File whose first line is the password; read at every connect."},
          {.name = "password_env", .type = T::text, .sentence = "Environment variable that holds the password."},
          {.name = "ca",
           .type = T::text,
           .sentence = "PEM file of the certificate authorities to trust. Default: the system's."},
          {.name = "cert", .type = T::text, .sentence = "PEM file of this client's certificate."},
          {.name = "key", .type = T::text, .sentence = "PEM file of its private key."},
          {.name = "tls",
           .type = T::choice,
           .sentence = "TLS version. 1.2 is for brokers that can not do better.",
           .fallback = "1.3",
           .choices = {"1.3", "1.2"}},
          {.name = "will",
           .type = T::object,
           .sentence = "Published by the broker when this node disappears.",
           .fields = &will_schema()},
          {.name = "receive_maximum",
           .type = T::integer,
           .sentence = "QoS 1 messages the broker may have on their way to us unanswered (MQTT 5). Fewer bound memory, "
                       "more fill long lines.",
           .fallback = "1000",
           .least = 1,
           .most = 65535},
          {.name = "subscribe",
           .type = T::list,
           .sentence = "Topic filters (line/+/state, $share/group/line/#) to subscribe to instead of the topics they "
                       "cover. Other topics that match are counted as unknown_topic.",
           .element = &kPattern},
          {.name = "format",
           .type = T::choice,
           .sentence = "Of payloads: JSON, arrays with header (docs/formats/array.md), or bare little-endian elements "
                       "of one type.",
           .fallback = "json",
           .choices = {"json", "array", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
                       "float32", "float64"}},
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
           .sentence = "Of values written: a JSON number (an object when the address has #member), or an array with "
                       "one float64.",
           .fallback = "json",
           .choices = {"json", "array"}},
          {.name = "retain",
           .type = T::boolean,
           .sentence = "Ask the broker to keep written values for later subscribers.",
           .fallback = "false"},
          {.name = "message_expiry",
           .type = T::duration,
           .sentence = "The broker drops a published value that it could not deliver for so long (MQTT 5, whole "
                       "seconds). Default: never.",
           .least = 1e9},
          {.name = "ack_timeout",
           .type = T::duration,
           .sentence = "A written value without the broker's answer after this time counts as timed out (QoS 1).",
           .fallback = "2s",
           .least = 1e6},
          {.name = "connect_timeout",
           .type = T::duration,
           .sentence = "Given to name look-up, connection and login together.",
           .fallback = "10s",
           .least = 1e7},
          {.name = "reconnect_min",
           .type = T::duration,
           .sentence = "Reconnects wait a random time below a bound that doubles from here …",
           .fallback = "100ms",
           .least = 1e6},
          {.name = "reconnect_max",
           .type = T::duration,
           .sentence = "… up to here (full jitter), so that a plant does not reconnect in step.",
           .fallback = "30s",
           .least = 1e6},
      }};
}

std::string absolute(const std::string& path, const std::string& directory) {
  if (path.empty() || path.front() == '/' || directory.empty()) return path;
  return directory + "/" + path;
}

Status read_endpoint(std::string_view endpoint, const Where& where, Settings& out) {
  const auto refuse = [&] {
    return fail_at(where, "endpoint '{}' is not mqtt://host:port or mqtts://host:port", endpoint);
  };
  std::string_view rest = endpoint;
  if (rest.starts_with("mqtts://")) {
    out.tls = true;
    out.port = 8883;
    rest.remove_prefix(8);
  } else if (rest.starts_with("mqtt://")) {
    rest.remove_prefix(7);
  } else {
    return refuse();
  }
  if (rest.find('@') != std::string_view::npos)
    return fail_at(where, "endpoint holds a user name or password; use username and password_file or password_env");
  std::string_view port;
  if (rest.starts_with('[')) {  // an IPv6 address
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return refuse();
    out.host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
  } else {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    out.host = rest.substr(0, end);
    port = rest.substr(end);
  }
  if (out.host.empty() || out.host.find('/') != std::string::npos) return refuse();
  if (port.empty()) return {};
  const auto number = parse_integer(port.substr(1));
  if (port.front() != ':' || !number || *number < 1 || *number > 65535) return refuse();
  out.port = static_cast<int>(*number);
  return {};
}

Status read_security(const Options& options, const std::string& directory, Settings& out) {
  out.username = options.text("username");
  out.password_env = options.text("password_env");
  out.password_file = absolute(options.text("password_file"), directory);
  if (!out.password_env.empty() && !out.password_file.empty())
    return fail_at(options.where("password_env"), "password_env and password_file exclude each other");
  if (out.username.empty() && (!out.password_env.empty() || !out.password_file.empty()))
    return fail_at(options.where(out.password_env.empty() ? "password_file" : "password_env"),
                   "a password needs a username");
  out.ca = absolute(options.text("ca"), directory);
  out.certificate = absolute(options.text("cert"), directory);
  out.key = absolute(options.text("key"), directory);
  out.tls_version = "tlsv" + options.text("tls");
  for (const std::string_view name : {"ca", "cert", "key"})
    if (options.has(name) && !out.tls) return fail_at(options.where(name), "{} needs an mqtts:// endpoint", name);
  if (out.certificate.empty() != out.key.empty())
    return fail_at(options.where(out.key.empty() ? "cert" : "key"), "cert and key go together");
  return {};
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

Status read_session(const std::string& name, const Options& options, Settings& out) {
  out.version = options.text("version") == "5" ? Version::mqtt5 : Version::mqtt311;
  out.qos = static_cast<int>(options.integer("qos"));
  out.clean_start = options.boolean("clean_start");
  out.session_expiry = options.duration("session_expiry");
  out.keepalive = options.duration("keepalive");
  out.receive_maximum = static_cast<int>(options.integer("receive_maximum"));
  out.client_id = options.text("client_id");
  if (!out.clean_start && out.client_id.empty())
    return fail_at(options.where("clean_start"),
                   "clean_start: false needs a client_id, or the broker can not find the session again");
  if (out.version == Version::mqtt311 && out.session_expiry != 0)
    return fail_at(options.where("session_expiry"), "session_expiry needs version 5");
  if (out.client_id.empty()) {
    std::string host(256, '\0');
    if (gethostname(host.data(), host.size() - 1) != 0) host = "host";
    out.client_id = fmt::format("alara-{}-{}-{}", name, host.c_str(), getpid());
  }
  out.patterns = options.texts("subscribe");
  for (const std::string& pattern : out.patterns)
    if (const Status ok = check_pattern(pattern); !ok)
      return fail_at(options.where("subscribe"), "{}", ok.error().message);
  return {};
}

}  // namespace

const Schema& schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

Result<Settings> read_settings(const std::string& name, const Node& node, const std::string& directory) {
  const Options options(node, schema());
  Settings out;
  ALARA_CHECK(read_endpoint(options.text("endpoint"), options.where("endpoint"), out));
  ALARA_CHECK(read_session(name, options, out));
  ALARA_CHECK(read_security(options, directory, out));
  ALARA_CHECK(read_will(options, out));

  const std::string format = options.text("format");
  if (const auto element = wire::element_type_named(format)) {
    out.format = Format::bare;
    out.element = *element;
  } else {
    out.format = format == "array" ? Format::array : Format::json;
  }
  out.limits.bytes = options.size("max_payload");
  out.time = options.text("time") == "arrival" ? TimeFrom::arrival : TimeFrom::payload;
  out.time_path = options.text("time_path");
  if (!out.time_path.empty() && out.format != Format::json)
    return fail_at(options.where("time_path"), "time_path is for format json");

  out.publish_format = options.text("publish_format") == "array" ? Format::array : Format::json;
  out.retain = options.boolean("retain");
  if (options.has("message_expiry")) out.message_expiry = options.duration("message_expiry");
  if (out.version == Version::mqtt311 && out.message_expiry != kNever)
    return fail_at(options.where("message_expiry"), "message_expiry needs version 5");
  out.ack_timeout = options.duration("ack_timeout");
  out.connect_timeout = options.duration("connect_timeout");
  out.reconnect_min = options.duration("reconnect_min");
  out.reconnect_max = options.duration("reconnect_max");
  if (out.reconnect_max < out.reconnect_min)
    return fail_at(options.where("reconnect_max"), "reconnect_max is below reconnect_min");
  return out;
}

Result<std::string> read_password(const Settings& settings) {
  if (!settings.password_env.empty()) {
    const char* const value = std::getenv(settings.password_env.c_str());
    if (value == nullptr)
      return fail(ErrorKind::bad_input, "environment variable {} (password_env) is not set", settings.password_env);
    return std::string(value);
  }
  if (settings.password_file.empty()) return std::string{};
  std::ifstream file(settings.password_file);
  std::string line;
  if (!file || !std::getline(file, line))
    return fail(ErrorKind::bad_input, "can not read password_file {}", settings.password_file);
  if (line.size() > kMaxSecretBytes)
    return fail(ErrorKind::bad_input, "password_file {} is no password", settings.password_file);
  return std::string(trim(line));
}

}  // namespace alara::mqtt
