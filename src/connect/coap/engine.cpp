// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/engine.hpp"

#include <openssl/x509v3.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

namespace alara::coap {
namespace {

constexpr std::uint16_t kMostRetransmissions = 2;
// With factor 1.5 and two repetitions the last wait ends 1.5 * (1 + 2 + 4) times this after the first message.
constexpr Nanos kWaitsOfTimeout = 11;
constexpr std::uint16_t kExchangesAtOnce = 8;  // more than client.cpp has under way: it orders them itself
constexpr unsigned kMostIdleSessions = 1000;

void start_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    coap_startup();
    coap_set_log_handler([](coap_log_t, const char*) {});  // what matters comes as events and codes
    coap_set_log_level(LOG_EMERG);
    coap_dtls_set_log_level(LOG_EMERG);
  });
}

coap_address_t address_of(const SocketAddress& address) {
  coap_address_t out;
  coap_address_init(&out);
  std::memcpy(&out.addr, &address.storage, std::min<std::size_t>(address.size, sizeof out.addr));
  out.size = address.size;
  return out;
}

coap_bin_const_t bytes_of(const std::string& text) {
  return {text.size(), reinterpret_cast<const std::uint8_t*>(text.data())};
}

const char* path_or_null(const std::string& path) { return path.empty() ? nullptr : path.c_str(); }

// Whether a device's certificate, in DER, is made out to this name or address. libcoap itself checks only who made it.
bool is_made_out_to(std::span<const std::uint8_t> der, const std::string& name) {
  const unsigned char* at = der.data();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())),
                                                                &X509_free);
  return certificate != nullptr && (X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) == 1 ||
                                    X509_check_ip_asc(certificate.get(), name.c_str(), 0) == 1);
}

coap_dtls_pki_t certificates_of(const Settings& settings) {
  coap_dtls_pki_t pki{};
  pki.version = COAP_DTLS_PKI_SETUP_VERSION;
  pki.verify_peer_cert = settings.ca.empty() ? 0 : 1;
  pki.check_common_ca = pki.verify_peer_cert;
  pki.cert_chain_validation = 1;
  pki.cert_chain_verify_depth = 3;
  pki.check_cert_revocation = 1;
  pki.allow_no_crl = 1;
  pki.pki_key.key_type = COAP_PKI_KEY_PEM;
  pki.pki_key.key.pem.ca_file = path_or_null(settings.ca);
  pki.pki_key.key.pem.public_cert = path_or_null(settings.certificate);
  pki.pki_key.key.pem.private_key = path_or_null(settings.key);
  return pki;
}

// Of a request's body, or of an answer's.
bool block_of(const coap_pdu_t* pdu, coap_block_t& block) {
  const bool request = coap_pdu_get_code(pdu) < COAP_RESPONSE_CODE_CREATED;
  return coap_get_block(pdu, request ? COAP_OPTION_BLOCK1 : COAP_OPTION_BLOCK2, &block) != 0;
}

coap_fixed_point_t seconds_of(Nanos time) {
  const Nanos least = std::max(time, kMillisecond);
  return {static_cast<std::uint16_t>(least / kSecond), static_cast<std::uint16_t>(least % kSecond / kMillisecond)};
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(IoLoop& loop, void* owner, std::function<void()> after) {
  start_library();
  coap_context_t* const context = coap_new_context(nullptr);
  if (context == nullptr) return fail(ErrorKind::exhausted, "libcoap gives no context");
  std::unique_ptr<Engine> engine(new Engine(loop, context, std::move(after)));
  coap_set_app_data(context, owner);
  coap_context_set_max_idle_sessions(context, kMostIdleSessions);
  const int fd = coap_context_get_coap_fd(context);
  if (fd < 0) return fail(ErrorKind::unavailable, "libcoap was built without epoll");
  ALARA_CHECK(loop.watch(fd, EPOLLIN, [raw = engine.get()](std::uint32_t) { raw->turn(); }));
  return engine;
}

Engine::Engine(IoLoop& loop, coap_context_t* context, std::function<void()> after)
    : loop_(loop), context_(context), after_(std::move(after)) {}

Engine::~Engine() { loop_.unwatch(coap_context_get_coap_fd(context_.get())); }

void Engine::turn() {
  coap_io_process(context_.get(), COAP_IO_NO_WAIT);
  after_();
}

Result<coap_session_t*> Engine::open_session(const Settings& settings, const SocketAddress& address) {
  // libcoap asks for the blocks of an answer, and sends large bodies in blocks. A server does it itself (server.cpp).
  coap_context_set_block_mode(context_.get(), COAP_BLOCK_USE_LIBCOAP);
  refusal_.clear();
  const coap_address_t remote = address_of(address);
  coap_session_t* session = nullptr;
  if (!settings.dtls) {
    session = coap_new_client_session(context_.get(), nullptr, &remote, COAP_PROTO_UDP);
  } else if (!settings.psk_file.empty()) {
    ALARA_TRY(keys_, read_keys(settings.psk_file));
    coap_dtls_cpsk_t psk{};
    psk.version = COAP_DTLS_CPSK_SETUP_VERSION;
    psk.psk_info = {bytes_of(keys_[0].identity), bytes_of(keys_[0].secret)};
    session = coap_new_client_session_psk2(context_.get(), nullptr, &remote, COAP_PROTO_DTLS, &psk);
  } else {
    coap_dtls_pki_t pki = certificates_of(settings);
    pki.validate_cn_call_back = accept_device;
    pki.cn_call_back_arg = this;
    peer_ = settings.peer;
    std::string host = settings.endpoint.host;
    pki.client_sni = host.data();
    session = coap_new_client_session_pki(context_.get(), nullptr, &remote, COAP_PROTO_DTLS, &pki);
  }
  if (session == nullptr)
    return fail(ErrorKind::unavailable, "no way to {}{}", settings.text(),
                settings.dtls ? ": are the files of keys and certificates right?" : "");
  coap_session_set_max_retransmit(session, kMostRetransmissions);
  coap_session_set_ack_timeout(session, seconds_of(settings.timeout / kWaitsOfTimeout));
  coap_session_set_nstart(session, kExchangesAtOnce);
  return session;
}

const coap_bin_const_t* Engine::key_of(coap_bin_const_t* identity, coap_session_t*, void* engine) {
  Engine& self = *static_cast<Engine*>(engine);
  const std::string_view name(reinterpret_cast<const char*>(identity->s), identity->length);
  const auto found = std::ranges::find(self.keys_, name, &PreSharedKey::identity);
  if (found == self.keys_.end()) return nullptr;
  self.found_ = bytes_of(found->secret);
  return &self.found_;
}

// libcoap has found that an authority of ours made it.
int Engine::accept_device(const char* name, const std::uint8_t* der, std::size_t size, coap_session_t*, unsigned depth,
                          int validated, void* engine) {
  Engine& self = *static_cast<Engine*>(engine);
  if (validated == 0) return 0;
  if (depth > 0 || is_made_out_to({der, size}, self.peer_)) return 1;
  self.refusal_ = fmt::format("its certificate is made out to '{}', not to '{}' (option peer)",
                              name == nullptr ? "" : name, self.peer_);
  return 0;
}

Status Engine::listen(const Settings& settings) {
  if (!settings.psk_file.empty()) {
    ALARA_TRY(keys_, read_keys(settings.psk_file));
    coap_dtls_spsk_t psk{};
    psk.version = COAP_DTLS_SPSK_SETUP_VERSION;
    psk.validate_id_call_back = key_of;
    psk.id_call_back_arg = this;
    psk.psk_info.key = bytes_of(keys_[0].secret);
    if (coap_context_set_psk2(context_.get(), &psk) == 0)
      return fail(ErrorKind::bad_input, "the keys of '{}' are not taken", settings.psk_file);
  }
  if (!settings.certificate.empty()) {
    const coap_dtls_pki_t pki = certificates_of(settings);
    if (coap_context_set_pki(context_.get(), &pki) == 0)
      return fail(ErrorKind::bad_input, "'{}' and '{}' are no certificate with its key", settings.certificate,
                  settings.key);
  }
  ALARA_TRY(const SocketAddress numeric, numeric_address(settings.endpoint));
  const coap_address_t address = address_of(numeric);
  if (coap_new_endpoint(context_.get(), &address, settings.dtls ? COAP_PROTO_DTLS : COAP_PROTO_UDP) == nullptr)
    return fail(ErrorKind::unavailable, "can not listen on {}: the port is taken, or the address is not ours",
                settings.text());
  return {};
}

bool send(coap_session_t* session, const Request& request) {
  coap_pdu_t* const pdu = coap_new_pdu(COAP_MESSAGE_CON, request.method, session);
  if (pdu == nullptr) return false;
  std::array<std::uint8_t, sizeof request.token> token{};
  std::memcpy(token.data(), &request.token, token.size());
  std::array<std::uint8_t, 4> number{};
  const auto add_number = [&](coap_option_num_t option, unsigned value) {
    return coap_add_option(pdu, option, coap_encode_var_safe(number.data(), number.size(), value), number.data()) != 0;
  };
  bool good = coap_add_token(pdu, token.size(), token.data()) != 0;
  if (request.observe) good &= add_number(COAP_OPTION_OBSERVE, COAP_OBSERVE_ESTABLISH);
  for (std::size_t at = 1; good && at < request.path.size();) {
    const std::size_t end = std::min(request.path.find('/', at), request.path.size());
    good &= coap_add_option(pdu, COAP_OPTION_URI_PATH, end - at,
                            reinterpret_cast<const std::uint8_t*>(request.path.data() + at)) != 0;
    at = end + 1;
  }
  if (request.format) good &= add_number(COAP_OPTION_CONTENT_FORMAT, *request.format);
  if (good && !request.body.empty()) {
    // The body must last until it is sent: libcoap gives it back.
    auto* const body = new std::string(request.body);
    good = coap_add_data_large_request(
               session, pdu, body->size(), reinterpret_cast<const std::uint8_t*>(body->data()),
               [](coap_session_t*, void* text) { delete static_cast<std::string*>(text); }, body) != 0;
  }
  if (!good) {
    coap_delete_pdu(pdu);
    return false;
  }
  return coap_send(session, pdu) != COAP_INVALID_MID;
}

std::uint64_t token_of(const coap_pdu_t* pdu) {
  const coap_bin_const_t token = coap_pdu_get_token(pdu);
  std::uint64_t value = 0;
  if (token.length == sizeof value) std::memcpy(&value, token.s, sizeof value);
  return value;
}

std::string token_text(const coap_pdu_t* pdu) {
  const coap_bin_const_t token = coap_pdu_get_token(pdu);
  return {reinterpret_cast<const char*>(token.s), token.length};
}

std::optional<std::uint32_t> number_option(const coap_pdu_t* pdu, coap_option_num_t option) {
  coap_opt_iterator_t iterator;
  const coap_opt_t* const found = coap_check_option(pdu, option, &iterator);
  if (found == nullptr) return std::nullopt;
  return coap_decode_var_bytes(coap_opt_value(found), coap_opt_length(found));
}

bool is_part(const coap_pdu_t* pdu) {
  coap_block_t block{};
  return block_of(pdu, block) && (block.num > 0 || block.m != 0);
}

void echo_block(const coap_pdu_t* request, coap_pdu_t* response) {
  coap_block_t block{};
  if (!block_of(request, block)) return;
  std::array<std::uint8_t, 4> bytes{};
  const unsigned size = coap_encode_var_safe(bytes.data(), bytes.size(),
                                             block.num << 4 | static_cast<unsigned>(block.m << 3) | block.szx);
  coap_add_option(response, COAP_OPTION_BLOCK1, size, bytes.data());
}

std::string name_of(coap_pdu_code_t code) {
  const char* const phrase = coap_response_phrase(static_cast<unsigned char>(code));
  return fmt::format("{}.{:02} {}", code >> 5, code & 0x1F, phrase == nullptr ? "" : phrase);
}

bool is_readable(std::optional<std::uint32_t> content_format) {
  if (!content_format) return true;
  return *content_format == COAP_MEDIATYPE_TEXT_PLAIN || *content_format == COAP_MEDIATYPE_APPLICATION_JSON ||
         *content_format == COAP_MEDIATYPE_APPLICATION_SENML_JSON;
}

bool append_block(const coap_pdu_t* pdu, std::size_t most, std::string& body, bool& whole) {
  coap_block_t block{};
  const bool in_blocks = block_of(pdu, block);
  const std::size_t offset = in_blocks ? std::size_t{block.num} << (block.szx + 4u) : 0;
  whole = block.m == 0;
  if (offset == 0) body.clear();
  std::size_t size = 0;
  const std::uint8_t* bytes = nullptr;
  if (coap_get_data(pdu, &size, &bytes) == 0) size = 0;
  if (offset != body.size() || offset + size > most) return false;
  body.append(reinterpret_cast<const char*>(bytes), size);
  return true;
}

}  // namespace alara::coap
