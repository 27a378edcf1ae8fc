// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_access.hpp"

#include <open62541/plugin/accesscontrol_default.h>
#include <openssl/crypto.h>

#include <fstream>

#include "base/text.hpp"

namespace alara::opcua {
namespace {

// A stranger may come as often as it likes: the trust list is read, and its certificate kept, once in so long.
constexpr Nanos kTrustAge = kSecond / 4, kRejectEvery = kSecond;
constexpr std::size_t kMostPasswordBytes = 1024;

Result<std::string> first_line(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostPasswordBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  const std::string line(trim(std::string_view(text).substr(0, text.find('\n'))));
  if (line.empty()) return fail(ErrorKind::bad_input, "the password file '{}' can not be read or is empty", path);
  return line;
}

std::span<const std::uint8_t> bytes_of(const UA_ByteString& text) { return {text.data, text.length}; }

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

ServerAccess::ServerAccess(const ServerSettings& settings, Clock& clock, ServerGate& gate, Report report)
    : settings_(settings), clock_(clock), gate_(gate), report_(std::move(report)), trust_(settings.pki) {}

ServerAccess& ServerAccess::of(UA_Server* server) {
  return *static_cast<ServerAccess*>(UA_Server_getConfig(server)->context);
}

Status ServerAccess::install(UA_ServerConfig& config) {
  config.context = this;
  install_trust(config);
  // The policy named here is replaced by each endpoint's own.
  const UA_String policy = borrowed(policy_uri(settings_.security.front()));
  const UA_UsernamePasswordLogin some{borrowed(std::string_view("users")), borrowed(std::string_view("are files"))};
  const UA_StatusCode status = UA_AccessControl_defaultWithLoginCallback(
      &config, settings_.anonymous != Rights::none, &policy, settings_.users.empty() ? 0 : 1, &some,
      [](const UA_String* user, const UA_ByteString* password, std::size_t, const UA_UsernamePasswordLogin*,
         void** session,
         void* self) { return static_cast<ServerAccess*>(self)->log_in(view(*user), view(*password), session); },
      this);
  if (status != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::internal, "can not set up log-ins: {}", UA_StatusCode_name(status));
  activate_ = config.accessControl.activateSession;
  config.accessControl.activateSession = [](UA_Server* server, UA_AccessControl* control,
                                            const UA_EndpointDescription* endpoint, const UA_ByteString* certificate,
                                            const UA_NodeId* id, const UA_ExtensionObject* token, void** session) {
    ServerAccess& self = of(server);
    void* const before = *session;
    *session = nullptr;  // a session may change its user
    const UA_StatusCode outcome = self.activate_(server, control, endpoint, certificate, id, token, session);
    if (outcome != UA_STATUSCODE_GOOD) *session = before;
    (outcome == UA_STATUSCODE_GOOD ? self.gate_.logins : self.gate_.refused_logins)
        .fetch_add(1, std::memory_order_relaxed);
    if (outcome == UA_STATUSCODE_GOOD) self.report_("");
    return outcome;
  };
  config.accessControl.getUserAccessLevel = [](UA_Server* server, UA_AccessControl*, const UA_NodeId*, void* session,
                                               const UA_NodeId*, void*) -> UA_Byte {
    const Rights rights = of(server).rights_of(session);
    return rights == Rights::write  ? UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_WRITE
           : rights == Rights::read ? UA_ACCESSLEVELMASK_READ
                                    : 0;
  };
  restrict_everything_else(config.accessControl);
  return {};
}

void ServerAccess::install_trust(UA_ServerConfig& config) {
  const auto verify_uri = [](const UA_CertificateVerification*, const UA_ByteString* certificate,
                             const UA_String* uri) {
    const auto info = inspect_certificate(bytes_of(*certificate));
    return info && info->uri == view(*uri) ? UA_STATUSCODE_GOOD : UA_STATUSCODE_BADCERTIFICATEURIINVALID;
  };
  for (UA_CertificateVerification* trust : {&config.secureChannelPKI, &config.sessionPKI}) {
    if (trust->clear != nullptr) trust->clear(trust);
    *trust = {};
    trust->context = this;
    trust->logging = config.logging;
    trust->verifyApplicationURI = verify_uri;
  }
  // Users' certificates are not offered as a way to log in, so that of sessions stays without.
  config.secureChannelPKI.verifyCertificate = [](const UA_CertificateVerification* trust,
                                                 const UA_ByteString* certificate) {
    return static_cast<ServerAccess*>(trust->context)->judge(bytes_of(*certificate));
  };
}

void ServerAccess::refresh_trusted() {
  const Nanos now = clock_.monotonic();
  if (now - kTrustAge < trusted_at_) return;
  trusted_at_ = now;
  trusted_ = trust_.store();
}

UA_StatusCode ServerAccess::judge(std::span<const std::uint8_t> certificate) {
  const auto info = inspect_certificate(certificate);
  if (!info) {
    gate_.strangers.fetch_add(1, std::memory_order_relaxed);
    return UA_STATUSCODE_BADCERTIFICATEINVALID;
  }
  refresh_trusted();
  const auto judged = trusted_->judge(certificate, clock_.wall());
  if (judged) return UA_STATUSCODE_GOOD;
  gate_.strangers.fetch_add(1, std::memory_order_relaxed);
  const std::string print = info->fingerprint.substr(0, 16);
  if (judged.error().kind != ErrorKind::not_found) {
    report_(fmt::format("the certificate of a client is refused: {} ({}): {}", print, info->subject,
                        judged.error().message));
    return UA_STATUSCODE_BADSECURITYCHECKSFAILED;
  }
  if (const Nanos now = clock_.monotonic(); now - kRejectEvery >= rejected_at_) {
    rejected_at_ = now;
    static_cast<void>(trust_.reject(certificate));
  }
  report_(fmt::format("a client is not trusted: {} ({}); if it is the right one, `alara trust add {} --pki {}`", print,
                      info->subject, print, settings_.pki));
  return UA_STATUSCODE_BADCERTIFICATEUNTRUSTED;
}

UA_StatusCode ServerAccess::log_in(std::string_view name, std::string_view password, void** session) {
  const ServerUser* user = settings_.user(name);
  if (user == nullptr) return UA_STATUSCODE_BADUSERACCESSDENIED;
  const auto wanted = first_line(user->password_file);
  if (!wanted) report_(wanted.error().message);
  if (!wanted || !equal(*wanted, password)) return UA_STATUSCODE_BADUSERACCESSDENIED;
  *session = const_cast<ServerUser*>(user);
  return UA_STATUSCODE_GOOD;
}

// A session without a user is an anonymous one, or has ended while its subscription goes on.
Rights ServerAccess::rights_of(const void* session) const {
  return session != nullptr ? static_cast<const ServerUser*>(session)->rights : settings_.anonymous;
}

void ServerAccess::restrict_everything_else(UA_AccessControl& control) {
  control.getUserRightsMask = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_NodeId*,
                                 void*) -> UA_UInt32 { return 0; };
  // The standard's two methods for subscriptions; the server has none of its own.
  control.getUserExecutable = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_NodeId* method,
                                 void*) {
    const UA_NodeId items = standard_node(UA_NS0ID_SERVER_GETMONITOREDITEMS);
    const UA_NodeId resend = standard_node(UA_NS0ID_SERVER_RESENDDATA);
    return UA_NodeId_equal(method, &items) || UA_NodeId_equal(method, &resend);
  };
  control.getUserExecutableOnObject = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_NodeId*,
                                         void*, const UA_NodeId*, void*) { return true; };
  control.allowAddNode = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_AddNodesItem*) {
    return false;
  };
  control.allowAddReference = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_AddReferencesItem*) {
    return false;
  };
  control.allowDeleteNode = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_DeleteNodesItem*) {
    return false;
  };
  control.allowDeleteReference = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*,
                                    const UA_DeleteReferencesItem*) { return false; };
  control.allowHistoryUpdateUpdateData = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_NodeId*,
                                            UA_PerformUpdateType, const UA_DataValue*) { return false; };
  control.allowHistoryUpdateDeleteRawModified = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*,
                                                   const UA_NodeId*, UA_DateTime, UA_DateTime, bool) { return false; };
}

}  // namespace alara::opcua
