// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/trust_store.hpp"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/quantity.hpp"
#include "connect/opcua/x509.hpp"

namespace alara::opcua {
namespace {

constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048 on, no SHA-1

using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using Verification = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

Certificate parse_certificate(std::span<const std::uint8_t> der) {
  const unsigned char* at = der.data();
  return Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

RevocationList parse_revocations(std::span<const std::uint8_t> bytes) {
  const unsigned char* at = bytes.data();
  if (RevocationList der{d2i_X509_CRL(nullptr, &at, static_cast<long>(bytes.size()))}) return der;
  const Memory memory(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  return RevocationList(PEM_read_bio_X509_CRL(memory.get(), nullptr, nullptr, nullptr));
}

// A certificate and those behind it.
Result<std::vector<Certificate>> parse_chain(std::span<const std::uint8_t> bytes) {
  std::vector<Certificate> chain;
  const unsigned char* at = bytes.data();
  const unsigned char* const end = at + bytes.size();
  while (at != end) {
    if (chain.size() == TrustStore::kMostChain)
      return fail(ErrorKind::refused, "a chain of more than {} certificates", TrustStore::kMostChain);
    chain.emplace_back(d2i_X509(nullptr, &at, end - at));
    if (!chain.back()) return fail(ErrorKind::corrupt, "behind the certificate is no certificate");
  }
  return chain;
}

// That a path can not be built to an authority that is trusted.
bool no_path(int error) {
  return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE || error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
         error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || error == X509_V_ERR_CERT_UNTRUSTED;
}

// A list for all that an authority has issued. Those that say in a critical extension that they are only for some, or
// for others' certificates, are not used.
bool complete(X509_CRL* list) { return X509_CRL_get_ext_by_critical(list, 1, -1) < 0; }

}  // namespace

struct TrustStore::Parsed {
  std::vector<Certificate> authorities, issuers;
  std::vector<RevocationList> revocations;

  Status check_not_revoked(X509* certificate, X509* issuer, Nanos wall, const std::string& folder) const;
};

TrustStore::TrustStore(const Content& content)
    : parsed_(std::make_unique<Parsed>()), revocations_folder_(content.revocations_folder) {
  for (const Der& der : content.trusted) {
    if (const auto info = inspect_certificate(der)) fingerprints_.insert(info->fingerprint);
    if (Certificate one = parse_certificate(der); one && is_authority(one.get()))
      parsed_->authorities.push_back(std::move(one));
  }
  for (const Der& der : content.issuers)
    if (Certificate one = parse_certificate(der)) parsed_->issuers.push_back(std::move(one));
  for (const Der& bytes : content.revocations)
    if (RevocationList list = parse_revocations(bytes)) parsed_->revocations.push_back(std::move(list));
}

TrustStore::~TrustStore() = default;

Result<TrustStore::By> TrustStore::judge(std::span<const std::uint8_t> chain, Nanos wall) const {
  ALARA_TRY(const CertificateInfo info, inspect_certificate(chain));
  if (fingerprints_.contains(info.fingerprint)) {
    if (info.not_before <= wall && wall <= info.not_after) return By::itself;
    return fail(ErrorKind::refused, "it has expired or is not valid yet");
  }
  ALARA_CHECK(check_issued(chain, wall));
  return By::authority;
}

// Builds the path from the certificate to a trusted authority, then holds each step against the lists of revoked ones.
Status TrustStore::check_issued(std::span<const std::uint8_t> bytes, Nanos wall) const {
  if (parsed_->authorities.empty()) return fail(ErrorKind::not_found, "it is not in the trust list");
  ALARA_TRY(const auto chain, parse_chain(bytes));
  if (X509_check_ca(chain.front().get()) == 1) return fail(ErrorKind::refused, "it is an authority's, not a peer's");
  const Store store(X509_STORE_new());
  for (const Certificate& authority : parsed_->authorities) X509_STORE_add_cert(store.get(), authority.get());
  STACK_OF(X509)* between = sk_X509_new_null();  // borrows
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(between, chain[i].get());
  for (const Certificate& issuer : parsed_->issuers) sk_X509_push(between, issuer.get());
  const Verification verification(X509_STORE_CTX_new());
  X509_STORE_CTX_init(verification.get(), store.get(), chain.front().get(), between);
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(verification.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);  // also an authority below another may be trusted
  X509_VERIFY_PARAM_set_time(rules, wall / kSecond);
  X509_VERIFY_PARAM_set_depth(rules, static_cast<int>(kMostChain));
  X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
  const bool verified = X509_verify_cert(verification.get()) == 1;
  const int error = X509_STORE_CTX_get_error(verification.get());
  sk_X509_free(between);
  if (!verified && no_path(error)) return fail(ErrorKind::not_found, "no authority in the trust list has issued it");
  if (!verified) return fail(ErrorKind::refused, "{}", X509_verify_cert_error_string(error));
  STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(verification.get());
  for (int i = 0; i + 1 < sk_X509_num(path); ++i)
    ALARA_CHECK(
        parsed_->check_not_revoked(sk_X509_value(path, i), sk_X509_value(path, i + 1), wall, revocations_folder_));
  return {};
}

Status TrustStore::Parsed::check_not_revoked(X509* certificate, X509* issuer, Nanos wall,
                                             const std::string& folder) const {
  bool found = false;
  Nanos newest_end = 0;
  for (const RevocationList& list : revocations) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_subject_name(issuer)) != 0 || !complete(list.get()) ||
        X509_CRL_verify(list.get(), X509_get0_pubkey(issuer)) != 1)
      continue;
    X509_REVOKED* entry = nullptr;
    if (X509_CRL_get0_by_cert(list.get(), &entry, certificate) != 0)
      return fail(ErrorKind::refused, "{} has revoked it", text_of(X509_get_subject_name(issuer)));
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list.get());
    newest_end = std::max(newest_end, next != nullptr ? instant_of(next) : kNever);
    found = true;
  }
  const std::string name = text_of(X509_get_subject_name(issuer));
  if (!found)
    return fail(ErrorKind::refused,
                "whether {} has revoked it is not known: put that authority's revocation list (CRL) into {}", name,
                folder);
  if (newest_end < wall)
    return fail(ErrorKind::refused, "the revocation list of {} was good until {}: put a new one into {}", name,
                format_instant(newest_end), folder);
  return {};
}

}  // namespace alara::opcua
