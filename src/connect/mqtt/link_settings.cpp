// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/link_settings.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::mqtt {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 << 10;

std::string absolute(const std::string& path, const std::string& directory) {
  if (path.empty() || path.front() == '/' || directory.empty()) return path;
  return directory + "/" + path;
}

Status read_endpoint(std::string_view endpoint, const Where& where, LinkSettings& out) {
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

Status read_security(const Options& options, const std::string& directory, LinkSettings& out) {
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

}  // namespace

std::string LinkSettings::text() const {
  return fmt::format("{}://{}:{} as {}, MQTT {}", tls ? "mqtts" : "mqtt", host, port, client_id,
                     version == Version::mqtt5 ? "5" : "3.1.1");
}

std::vector<Property> link_properties() {
  using T = PropertyType;
  return {
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
      {.name = "receive_maximum",
       .type = T::integer,
       .sentence = "QoS 1 messages the broker may have on their way to us unanswered (MQTT 5). Fewer bound memory, "
                   "more fill long lines.",
       .fallback = "1000",
       .least = 1,
       .most = 65535},
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
  };
}

Status read_link(const std::string& connector, const Options& options, const std::string& directory,
                 LinkSettings& out) {
  ALARA_CHECK(read_endpoint(options.text("endpoint"), options.where("endpoint"), out));
  ALARA_CHECK(read_security(options, directory, out));
  out.version = options.text("version") == "5" ? Version::mqtt5 : Version::mqtt311;
  out.keepalive = options.duration("keepalive");
  out.receive_maximum = static_cast<int>(options.integer("receive_maximum"));
  out.client_id = options.text("client_id");
  if (out.client_id.empty()) {
    std::string host(256, '\0');
    if (gethostname(host.data(), host.size() - 1) != 0) host = "host";
    out.client_id = fmt::format("alara-{}-{}-{}", connector, host.c_str(), getpid());
  }
  out.connect_timeout = options.duration("connect_timeout");
  out.reconnect_min = options.duration("reconnect_min");
  out.reconnect_max = options.duration("reconnect_max");
  if (out.reconnect_max < out.reconnect_min)
    return fail_at(options.where("reconnect_max"), "reconnect_max is below reconnect_min");
  return {};
}

Result<std::string> read_password(const LinkSettings& settings) {
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
