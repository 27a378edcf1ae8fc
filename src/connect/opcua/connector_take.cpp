// SPDX-License-Identifier: Apache-2.0
// What comes in: numbers out of values. Those in structures that the server defines itself are put aside until it has
// said how they are made.
#include <cmath>
#include <limits>

#include "connect/opcua/connector.hpp"

namespace alara::opcua {
namespace {

constexpr std::size_t kMostUnread = 4096;  // the server is asked before the next message is waited for

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void OpcuaConnector::take(Target& target, const UA_DataValue& value) {
  const Nanos wall = context_.clock->wall();
  stats_.messages_in.fetch_add(1, std::memory_order_relaxed);
  stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
  const UA_StatusCode status = value.hasStatus ? value.status : UA_STATUSCODE_GOOD;
  Nanos time = wall;
  if (settings_.time == TimeFrom::source && value.hasSourceTimestamp)
    time = instant_of(value.sourceTimestamp);
  else if (settings_.time != TimeFrom::arrival && value.hasServerTimestamp)
    time = instant_of(value.serverTimestamp);
  if (status == UA_STATUSCODE_BADNODEIDUNKNOWN || status == UA_STATUSCODE_BADNODEIDINVALID ||
      status == UA_STATUSCODE_BADATTRIBUTEIDINVALID || status == UA_STATUSCODE_BADNOTREADABLE ||
      status == UA_STATUSCODE_BADUSERACCESSDENIED)
    return refuse(target, name_of(status));
  const Quality quality = quality_of(status);
  if (quality == Quality::bad || !value.hasValue) {
    not_good_.fetch_add(1, std::memory_order_relaxed);
    return add(target.signal, kNan, time, Quality::bad);
  }
  take_number(target, value.value, time, quality);
}

void OpcuaConnector::take_number(Target& target, const UA_Variant& value, Nanos time, Quality quality) {
  const Taken taken = number_in(value, target.address.path, &structures_);
  if (!UA_NodeId_isNull(&*taken.encoding)) return take_structure(target, *taken.encoding, value, time, quality);
  if (taken.fault != nullptr) {
    report(fmt::format("{} ({}): {}", target.name, target.address.node.text, taken.fault));
    return context_.inlet->reject(taken.fault, 1);
  }
  add(target.signal, taken.value, time, std::isfinite(taken.value) ? quality : Quality::bad);
  all_bad_ = false;
}

// The library may not be asked to wait for an answer while it hands over a value: that is for learn_structures().
void OpcuaConnector::take_structure(Target& target, const UA_NodeId& encoding, const UA_Variant& value, Nanos time,
                                    Quality quality) {
  const Structures::Known* known = structures_.find(encoding);
  if (known == nullptr) {
    if (unread_.size() >= kMostUnread) return context_.inlet->reject(kUnknownStructure, 1);
    Unread& unread = unread_.emplace_back(Unread{&target, copy_of(encoding), {}, time, quality});
    UA_Variant_copy(&value, &*unread.value);
  } else if (known->structure == nullptr) {
    refuse(target, known->fault);
  } else {
    structures_.doubt();
    refuse(target,
           fmt::format("its value does not fit the server's definition of the structure {}", known->structure->name));
  }
}

// One encoding at a time: while the server is asked, more values may come, which must not overtake those put aside. A
// structure may hold another that is not known either, so a value may be put aside again.
void OpcuaConnector::learn_structures() {
  while (!unread_.empty()) {
    const UaNodeId encoding = copy_of(*unread_.front().encoding);
    if (structures_.find(*encoding) == nullptr)
      structures_.learn(session_->client(), *encoding, *unread_.front().target->node);
    std::vector<Unread> waiting = std::exchange(unread_, {});
    for (Unread& one : waiting) {
      if (UA_NodeId_equal(&*one.encoding, &*encoding))
        take_number(*one.target, *one.value, one.time, one.quality);
      else
        unread_.push_back(std::move(one));
    }
  }
}

}  // namespace alara::opcua
