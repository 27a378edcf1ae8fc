// SPDX-License-Identifier: Apache-2.0
// Whom a trust list lets us trust, at one moment: certificates that are in it, and those that an authority in it has
// issued and not revoked. OPC UA Part 4, 6.1.3; paths as RFC 5280 has them.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "connect/opcua/certificate.hpp"

namespace alara::opcua {

using Der = std::vector<std::uint8_t>;

class TrustStore {
 public:
  static constexpr std::size_t kMostChain = 10;

  // What lies in the folders of a trust list; what is no certificate, or list of revoked ones, is left out.
  struct Content {
    std::vector<Der> trusted;
    std::vector<Der> issuers;  // of certificates between an authority and others; trusted only if an authority says so
    std::vector<Der> revocations;    // DER or PEM
    std::string revocations_folder;  // for messages
  };
  explicit TrustStore(const Content& content);
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  enum class By : std::uint8_t { itself, authority };
  // `chain`: a peer's certificate in DER, and behind it those that lead to its authority, if any. Fails with
  // `not_found` when nobody in the trust list vouches for it; with `refused` when somebody would, but it has expired,
  // is revoked, or there is no valid list to say that it is not. `wall`: now.
  [[nodiscard]] Result<By> judge(std::span<const std::uint8_t> chain, Nanos wall) const;

 private:
  struct Parsed;
  [[nodiscard]] Status check_issued(std::span<const std::uint8_t> chain, Nanos wall) const;

  std::set<std::string> fingerprints_;
  std::unique_ptr<Parsed> parsed_;
  std::string revocations_folder_;
};

}  // namespace alara::opcua
