// SPDX-License-Identifier: Apache-2.0
// The structures that the server of the present session defines, as far as bound values have shown them: by the
// encodings that values name, asked for when the first value comes. Confined to one thread. Internal to connect/opcua.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "connect/opcua/structure.hpp"

namespace alara::opcua {

struct NodeIdLess {
  using is_transparent = void;
  static const UA_NodeId& id(const UaNodeId& owned) { return *owned; }
  static const UA_NodeId& id(const UA_NodeId& borrowed) { return borrowed; }
  bool operator()(const auto& a, const auto& b) const {
    return UA_order(&id(a), &id(b), &UA_TYPES[UA_TYPES_NODEID]) == UA_ORDER_LESS;
  }
};
[[nodiscard]] UaNodeId copy_of(const UA_NodeId& id);
[[nodiscard]] std::string text_of(const UA_NodeId& id);  // "ns=2;i=7"

class Structures {
 public:
  static constexpr std::size_t kMost = 1024;  // types, and encodings
  static constexpr int kMostNesting = 16;     // of types in types

  struct Known {
    const Structure* structure = nullptr;  // nullptr: `fault` says why it can not be read
    std::string fault;
  };
  // What is known of an encoding, until forgotten; nullptr: the server has not been asked.
  [[nodiscard]] const Known* find(const UA_NodeId& encoding) const;
  // Asks the server what it encodes so in the value of `variable`: some requests, each as long as its time limit. A
  // failure, of whatever kind, is kept as the fault.
  void learn(UA_Client* client, const UA_NodeId& encoding, const UA_NodeId& variable);
  // A value of it did not fit its definition, which may have changed.
  void doubt() { doubtful_ = true; }
  // Of another session nothing holds.
  void forget();
  // Lets all be asked for again, if there is anything that failed.
  void forget_failures();

 private:
  struct Type {
    Structure structure;
    UaNodeId encoding;  // the default one, in binary; null: not told
    bool complete = false;
    std::string fault;
  };
  class Inquiry;

  std::map<UaNodeId, Known, NodeIdLess> encodings_;
  std::map<UaNodeId, std::unique_ptr<Type>, NodeIdLess> types_;
  bool doubtful_ = false;
};

}  // namespace alara::opcua
