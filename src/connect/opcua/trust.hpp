// SPDX-License-Identifier: Apache-2.0
// The certificates of others that a person has said may be trusted, and those that came and were not: two folders of
// DER files named by fingerprint. Nothing is trusted that is not in the first, or issued by an authority that is.
#pragma once

#include <string>
#include <vector>

#include "connect/opcua/certificate.hpp"
#include "connect/opcua/trust_store.hpp"

namespace alara::opcua {

class TrustList {
 public:
  static constexpr std::size_t kMostRejected = 64;  // then the oldest make room: a stranger must not fill the disk

  // `folder` holds trusted/ and rejected/; they are made when something is put there. Beside them may lie crl/, the
  // revocation lists of authorities, and issuers/, certificates between an authority and others'.
  explicit TrustList(std::string folder) : folder_(std::move(folder)) {}

  struct Entry {
    CertificateInfo info;
    bool trusted = false;
  };
  // All that are there, trusted ones first. Files that are no certificates are left out.
  [[nodiscard]] std::vector<Entry> entries() const;
  // DER of the trusted ones.
  [[nodiscard]] std::vector<Der> trusted() const;
  // What the folders say now.
  [[nodiscard]] std::unique_ptr<const TrustStore> store() const;

  // Remembers a stranger's certificate for a person to look at.
  Status reject(std::span<const std::uint8_t> der) const;
  // `which`: the beginning of a rejected certificate's fingerprint (8 digits at least), or a file in DER or
  // PEM.
  [[nodiscard]] Result<CertificateInfo> accept(const std::string& which) const;
  // Trusted or rejected, by the beginning of its fingerprint.
  [[nodiscard]] Result<CertificateInfo> remove(const std::string& which) const;

 private:
  [[nodiscard]] std::string folder_of(bool trusted) const { return folder_ + (trusted ? "/trusted" : "/rejected"); }
  Status keep(std::span<const std::uint8_t> der, const CertificateInfo& info, bool trusted) const;
  [[nodiscard]] Result<Entry> find(const std::string& beginning, bool also_trusted) const;

  std::string folder_;
};

}  // namespace alara::opcua
