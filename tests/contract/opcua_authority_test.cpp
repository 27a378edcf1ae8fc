// SPDX-License-Identifier: Apache-2.0
// The OPC UA client trusts servers by the authority that has issued their certificates, as far as it may.
#include <filesystem>
#include <fstream>

#include "connect/opcua/trust.hpp"
#include "tests/contract/certificate_authority.hpp"
#include "tests/contract/opcua_client_fixture.hpp"

namespace alara::contract {
namespace {

class OpcuaAuthority : public OpcuaClient {
 protected:
  OpcuaAuthority() {
    pki_ = (std::filesystem::temp_directory_path() / "alara-authority-XXXXXX").string();
    EXPECT_NE(mkdtemp(pki_.data()), nullptr);
    put("plant.der", plant_.certificate());
    EXPECT_TRUE(opcua::TrustList(pki_).accept(pki_ + "/plant.der").has_value());
  }
  ~OpcuaAuthority() override { std::filesystem::remove_all(pki_); }

  void put(const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path path = pki_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void make_secure(const Issued& device) {
    server_.secure(device.certificate, device.key);
    make(fmt::format("security: aes256_sha256_rsapss\npki: {}\ntimeout: 5s\nreconnect_max: 50ms\n", pki_),
         {"ns=1;s=speed"});
  }
  [[nodiscard]] bool refused(const std::string& why) const {
    return eventually([&] { return connector_->last_error().find(why) != std::string::npos; }) &&
           inlet_.points(0).empty() && connector_->stats().connects == 0;
  }

  CertificateAuthority plant_{"Plant CA"};
  std::string pki_;
};

TEST_F(OpcuaAuthority, ItsServersAreTrustedOnceItsListOfRevokedOnesIsThere) {
  make_secure(plant_.issue("urn:device", "IP:127.0.0.1"));
  EXPECT_TRUE(refused("put that authority's revocation list (CRL) into")) << connector_->last_error();
  put("crl/plant.crl", plant_.revocation_list());
  EXPECT_TRUE(eventually([&] { return has(0, 1); })) << connector_->last_error();
}

// This server sends its own certificate alone: the one between must be here. node-opcua sends both
// (opcua_peer_test.cpp).
TEST_F(OpcuaAuthority, ChainsAreFollowed) {
  CertificateAuthority line("Line CA", &plant_);
  put("crl/plant.crl", plant_.revocation_list());
  put("crl/line.crl", line.revocation_list());
  put("issuers/line.der", line.certificate());
  make_secure(line.issue("urn:device", "IP:127.0.0.1"));
  EXPECT_TRUE(eventually([&] { return has(0, 1); })) << connector_->last_error();
}

TEST_F(OpcuaAuthority, ARevokedServerIsRefused) {
  const Issued device = plant_.issue("urn:device", "IP:127.0.0.1");
  put("crl/plant.crl", plant_.revocation_list({device.serial}));
  make_secure(device);
  EXPECT_TRUE(refused("has revoked it")) << connector_->last_error();
}

TEST_F(OpcuaAuthority, AnotherHostsCertificateIsRefusedUntilItIsTrustedItself) {
  put("crl/plant.crl", plant_.revocation_list());
  make_secure(plant_.issue("urn:device", "DNS:press-2.plant"));
  EXPECT_TRUE(refused("not for the host 127.0.0.1")) << connector_->last_error();
  const opcua::TrustList trust(pki_);
  ASSERT_EQ(trust.entries().size(), 2u);
  ASSERT_TRUE(trust.accept(trust.entries()[1].info.fingerprint).has_value());
  EXPECT_TRUE(eventually([&] { return has(0, 1); })) << connector_->last_error();
}

TEST_F(OpcuaAuthority, AnotherAuthoritysServerIsAStranger) {
  CertificateAuthority other("Plant CA");
  put("crl/plant.crl", plant_.revocation_list());
  make_secure(other.issue("urn:device", "IP:127.0.0.1"));
  EXPECT_TRUE(refused("signature failure")) << connector_->last_error();
}

}  // namespace
}  // namespace alara::contract
