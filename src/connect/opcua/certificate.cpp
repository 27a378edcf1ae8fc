// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/certificate.hpp"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>

#include "connect/opcua/x509.hpp"

namespace alara::opcua {
namespace {

constexpr int kKeyBits = 2048;
constexpr long kLifetime = 20L * 365 * 24 * 3600;

Status add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return fail(ErrorKind::internal, "can not make the certificate extension '{}'", value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return {};
}

// As OPC UA Part 6, 6.2.2 asks of an application instance certificate.
Result<Certificate> make_certificate(EVP_PKEY* key, const std::string& application_uri) {
  Certificate certificate(X509_new());
  std::uint64_t serial = 0;
  std::ifstream("/dev/urandom", std::ios::binary).read(reinterpret_cast<char*>(&serial), sizeof serial);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);  // a peer's clock may be behind ours
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLifetime);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* common_name = reinterpret_cast<const unsigned char*>("Alara Edge");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common_name, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  ALARA_CHECK(add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE"));
  ALARA_CHECK(add_extension(certificate.get(), NID_key_usage,
                            "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyCertSign"));
  ALARA_CHECK(add_extension(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth"));
  ALARA_CHECK(
      add_extension(certificate.get(), NID_subject_alt_name,
                    fmt::format("URI:{},DNS:{}", application_uri, host[0] != '\0' ? host.data() : "localhost")));
  if (X509_sign(certificate.get(), key, EVP_sha256()) == 0)
    return fail(ErrorKind::internal, "can not sign the certificate");
  return certificate;
}

Result<std::vector<std::uint8_t>> read_bounded(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::not_found, "'{}' can not be read: {}", path, std::strerror(errno));
  std::vector<std::uint8_t> bytes(kMostCertificateBytes + 1);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kMostCertificateBytes) return fail(ErrorKind::corrupt, "'{}' is too large", path);
  return bytes;
}

// Complete or not at all, and never in place of what is there.
Status write_new(const std::string& path, std::span<const std::uint8_t> bytes) {
  const std::string part = path + ".part";
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(ErrorKind::bad_input, "can not write '{}': {}", part, std::strerror(errno));
  const bool written = write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && fsync(fd) == 0;
  close(fd);
  if (!written || link(part.c_str(), path.c_str()) != 0) {
    const Status failed = fail(ErrorKind::bad_input, "can not write '{}': {}", path, std::strerror(errno));
    unlink(part.c_str());
    return failed;
  }
  unlink(part.c_str());
  return {};
}

template <typename T, int (*Encode)(const T*, unsigned char**)>
std::vector<std::uint8_t> der_of(const T* object) {
  unsigned char* bytes = nullptr;
  const int size = Encode(object, &bytes);
  std::vector<std::uint8_t> out(bytes, bytes + std::max(size, 0));
  OPENSSL_free(bytes);
  return out;
}

Status make_identity(const std::string& certificate_path, const std::string& key_path, const std::string& uri) {
  Key key(EVP_RSA_gen(kKeyBits));
  if (!key) return fail(ErrorKind::internal, "can not make an RSA key");
  ALARA_TRY(const Certificate certificate, make_certificate(key.get(), uri));
  PKCS8_PRIV_KEY_INFO* wrapped = EVP_PKEY2PKCS8(key.get());
  const auto key_der = der_of<PKCS8_PRIV_KEY_INFO, i2d_PKCS8_PRIV_KEY_INFO>(wrapped);
  PKCS8_PRIV_KEY_INFO_free(wrapped);
  ALARA_CHECK(write_new(key_path, key_der));
  return write_new(certificate_path, der_of<X509, i2d_X509>(certificate.get()));
}

}  // namespace

Nanos instant_of(const ASN1_TIME* time) {
  std::tm utc{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) return 0;
  const std::time_t seconds = timegm(&utc);
  // Certificates may end in the year 9999; nanoseconds do not reach as far.
  return seconds > kNever / kSecond ? kNever : static_cast<Nanos>(seconds) * kSecond;
}

std::string text_of(const X509_NAME* name) {
  const Memory text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* begin = nullptr;
  const long length = BIO_get_mem_data(text.get(), &begin);
  return {begin, static_cast<std::size_t>(std::max(length, 0L))};
}

std::string uri_of(const X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string uri;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_URI && uri.empty())
      uri.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier)),
                 static_cast<std::size_t>(ASN1_STRING_length(name->d.uniformResourceIdentifier)));
  }
  GENERAL_NAMES_free(names);
  return uri;
}

// Many applications' own certificates may sign, too, as they are signed by themselves: those name the application.
bool is_authority(X509* certificate) {
  return X509_check_ca(certificate) == 1 && (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0 &&
         uri_of(certificate).empty();
}

bool stands_alone(std::span<const std::uint8_t> der) {
  const unsigned char* at = der.data();
  const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return certificate && at == der.data() + der.size();
}

Status names_host(std::span<const std::uint8_t> der, const std::string& host) {
  const unsigned char* at = der.data();
  const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) return fail(ErrorKind::corrupt, "this is no certificate in DER");
  if (X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1 ||
      X509_check_host(certificate.get(), host.data(), host.size(), 0, nullptr) == 1)
    return {};
  return fail(ErrorKind::refused, "it is not for the host {}", host);
}

Result<CertificateInfo> inspect_certificate(std::span<const std::uint8_t> der) {
  if (der.empty() || der.size() > kMostCertificateBytes)
    return fail(ErrorKind::corrupt, "{} bytes are no certificate", der.size());
  const unsigned char* at = der.data();
  const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) return fail(ErrorKind::corrupt, "this is no certificate in DER");
  CertificateInfo info;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  // Of the certificate alone: a chain may follow it.
  EVP_Digest(der.data(), static_cast<std::size_t>(at - der.data()), digest.data(), &size, EVP_sha256(), nullptr);
  for (unsigned i = 0; i < size; ++i) info.fingerprint += fmt::format("{:02x}", digest[i]);
  info.subject = text_of(X509_get_subject_name(certificate.get()));
  info.uri = uri_of(certificate.get());
  info.not_before = instant_of(X509_get0_notBefore(certificate.get()));
  info.not_after = instant_of(X509_get0_notAfter(certificate.get()));
  info.authority = is_authority(certificate.get());
  return info;
}

Result<Identity> own_identity(const std::string& folder, const std::string& application_uri) {
  const std::string own = folder + "/own", certificate_path = own + "/certificate.der", key_path = own + "/key.der";
  std::error_code failed;
  std::filesystem::create_directories(own, failed);
  if (failed) return fail(ErrorKind::bad_input, "can not make the folder '{}': {}", own, failed.message());
  chmod(own.c_str(), 0700);
  const bool has_certificate = std::filesystem::exists(certificate_path), has_key = std::filesystem::exists(key_path);
  if (has_certificate != has_key)
    return fail(ErrorKind::bad_input,
                "'{}' is there and '{}' is not: put it back, or remove both to have new ones made",
                has_key ? key_path : certificate_path, has_key ? certificate_path : key_path);
  if (!has_key) ALARA_CHECK(make_identity(certificate_path, key_path, application_uri));
  Identity identity;
  ALARA_TRY(identity.certificate, read_bounded(certificate_path));
  ALARA_TRY(identity.key, read_bounded(key_path));
  auto info = inspect_certificate(identity.certificate);
  const unsigned char* at = identity.key.data();
  const Key key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(identity.key.size())));
  const unsigned char* certificate_at = identity.certificate.data();
  const Certificate certificate(d2i_X509(nullptr, &certificate_at, static_cast<long>(identity.certificate.size())));
  if (!info || !key || !certificate || X509_check_private_key(certificate.get(), key.get()) != 1)
    return fail(
        ErrorKind::bad_input,
        "'{}' and '{}' are damaged or do not belong together: put the right ones back, or remove both to have new "
        "ones made (peers must then trust the new one)",
        certificate_path, key_path);
  identity.info = std::move(*info);
  return identity;
}

}  // namespace alara::opcua
