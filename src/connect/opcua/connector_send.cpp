// SPDX-License-Identifier: Apache-2.0
// What goes out: values written, with read-back, and methods called.
#include <algorithm>
#include <cmath>

#include "connect/opcua/connector.hpp"

namespace alara::opcua {
namespace {

constexpr double kReadBackTolerance = 1e-6;  // of the value: a float can not hold every double

bool lost_by(UA_StatusCode status) {
  return status == UA_STATUSCODE_BADCONNECTIONCLOSED || status == UA_STATUSCODE_BADSECURECHANNELCLOSED ||
         status == UA_STATUSCODE_BADSESSIONIDINVALID || status == UA_STATUSCODE_BADSESSIONCLOSED ||
         status == UA_STATUSCODE_BADSERVERNOTCONNECTED || status == UA_STATUSCODE_BADNOTCONNECTED ||
         status == UA_STATUSCODE_BADSHUTDOWN;
}

}  // namespace

void OpcuaConnector::prepare_outputs() {
  for (Output& output : outputs_) prepare_output(output);
}

// Finds out in which type the server wants what we write.
void OpcuaConnector::prepare_output(Output& output) {
  output.type = nullptr;
  output.fault.clear();
  auto node = session_->resolve(output.address.node);
  if (!node) {
    output.fault = node.error().message;
    return;
  }
  output.node = std::move(*node);
  if (output.address.method) {
    if (const Status prepared = prepare_method(output); !prepared) output.fault = prepared.error().message;
    return;
  }
  UaVariant now;
  if (UA_Client_readValueAttribute(session_->client(), *output.node, &*now) == UA_STATUSCODE_GOOD &&
      now->type != nullptr) {
    output.type = now->type;
    return;
  }
  UaNodeId type;
  const UA_StatusCode status = UA_Client_readDataTypeAttribute(session_->client(), *output.node, &*type);
  if (status == UA_STATUSCODE_GOOD) output.type = UA_findDataType(&*type);
  if (output.type == nullptr)
    output.fault = fmt::format("its type can not be found out: {}",
                               status == UA_STATUSCODE_GOOD ? "it is none of the built-in ones" : name_of(status));
}

Status OpcuaConnector::prepare_method(Output& output) {
  ALARA_TRY(output.method, session_->resolve(*output.address.method));
  output.takes_argument = false;
  UA_BrowseDescription wanted;
  UA_BrowseDescription_init(&wanted);
  wanted.nodeId = *output.method;
  wanted.browseDirection = UA_BROWSEDIRECTION_FORWARD;
  wanted.referenceTypeId = UA_NODEID_NUMERIC(0, UA_NS0ID_HASPROPERTY);
  wanted.includeSubtypes = true;
  wanted.resultMask = UA_BROWSERESULTMASK_BROWSENAME;
  UA_BrowseRequest request;
  UA_BrowseRequest_init(&request);
  request.nodesToBrowse = &wanted;
  request.nodesToBrowseSize = 1;
  Ua<UA_BrowseResponse, UA_TYPES_BROWSERESPONSE> response;
  *response = UA_Client_Service_browse(session_->client(), request);
  if (response->resultsSize != 1 || response->results[0].statusCode != UA_STATUSCODE_GOOD)
    return fail(
        ErrorKind::not_found, "there is no method {}: {}", output.address.method->text,
        name_of(response->resultsSize == 1 ? response->results[0].statusCode : response->responseHeader.serviceResult));
  for (const auto& reference : std::span(response->results[0].references, response->results[0].referencesSize)) {
    if (view(reference.browseName.name) != "InputArguments") continue;
    UaVariant arguments;
    if (UA_Client_readValueAttribute(session_->client(), reference.nodeId.nodeId, &*arguments) != UA_STATUSCODE_GOOD ||
        !UA_Variant_hasArrayType(&*arguments, &UA_TYPES[UA_TYPES_ARGUMENT]))
      return fail(ErrorKind::corrupt, "the arguments of {} can not be read", output.address.method->text);
    if (arguments->arrayLength > 1)
      return fail(ErrorKind::refused, "{} takes {} arguments; a command has one value", output.address.method->text,
                  arguments->arrayLength);
    if (arguments->arrayLength == 0) return {};
    output.takes_argument = true;
    output.type = UA_findDataType(&static_cast<UA_Argument*>(arguments->data)->dataType);
    if (output.type == nullptr)
      return fail(ErrorKind::refused, "the argument of {} is none of the built-in types", output.address.method->text);
  }
  return {};
}

void OpcuaConnector::take_commands(bool connected) {
  Command command;
  while (context_.commands != nullptr && context_.commands->pop(command)) {
    if (connected && stats_.connected.load(std::memory_order_relaxed))
      execute(command);
    else
      acknowledge(command, Outcome::unavailable);
  }
}

void OpcuaConnector::acknowledge(const Command& command, Outcome outcome, double read_back) {
  context_.commands->acknowledge(Ack{command.id, command.actuator, outcome, context_.clock->monotonic(), read_back});
}

void OpcuaConnector::execute(const Command& command) {
  const auto output = std::ranges::find(outputs_, command.actuator, &Output::actuator);
  if (output == outputs_.end()) return acknowledge(command, Outcome::unavailable);
  if (!output->fault.empty()) {
    report(fmt::format("{}: {}", output->name, output->fault));
    return acknowledge(command, Outcome::refused_device);
  }
  const UA_StatusCode status = output->address.method ? call(*output, command.value) : write(*output, command.value);
  stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
  if (quality_of(status) != Quality::bad) {
    stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
    double got = 0;
    if (command.verify && !output->address.method && !reads_back(*output, command.value, got))
      return acknowledge(command, Outcome::mismatch, got);
    return acknowledge(command, Outcome::done, got);
  }
  report(fmt::format("{} ({}): {}", output->name, output->address.node.text, name_of(status)));
  acknowledge(command, status == UA_STATUSCODE_BADTIMEOUT ? Outcome::timed_out
                       : lost_by(status)                  ? Outcome::unavailable
                                                          : Outcome::refused_device);
}

UA_StatusCode OpcuaConnector::write(Output& output, double value) {
  auto variant = variant_of(value, *output.type);
  if (!variant) {
    output.fault.clear();
    return UA_STATUSCODE_BADOUTOFRANGE;
  }
  UA_WriteValue wanted;
  UA_WriteValue_init(&wanted);
  wanted.nodeId = *output.node;
  wanted.attributeId = UA_ATTRIBUTEID_VALUE;
  wanted.value.hasValue = true;
  wanted.value.value = **variant;  // borrowed
  std::string range;
  if (!output.address.path.empty()) {  // one element of an array is an array of one element
    range = fmt::format("{}", *output.address.path[0].index);
    wanted.indexRange = borrowed(range);
    wanted.value.value.arrayLength = 1;
  }
  UA_WriteRequest request;
  UA_WriteRequest_init(&request);
  request.nodesToWrite = &wanted;
  request.nodesToWriteSize = 1;
  Ua<UA_WriteResponse, UA_TYPES_WRITERESPONSE> response;
  *response = UA_Client_Service_write(session_->client(), request);
  const UA_StatusCode status = response->responseHeader.serviceResult;
  return status != UA_STATUSCODE_GOOD || response->resultsSize != 1 ? status : response->results[0];
}

UA_StatusCode OpcuaConnector::call(Output& output, double value) {
  UaVariant argument;
  if (output.takes_argument) {
    auto made = variant_of(value, *output.type);
    if (!made) return UA_STATUSCODE_BADOUTOFRANGE;
    argument = std::move(*made);
  }
  std::size_t count = 0;
  UA_Variant* results = nullptr;
  const UA_StatusCode status = UA_Client_call(session_->client(), *output.node, *output.method,
                                              output.takes_argument ? 1 : 0, &*argument, &count, &results);
  UA_Array_delete(results, count, &UA_TYPES[UA_TYPES_VARIANT]);
  return status;
}

bool OpcuaConnector::reads_back(Output& output, double value, double& got) {
  UaVariant now;
  if (UA_Client_readValueAttribute(session_->client(), *output.node, &*now) != UA_STATUSCODE_GOOD) return false;
  const Taken taken = number_in(*now, output.address.path);
  got = taken.value;
  const double wanted =
      output.type->typeKind == UA_DATATYPEKIND_BOOLEAN ? (value != 0 ? 1 : 0)
      : output.type->typeKind == UA_DATATYPEKIND_FLOAT || output.type->typeKind == UA_DATATYPEKIND_DOUBLE
          ? value
          : std::nearbyint(value);
  return taken.fault == nullptr &&
         std::abs(taken.value - wanted) <= kReadBackTolerance * std::max(1.0, std::abs(wanted));
}

}  // namespace alara::opcua
