// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/opcua_test_server.hpp"

#include <open62541/plugin/pki_default.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>

#include <cstdarg>
#include <thread>

#include "base/child_process.hpp"
#include "base/result.hpp"
#include "connect/opcua/ua_loop.hpp"
#include "tests/contract/opcua_test_structures.hpp"

namespace alara::contract {
namespace {

void say_nothing(void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {}
UA_Logger kSilent{say_nothing, nullptr, nullptr};

UA_NodeId node(const char* name) { return UA_NODEID_STRING(1, const_cast<char*>(name)); }

void add(UA_Server* server, const char* name, const void* value, const UA_DataType& type, std::size_t length = 0,
         bool writable = true) {
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  attributes.accessLevel = UA_ACCESSLEVELMASK_READ | (writable ? UA_ACCESSLEVELMASK_WRITE : 0);
  attributes.dataType = type.typeId;
  attributes.valueRank = length == 0 ? UA_VALUERANK_SCALAR : UA_VALUERANK_ONE_DIMENSION;
  if (length == 0)
    UA_Variant_setScalar(&attributes.value, const_cast<void*>(value), &type);
  else
    UA_Variant_setArray(&attributes.value, const_cast<void*>(value), length, &type);
  UA_UInt32 dimension = static_cast<UA_UInt32>(length);
  if (length != 0) {
    attributes.arrayDimensions = &dimension;
    attributes.arrayDimensionsSize = 1;
  }
  const UA_StatusCode status =
      UA_Server_addVariableNode(server, node(name), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                                UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), UA_QUALIFIEDNAME(1, const_cast<char*>(name)),
                                UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes, nullptr, nullptr);
  ALARA_ASSERT(status == UA_STATUSCODE_GOOD, "a test variable");
}

void configure_security(UA_ServerConfig& config, int port, std::vector<std::uint8_t>& certificate,
                        std::vector<std::uint8_t>& key) {
  const UA_ByteString certificate_bytes{certificate.size(), certificate.data()}, key_bytes{key.size(), key.data()};
  ALARA_ASSERT(UA_ServerConfig_setDefaultWithSecurityPolicies(&config, static_cast<UA_UInt16>(port), &certificate_bytes,
                                                              &key_bytes, nullptr, 0, nullptr, 0, nullptr,
                                                              0) == UA_STATUSCODE_GOOD,
               "a secure test server");
  for (UA_CertificateVerification* trust : {&config.secureChannelPKI, &config.sessionPKI}) {
    if (trust->clear != nullptr) trust->clear(trust);
    UA_CertificateVerification_AcceptAll(trust);
  }
  UA_String_clear(&config.applicationDescription.applicationUri);
  config.applicationDescription.applicationUri = UA_STRING_ALLOC("urn:device");
}

}  // namespace

struct OpcuaTestServer::State {
  std::unique_ptr<OpcuaTestStructures> structures;  // of its server
  UA_Server* server = nullptr;
  std::jthread thread;
};

OpcuaTestServer::OpcuaTestServer() : port_(free_loopback_port()), state_(std::make_unique<State>()) {}
OpcuaTestServer::~OpcuaTestServer() { stop(); }

std::string OpcuaTestServer::endpoint() const { return fmt::format("opc.tcp://127.0.0.1:{}", port_); }

void OpcuaTestServer::start() {
  if (state_->server != nullptr) return;
  UA_ServerConfig config{};
  config.logging = &kSilent;
  if (certificate_.empty())
    UA_ServerConfig_setMinimal(&config, static_cast<UA_UInt16>(port_), nullptr);
  else
    configure_security(config, port_, certificate_, key_);
  config.tcpReuseAddr = true;
  state_->structures = std::make_unique<OpcuaTestStructures>(renumbered_ ? 3 : 2, renumbered_ ? 900 : 500);
  config.customDataTypes = state_->structures->types();
  UA_Server* server = opcua::new_server(config);
  ALARA_ASSERT(server != nullptr, "a test server");
  state_->server = server;
  if (renumbered_) UA_Server_addNamespace(server, "urn:plant:other");
  UA_Server_addNamespace(server, "urn:plant:types");
  state_->structures->add_to(server);
  const UA_Double speed = 1;
  const UA_Int16 values[] = {10, 20, 30, 40};
  const UA_Range range{-5, 55};
  const UA_String text = UA_STRING(const_cast<char*>("fast"));
  const UA_Boolean lamp = false;
  const UA_SByte small = 3;
  add(server, "speed", &speed, UA_TYPES[UA_TYPES_DOUBLE]);
  add(server, "values", values, UA_TYPES[UA_TYPES_INT16], 4);
  add(server, "range", &range, UA_TYPES[UA_TYPES_RANGE]);
  add(server, "text", &text, UA_TYPES[UA_TYPES_STRING]);
  add(server, "lamp", &lamp, UA_TYPES[UA_TYPES_BOOLEAN]);
  add(server, "small", &small, UA_TYPES[UA_TYPES_SBYTE]);
  add(server, "fixed", &speed, UA_TYPES[UA_TYPES_DOUBLE], 0, false);

  UA_DataSource source{};
  source.read = [](UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context, UA_Boolean,
                   const UA_NumericRange*, UA_DataValue* value) -> UA_StatusCode {
    auto& self = *static_cast<OpcuaTestServer*>(context);
    if (self.out_of_service_) {
      value->hasStatus = true;
      value->status = UA_STATUSCODE_BADOUTOFSERVICE;
      return UA_STATUSCODE_GOOD;
    }
    if (self.running_) ++self.reads_;
    const UA_Double now = self.value_;
    value->hasValue = true;
    value->hasSourceTimestamp = true;
    value->sourceTimestamp = UA_DateTime_now();
    return UA_Variant_setScalarCopy(&value->value, &now, &UA_TYPES[UA_TYPES_DOUBLE]);
  };
  for (const char* name : {"counted.0", "counted.1"}) {
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.accessLevel = UA_ACCESSLEVELMASK_READ;
    UA_Server_addDataSourceVariableNode(
        server, node(name), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER), UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES),
        UA_QUALIFIEDNAME(1, const_cast<char*>(name)), UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes,
        source, this, nullptr);
  }

  UA_ObjectAttributes pump = UA_ObjectAttributes_default;
  UA_Server_addObjectNode(server, node("pump"), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                          UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), UA_QUALIFIEDNAME(1, const_cast<char*>("pump")),
                          UA_NODEID_NUMERIC(0, UA_NS0ID_BASEOBJECTTYPE), pump, nullptr, nullptr);
  UA_Argument argument;
  UA_Argument_init(&argument);
  argument.name = UA_STRING(const_cast<char*>("speed"));
  argument.dataType = UA_TYPES[UA_TYPES_DOUBLE].typeId;
  argument.valueRank = UA_VALUERANK_SCALAR;
  UA_MethodAttributes method = UA_MethodAttributes_default;
  method.executable = method.userExecutable = true;
  UA_Server_addMethodNode(
      server, node("start"), node("pump"), UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT),
      UA_QUALIFIEDNAME(1, const_cast<char*>("start")), method,
      [](UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context, const UA_NodeId*, void*, size_t,
         const UA_Variant* input, size_t, UA_Variant*) -> UA_StatusCode {
        auto& self = *static_cast<OpcuaTestServer*>(context);
        const double value = *static_cast<UA_Double*>(input->data);
        if (value < 0) return UA_STATUSCODE_BADINVALIDARGUMENT;
        self.called_with_ = value;
        ++self.calls_;
        return UA_STATUSCODE_GOOD;
      },
      1, &argument, 0, nullptr, this, nullptr);
  ALARA_ASSERT(UA_Server_run_startup(server) == UA_STATUSCODE_GOOD, "the port must be free");
  if (limit_ != 0) {  // only now: what the server itself makes at its start would be too much
    UA_ServerConfig& running = *UA_Server_getConfig(server);
    running.maxMonitoredItemsPerCall = running.maxNodesPerRead = running.maxReferencesPerNode = limit_;
  }
  running_ = true;
  state_->thread = std::jthread([this, server](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!frozen_) UA_Server_run_iterate(server, false);
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  });
}

void OpcuaTestServer::stop() {
  if (state_->server == nullptr) return;
  running_ = false;
  state_->thread.request_stop();
  state_->thread.join();
  UA_Server_run_shutdown(state_->server);
  UA_Server_delete(state_->server);
  state_->server = nullptr;
}

std::size_t OpcuaTestServer::sessions() const { return UA_Server_getStatistics(state_->server).ss.currentSessionCount; }

void OpcuaTestServer::write_speed(double value, std::uint32_t status) {
  UA_DataValue data;
  UA_DataValue_init(&data);
  data.hasValue = true;
  data.hasStatus = true;
  data.status = status;
  data.hasSourceTimestamp = true;
  data.sourceTimestamp = UA_DateTime_now();
  UA_Variant_setScalar(&data.value, &value, &UA_TYPES[UA_TYPES_DOUBLE]);
  ALARA_ASSERT(UA_Server_writeDataValue(state_->server, node("speed"), data) == UA_STATUSCODE_GOOD, "a test value");
}

double OpcuaTestServer::read(const std::string& name, std::size_t element) const {
  UA_Variant value;
  UA_Variant_init(&value);
  UA_Server_readValue(state_->server, node(name.c_str()), &value);
  double number = -1;
  const auto* data =
      static_cast<const std::uint8_t*>(value.data) + (value.type != nullptr ? value.type->memSize : 0) * element;
  if (value.type == &UA_TYPES[UA_TYPES_DOUBLE]) number = *reinterpret_cast<const UA_Double*>(data);
  if (value.type == &UA_TYPES[UA_TYPES_INT16]) number = *reinterpret_cast<const UA_Int16*>(data);
  if (value.type == &UA_TYPES[UA_TYPES_SBYTE]) number = *reinterpret_cast<const UA_SByte*>(data);
  if (value.type == &UA_TYPES[UA_TYPES_BOOLEAN]) number = *reinterpret_cast<const UA_Boolean*>(data) ? 1 : 0;
  UA_Variant_clear(&value);
  return number;
}

void OpcuaTestServer::write_position(double position) { state_->structures->write_position(state_->server, position); }

void OpcuaTestServer::add_late_node(double value) { add(state_->server, "late", &value, UA_TYPES[UA_TYPES_DOUBLE]); }

void OpcuaTestServer::remove_late_node() { UA_Server_deleteNode(state_->server, node("late"), true); }

void OpcuaTestServer::write_late(double value) {
  UA_Variant variant;
  UA_Variant_setScalar(&variant, &value, &UA_TYPES[UA_TYPES_DOUBLE]);
  ALARA_ASSERT(UA_Server_writeValue(state_->server, node("late"), variant) == UA_STATUSCODE_GOOD, "a test value");
}

}  // namespace alara::contract
