// SPDX-License-Identifier: Apache-2.0
// The options of one CoAP connector, read and checked. Secrets stay in files: the site file only says where.
#pragma once

#include <string>
#include <vector>

#include "base/endpoint.hpp"
#include "core/schema.hpp"

namespace alara::coap {

struct Settings {
  bool server = false;
  Endpoint endpoint{};  // of the device; of a server, where it listens
  bool dtls = false;
  std::string psk_file;  // with DTLS, this or a certificate
  std::string ca, certificate, key;
  std::string peer;  // whom the device's certificate must be made out to

  bool observe = true;
  Nanos poll = kSecond;  // of what is not observed
  Nanos timeout = 2 * kSecond;
  Nanos keepalive = 5 * kSecond;
  Nanos refresh = kMinute;  // of observations nobody has heard of
  Nanos retry = 30 * kSecond;
  Nanos reconnect_min = 100 * kMillisecond, reconnect_max = 30 * kSecond;
  std::size_t max_body = 64'000;
  std::size_t queue = 1000;

  [[nodiscard]] std::string text() const;  // "coaps://10.0.0.5:5684"
};

// One line of a PSK file, "identity:secret".
struct PreSharedKey {
  std::string identity, secret;
};

[[nodiscard]] const Schema& schema();
[[nodiscard]] Result<Settings> read_settings(const Node& options, const std::string& directory);
// At least one. Lines that begin with '#' are left out.
[[nodiscard]] Result<std::vector<PreSharedKey>> read_keys(const std::string& path);

}  // namespace alara::coap
