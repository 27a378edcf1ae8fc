// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/session.hpp"

#include <open62541/plugin/pki_default.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "base/quantity.hpp"
#include "connect/opcua/trust.hpp"
#include "connect/opcua/ua_loop.hpp"

namespace alara::opcua {
namespace {

constexpr std::string_view kApplicationUri = "urn:alara:edge";
constexpr std::size_t kMostNamespaces = 10'000;
constexpr Nanos kStep = 10 * kMillisecond;  // of waiting, between two looks at whether to stop

UA_UInt32 millis(Nanos time) { return static_cast<UA_UInt32>(std::max<Nanos>(time / kMillisecond, 1)); }

// The server's certificate on the endpoint with our policy and mode, asked for over an unsecured channel.
Result<std::vector<std::uint8_t>> certificate_of_server(const Settings& settings, const UA_Logger& logger) {
  UA_ClientConfig config{};
  config.logging = const_cast<UA_Logger*>(&logger);
  UA_ClientConfig_setDefault(&config);
  config.timeout = millis(settings.timeout);
  UA_Client* client = new_client(config);
  UA_EndpointDescription* endpoints = nullptr;
  std::size_t count = 0;
  const UA_StatusCode status = UA_Client_getEndpoints(client, settings.endpoint.c_str(), &count, &endpoints);
  UA_Client_delete(client);
  if (status != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::unavailable, "{} does not say its endpoints: {}", settings.endpoint, name_of(status));
  const UA_MessageSecurityMode mode =
      settings.sign_only ? UA_MESSAGESECURITYMODE_SIGN : UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
  std::vector<std::uint8_t> certificate;
  std::string offered;
  for (const UA_EndpointDescription& endpoint : std::span(endpoints, count)) {
    const std::string_view policy = view(endpoint.securityPolicyUri);
    const std::string_view name = policy.substr(std::min(policy.rfind('#') + 1, policy.size()));
    offered += fmt::format("{}{}{}", offered.empty() ? "" : ", ", name,
                           endpoint.securityMode == UA_MESSAGESECURITYMODE_SIGN ? " (sign)" : "");
    if (policy == policy_uri(settings.security) && endpoint.securityMode == mode)
      certificate.assign(endpoint.serverCertificate.data,
                         endpoint.serverCertificate.data + endpoint.serverCertificate.length);
  }
  UA_Array_delete(endpoints, count, &UA_TYPES[UA_TYPES_ENDPOINTDESCRIPTION]);
  if (certificate.empty())
    return fail(ErrorKind::refused, "{} does not offer this security; it offers {}", settings.endpoint,
                offered.empty() ? "nothing" : offered);
  return certificate;
}

// "10.0.0.5" of "opc.tcp://10.0.0.5:4840/path", "::1" of "opc.tcp://[::1]:4840".
std::string host_of(std::string_view endpoint) {
  std::string_view host = endpoint.substr(std::string_view("opc.tcp://").size());
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.find_first_of(":/")));
}

// A certificate that is trusted itself is for this server, whatever it is called. An authority's word is good for many
// devices: there the certificate must be that of the host that we want.
Status check_trust(const Settings& settings, const CertificateInfo& info, std::span<const std::uint8_t> chain,
                   Nanos wall) {
  const TrustList trust(settings.pki);
  const std::string print = info.fingerprint.substr(0, 16);
  const auto judged = trust.store()->judge(chain, wall);
  Status good;
  if (!judged) good = fail(judged.error().kind, "{}", judged.error().message);
  if (judged && *judged == TrustStore::By::authority) good = names_host(chain, host_of(settings.endpoint));
  if (good && stands_alone(chain)) return {};
  if (good)
    return fail(
        ErrorKind::refused,
        "{} sends the certificates of its authorities with its own, which open62541 1.4 can not connect to: let "
        "it send its own alone, and put the others into {}/issuers",
        settings.endpoint, settings.pki);
  static_cast<void>(trust.reject(chain));
  if (good.error().kind != ErrorKind::not_found)
    return fail(ErrorKind::refused, "the certificate of {} is refused: {} ({}): {}", settings.endpoint, print,
                info.subject, good.error().message);
  return fail(
      ErrorKind::refused,
      "the certificate of {} is not trusted: {} ({}); look at it with `alara trust list --pki {}`, and if it is the "
      "right one `alara trust add {} --pki {}`",
      settings.endpoint, print, info.subject, settings.pki, print, settings.pki);
}

}  // namespace

std::string name_of(UA_StatusCode status) { return UA_StatusCode_name(status); }

void Session::note(void* session, UA_LogLevel level, UA_LogCategory, const char* format, va_list arguments) {
  if (level < UA_LOGLEVEL_ERROR) return;
  std::array<char, 512> text{};
  vsnprintf(text.data(), text.size(), format, arguments);
  static_cast<Session*>(session)->last_note_ = text.data();
}

Result<std::unique_ptr<Session>> Session::open(const Settings& settings, Clock& clock,
                                               const std::function<bool()>& stopped) {
  auto session = std::unique_ptr<Session>(new Session);
  session->logger_ = {&Session::note, session.get(), nullptr};
  ALARA_CHECK(session->configure(settings, clock));
  ALARA_CHECK(session->connect(settings, clock, stopped));
  ALARA_CHECK(session->read_namespaces());
  session->read_limits();
  return session;
}

Session::~Session() {
  if (client_ != nullptr) UA_Client_delete(client_);
}

Status Session::configure(const Settings& settings, Clock& clock) {
  UA_ClientConfig config{};
  config.logging = &logger_;
  config.clientContext = this;
  if (settings.security == Security::none) {
    UA_ClientConfig_setDefault(&config);
    config.securityMode = UA_MESSAGESECURITYMODE_NONE;
  } else if (const Status secured = secure(config, settings, clock); !secured) {
    UA_ClientConfig_clear(&config);
    return secured;
  }
  config.securityPolicyUri = owned(policy_uri(settings.security));
  UA_String_clear(&config.clientDescription.applicationUri);
  config.clientDescription.applicationUri = owned(kApplicationUri);
  config.timeout = millis(settings.timeout);
  config.noNewSession = true;  // a new one has no subscriptions: that is for us to do
  config.connectivityCheckInterval = millis(settings.silence / 2);
  config.inactivityCallback = [](UA_Client* client) {
    static_cast<Session*>(UA_Client_getContext(client))->silent_ = "connected, but silent";
  };
  config.subscriptionInactivityCallback = [](UA_Client* client, UA_UInt32, void*) {
    static_cast<Session*>(UA_Client_getContext(client))->silent_ = "connected, but its subscription is silent";
  };
  if (!settings.username.empty()) {
    const auto password = read_password(settings);
    if (!password) {
      UA_ClientConfig_clear(&config);
      return tl::unexpected<Error>(password.error());
    }
    UA_UserNameIdentityToken* token = UA_UserNameIdentityToken_new();
    token->userName = owned(settings.username);
    token->password = owned(*password);
    UA_ExtensionObject_setValue(&config.userIdentityToken, token, &UA_TYPES[UA_TYPES_USERNAMEIDENTITYTOKEN]);
  }
  client_ = new_client(config);
  if (client_ == nullptr) return fail(ErrorKind::exhausted, "no memory for an OPC UA client");
  return {};
}

// Replaces what open62541 does by itself, to trust anybody, by trust in the one certificate that has been looked at.
void Session::accept_only_trusted(UA_ClientConfig& config) {
  UA_CertificateVerification& trust = config.certificateVerification;
  if (trust.clear != nullptr) trust.clear(&trust);
  trust = {};
  trust.context = this;
  trust.logging = config.logging;
  trust.verifyCertificate = [](const UA_CertificateVerification* self, const UA_ByteString* certificate) {
    const auto info = inspect_certificate({certificate->data, certificate->length});
    return info && info->fingerprint == static_cast<const Session*>(self->context)->trusted_
               ? UA_STATUSCODE_GOOD
               : UA_STATUSCODE_BADCERTIFICATEUNTRUSTED;
  };
  trust.verifyApplicationURI = [](const UA_CertificateVerification*, const UA_ByteString*,
                                  const UA_String*) -> UA_StatusCode {
    return UA_STATUSCODE_GOOD;  // of our own certificate, which own_identity() has made
  };
}

Status Session::secure(UA_ClientConfig& config, const Settings& settings, Clock& clock) {
  ALARA_TRY(const Identity identity, own_identity(settings.pki, std::string(kApplicationUri)));
  ALARA_TRY(const auto certificate, certificate_of_server(settings, logger_));
  ALARA_TRY(const CertificateInfo info, inspect_certificate(certificate));
  ALARA_CHECK(check_trust(settings, info, certificate, clock.wall()));
  trusted_ = info.fingerprint;
  const UA_StatusCode status = UA_ClientConfig_setDefaultEncryption(
      &config, borrowed(std::span<const std::uint8_t>(identity.certificate)),
      borrowed(std::span<const std::uint8_t>(identity.key)), nullptr, 0, nullptr, 0);
  accept_only_trusted(config);
  if (status != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::internal, "can not set up security: {}{}{}", name_of(status), last_note_.empty() ? "" : ": ",
                last_note_);
  config.securityMode = settings.sign_only ? UA_MESSAGESECURITYMODE_SIGN : UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
  return {};
}

Status Session::connect(const Settings& settings, Clock& clock, const std::function<bool()>& stopped) {
  const Nanos end = clock.monotonic() + settings.timeout;
  UA_StatusCode status = UA_Client_connectAsync(client_, settings.endpoint.c_str());
  while (status == UA_STATUSCODE_GOOD) {
    UA_SessionState state = UA_SESSIONSTATE_CLOSED;
    UA_StatusCode so_far = UA_STATUSCODE_GOOD;
    UA_Client_getState(client_, nullptr, &state, &so_far);
    if (state == UA_SESSIONSTATE_ACTIVATED) return {};
    if (so_far != UA_STATUSCODE_GOOD) status = so_far;
    if (stopped()) return fail(ErrorKind::unavailable, "stopped");
    if (clock.monotonic() > end)
      return fail(ErrorKind::timed_out, "no session with {} within {}{}{}", settings.endpoint,
                  format_duration(settings.timeout), last_note_.empty() ? "" : ": ", last_note_);
    if (status == UA_STATUSCODE_GOOD) status = UA_Client_run_iterate(client_, millis(kStep));
  }
  return fail(ErrorKind::unavailable, "can not connect to {}: {}{}{}", settings.endpoint, name_of(status),
              last_note_.empty() ? "" : ": ", last_note_);
}

Status Session::iterate(Nanos wait) {
  const UA_StatusCode status = UA_Client_run_iterate(client_, static_cast<UA_UInt32>(wait / kMillisecond));
  UA_SessionState state = UA_SESSIONSTATE_CLOSED;
  UA_StatusCode so_far = UA_STATUSCODE_GOOD;
  UA_Client_getState(client_, nullptr, &state, &so_far);
  if (!silent_.empty()) return fail(ErrorKind::timed_out, "{}", silent_);
  if (status == UA_STATUSCODE_GOOD && state == UA_SESSIONSTATE_ACTIVATED) return {};
  return fail(ErrorKind::unavailable, "the session is lost: {}",
              name_of(so_far != UA_STATUSCODE_GOOD ? so_far : status));
}

Status Session::read_namespaces() {
  UaVariant value;
  const UA_StatusCode status =
      UA_Client_readValueAttribute(client_, UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_NAMESPACEARRAY), &*value);
  if (status != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::unavailable, "can not read its namespaces: {}", name_of(status));
  if (!UA_Variant_hasArrayType(&*value, &UA_TYPES[UA_TYPES_STRING]) || value->arrayLength > kMostNamespaces)
    return fail(ErrorKind::corrupt, "its table of namespaces is none");
  for (const UA_String& uri : std::span(static_cast<UA_String*>(value->data), value->arrayLength))
    namespaces_.emplace_back(view(uri));
  return {};
}

// Servers that say nothing, or 0, have no limit to tell.
void Session::read_limits() {
  const auto read = [this](UA_UInt32 id, std::size_t& limit) {
    UaVariant value;
    if (UA_Client_readValueAttribute(client_, UA_NODEID_NUMERIC(0, id), &*value) != UA_STATUSCODE_GOOD ||
        !UA_Variant_hasScalarType(&*value, &UA_TYPES[UA_TYPES_UINT32]))
      return;
    const UA_UInt32 told = *static_cast<UA_UInt32*>(value->data);
    if (told != 0) limit = std::min<std::size_t>(limit, told);
  };
  read(UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERREAD, limits_.reads);
  read(UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXMONITOREDITEMSPERCALL, limits_.items);
}

Result<UaNodeId> Session::resolve(const NodeName& name) const {
  UaNodeId id;
  if (UA_NodeId_parse(&*id, borrowed(name.text)) != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::bad_input, "'{}' is no node id", name.text);
  if (name.namespace_uri.empty()) return id;
  const auto known = std::ranges::find(namespaces_, name.namespace_uri);
  if (known == namespaces_.end())
    return fail(ErrorKind::not_found, "the server has no namespace '{}'", name.namespace_uri);
  id->namespaceIndex = static_cast<UA_UInt16>(known - namespaces_.begin());
  return id;
}

}  // namespace alara::opcua
