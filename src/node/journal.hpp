// SPDX-License-Identifier: Apache-2.0
// Takes events and audit lines from the shards and puts them where they belong: the event store, the event file, the
// audit log, the uplink. Runs on the node's housekeeping thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "flow/engine/engine.hpp"
#include "node/event_store.hpp"
#include "node/identities.hpp"
#include "rules/audit_log.hpp"

namespace alara::node {

// Turns the engine's numbers into names; called on the housekeeping thread.
struct Naming {
  std::function<std::string(PipelineId)> pipeline;
  std::function<std::string(AssetId)> asset;
  std::function<std::string(ActuatorId)> actuator;
};

class Journal {
 public:
  // Opens the files named; "" switches one off.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::string& events_path,
                                                             const std::string& audit_path, Naming naming,
                                                             EventStore& store);
  ~Journal();

  // Where messages for the layer above go; `sink` may be nullptr. Any thread; returns when the old one is no longer
  // used.
  void set_uplink(MessageSink* sink, std::string address);

  // Empties the queues of all shards; true when there was something.
  bool drain(flow::Engine& engine);
  // Puts what has been written on the disk; about once a second.
  void flush();
  // Hands a message to the layer above and counts its bytes; false when there is none or it would not take it.
  bool send_up(std::string_view message);

  [[nodiscard]] std::uint64_t bytes_up() const { return bytes_up_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t messages_up() const { return messages_up_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t lost_lines() const {
    return lost_lines_.load(std::memory_order_relaxed);
  }  // could not be written
  [[nodiscard]] std::uint64_t failed_up() const { return failed_up_.load(std::memory_order_relaxed); }

 private:
  Journal(Naming naming, EventStore& store) : naming_(std::move(naming)), store_(store) {}
  void take(const Event& event);
  void take(const flow::AuditLine& line);

  Naming naming_;
  EventStore& store_;
  int events_fd_ = -1;
  std::unique_ptr<rules::AuditLog> audit_;
  std::mutex uplink_mutex_;  // a reload changes the uplink while the housekeeping thread may use it
  MessageSink* uplink_ = nullptr;
  std::string uplink_address_;
  std::atomic<std::uint64_t> bytes_up_{0}, messages_up_{0}, failed_up_{0}, lost_lines_{0};
};

}  // namespace alara::node
