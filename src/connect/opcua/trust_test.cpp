// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/trust.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/contract/certificate_authority.hpp"

namespace alara::opcua {
namespace {

class Pki : public ::testing::Test {
 protected:
  Pki() {
    folder = (std::filesystem::temp_directory_path() / "alara-pki-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
  }
  ~Pki() override { std::filesystem::remove_all(folder); }
  static Identity made(const std::string& at) {
    auto identity = own_identity(at, "urn:alara:test");
    EXPECT_TRUE(identity.has_value()) << identity.error().text();
    return identity ? std::move(*identity) : Identity{};
  }
  static bool trusts(const TrustList& trust, const Der& certificate) {
    return trust.store()->judge(certificate, SystemClock().wall()).has_value();
  }
  std::string folder;
};

TEST_F(Pki, TheOwnCertificateIsMadeOnceAndKept) {
  const Identity first = made(folder), second = made(folder);
  EXPECT_EQ(first.certificate, second.certificate);
  EXPECT_EQ(first.key, second.key);
  EXPECT_EQ(first.info.uri, "urn:alara:test");
  EXPECT_NE(first.info.subject.find("Alara Edge"), std::string::npos) << first.info.subject;
  EXPECT_EQ(first.info.fingerprint.size(), 64u);
  const Nanos now = SystemClock().wall();
  EXPECT_LT(first.info.not_before, now);
  EXPECT_GT(first.info.not_after, now + 3650 * 24 * kHour);
  struct stat key {};
  ASSERT_EQ(stat((folder + "/own/key.der").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777, 0600u);
}

TEST_F(Pki, DamagedOrHalfMissingFilesAreNamedAndNotReplaced) {
  made(folder);
  const std::string key = folder + "/own/key.der", certificate = folder + "/own/certificate.der";
  std::ofstream(key) << "no key";
  EXPECT_NE(own_identity(folder, "urn:x").error().text().find("damaged"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(key), 6u);
  std::filesystem::remove(key);
  EXPECT_NE(own_identity(folder, "urn:x").error().text().find("key.der' is not"), std::string::npos)
      << own_identity(folder, "urn:x").error().text();
  std::ofstream(key) << std::string(kMostCertificateBytes + 1, 'x');
  EXPECT_NE(own_identity(folder, "urn:x").error().text().find("too large"), std::string::npos);
}

TEST_F(Pki, AStrangerIsRejectedUntilAPersonAcceptsIt) {
  const Identity stranger = made(folder + "/stranger");
  const TrustList trust(folder);
  EXPECT_FALSE(trusts(trust, stranger.certificate));
  EXPECT_TRUE(trust.entries().empty());
  ASSERT_TRUE(trust.reject(stranger.certificate).has_value());
  ASSERT_EQ(trust.entries().size(), 1u);
  EXPECT_FALSE(trust.entries()[0].trusted);
  EXPECT_FALSE(trusts(trust, stranger.certificate));
  ASSERT_TRUE(trust.accept(stranger.info.fingerprint.substr(0, 8)).has_value());
  EXPECT_TRUE(trusts(trust, stranger.certificate));
  ASSERT_EQ(trust.entries().size(), 1u);
  EXPECT_EQ(trust.trusted().size(), 1u);
  ASSERT_TRUE(trust.remove(stranger.info.fingerprint.substr(0, 10)).has_value());
  EXPECT_FALSE(trusts(trust, stranger.certificate));
}

TEST_F(Pki, AFileCanBeAcceptedAndNonsenseCanNot) {
  const Identity other = made(folder + "/other");
  const TrustList trust(folder);
  ASSERT_TRUE(trust.accept(folder + "/other/own/certificate.der").has_value());
  EXPECT_TRUE(trusts(trust, other.certificate));
  std::ofstream(folder + "/text") << "hello";
  EXPECT_FALSE(trust.accept(folder + "/text").has_value());
  for (const char* bad : {"", "abc", "xyzxyzxyz", "00000000", "../../etc/passwd"})
    EXPECT_FALSE(trust.accept(bad).has_value()) << bad;
  std::ofstream(folder + "/trusted/note.txt") << "not a certificate";
  EXPECT_EQ(trust.trusted().size(), 1u);
}

TEST_F(Pki, AnAuthorityIsAcceptedFromAFileAndItsListIsReadFromItsFolder) {
  contract::CertificateAuthority plant("Plant CA");
  const contract::Issued device = plant.issue("urn:device", "DNS:press-1");
  const TrustList trust(folder);
  const auto write = [this](const std::string& name, const Der& bytes) {
    std::filesystem::create_directories(std::filesystem::path(folder + "/" + name).parent_path());
    std::ofstream(folder + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  const Memory pem(BIO_new_file((folder + "/plant.pem").c_str(), "w"));
  const Der der = plant.certificate();
  const unsigned char* at = der.data();
  const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  PEM_write_bio_X509(pem.get(), certificate.get());
  BIO_flush(pem.get());
  const auto accepted = trust.accept(folder + "/plant.pem");
  ASSERT_TRUE(accepted.has_value()) << accepted.error().text();
  EXPECT_TRUE(accepted->authority);
  EXPECT_FALSE(trusts(trust, device.certificate));
  write("crl/plant.crl", plant.revocation_list());
  EXPECT_TRUE(trusts(trust, device.certificate));
  write("crl/newer.crl", plant.revocation_list({device.serial}));
  EXPECT_FALSE(trusts(trust, device.certificate));
}

TEST_F(Pki, StrangersCanNotFillTheDisk) {
  Identity stranger = made(folder + "/stranger");
  const TrustList trust(folder);
  for (std::size_t i = 0; i < TrustList::kMostRejected + 6; ++i) {
    stranger.certificate.back() = static_cast<std::uint8_t>(i);  // another signature, so another certificate
    ASSERT_TRUE(trust.reject(stranger.certificate).has_value());
  }
  EXPECT_EQ(trust.entries().size(), TrustList::kMostRejected);
  EXPECT_FALSE(trusts(trust, stranger.certificate));
}

TEST_F(Pki, WhatIsNoCertificateIsRefused) {
  EXPECT_FALSE(inspect_certificate({}).has_value());
  const std::vector<std::uint8_t> nonsense{0x30, 0x82, 0xFF, 0xFF, 1, 2, 3};
  EXPECT_FALSE(inspect_certificate(nonsense).has_value());
  EXPECT_FALSE(TrustList(folder).reject(nonsense).has_value());
}

}  // namespace
}  // namespace alara::opcua
