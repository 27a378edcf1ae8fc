// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_host.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <open62541/server_config_default.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/quantity.hpp"
#include "connect/opcua/ua_loop.hpp"

namespace alara::opcua {
namespace {

constexpr std::string_view kServerUri = "urn:alara:edge";  // of a certificate that is made here
constexpr std::string_view kNonePolicy = "http://opcfoundation.org/UA/SecurityPolicy#None";
constexpr std::uint16_t kMoreChannels = 10;  // than sessions: of clients that are still shaking hands
constexpr UA_UInt32 kMostNodesPerRequest = 10'000, kMostQueue = 1'000, kMostPublishRequests = 50, kMostRetained = 100;
constexpr UA_UInt32 kBufferBytes = 65'536;
constexpr double kLongestSession = 10 * 60 * 1000.0;  // without a request, in milliseconds
constexpr Nanos kExpiresSoon = 30 * 24 * kHour;

UA_ByteString bytes_of(const std::vector<std::uint8_t>& bytes) {
  return borrowed(std::span<const std::uint8_t>(bytes));
}

// A port that can be listened on now. open62541 shares its port with whoever else asks to share it, so whether it is
// taken has to be asked before.
Result<std::uint16_t> usable_port(const ServerSettings& settings) {
  const bool six = settings.host.find(':') != std::string::npos;
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (six) {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(settings.port);
    inet_pton(AF_INET6, settings.host.c_str(), &address.sin6_addr);
    size = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    address.sin_port = htons(settings.port);
    inet_pton(AF_INET, settings.host.c_str(), &address.sin_addr);
    size = sizeof address;
  }
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool good = fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0 && listen(fd, 1) == 0 &&
                    getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!good)
    return fail(ErrorKind::unavailable, "can not listen on {}: {}", settings.endpoint(settings.port),
                std::strerror(error));
  return ntohs(six ? reinterpret_cast<sockaddr_in6&>(storage).sin6_port
                   : reinterpret_cast<sockaddr_in&>(storage).sin_port);
}

UA_StatusCode add_policy(UA_ServerConfig& config, Security security, const UA_ByteString& certificate,
                         const UA_ByteString& key) {
  switch (security) {
    case Security::none:
      return UA_ServerConfig_addSecurityPolicyNone(&config, &certificate);
    case Security::aes128_sha256_rsaoaep:
      return UA_ServerConfig_addSecurityPolicyAes128Sha256RsaOaep(&config, &certificate, &key);
    case Security::basic256sha256:
      return UA_ServerConfig_addSecurityPolicyBasic256Sha256(&config, &certificate, &key);
    case Security::aes256_sha256_rsapss:
      return UA_ServerConfig_addSecurityPolicyAes256Sha256RsaPss(&config, &certificate, &key);
  }
  return UA_STATUSCODE_BADSECURITYPOLICYREJECTED;
}

}  // namespace

void ServerHost::note(void* self, UA_LogLevel level, UA_LogCategory category, const char* format, va_list arguments) {
  if (level < UA_LOGLEVEL_WARNING) return;
  auto& host = *static_cast<ServerHost*>(self);
  std::array<char, 512> text{};
  vsnprintf(text.data(), text.size(), format, arguments);
  {
    const std::lock_guard lock(host.note_mutex_);
    host.last_note_ = text.data();
  }
  if (!host.serving_) return;
  if (category == UA_LOGCATEGORY_NETWORK || category == UA_LOGCATEGORY_SECURECHANNEL ||
      category == UA_LOGCATEGORY_SESSION)
    host.lasting_.complaints.fetch_add(1, std::memory_order_relaxed);
  // It gives up listening on any failure to accept, such as too many open files.
  if (std::string_view(text.data()).find("closing the server socket") != std::string_view::npos) host.deaf_ = true;
}

std::string ServerHost::last_note() const {
  const std::lock_guard lock(note_mutex_);
  return last_note_.empty() ? "no reason given" : last_note_;
}

Result<std::unique_ptr<ServerHost>> ServerHost::open(const ServerSettings& settings, const ServerPlan& plan,
                                                     ServerLasting& lasting, Clock& clock, TakeWrite take,
                                                     ServerAccess::Report report) {
  auto host = std::unique_ptr<ServerHost>(new ServerHost(settings, lasting));
  host->logger_ = {&ServerHost::note, host.get(), nullptr};
  ALARA_TRY(const Identity identity, own_identity(settings.pki, std::string(kServerUri)));
  host->look_at(identity, clock.wall());
  ALARA_TRY(host->port_, usable_port(settings));
  UA_ServerConfig config{};
  config.logging = &host->logger_;
  if (Status configured = host->configure(config, identity, clock, std::move(report)); !configured) {
    UA_ServerConfig_clean(&config);
    return tl::unexpected<Error>(configured.error());
  }
  host->server_ = new_server(config);
  if (host->server_ == nullptr) return fail(ErrorKind::exhausted, "can not make a server: {}", host->last_note());
  lasting.written.resize(plan.nodes().size());
  host->nodes_ = std::make_unique<ServerNodes>(host->server_, plan, lasting.written, clock, std::move(take));
  ALARA_CHECK(host->nodes_->build(settings.namespace_uri));
  const UA_StatusCode status = UA_Server_run_startup(host->server_);
  if (status != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::unavailable, "can not listen on {}: {}", settings.endpoint(host->port_), host->last_note());
  host->serving_ = true;
  return host;
}

ServerHost::~ServerHost() {
  if (server_ == nullptr) return;
  if (serving_) UA_Server_run_shutdown(server_);
  serving_ = false;
  UA_Server_delete(server_);
}

void ServerHost::look_at(const Identity& identity, Nanos wall) {
  const Nanos end = identity.info.not_after;
  if (end - kExpiresSoon < wall)
    warning_ = fmt::format(
        "our own certificate {} on {}; remove {}/own to have a new one made (clients must then "
        "trust that)",
        end < wall ? "has expired" : "expires", format_instant(end).substr(0, 10), settings_.pki);
}

Status ServerHost::configure(UA_ServerConfig& config, const Identity& identity, Clock& clock,
                             ServerAccess::Report report) {
  UA_StatusCode status = UA_ServerConfig_setBasics_withPort(&config, port_);
  if (status != UA_STATUSCODE_GOOD) return fail(ErrorKind::exhausted, "no memory for a server");
  UA_Array_delete(config.serverUrls, config.serverUrlsSize, &UA_TYPES[UA_TYPES_STRING]);
  config.serverUrls = static_cast<UA_String*>(UA_Array_new(1, &UA_TYPES[UA_TYPES_STRING]));
  config.serverUrlsSize = 1;
  config.serverUrls[0] =
      owned(settings_.everywhere() ? fmt::format("opc.tcp://:{}", port_) : settings_.endpoint(port_));
  UA_ApplicationDescription& description = config.applicationDescription;
  UA_String_clear(&description.applicationUri);
  description.applicationUri = owned(identity.info.uri);  // clients hold it against the certificate
  UA_LocalizedText_clear(&description.applicationName);
  description.applicationName.text = owned("Alara Edge");
  UA_String_clear(&description.productUri);
  description.productUri = owned("urn:alara:edge:product");
  UA_BuildInfo_clear(&config.buildInfo);
  config.buildInfo.productName = owned("Alara Edge");
  config.buildInfo.productUri = owned("urn:alara:edge:product");
  set_limits(config);
  ALARA_CHECK(add_policies(config, identity));
  access_ = std::make_unique<ServerAccess>(settings_, clock, lasting_.gate, std::move(report));
  return access_->install(config);
}

Status ServerHost::add_policies(UA_ServerConfig& config, const Identity& identity) {
  const UA_ByteString certificate = bytes_of(identity.certificate), key = bytes_of(identity.key);
  bool none = false;
  for (const Security security : settings_.security) {
    none = none || security == Security::none;
    UA_StatusCode status = add_policy(config, security, certificate, key);
    const UA_String uri = borrowed(policy_uri(security));
    if (status == UA_STATUSCODE_GOOD)
      status = UA_ServerConfig_addEndpoint(
          &config, uri,
          security == Security::none ? UA_MESSAGESECURITYMODE_NONE : UA_MESSAGESECURITYMODE_SIGNANDENCRYPT);
    if (status == UA_STATUSCODE_GOOD && settings_.sign_only_too && security != Security::none)
      status = UA_ServerConfig_addEndpoint(&config, uri, UA_MESSAGESECURITYMODE_SIGN);
    if (status != UA_STATUSCODE_GOOD)
      return fail(ErrorKind::internal, "can not set up the security policy {}: {}", policy_uri(security), last_note());
  }
  if (none) return {};
  // Clients must be able to ask what is offered; nothing else goes without security.
  config.securityPolicyNoneDiscoveryOnly = true;
  if (UA_ServerConfig_addSecurityPolicyNone(&config, &certificate) != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::internal, "can not set up the policy for discovery: {}", last_note());
  return {};
}

void ServerHost::set_limits(UA_ServerConfig& config) const {
  const double fastest = static_cast<double>(settings_.interval) / 1e6;
  config.tcpReuseAddr = true;
  config.tcpBufSize = kBufferBytes;
  config.tcpMaxMsgSize = settings_.message_bytes;
  config.tcpMaxChunks = settings_.message_bytes / 8192 + 1;
  config.maxSessions = settings_.sessions;
  config.maxSecureChannels = static_cast<UA_UInt16>(settings_.sessions + kMoreChannels);
  config.maxSessionTimeout = kLongestSession;
  config.maxNodesPerRead = config.maxNodesPerWrite = config.maxNodesPerBrowse = kMostNodesPerRequest;
  config.maxNodesPerTranslateBrowsePathsToNodeIds = config.maxNodesPerRegisterNodes = kMostNodesPerRequest;
  config.maxMonitoredItemsPerCall = kMostNodesPerRequest;
  config.maxNodesPerMethodCall = 10;
  config.maxNodesPerNodeManagement = 1;  // none is allowed
  config.maxSubscriptionsPerSession = settings_.subscriptions;
  config.maxSubscriptions = settings_.subscriptions * settings_.sessions;
  config.maxMonitoredItemsPerSubscription = settings_.items;
  config.maxMonitoredItems = settings_.items * settings_.sessions;
  config.publishingIntervalLimits = {fastest, 3600e3};
  config.samplingIntervalLimits = {fastest, 24 * 3600e3};
  config.queueSizeLimits = {1, kMostQueue};
  config.maxPublishReqPerSession = kMostPublishRequests;
  config.maxRetransmissionQueueSize = kMostRetained;
  config.maxEventsPerNode = 0;
  config.allowEmptyVariables = UA_RULEHANDLING_ACCEPT;  // a value that has not come yet
  config.pubsubEnabled = false;
  config.pubSubConfig.enableInformationModelMethods = false;
  config.historizingEnabled = false;
}

Status ServerHost::serve(Nanos wait) {
  UA_EventLoop* loop = UA_Server_getConfig(server_)->eventLoop;
  const UA_StatusCode status = loop->run(loop, static_cast<UA_UInt32>(wait / kMillisecond));
  if (deaf_) return fail(ErrorKind::exhausted, "can accept no more clients: {}", last_note());
  if (status != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::internal, "the server has failed: {}", UA_StatusCode_name(status));
  return {};
}

std::uint64_t ServerHost::sessions() const { return UA_Server_getStatistics(server_).ss.currentSessionCount; }
std::uint64_t ServerHost::channels() const { return UA_Server_getStatistics(server_).scs.currentChannelCount; }

}  // namespace alara::opcua
