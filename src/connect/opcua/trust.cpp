// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/trust.hpp"

#include <openssl/pem.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "connect/opcua/x509.hpp"

namespace alara::opcua {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLeastDigits = 8;
constexpr std::size_t kMostFiles = 4096, kMostIssuers = 256, kMostRevocationLists = 256;
constexpr std::size_t kMostRevocationBytes = 1 << 20;

// One byte more than `most` of what is larger.
Der read_file(const fs::path& path, std::size_t most = kMostCertificateBytes) {
  std::ifstream file(path, std::ios::binary);
  Der bytes(most + 1);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return bytes;
}

std::vector<fs::path> files_in(const std::string& folder, std::size_t most = kMostFiles) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (files.size() == most) break;
    if (entry.is_regular_file(none)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// Of a certificate in either form, as authorities give theirs; what is neither stays as it is.
Der der_of(Der bytes) {
  const Memory memory(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  const Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
  if (!certificate) return bytes;
  Der der(static_cast<std::size_t>(std::max(i2d_X509(certificate.get(), nullptr), 0)));
  unsigned char* out = der.data();
  i2d_X509(certificate.get(), &out);
  return der;
}

}  // namespace

std::vector<TrustList::Entry> TrustList::entries() const {
  std::vector<Entry> all;
  for (const bool trusted : {true, false})
    for (const fs::path& file : files_in(folder_of(trusted)))
      if (auto info = inspect_certificate(read_file(file))) all.push_back({std::move(*info), trusted});
  return all;
}

std::vector<Der> TrustList::trusted() const {
  std::vector<Der> all;
  for (const fs::path& file : files_in(folder_of(true)))
    if (auto der = read_file(file); inspect_certificate(der)) all.push_back(std::move(der));
  return all;
}

std::unique_ptr<const TrustStore> TrustList::store() const {
  TrustStore::Content content;
  content.trusted = trusted();
  content.revocations_folder = folder_ + "/crl";
  for (const fs::path& file : files_in(folder_ + "/issuers", kMostIssuers))
    content.issuers.push_back(read_file(file, kMostCertificateBytes));
  for (const fs::path& file : files_in(content.revocations_folder, kMostRevocationLists))
    content.revocations.push_back(read_file(file, kMostRevocationBytes));
  return std::make_unique<const TrustStore>(content);
}

Status TrustList::keep(std::span<const std::uint8_t> der, const CertificateInfo& info, bool trusted) const {
  const std::string folder = folder_of(trusted);
  std::error_code failed;
  fs::create_directories(folder, failed);
  const std::string path = folder + "/" + info.fingerprint + ".der", part = path + ".part";
  std::ofstream file(part, std::ios::binary);
  file.write(reinterpret_cast<const char*>(der.data()), static_cast<std::streamsize>(der.size()));
  file.close();
  if (!file || std::rename(part.c_str(), path.c_str()) != 0)
    return fail(ErrorKind::bad_input, "can not write '{}'", path);
  return {};
}

Status TrustList::reject(std::span<const std::uint8_t> der) const {
  ALARA_TRY(const CertificateInfo info, inspect_certificate(der));
  std::vector<fs::path> files = files_in(folder_of(false));
  std::error_code ignored;
  std::ranges::sort(files, {}, [&ignored](const fs::path& file) { return fs::last_write_time(file, ignored); });
  for (std::size_t i = 0; i + kMostRejected <= files.size(); ++i) fs::remove(files[i], ignored);
  return keep(der, info, false);
}

Result<TrustList::Entry> TrustList::find(const std::string& beginning, bool also_trusted) const {
  if (beginning.size() < kLeastDigits || beginning.find_first_not_of("0123456789abcdef") != std::string::npos)
    return fail(ErrorKind::bad_input, "'{}' is not the beginning of a fingerprint: at least {} digits of 0-9 and a-f",
                beginning, kLeastDigits);
  std::vector<Entry> found;
  for (Entry& entry : entries())
    if ((also_trusted || !entry.trusted) && entry.info.fingerprint.starts_with(beginning)) found.push_back(entry);
  if (found.empty()) return fail(ErrorKind::not_found, "no certificate here begins with {}", beginning);
  if (found.size() > 1 && found[0].info.fingerprint != found[1].info.fingerprint)
    return fail(ErrorKind::bad_input, "several certificates begin with {}: give more digits", beginning);
  return found.front();
}

Result<CertificateInfo> TrustList::accept(const std::string& which) const {
  std::error_code none;
  if (fs::is_regular_file(which, none)) {
    const Der der = der_of(read_file(which));
    ALARA_TRY(const CertificateInfo info, inspect_certificate(der));
    ALARA_CHECK(keep(der, info, true));
    return info;
  }
  ALARA_TRY(const Entry entry, find(which, false));
  const std::string path = folder_of(false) + "/" + entry.info.fingerprint + ".der";
  ALARA_CHECK(keep(read_file(path), entry.info, true));
  fs::remove(path, none);
  return entry.info;
}

Result<CertificateInfo> TrustList::remove(const std::string& which) const {
  ALARA_TRY(const Entry entry, find(which, true));
  std::error_code failed;
  for (const bool trusted : {true, false})
    fs::remove(folder_of(trusted) + "/" + entry.info.fingerprint + ".der", failed);
  return entry.info;
}

}  // namespace alara::opcua
