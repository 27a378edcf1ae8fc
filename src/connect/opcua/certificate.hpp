// SPDX-License-Identifier: Apache-2.0
// X.509 certificates of OPC UA applications: our own, made once and kept, and what a person needs to know of another's
// to decide whether to trust it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara::opcua {

inline constexpr std::size_t kMostCertificateBytes = 64 << 10;

struct CertificateInfo {
  std::string fingerprint;  // SHA-256 in 64 lower-case hexadecimal digits
  std::string subject;      // "CN=alara, O=…"
  std::string uri;          // of the application, from the subject's alternative names; "" = none
  Nanos not_before = 0, not_after = 0;
  bool authority = false;  // may sign others' certificates, and is no application's own
};
// Of a certificate in DER, as OPC UA carries it.
[[nodiscard]] Result<CertificateInfo> inspect_certificate(std::span<const std::uint8_t> der);

// No other is behind the certificate.
[[nodiscard]] bool stands_alone(std::span<const std::uint8_t> der);
// Fails when the certificate is not for `host`, a name or an address.
[[nodiscard]] Status names_host(std::span<const std::uint8_t> der, const std::string& host);

struct Identity {
  std::vector<std::uint8_t> certificate;  // DER
  std::vector<std::uint8_t> key;          // DER (PKCS #8)
  CertificateInfo info;
};
// The identity kept in `folder`/own; made there (RSA 2048, 20 years, the key readable by its owner only) when there is
// none. Never overwrites: damaged files are an error that says what to do.
[[nodiscard]] Result<Identity> own_identity(const std::string& folder, const std::string& application_uri);

}  // namespace alara::opcua
