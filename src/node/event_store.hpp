// SPDX-License-Identifier: Apache-2.0
// The newest events, for the API and the live table, and which alarms stand now. Bounded; any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/command.hpp"

namespace alara::node {

struct StoredEvent {
  std::uint64_t sequence = 0;
  std::uint64_t key = 0;
  bool raised = true;
  Severity severity = Severity::info;
  std::string pipeline, asset, text;
  Nanos time = 0;
};

[[nodiscard]] std::string to_json(const StoredEvent& event);  // one line, without a line end

class EventStore {
 public:
  explicit EventStore(std::size_t capacity = 1000) : capacity_(capacity) {}

  StoredEvent add(StoredEvent event);                                        // gives it its sequence number
  [[nodiscard]] std::vector<StoredEvent> newest(std::size_t at_most) const;  // newest first
  [[nodiscard]] std::vector<StoredEvent> standing() const;                   // raised and not cleared
  struct Counts {
    std::uint64_t raised = 0, cleared = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<StoredEvent> events_;
  std::map<std::uint64_t, StoredEvent> standing_;
  std::uint64_t next_ = 1;
  Counts counts_;
};

}  // namespace alara::node
