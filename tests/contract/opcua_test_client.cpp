// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/opcua_test_client.hpp"

#include <open62541/client_config_default.h>
#include <open62541/client_highlevel.h>
#include <open62541/client_subscriptions.h>
#include <open62541/plugin/pki_default.h>

#include <array>
#include <cstdarg>

#include "base/result.hpp"
#include "connect/opcua/certificate.hpp"
#include "connect/opcua/ua_loop.hpp"

namespace alara::contract {
namespace {

constexpr UA_UInt32 kTimeout = 10'000;
constexpr UA_UInt16 kNamespace = 2;

void say_nothing(void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {}
UA_Logger kSilent{say_nothing, nullptr, nullptr};

UA_String borrowed(const std::string& text) {
  return {text.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(text.data()))};
}
std::string text_of(const UA_String& text) { return {reinterpret_cast<const char*>(text.data), text.length}; }

UA_NodeId node_id(const std::string& node) {
  UA_NodeId id;
  if (node.starts_with("i=")) {
    UA_NodeId_parse(&id, borrowed(node));
    return id;
  }
  id.namespaceIndex = kNamespace;
  id.identifierType = UA_NODEIDTYPE_STRING;
  id.identifier.string = borrowed(node);
  return id;
}

template <typename T>
UA_Variant scalar(const T& value, int type) {
  UA_Variant variant;
  UA_Variant_setScalar(&variant, const_cast<T*>(&value), &UA_TYPES[type]);
  return variant;
}

double number_in(const UA_Variant& variant) {
  if (variant.type == nullptr || !UA_Variant_isScalar(&variant)) return -1;
  switch (variant.type->typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
      return *static_cast<UA_Boolean*>(variant.data) ? 1 : 0;
    case UA_DATATYPEKIND_DOUBLE:
      return *static_cast<UA_Double*>(variant.data);
    case UA_DATATYPEKIND_FLOAT:
      return static_cast<double>(*static_cast<UA_Float*>(variant.data));
    case UA_DATATYPEKIND_UINT16:
      return *static_cast<UA_UInt16*>(variant.data);
    case UA_DATATYPEKIND_INT16:
      return *static_cast<UA_Int16*>(variant.data);
    case UA_DATATYPEKIND_UINT32:
      return *static_cast<UA_UInt32*>(variant.data);
    default:
      return -1;
  }
}

}  // namespace

std::string status_name(std::uint32_t status) { return UA_StatusCode_name(status); }

struct OpcuaTestClient::State {
  UA_Client* client = nullptr;
  std::string endpoint;
  std::vector<Event> events;
};

OpcuaTestClient::OpcuaTestClient(int port, const LogIn& log_in) : state_(std::make_unique<State>()) {
  state_->endpoint = fmt::format("opc.tcp://127.0.0.1:{}", port);
  UA_ClientConfig config{};
  config.logging = &kSilent;
  if (log_in.pki.empty()) {
    UA_ClientConfig_setDefault(&config);
  } else {
    const auto identity = opcua::own_identity(log_in.pki, "urn:test:client");
    ALARA_ASSERT(identity.has_value(), "a certificate for the test's client");
    const UA_ByteString certificate{identity->certificate.size(), const_cast<UA_Byte*>(identity->certificate.data())};
    const UA_ByteString key{identity->key.size(), const_cast<UA_Byte*>(identity->key.data())};
    UA_ClientConfig_setDefaultEncryption(&config, certificate, key, nullptr, 0, nullptr, 0);
    UA_CertificateVerification_AcceptAll(&config.certificateVerification);  // the server's own checks are tested here
    config.securityMode = UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
    config.securityPolicyUri = UA_STRING_ALLOC("http://opcfoundation.org/UA/SecurityPolicy#Aes256_Sha256_RsaPss");
    UA_String_clear(&config.clientDescription.applicationUri);
    config.clientDescription.applicationUri = UA_STRING_ALLOC("urn:test:client");
  }
  config.timeout = kTimeout;
  if (!log_in.user.empty()) {
    UA_UserNameIdentityToken* token = UA_UserNameIdentityToken_new();
    token->userName = UA_String_fromChars(log_in.user.c_str());
    token->password = UA_String_fromChars(log_in.password.c_str());
    UA_ExtensionObject_setValue(&config.userIdentityToken, token, &UA_TYPES[UA_TYPES_USERNAMEIDENTITYTOKEN]);
  }
  state_->client = opcua::new_client(config);
}

OpcuaTestClient::~OpcuaTestClient() { UA_Client_delete(state_->client); }

// As UA_Client_connect, which waits a whole second before it says that it has failed.
std::uint32_t OpcuaTestClient::connect() {
  SystemClock clock;
  const Nanos end = clock.monotonic() + kTimeout * kMillisecond;
  UA_StatusCode status = UA_Client_connectAsync(state_->client, state_->endpoint.c_str());
  while (status == UA_STATUSCODE_GOOD) {
    UA_SessionState session = UA_SESSIONSTATE_CLOSED;
    UA_Client_getState(state_->client, nullptr, &session, &status);
    if (session == UA_SESSIONSTATE_ACTIVATED) return UA_STATUSCODE_GOOD;
    if (clock.monotonic() > end) return UA_STATUSCODE_BADTIMEOUT;
    if (status == UA_STATUSCODE_GOOD) status = UA_Client_run_iterate(state_->client, 5);
  }
  return status;
}
void OpcuaTestClient::disconnect() { UA_Client_disconnect(state_->client); }

OpcuaTestClient::Value OpcuaTestClient::read(const std::string& node) {
  UA_ReadValueId item;
  UA_ReadValueId_init(&item);
  item.nodeId = node_id(node);
  item.attributeId = UA_ATTRIBUTEID_VALUE;
  UA_ReadRequest request;
  UA_ReadRequest_init(&request);
  request.nodesToRead = &item;
  request.nodesToReadSize = 1;
  request.timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
  UA_ReadResponse response = UA_Client_Service_read(state_->client, request);
  Value out;
  out.status = response.responseHeader.serviceResult;
  if (response.resultsSize == 1) {
    const UA_DataValue& data = response.results[0];
    out.status = data.hasStatus ? data.status : 0;
    out.value = number_in(data.value);
    out.time = (data.sourceTimestamp - UA_DATETIME_UNIX_EPOCH) * 100;
    if (data.value.type != nullptr) out.type = data.value.type->typeName;
    if (data.value.type == &UA_TYPES[UA_TYPES_STRING] && data.value.data > UA_EMPTY_ARRAY_SENTINEL)
      for (std::size_t i = 0; i < std::max<std::size_t>(data.value.arrayLength, UA_Variant_isScalar(&data.value)); ++i)
        out.texts.push_back(text_of(static_cast<UA_String*>(data.value.data)[i]));
  }
  UA_ReadResponse_clear(&response);
  return out;
}

std::uint32_t OpcuaTestClient::write(const std::string& node, double value, SignalType type) {
  const UA_Float real = static_cast<UA_Float>(value);
  const UA_UInt16 small = static_cast<UA_UInt16>(value);
  const UA_Boolean flag = value != 0;
  const UA_Variant variant = type == SignalType::float32   ? scalar(real, UA_TYPES_FLOAT)
                             : type == SignalType::uint16  ? scalar(small, UA_TYPES_UINT16)
                             : type == SignalType::boolean ? scalar(flag, UA_TYPES_BOOLEAN)
                                                           : scalar(value, UA_TYPES_DOUBLE);
  return UA_Client_writeValueAttribute(state_->client, node_id(node), &variant);
}

std::uint32_t OpcuaTestClient::write_text(const std::string& node, const std::string& text) {
  const UA_String value = borrowed(text);
  const UA_Variant variant = scalar(value, UA_TYPES_STRING);
  return UA_Client_writeValueAttribute(state_->client, node_id(node), &variant);
}

std::uint32_t OpcuaTestClient::write_array(const std::string& node, const std::vector<double>& values) {
  UA_Variant variant;
  UA_Variant_setArray(&variant, const_cast<double*>(values.data()), values.size(), &UA_TYPES[UA_TYPES_DOUBLE]);
  return UA_Client_writeValueAttribute(state_->client, node_id(node), &variant);
}

std::uint32_t OpcuaTestClient::rename(const std::string& node, const std::string& name) {
  const UA_LocalizedText text{UA_STRING_NULL, borrowed(name)};
  return UA_Client_writeDisplayNameAttribute(state_->client, node_id(node), &text);
}

std::uint32_t OpcuaTestClient::add_folder(const std::string& name) {
  UA_ObjectAttributes attributes = UA_ObjectAttributes_default;
  return UA_Client_addObjectNode(state_->client, UA_NODEID_NULL, UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                                 UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), {kNamespace, borrowed(name)},
                                 UA_NODEID_NUMERIC(0, UA_NS0ID_FOLDERTYPE), attributes, nullptr);
}

std::uint32_t OpcuaTestClient::remove(const std::string& node) {
  return UA_Client_deleteNode(state_->client, node_id(node), true);
}

std::optional<OpcuaTestClient::Shape> OpcuaTestClient::shape(const std::string& node) {
  Shape shape;
  bool any = false;
  for (const char* name : {"EURange", "EngineeringUnits"}) {
    UA_RelativePathElement element;
    UA_RelativePathElement_init(&element);
    element.referenceTypeId = UA_NODEID_NUMERIC(0, UA_NS0ID_HASPROPERTY);
    element.targetName = {0, UA_STRING(const_cast<char*>(name))};
    UA_BrowsePath path;
    UA_BrowsePath_init(&path);
    path.startingNode = node_id(node);
    path.relativePath = {1, &element};
    UA_TranslateBrowsePathsToNodeIdsRequest request;
    UA_TranslateBrowsePathsToNodeIdsRequest_init(&request);
    request.browsePaths = &path;
    request.browsePathsSize = 1;
    auto response = UA_Client_Service_translateBrowsePathsToNodeIds(state_->client, request);
    if (response.resultsSize == 1 && response.results[0].targetsSize == 1) {
      UA_Variant value;
      UA_Variant_init(&value);
      UA_Client_readValueAttribute(state_->client, response.results[0].targets[0].targetId.nodeId, &value);
      if (value.type == &UA_TYPES[UA_TYPES_RANGE]) {
        shape.low = static_cast<UA_Range*>(value.data)->low;
        shape.high = static_cast<UA_Range*>(value.data)->high;
        any = true;
      }
      if (value.type == &UA_TYPES[UA_TYPES_EUINFORMATION]) {
        shape.unit = text_of(static_cast<UA_EUInformation*>(value.data)->displayName.text);
        shape.unit_id = static_cast<UA_EUInformation*>(value.data)->unitId;
        any = true;
      }
      UA_Variant_clear(&value);
    }
    UA_TranslateBrowsePathsToNodeIdsResponse_clear(&response);
  }
  return any ? std::optional(shape) : std::nullopt;
}

bool OpcuaTestClient::subscribe_to_events() {
  UA_CreateSubscriptionRequest request = UA_CreateSubscriptionRequest_default();
  request.requestedPublishingInterval = 20;
  const auto subscription = UA_Client_Subscriptions_create(state_->client, request, nullptr, nullptr, nullptr);
  if (subscription.responseHeader.serviceResult != UA_STATUSCODE_GOOD) return false;
  std::array<UA_QualifiedName, 4> names{UA_QualifiedName{0, UA_STRING(const_cast<char*>("Message"))},
                                        {0, UA_STRING(const_cast<char*>("SourceName"))},
                                        {0, UA_STRING(const_cast<char*>("Severity"))},
                                        {kNamespace, UA_STRING(const_cast<char*>("Active"))}};
  const std::string own_type = "Alarms/EventType";
  std::array<UA_SimpleAttributeOperand, 4> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    UA_SimpleAttributeOperand_init(&fields[i]);
    fields[i].typeDefinitionId =
        names[i].namespaceIndex == 0 ? UA_NODEID_NUMERIC(0, UA_NS0ID_BASEEVENTTYPE) : node_id(own_type);
    fields[i].browsePath = &names[i];
    fields[i].browsePathSize = 1;
    fields[i].attributeId = UA_ATTRIBUTEID_VALUE;
  }
  UA_EventFilter filter;
  UA_EventFilter_init(&filter);
  filter.selectClauses = fields.data();
  filter.selectClausesSize = fields.size();
  UA_MonitoredItemCreateRequest item;
  UA_MonitoredItemCreateRequest_init(&item);
  item.itemToMonitor.nodeId = UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER);
  item.itemToMonitor.attributeId = UA_ATTRIBUTEID_EVENTNOTIFIER;
  item.monitoringMode = UA_MONITORINGMODE_REPORTING;
  item.requestedParameters.queueSize = 100;
  item.requestedParameters.filter.encoding = UA_EXTENSIONOBJECT_DECODED_NODELETE;
  item.requestedParameters.filter.content.decoded = {&UA_TYPES[UA_TYPES_EVENTFILTER], &filter};
  const auto created = UA_Client_MonitoredItems_createEvent(
      state_->client, subscription.subscriptionId, UA_TIMESTAMPSTORETURN_BOTH, item, state_.get(),
      [](UA_Client*, UA_UInt32, void*, UA_UInt32, void* context, std::size_t count, UA_Variant* values) {
        if (count != 4 || values[0].type != &UA_TYPES[UA_TYPES_LOCALIZEDTEXT]) return;
        Event event;
        event.message = text_of(static_cast<UA_LocalizedText*>(values[0].data)->text);
        if (values[1].type == &UA_TYPES[UA_TYPES_STRING])
          event.source = text_of(*static_cast<UA_String*>(values[1].data));
        event.severity = static_cast<std::uint16_t>(number_in(values[2]));
        event.active = number_in(values[3]) == 1;
        static_cast<State*>(context)->events.push_back(event);
      },
      nullptr);
  return created.statusCode == UA_STATUSCODE_GOOD;
}

std::vector<OpcuaTestClient::Event> OpcuaTestClient::events() {
  UA_Client_run_iterate(state_->client, 10);
  return state_->events;
}

}  // namespace alara::contract
