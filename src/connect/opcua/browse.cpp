// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/browse.hpp"

#include <set>

#include "base/text.hpp"
#include "base/units.hpp"
#include "connect/opcua/session.hpp"
#include "connect/opcua/value.hpp"

namespace alara::opcua {
namespace {

constexpr std::size_t kLongestText = 60;  // of a value shown

std::string text_of(const UA_NodeId& id) {
  UA_String text = UA_STRING_NULL;
  UA_NodeId_print(&id, &text);
  std::string out(view(text));
  UA_String_clear(&text);
  return out;
}

class Walk {
 public:
  static constexpr std::size_t kNobody = SIZE_MAX;
  Walk(const Session& session, const BrowseOptions& options) : session_(session), options_(options) {}

  // `owner`: where the parent stands in the list; kNobody for the first.
  Status children_of(const UA_NodeId& parent, std::size_t owner, int depth) {
    if (depth > options_.depth || out_.cut) return {};
    UA_BrowseDescription wanted;
    UA_BrowseDescription_init(&wanted);
    wanted.nodeId = parent;
    wanted.browseDirection = UA_BROWSEDIRECTION_FORWARD;
    wanted.referenceTypeId = UA_NODEID_NUMERIC(0, UA_NS0ID_HIERARCHICALREFERENCES);
    wanted.includeSubtypes = true;
    wanted.resultMask = UA_BROWSERESULTMASK_ALL;
    UA_BrowseRequest request;
    UA_BrowseRequest_init(&request);
    request.nodesToBrowse = &wanted;
    request.nodesToBrowseSize = 1;
    Ua<UA_BrowseResponse, UA_TYPES_BROWSERESPONSE> response;
    *response = UA_Client_Service_browse(session_.client(), request);
    if (response->responseHeader.serviceResult != UA_STATUSCODE_GOOD || response->resultsSize != 1 ||
        response->results[0].statusCode != UA_STATUSCODE_GOOD)
      return fail(ErrorKind::refused, "the server does not show what is below {}: {}", text_of(parent),
                  name_of(response->resultsSize == 1 ? response->results[0].statusCode
                                                     : response->responseHeader.serviceResult));
    for (const auto& reference : std::span(response->results[0].references, response->results[0].referencesSize))
      ALARA_CHECK(visit(reference, owner, depth));
    return rest_of(response->results[0].continuationPoint, owner, depth);
  }
  // Servers cut long answers; the rest is asked for until there is none.
  Status rest_of(const UA_ByteString& point, std::size_t owner, int depth) {
    if (point.length == 0) return {};
    UA_BrowseNextRequest request;
    UA_BrowseNextRequest_init(&request);
    request.continuationPoints = const_cast<UA_ByteString*>(&point);
    request.continuationPointsSize = 1;
    request.releaseContinuationPoints = out_.cut;
    Ua<UA_BrowseNextResponse, UA_TYPES_BROWSENEXTRESPONSE> response;
    *response = UA_Client_Service_browseNext(session_.client(), request);
    if (out_.cut) return {};
    if (response->responseHeader.serviceResult != UA_STATUSCODE_GOOD || response->resultsSize != 1 ||
        response->results[0].statusCode != UA_STATUSCODE_GOOD)
      return fail(ErrorKind::refused, "the server does not go on with its answer: {}",
                  name_of(response->resultsSize == 1 ? response->results[0].statusCode
                                                     : response->responseHeader.serviceResult));
    for (const auto& reference : std::span(response->results[0].references, response->results[0].referencesSize))
      ALARA_CHECK(visit(reference, owner, depth));
    return rest_of(response->results[0].continuationPoint, owner, depth);
  }
  Browsed take() { return std::move(out_); }

 private:
  Status visit(const UA_ReferenceDescription& reference, std::size_t owner, int depth) {
    const UA_NodeId& id = reference.nodeId.nodeId;
    const std::string name(view(reference.browseName.name));
    if (name == "EngineeringUnits") return read_unit(id, owner);
    BrowsedNode node;
    node.depth = depth;
    node.id = text_of(id);
    if (!seen_.insert(node.id).second) return {};  // a node may stand in several places
    if (out_.nodes.size() >= options_.most) {
      out_.cut = true;
      return {};
    }
    node.name = name;
    node.kind = reference.nodeClass == UA_NODECLASS_OBJECT     ? BrowsedNode::Kind::object
                : reference.nodeClass == UA_NODECLASS_VARIABLE ? BrowsedNode::Kind::variable
                : reference.nodeClass == UA_NODECLASS_METHOD   ? BrowsedNode::Kind::method
                                                               : BrowsedNode::Kind::other;
    if (node.kind == BrowsedNode::Kind::variable) read_variable(id, node);
    out_.nodes.push_back(std::move(node));
    return children_of(id, out_.nodes.size() - 1, depth + 1);
  }

  // The unit belongs to the variable whose property it is.
  Status read_unit(const UA_NodeId& id, std::size_t owner) {
    UaVariant value;
    if (owner == kNobody || UA_Client_readValueAttribute(session_.client(), id, &*value) != UA_STATUSCODE_GOOD ||
        !UA_Variant_hasScalarType(&*value, &UA_TYPES[UA_TYPES_EUINFORMATION]))
      return {};
    out_.nodes[owner].unit = view(static_cast<UA_EUInformation*>(value->data)->displayName.text);
    return {};
  }

  void read_variable(const UA_NodeId& id, BrowsedNode& node) {
    UaVariant value;
    if (UA_Client_readValueAttribute(session_.client(), id, &*value) == UA_STATUSCODE_GOOD && value->type != nullptr) {
      node.type = value->type->typeName;
      if (!UA_Variant_isScalar(&*value)) node.type += fmt::format("[{}]", value->arrayLength);
      const Taken taken = number_in(*value, {});
      node.number = taken.fault == nullptr;
      if (node.number) {
        node.value = fmt::format("{}", taken.value);
      } else {
        UA_String text = UA_STRING_NULL;
        UA_print(&*value, &UA_TYPES[UA_TYPES_VARIANT], &text);
        for (const char c : view(text).substr(0, kLongestText)) node.value += c >= 0 && c < ' ' ? ' ' : c;
        UA_String_clear(&text);
      }
    }
    UA_Byte access = 0;
    if (UA_Client_readUserAccessLevelAttribute(session_.client(), id, &access) == UA_STATUSCODE_GOOD)
      node.writable = (access & UA_ACCESSLEVELMASK_WRITE) != 0;
  }

  const Session& session_;
  const BrowseOptions& options_;
  Browsed out_;
  std::set<std::string> seen_;
};

}  // namespace

Result<Browsed> browse(const Settings& settings, const BrowseOptions& options, Clock& clock) {
  ALARA_TRY(const Address from, parse_address(options.from));
  ALARA_TRY(const auto session, Session::open(settings, clock, [] { return false; }));
  ALARA_TRY(const UaNodeId start, session->resolve(from.node));
  Walk walk(*session, options);
  ALARA_CHECK(walk.children_of(*start, Walk::kNobody, 0));
  return walk.take();
}

std::string format_tree(const Browsed& browsed) {
  std::string out;
  for (const BrowsedNode& node : browsed.nodes) {
    const std::string name = std::string(static_cast<std::size_t>(2 * node.depth), ' ') + node.name;
    out += fmt::format("{:<40} {:<32}", name, node.id);
    if (node.kind == BrowsedNode::Kind::variable)
      out += fmt::format(" {}{}{}{}{}{}", node.type, node.value.empty() ? "" : " = ", node.value,
                         node.unit.empty() ? "" : " ", node.unit, node.writable ? "  (writable)" : "");
    if (node.kind == BrowsedNode::Kind::method) out += " method";
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  if (browsed.cut) out += "… and more: begin further down with --node, or raise --most\n";
  return out;
}

std::string format_signals(const Browsed& browsed, const std::string& connector) {
  std::string signals, from;
  std::set<std::string> names;
  for (const BrowsedNode& node : browsed.nodes) {
    if (!node.number) continue;
    std::string name;
    for (const char c : node.name)
      name += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : '_';
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "n");
    const std::string plain = name;
    for (int n = 2; !names.insert(name).second; ++n) name = fmt::format("{}_{}", plain, n);
    const bool unit = !node.unit.empty() && Unit::parse(node.unit).has_value();
    signals += fmt::format("      {}: {{{}{}}}\n", name, unit ? fmt::format("unit: \"{}\"", node.unit) : "",
                           node.type == "Boolean" ? (unit ? ", type: bool" : "type: bool") : "");
    std::string address;
    for (const char c : node.id) address += c == '#' ? std::string("##") : std::string(1, c);
    from += fmt::format("      {}: \"{}/{}\"\n", name, connector, address);
  }
  return fmt::format(
      "asset_types:\n  machine:\n    signals:\n{}assets:\n  machine-1:\n    type: machine\n    from:\n{}", signals,
      from);
}

}  // namespace alara::opcua
