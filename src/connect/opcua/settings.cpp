// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/settings.hpp"

#include <fstream>

#include "base/text.hpp"

namespace alara::opcua {
namespace {

Schema make_schema() {
  using T = PropertyType;
  return Schema{
      "opcua connector",
      "Reads, writes and calls nodes of an OPC UA server.",
      {{.name = "endpoint", .type = T::text, .sentence = "The server: opc.tcp://host:port/path.", .required = true},
       {.name = "security",
        .type = T::choice,
        .sentence =
            "Security policy. none sends everything, passwords too, for anyone to read and change; it must be asked "
            "for by name.",
        .fallback = "aes256_sha256_rsapss",
        .choices = {"none", "aes128_sha256_rsaoaep", "basic256sha256", "aes256_sha256_rsapss"}},
       {.name = "mode",
        .type = T::choice,
        .sentence = "sign keeps others from changing messages, sign_and_encrypt also from reading them.",
        .fallback = "sign_and_encrypt",
        .choices = {"sign", "sign_and_encrypt"}},
       {.name = "pki",
        .type = T::text,
        .sentence =
            "Folder of this node's own certificate (made once) and of those it trusts (`alara trust`); relative to "
            "the site file.",
        .fallback = "pki"},
       {.name = "username", .type = T::text, .sentence = "Name to log in with. Default: anonymous."},
       {.name = "password_file",
        .type = T::text,
        .sentence = "File whose first line is the password; read at every connect."},
       {.name = "read",
        .type = T::choice,
        .sentence = "subscribe lets the server send changes, poll asks for every value.",
        .fallback = "subscribe",
        .choices = {"subscribe", "poll"}},
       {.name = "interval",
        .type = T::duration,
        .sentence =
            "How often the server looks for changes and sends them, or how often it is polled; a signal's `poll` "
            "goes before.",
        .fallback = "100ms",
        .least = 1e6},
       {.name = "queue",
        .type = T::integer,
        .sentence = "Changes of one node that the server keeps between two messages; more lose the oldest.",
        .fallback = "10",
        .least = 1,
        .most = 10000},
       {.name = "trigger",
        .type = T::choice,
        .sentence =
            "What counts as a change: another value (or status), or also the same value with a new source time.",
        .fallback = "value",
        .choices = {"value", "timestamp"}},
       {.name = "time",
        .type = T::choice,
        .sentence = "Event time: the source's (the server's where it gives none), the server's, or that of arrival.",
        .fallback = "source",
        .choices = {"source", "server", "arrival"}},
       {.name = "timeout",
        .type = T::duration,
        .sentence = "How long the answer to a request may take.",
        .fallback = "900ms",
        .least = 1e7,
        .most = 60e9},
       {.name = "silence",
        .type = T::duration,
        .sentence = "A server that gives no sign of life for so long, though connected, is connected to anew.",
        .fallback = "3s",
        .least = 1e8},
       {.name = "retry",
        .type = T::duration,
        .sentence = "How often nodes that the server refused are tried again.",
        .fallback = "30s",
        .least = 1e7},
       {.name = "reconnect_min",
        .type = T::duration,
        .sentence = "The first wait before connecting again is a random part of this; each failure doubles it.",
        .fallback = "100ms",
        .least = 1e6},
       {.name = "reconnect_max",
        .type = T::duration,
        .sentence = "The longest such wait.",
        .fallback = "3s",
        .least = 1e6}}};
}

}  // namespace

const Schema& schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

std::string_view policy_uri(Security security) {
  switch (security) {
    case Security::none:
      return "http://opcfoundation.org/UA/SecurityPolicy#None";
    case Security::aes128_sha256_rsaoaep:
      return "http://opcfoundation.org/UA/SecurityPolicy#Aes128_Sha256_RsaOaep";
    case Security::basic256sha256:
      return "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256";
    case Security::aes256_sha256_rsapss:
      return "http://opcfoundation.org/UA/SecurityPolicy#Aes256_Sha256_RsaPss";
  }
  return "";
}

Result<Settings> read_settings(const Node& node, const std::string& directory) {
  const Options options(node, schema());
  Settings out;
  out.endpoint = options.text("endpoint");
  if (!out.endpoint.starts_with("opc.tcp://") || out.endpoint.size() < 11)
    return fail_at(options.where("endpoint"), "endpoint '{}' is not opc.tcp://host:port", out.endpoint);
  if (out.endpoint.find('@') != std::string::npos)
    return fail_at(options.where("endpoint"), "no name or password in the endpoint: use username and password_file");
  const std::string security = options.text("security");
  out.security = security == "none"                    ? Security::none
                 : security == "aes128_sha256_rsaoaep" ? Security::aes128_sha256_rsaoaep
                 : security == "basic256sha256"        ? Security::basic256sha256
                                                       : Security::aes256_sha256_rsapss;
  out.sign_only = options.text("mode") == "sign";
  const auto in_directory = [&directory](std::string path) {
    return path.empty() || path.front() == '/' ? path : directory + "/" + path;
  };
  out.pki = in_directory(options.text("pki"));
  out.username = options.text("username");
  out.password_file = in_directory(options.text("password_file"));
  if (out.username.empty() != out.password_file.empty())
    return fail_at(options.where(out.username.empty() ? "password_file" : "username"),
                   "username and password_file go together");
  out.subscribe = options.text("read") == "subscribe";
  out.interval = options.duration("interval");
  out.queue = static_cast<std::uint32_t>(options.integer("queue"));
  out.trigger = options.text("trigger") == "value" ? Trigger::value : Trigger::timestamp;
  const std::string time = options.text("time");
  out.time = time == "source" ? TimeFrom::source : time == "server" ? TimeFrom::server : TimeFrom::arrival;
  out.timeout = options.duration("timeout");
  out.silence = options.duration("silence");
  out.retry = options.duration("retry");
  out.reconnect_min = options.duration("reconnect_min");
  out.reconnect_max = options.duration("reconnect_max");
  if (out.reconnect_max < out.reconnect_min)
    return fail_at(options.where("reconnect_max"), "reconnect_max is below reconnect_min");
  return out;
}

Result<std::string> read_password(const Settings& settings) {
  std::ifstream file(settings.password_file);
  std::string line;
  if (!file || !std::getline(file, line))
    return fail(ErrorKind::bad_input, "the password file '{}' can not be read", settings.password_file);
  return std::string(trim(line));
}

}  // namespace alara::opcua
