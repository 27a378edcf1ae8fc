// SPDX-License-Identifier: Apache-2.0
#include "node/event_store.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/quantity.hpp"

namespace alara::node {

std::string to_json(const StoredEvent& event) {
  const nlohmann::ordered_json json = {{"sequence", event.sequence},
                                       {"time", format_instant(event.time)},
                                       {"event", event.raised ? "raised" : "cleared"},
                                       {"severity", name_of(event.severity)},
                                       {"pipeline", event.pipeline},
                                       {"asset", event.asset},
                                       {"text", event.text},
                                       {"key", fmt::format("{:016x}", event.key)}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

StoredEvent EventStore::add(StoredEvent event) {
  const std::lock_guard lock(mutex_);
  event.sequence = next_++;
  if (event.raised) {
    ++counts_.raised;
    if (standing_.size() < capacity_) standing_[event.key] = event;
  } else {
    ++counts_.cleared;
    standing_.erase(event.key);
  }
  events_.push_back(event);
  if (events_.size() > capacity_) events_.pop_front();
  return event;
}

std::vector<StoredEvent> EventStore::newest(std::size_t at_most) const {
  const std::lock_guard lock(mutex_);
  const std::size_t count = std::min(at_most, events_.size());
  return {events_.rbegin(), events_.rbegin() + static_cast<std::ptrdiff_t>(count)};
}

std::vector<StoredEvent> EventStore::standing() const {
  const std::lock_guard lock(mutex_);
  std::vector<StoredEvent> out;
  for (const auto& [key, event] : standing_) out.push_back(event);
  return out;
}

EventStore::Counts EventStore::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace alara::node
