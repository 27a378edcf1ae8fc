// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/trust_store.hpp"

#include <gtest/gtest.h>

#include "tests/contract/certificate_authority.hpp"

namespace alara::opcua {
namespace {

using contract::CertificateAuthority;
using contract::Issued;

Der joined(const Der& first, const Der& second) {
  Der both = first;
  both.insert(both.end(), second.begin(), second.end());
  return both;
}

class Store : public testing::Test {
 protected:
  // "itself", "authority", or why not.
  [[nodiscard]] std::string judge(const Der& chain) const {
    const auto judged = TrustStore(content).judge(chain, SystemClock().wall());
    if (!judged) return judged.error().message;
    return *judged == TrustStore::By::itself ? "itself" : "authority";
  }
  [[nodiscard]] ErrorKind kind(const Der& chain) const {
    return TrustStore(content).judge(chain, SystemClock().wall()).error().kind;
  }
  [[nodiscard]] bool refused(const Der& chain, const std::string& why) const {
    return judge(chain).find(why) != std::string::npos && kind(chain) == ErrorKind::refused;
  }
  CertificateAuthority plant{"Plant CA"};
  Issued device = plant.issue("urn:device", "DNS:press-1");
  TrustStore::Content content{{}, {}, {}, "pki/crl"};
};

TEST_F(Store, AnEmptyOneTrustsNobody) {
  EXPECT_EQ(kind(device.certificate), ErrorKind::not_found);
  EXPECT_EQ(kind(plant.certificate()), ErrorKind::not_found);
  EXPECT_EQ(kind({1, 2, 3}), ErrorKind::corrupt);
  EXPECT_EQ(kind({}), ErrorKind::corrupt);
}

TEST_F(Store, AnAuthorityVouchesForWhatItHasIssuedAndNotRevoked) {
  content.trusted = {plant.certificate()};
  EXPECT_TRUE(refused(device.certificate, "put that authority's revocation list (CRL) into pki/crl"))
      << judge(device.certificate);
  content.revocations = {plant.revocation_list()};
  EXPECT_EQ(judge(device.certificate), "authority");
  EXPECT_EQ(judge(joined(device.certificate, plant.certificate())), "authority") << "with its chain";
  content.revocations = {plant.revocation_list(), plant.revocation_list({device.serial})};
  EXPECT_TRUE(refused(device.certificate, "has revoked it")) << judge(device.certificate);
}

TEST_F(Store, AListOfRevokedOnesMustBeTheAuthoritysAndStillGood) {
  content.trusted = {plant.certificate()};
  CertificateAuthority same_name("Plant CA"), other("Other CA");
  content.revocations = {same_name.revocation_list(), other.revocation_list(), {1, 2, 3}};
  EXPECT_TRUE(refused(device.certificate, "not known")) << judge(device.certificate);
  content.revocations = {plant.revocation_list({}, -1)};
  EXPECT_TRUE(refused(device.certificate, "was good until")) << judge(device.certificate);
}

TEST_F(Store, OthersAuthoritiesDoNotCount) {
  content.trusted = {plant.certificate()};
  content.revocations = {plant.revocation_list()};
  CertificateAuthority same_name("Plant CA"), other("Other CA");
  EXPECT_EQ(kind(other.issue("urn:x", "DNS:x").certificate), ErrorKind::not_found);
  const Der forged = same_name.issue("urn:x", "DNS:x").certificate;
  EXPECT_FALSE(TrustStore(content).judge(forged, SystemClock().wall()).has_value());
  EXPECT_FALSE(TrustStore(content).judge(joined(forged, same_name.certificate()), SystemClock().wall()).has_value());
}

TEST_F(Store, BetweenAnAuthorityAndAPeerOthersMayStand) {
  CertificateAuthority line("Line CA", &plant);
  const Issued far = line.issue("urn:far", "DNS:far");
  content.trusted = {plant.certificate()};
  content.revocations = {plant.revocation_list(), line.revocation_list()};
  EXPECT_EQ(kind(far.certificate), ErrorKind::not_found) << "the one between is not known";
  EXPECT_EQ(judge(joined(far.certificate, line.certificate())), "authority");
  content.issuers = {line.certificate()};
  EXPECT_EQ(judge(far.certificate), "authority");
  content.revocations = {plant.revocation_list({line.serial()}), line.revocation_list()};
  EXPECT_TRUE(refused(far.certificate, "CN = Plant CA has revoked it")) << judge(far.certificate);
  content.trusted = {line.certificate()};
  EXPECT_EQ(judge(far.certificate), "authority") << "the one below may be trusted by itself";
  content.trusted = {plant.certificate()};
  content.revocations = {plant.revocation_list()};
  EXPECT_TRUE(refused(far.certificate, "whether CN = Line CA has revoked it is not known")) << judge(far.certificate);
}

TEST_F(Store, WhatIsTrustedItselfNeedsNoAuthorityAndVouchesForNobody) {
  content.trusted = {device.certificate};
  EXPECT_EQ(judge(device.certificate), "itself");
  const Issued expired = plant.issue("urn:old", "DNS:old", -1);
  content.trusted = {expired.certificate, plant.certificate()};
  content.revocations = {plant.revocation_list()};
  EXPECT_TRUE(refused(expired.certificate, "expired")) << judge(expired.certificate);
  content.trusted = {plant.certificate()};
  EXPECT_TRUE(refused(expired.certificate, "expired")) << judge(expired.certificate);
  // An authority's own certificate is not a peer's, unless it is the one that is trusted.
  CertificateAuthority line("Line CA", &plant);
  EXPECT_TRUE(refused(line.certificate(), "an authority's")) << judge(line.certificate());
}

TEST_F(Store, NonsenseBehindACertificateIsRefused) {
  content.trusted = {plant.certificate()};
  content.revocations = {plant.revocation_list()};
  EXPECT_EQ(kind(joined(device.certificate, {0x30, 0x82, 0x01})), ErrorKind::corrupt);
  Der endless = device.certificate;
  for (std::size_t i = 0; i < TrustStore::kMostChain; ++i) endless = joined(endless, plant.certificate());
  EXPECT_EQ(kind(endless), ErrorKind::refused);
}

TEST(CertificateHost, IsANameOrAnAddress) {
  CertificateAuthority plant("Plant CA");
  const Der der = plant.issue("urn:device", "DNS:press-1.plant,IP:10.0.0.5,IP:::1").certificate;
  for (const char* host : {"press-1.plant", "PRESS-1.plant", "10.0.0.5", "::1"})
    EXPECT_TRUE(names_host(der, host).has_value()) << host;
  for (const char* host : {"press-2.plant", "10.0.0.6", "plant", "", "::2"})
    EXPECT_FALSE(names_host(der, host).has_value()) << host;
}

}  // namespace
}  // namespace alara::opcua
