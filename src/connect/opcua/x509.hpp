// SPDX-License-Identifier: Apache-2.0
// OpenSSL's certificates with owners. Internal to connect/opcua.
#pragma once

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/clock.hpp"

namespace alara::opcua {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using RevocationList = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free>>;

[[nodiscard]] Nanos instant_of(const ASN1_TIME* time);  // 0: none
// "CN=alara, O=…", in UTF-8.
[[nodiscard]] std::string text_of(const X509_NAME* name);
// The application's, from the subject's alternative names; "" = none.
[[nodiscard]] std::string uri_of(const X509* certificate);
// Of the extensions that make a certificate one of a certificate authority's: it may sign others, and is no
// application's own.
[[nodiscard]] bool is_authority(X509* certificate);

}  // namespace alara::opcua
