// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_settings.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "base/quantity.hpp"

namespace alara::opcua {
namespace {

const std::vector<std::string> kPolicies{"none", "aes128_sha256_rsaoaep", "basic256sha256", "aes256_sha256_rsapss"};

const Property kPolicy{.name = "policy",
                       .type = PropertyType::choice,
                       .sentence = "A security policy that clients may use.",
                       .choices = kPolicies};

const Schema& user_schema() {
  static const Schema kSchema{
      "opcua-server user",
      "Someone who may log in.",
      {{.name = "password_file",
        .type = PropertyType::text,
        .sentence = "File whose first line is the password; read at every log-in; relative to the site file.",
        .required = true},
       {.name = "may",
        .type = PropertyType::choice,
        .sentence = "read shows values and alarms, write also lets the user write the nodes that take values.",
        .fallback = "write",
        .choices = {"read", "write"}}}};
  return kSchema;
}

Schema make_schema() {
  using T = PropertyType;
  static const Property kUser{.name = "user", .type = T::object, .sentence = "By name.", .fields = &user_schema()};
  return Schema{
      "opcua-server connector",
      "An OPC UA server for SCADA: shows published values and alarms as nodes, and takes values for signals.",
      {{.name = "listen",
        .type = T::text,
        .sentence = "Address and port of this machine to listen on. Anything but 127.0.0.1 opens it to the network; "
                    "0.0.0.0 is every interface, port 0 any free one.",
        .fallback = "127.0.0.1:4840"},
       {.name = "security",
        .type = T::list,
        .sentence = "Policies that clients may use: aes256_sha256_rsapss, aes128_sha256_rsaoaep, basic256sha256. none "
                    "lets anyone on the way read and change everything; it must be asked for by name. Default: "
                    "[aes256_sha256_rsapss, aes128_sha256_rsaoaep].",
        .element = &kPolicy},
       {.name = "mode",
        .type = T::choice,
        .sentence = "sign_and_encrypt offers only that, sign also messages that others on the way can read.",
        .fallback = "sign_and_encrypt",
        .choices = {"sign", "sign_and_encrypt"}},
       {.name = "pki",
        .type = T::text,
        .sentence = "Folder of this node's own certificate (made once) and of the clients it trusts (`alara trust`); "
                    "relative to the site file.",
        .fallback = "pki"},
       {.name = "anonymous",
        .type = T::choice,
        .sentence = "What clients without a user may do.",
        .fallback = "none",
        .choices = {"none", "read", "write"}},
       {.name = "users", .type = T::map, .sentence = "Who may log in, by name.", .element = &kUser},
       {.name = "namespace",
        .type = T::text,
        .sentence = "Name of the namespace that all nodes are in; its index is 2.",
        .fallback = "urn:alara:edge:values"},
       {.name = "interval",
        .type = T::duration,
        .sentence = "The shortest publishing and sampling interval that clients get; faster costs processor time.",
        .fallback = "100ms",
        .least = 5e6,
        .most = 60e9},
       {.name = "sessions",
        .type = T::integer,
        .sentence = "Clients at the same time; more are refused.",
        .fallback = "20",
        .least = 1,
        .most = 1000},
       {.name = "subscriptions",
        .type = T::integer,
        .sentence = "Subscriptions of one client.",
        .fallback = "10",
        .least = 1,
        .most = 1000},
       {.name = "items",
        .type = T::integer,
        .sentence = "Nodes that one subscription may watch.",
        .fallback = "10000",
        .least = 1,
        .most = 100'000},
       {.name = "message",
        .type = T::size,
        .sentence = "Longest message to and from clients; larger ones end the connection.",
        .fallback = "1MiB",
        .least = 65536,
        .most = 64 << 20}}};
}

Rights rights_named(std::string_view text) {
  return text == "write" ? Rights::write : text == "read" ? Rights::read : Rights::none;
}

Security security_named(std::string_view text) {
  return static_cast<Security>(std::ranges::find(kPolicies, text) - kPolicies.begin());
}

}  // namespace

const Schema& server_schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

std::string ServerSettings::endpoint(std::uint16_t at_port) const {
  return host.find(':') == std::string::npos ? fmt::format("opc.tcp://{}:{}", host, at_port)
                                             : fmt::format("opc.tcp://[{}]:{}", host, at_port);
}

const ServerUser* ServerSettings::user(std::string_view name) const {
  const auto found = std::ranges::find(users, name, &ServerUser::name);
  return found == users.end() ? nullptr : &*found;
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return fail(ErrorKind::bad_input, "listen '{}' {}; write 127.0.0.1:4840 or [::1]:4840", text, why);
  };
  ListenAddress listen;
  std::string_view rest = text;
  const bool six = rest.starts_with('[');
  const std::size_t end = six ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (end == std::string_view::npos) return refuse("has no ']'");
  listen.host = rest.substr(six ? 1 : 0, end - (six ? 1 : 0));
  rest.remove_prefix(six ? end + 1 : end);
  in6_addr number{};
  if (listen.host.size() > INET6_ADDRSTRLEN || listen.host.find('\0') != std::string::npos ||
      inet_pton(six ? AF_INET6 : AF_INET, listen.host.c_str(), &number) != 1)
    return refuse("is no numeric address");
  if (rest.empty()) return listen;
  if (rest.front() != ':') return refuse("has something else than :port after its address");
  const auto port = parse_integer(rest.substr(1));
  if (!port || *port < 0 || *port > 65535) return refuse("has no port from 0 to 65535");
  listen.port = static_cast<std::uint16_t>(*port);
  return listen;
}

namespace {

Status read_users(const Options& options, const std::string& directory, ServerSettings& out) {
  if (const Node* users = options.node("users"))
    for (const Node::Entry& entry : users->entries) {
      const Options user(entry.value, user_schema());
      const std::string file = user.text("password_file");
      if (entry.key.empty() || entry.key.size() > 128)
        return fail_at(entry.key_where, "a user's name has 1 to 128 characters");
      out.users.push_back(
          {entry.key, file.starts_with('/') ? file : directory + "/" + file, rights_named(user.text("may"))});
    }
  if (out.users.empty() && out.anonymous == Rights::none)
    return fail_at(options.where("users"), "nobody may log in: name users, or write anonymous: read");
  const bool only_none = out.security == std::vector{Security::none};
  if (only_none && !out.users.empty())
    return fail_at(options.where("security"),
                   "passwords would travel for anyone to read: add a security policy beside none");
  return {};
}

}  // namespace

Result<ServerSettings> read_server_settings(const Node& node, const std::string& directory) {
  const Options options(node, server_schema());
  ServerSettings out;
  const auto listen = parse_listen(options.text("listen"));
  if (!listen) return fail_at(options.where("listen"), "{}", listen.error().message);
  out.host = listen->host;
  out.port = listen->port;
  for (const std::string& policy : options.texts("security")) out.security.push_back(security_named(policy));
  if (!options.has("security")) out.security = {Security::aes256_sha256_rsapss, Security::aes128_sha256_rsaoaep};
  if (out.security.empty()) return fail_at(options.where("security"), "security names no policy");
  out.sign_only_too = options.text("mode") == "sign";
  const std::string pki = options.text("pki");
  out.pki = pki.starts_with('/') ? pki : directory + "/" + pki;
  out.namespace_uri = options.text("namespace");
  if (out.namespace_uri.empty() || out.namespace_uri.size() > 512)
    return fail_at(options.where("namespace"), "the namespace has 1 to 512 characters");
  out.anonymous = rights_named(options.text("anonymous"));
  out.interval = options.duration("interval");
  out.sessions = static_cast<std::uint16_t>(options.integer("sessions"));
  out.subscriptions = static_cast<std::uint32_t>(options.integer("subscriptions"));
  out.items = static_cast<std::uint32_t>(options.integer("items"));
  out.message_bytes = static_cast<std::uint32_t>(options.size("message"));
  ALARA_CHECK(read_users(options, directory, out));
  return out;
}

}  // namespace alara::opcua
