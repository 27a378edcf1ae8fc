// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/settings.hpp"

#include <fstream>

#include "base/text.hpp"

namespace alara::coap {
namespace {

constexpr std::uint16_t kPort = 5683, kSecurePort = 5684;
constexpr std::size_t kLongestKey = 64;  // of an identity and of a secret, as libcoap takes them

Schema make_schema() {
  using T = PropertyType;
  return Schema{
      "coap connector",
      "Observes, polls and writes resources of a CoAP device (`endpoint`), or is the server that devices send readings "
      "to and read values from (`listen`).",
      {{.name = "endpoint",
        .type = T::text,
        .sentence = "The device: coap://host:port, or coaps:// with DTLS; port 5683 or 5684 if left out."},
       {.name = "listen",
        .type = T::text,
        .sentence =
            "Where it serves, in place of `endpoint`: coap://127.0.0.1:5683, or coaps://. The host is a number. "
            "Anyone who reaches a port without DTLS can send readings: leave it on loopback or in a closed "
            "network."},
       {.name = "psk_file",
        .type = T::text,
        .sentence = "For DTLS: a file with identity:secret, a server's with one line for each device."},
       {.name = "certificate", .type = T::text, .sentence = "For DTLS: PEM file of the own certificate; with `key`."},
       {.name = "key", .type = T::text, .sentence = "PEM file of the certificate's private key."},
       {.name = "ca",
        .type = T::text,
        .sentence = "PEM file of the authorities whose certificates are trusted; a server with it asks its devices for "
                    "theirs."},
       {.name = "peer",
        .type = T::text,
        .sentence = "Name or address that the device's certificate must be made out to. Default: the endpoint's host."},
       {.name = "observe",
        .type = T::boolean,
        .sentence = "Whether resources are observed; where a device can not do that, or with false, they are polled.",
        .fallback = "true"},
       {.name = "poll",
        .type = T::duration,
        .sentence = "Period of reading for polled resources whose signals state none.",
        .fallback = "1s",
        .least = kMillisecond,
        .most = 24.0 * kHour},
       {.name = "timeout",
        .type = T::duration,
        .sentence = "Longest wait for an answer, with all repetitions of the message.",
        .fallback = "2s",
        .least = 10 * kMillisecond,
        .most = kMinute},
       {.name = "keepalive",
        .type = T::duration,
        .sentence = "A device that was silent so long is asked for a sign of life.",
        .fallback = "5s",
        .least = 10 * kMillisecond,
        .most = kHour},
       {.name = "refresh",
        .type = T::duration,
        .sentence = "An observation without news for so long is made anew, in case the device has forgotten it.",
        .fallback = "1min",
        .least = 100 * kMillisecond,
        .most = 24.0 * kHour},
       {.name = "retry",
        .type = T::duration,
        .sentence = "How often resources that the device refused are tried again.",
        .fallback = "30s",
        .least = kMillisecond,
        .most = 24.0 * kHour},
       {.name = "reconnect_min",
        .type = T::duration,
        .sentence =
            "Upper limit of the first wait before connecting again; it doubles with each failure, and each wait "
            "is drawn at random below it.",
        .fallback = "100ms",
        .least = kMillisecond,
        .most = kHour},
       {.name = "reconnect_max",
        .type = T::duration,
        .sentence = "Where the doubling ends.",
        .fallback = "30s",
        .least = kMillisecond,
        .most = kHour},
       {.name = "max_body",
        .type = T::size,
        .sentence = "Larger bodies (in blocks) are refused.",
        .fallback = "64kB",
        .least = 1000,
        .most = 16e6},
       {.name = "queue",
        .type = T::integer,
        .sentence = "Published values that wait for the device; more lose the oldest.",
        .fallback = "1000",
        .least = 1,
        .most = 100'000}}};
}

Status read_place(const Options& options, Settings& out) {
  out.server = options.has("listen");
  if (options.has("endpoint") == out.server)
    return fail_at(options.where("listen"), "a coap connector has either an endpoint (coap://host) or listen");
  const std::string_view name = out.server ? "listen" : "endpoint";
  const std::string place = options.text(name);
  out.dtls = place.starts_with("coaps://");
  auto endpoint = parse_endpoint(place, out.dtls ? "coaps" : "coap", out.dtls ? kSecurePort : kPort);
  if (!endpoint) {
    endpoint.error().where = options.where(name);
    return fail_with(std::move(endpoint));
  }
  out.endpoint = *endpoint;
  if (out.server && !numeric_address(out.endpoint))
    return fail_at(options.where(name),
                   "'{}' is no number: a server listens on an address of this machine, as in "
                   "coap://127.0.0.1:5683",
                   out.endpoint.host);
  return {};
}

Status read_security(const Options& options, const std::string& directory, Settings& out) {
  const auto file = [&](std::string_view name) {
    const std::string path = options.text(name);
    return path.empty() || path.front() == '/' ? path : directory + "/" + path;
  };
  out.psk_file = file("psk_file");
  out.ca = file("ca");
  out.certificate = file("certificate");
  out.key = file("key");
  out.peer = options.has("peer") ? options.text("peer") : out.endpoint.host;
  for (const std::string_view name : {"psk_file", "certificate", "key", "ca", "peer"})
    if (!out.dtls && options.has(name)) return fail_at(options.where(name), "{} is for coaps://", name);
  if (out.certificate.empty() != out.key.empty())
    return fail_at(options.where(out.key.empty() ? "certificate" : "key"), "certificate and key belong together");
  if (!out.dtls) return {};
  const bool by_certificate = !out.certificate.empty() || (!out.server && !out.ca.empty());
  if (out.psk_file.empty() == !by_certificate)
    return fail_at(options.where("psk_file"), "coaps:// needs either psk_file or certificates ({})",
                   out.server ? "certificate and key, and ca to check the devices'"
                              : "ca, and certificate and key "
                                "where the device asks for one");
  if (by_certificate && !out.server && out.ca.empty())
    return fail_at(options.where("certificate"), "ca is missing: without it no device could be trusted");
  return {};
}

}  // namespace

std::string Settings::text() const { return fmt::format("{}://{}", dtls ? "coaps" : "coap", endpoint.text()); }

const Schema& schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

Result<Settings> read_settings(const Node& node, const std::string& directory) {
  const Options options(node, schema());
  Settings out;
  ALARA_CHECK(read_place(options, out));
  ALARA_CHECK(read_security(options, directory, out));
  out.observe = options.boolean("observe");
  out.poll = options.duration("poll");
  out.timeout = options.duration("timeout");
  out.keepalive = options.duration("keepalive");
  out.refresh = options.duration("refresh");
  out.retry = options.duration("retry");
  out.reconnect_min = options.duration("reconnect_min");
  out.reconnect_max = options.duration("reconnect_max");
  out.max_body = options.size("max_body");
  out.queue = static_cast<std::size_t>(options.integer("queue"));
  if (out.reconnect_max < out.reconnect_min)
    return fail_at(options.where("reconnect_max"), "reconnect_max is shorter than reconnect_min");
  return out;
}

Result<std::vector<PreSharedKey>> read_keys(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorKind::bad_input, "the PSK file '{}' can not be read", path);
  std::vector<PreSharedKey> keys;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string_view text = trim(line);
    if (text.empty() || text.front() == '#') continue;
    const std::size_t colon = text.find(':');
    const bool fits = colon != std::string_view::npos && colon > 0 && colon <= kLongestKey && colon + 1 < text.size() &&
                      text.size() - colon - 1 <= kLongestKey;
    if (!fits) return fail_at({path, number, 1}, "not identity:secret with at most {} characters each", kLongestKey);
    keys.push_back({std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))});
  }
  if (keys.empty()) return fail(ErrorKind::bad_input, "the PSK file '{}' has no identity:secret", path);
  return keys;
}

}  // namespace alara::coap
