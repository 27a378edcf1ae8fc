// SPDX-License-Identifier: Apache-2.0
// Takes events, audit lines and dead letters from the shards and puts them where they belong: the event store, the
// event file, the audit log, the dead letter file, the uplink. Runs on the node's housekeeping thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "flow/engine/engine.hpp"
#include "node/dead_letters.hpp"
#include "node/event_store.hpp"
#include "node/identities.hpp"
#include "rules/audit_log.hpp"

namespace alara::node {

// Turns the engine's numbers into names; called on the housekeeping thread.
struct Naming {
  std::function<std::string(PipelineId)> pipeline;
  std::function<std::string(AssetId)> asset;
  std::function<std::string(ActuatorId)> actuator;
  std::function<std::string(SignalId)> signal;
};

// Paths of what the journal writes; "" switches one off.
struct JournalFiles {
  std::string events, audit, dead_letters;
  std::uint64_t dead_letters_most = 0;  // bytes
};

class Journal {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const JournalFiles& files, Naming naming,
                                                             EventStore& store);
  ~Journal();

  // Where messages for the layer above go; `sink` may be nullptr. Any thread; returns when the old one is no longer
  // used.
  void set_uplink(MessageSink* sink, std::string address);

  // Who else is told of events; as set_uplink().
  void set_event_sinks(std::vector<EventSink*> sinks);

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
  void take(const flow::DeadLetter& letter);

  Naming naming_;
  EventStore& store_;
  int events_fd_ = -1;
  std::unique_ptr<rules::AuditLog> audit_;
  std::unique_ptr<DeadLetterFile> dead_letters_;
  // A reload changes what follows while the housekeeping thread may use it.
  std::mutex uplink_mutex_;
  MessageSink* uplink_ = nullptr;
  std::string uplink_address_;
  std::vector<EventSink*> event_sinks_;
  std::atomic<std::uint64_t> bytes_up_{0}, messages_up_{0}, failed_up_{0}, lost_lines_{0};
};

}  // namespace alara::node
