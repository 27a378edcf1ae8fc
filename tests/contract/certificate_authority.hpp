// SPDX-License-Identifier: Apache-2.0
// A small certificate authority for tests, made with OpenSSL while they run: issues certificates of OPC UA applications
// and of authorities below it, and lists of those it has revoked.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "connect/opcua/x509.hpp"

namespace alara::contract {

using Bytes = std::vector<std::uint8_t>;

template <typename T, int (*Encode)(const T*, unsigned char**)>
Bytes der_of(const T* object) {
  unsigned char* bytes = nullptr;
  const int size = Encode(object, &bytes);
  Bytes out(bytes, bytes + std::max(size, 0));
  OPENSSL_free(bytes);
  return out;
}

inline std::string pem_of(const Bytes& der, const std::string& what) {
  Bytes text(der.size() / 3 * 4 + 5);
  const int size = EVP_EncodeBlock(text.data(), der.data(), static_cast<int>(der.size()));
  std::string pem = fmt::format("-----BEGIN {}-----\n", what);
  for (int i = 0; i < size; i += 64)
    pem.append(text.begin() + i, text.begin() + std::min(i + 64, size)).push_back('\n');
  return pem + fmt::format("-----END {}-----\n", what);
}

struct Issued {
  Bytes certificate, key;  // DER
  long serial = 0;
};

class CertificateAuthority {
 public:
  // By itself, or below another, which outlives it.
  explicit CertificateAuthority(const std::string& name, CertificateAuthority* above = nullptr)
      : name_(name), key_(EVP_RSA_gen(2048)) {
    CertificateAuthority& issuer = above != nullptr ? *above : *this;
    serial_ = issuer.next_serial_++;
    certificate_ =
        issuer.sign(name, serial_, key_.get(), kDays,
                    {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_key_usage, "critical,keyCertSign,cRLSign"}});
  }
  [[nodiscard]] Bytes certificate() const { return der_of<X509, i2d_X509>(certificate_.get()); }
  [[nodiscard]] long serial() const { return serial_; }

  // For "DNS:localhost,IP:127.0.0.1" or the like; valid for so many days from now, negative: expired.
  [[nodiscard]] Issued issue(const std::string& uri, const std::string& hosts, int days = kDays) {
    const opcua::Key key(EVP_RSA_gen(2048));
    const long serial = next_serial_++;
    const auto certificate =
        sign("device", serial, key.get(), days,
             {{NID_basic_constraints, "critical,CA:FALSE"},
              {NID_key_usage, "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment"},
              {NID_ext_key_usage, "serverAuth,clientAuth"},
              {NID_subject_alt_name, fmt::format("URI:{},{}", uri, hosts)}});
    PKCS8_PRIV_KEY_INFO* wrapped = EVP_PKEY2PKCS8(key.get());
    Issued issued{der_of<X509, i2d_X509>(certificate.get()),
                  der_of<PKCS8_PRIV_KEY_INFO, i2d_PKCS8_PRIV_KEY_INFO>(wrapped), serial};
    PKCS8_PRIV_KEY_INFO_free(wrapped);
    return issued;
  }

  // Good for so many days from now, negative: no longer.
  [[nodiscard]] Bytes revocation_list(const std::vector<long>& revoked = {}, int days = kDays) const {
    const opcua::RevocationList list(X509_CRL_new());
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
    const std::unique_ptr<ASN1_TIME, opcua::Freed<ASN1_TIME_free>> since(X509_gmtime_adj(nullptr, -kBefore)),
        until(X509_gmtime_adj(nullptr, days * 86'400L));
    X509_CRL_set1_lastUpdate(list.get(), since.get());
    X509_CRL_set1_nextUpdate(list.get(), until.get());
    for (const long serial : revoked) {
      X509_REVOKED* entry = X509_REVOKED_new();
      const std::unique_ptr<ASN1_INTEGER, opcua::Freed<ASN1_INTEGER_free>> number(ASN1_INTEGER_new());
      ASN1_INTEGER_set(number.get(), serial);
      X509_REVOKED_set_serialNumber(entry, number.get());
      X509_REVOKED_set_revocationDate(entry, since.get());
      X509_CRL_add0_revoked(list.get(), entry);
    }
    EXPECT_GT(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()), 0);
    return der_of<X509_CRL, i2d_X509_CRL>(list.get());
  }

 private:
  struct Extension {
    int nid;
    std::string value;
  };
  static constexpr int kDays = 30;
  static constexpr long kBefore = 90 * 86'400L;  // all began to be valid so long ago

  opcua::Certificate sign(const std::string& name, long serial, EVP_PKEY* key, int days,
                          const std::vector<Extension>& extensions) {
    opcua::Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kBefore);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * 86'400L);
    X509_set_pubkey(certificate.get(), key);
    add_name(X509_get_subject_name(certificate.get()), name);
    add_name(X509_get_issuer_name(certificate.get()), name_);
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate.get(), certificate.get(), nullptr, nullptr, 0);
    for (const Extension& one : extensions) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, one.nid, one.value.c_str());
      EXPECT_NE(extension, nullptr) << one.value;
      X509_add_ext(certificate.get(), extension, -1);
      X509_EXTENSION_free(extension);
    }
    EXPECT_GT(X509_sign(certificate.get(), key_.get(), EVP_sha256()), 0);
    return certificate;
  }
  static void add_name(X509_NAME* to, const std::string& name) {
    X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                               static_cast<int>(name.size()), -1, 0);
  }

  const std::string name_;
  const opcua::Key key_;
  opcua::Certificate certificate_;
  long serial_ = 0, next_serial_ = 1;
};

}  // namespace alara::contract
