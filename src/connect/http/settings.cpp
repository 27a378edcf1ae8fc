// SPDX-License-Identifier: Apache-2.0
#include "connect/http/settings.hpp"

#include <charconv>
#include <fstream>

#include "base/text.hpp"

namespace alara::http {
namespace {

Schema make_schema() {
  using T = PropertyType;
  return Schema{
      "http connector",
      "Takes measurements that are pushed in by HTTP, and sends values, commands and events to a web hook.",
      {{.name = "listen",
        .type = T::text,
        .sentence = "Where it takes POST requests, host:port. Without TLS: leave it on loopback, or behind a proxy "
                    "that has it."},
       {.name = "token_file",
        .type = T::text,
        .sentence =
            "File with the token that those who push must send (Authorization: Bearer or Token). Default: none is "
            "asked for."},
       {.name = "max_body",
        .type = T::size,
        .sentence = "Larger requests are refused.",
        .fallback = "1MB",
        .least = 1000,
        .most = 64e6},
       {.name = "precision",
        .type = T::choice,
        .sentence = "Unit of the times in line protocol, where the request does not say (?precision=).",
        .fallback = "ns",
        .choices = {"ns", "us", "ms", "s"}},
       {.name = "to",
        .type = T::text,
        .sentence = "The web hook: http://host:port/path or https://…; addresses go behind it."},
       {.name = "to_token_file",
        .type = T::text,
        .sentence = "File with the token sent to it; read for every request."},
       {.name = "ca",
        .type = T::text,
        .sentence = "PEM file of the certificate authorities to trust. Default: the system's."},
       {.name = "timeout",
        .type = T::duration,
        .sentence = "How long one request may take.",
        .fallback = "2s",
        .least = 1e7,
        .most = 60e9},
       {.name = "retry_for",
        .type = T::duration,
        .sentence =
            "How long a delivery is tried again when the hook can not be reached or answers 5xx, 408 or 429. A command "
            "with a deadline is given up there.",
        .fallback = "30s"},
       {.name = "queue",
        .type = T::integer,
        .sentence = "Deliveries that wait; more lose the oldest value, and refuse commands and events.",
        .fallback = "1000",
        .least = 1,
        .most = 100'000}}};
}

Status read_hook(const Options& options, Settings& out) {
  const std::string to = options.text("to");
  if (to.empty()) return {};
  const std::size_t scheme = to.find("://");
  if (scheme == std::string::npos || (to.substr(0, scheme) != "http" && to.substr(0, scheme) != "https") ||
      scheme + 3 >= to.size() || to[scheme + 3] == '/')
    return fail_at(options.where("to"), "'{}' is no web hook: http://host:port/path or https://…", to);
  if (to.find('@') != std::string::npos)
    return fail_at(options.where("to"), "no name or password in the address: use to_token_file");
  const std::size_t slash = to.find('/', scheme + 3);
  out.to_host = to.substr(0, slash);
  out.to_path = slash == std::string::npos ? "" : to.substr(slash);
  while (out.to_path.ends_with('/')) out.to_path.pop_back();
  return {};
}

}  // namespace

const Schema& schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

Result<Settings> read_settings(const Node& node, const std::string& directory) {
  const Options options(node, schema());
  Settings out;
  const auto in_directory = [&directory](std::string path) {
    return path.empty() || path.front() == '/' ? path : directory + "/" + path;
  };
  if (const std::string listen = options.text("listen"); !listen.empty()) {
    const std::size_t colon = listen.rfind(':');
    const std::string port = colon == std::string::npos ? "" : listen.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.listen_port);
    if (port.empty() || error != std::errc{} || end != port.data() + port.size() || out.listen_port < 1 ||
        out.listen_port > 65535 || colon == 0)
      return fail_at(options.where("listen"), "listen '{}' is not host:port, as in 127.0.0.1:8086", listen);
    out.listen_host = listen.substr(0, colon);
  }
  ALARA_CHECK(read_hook(options, out));
  if (out.listen_host.empty() && out.to_host.empty())
    return fail_at(node.where, "an http connector needs listen (to take points), to (a web hook), or both");
  out.token_file = in_directory(options.text("token_file"));
  out.max_body = options.size("max_body");
  const std::string unit = options.text("precision");
  out.time_unit = unit == "ns" ? 1 : unit == "us" ? kMicrosecond : unit == "ms" ? kMillisecond : kSecond;
  out.to_token_file = in_directory(options.text("to_token_file"));
  out.ca = in_directory(options.text("ca"));
  out.timeout = options.duration("timeout");
  out.retry_for = options.duration("retry_for");
  out.queue = static_cast<std::size_t>(options.integer("queue"));
  return out;
}

Result<std::string> read_token(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line) || trim(line).empty())
    return fail(ErrorKind::bad_input, "the token file '{}' can not be read, or is empty", path);
  return std::string(trim(line));
}

}  // namespace alara::http
