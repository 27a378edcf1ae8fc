// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_alarms.hpp"

#include <algorithm>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::opcua {
namespace {

// OPC UA texts are UTF-8; what is none would be refused by clients with everything around it.
std::string bounded(std::string_view text) {
  text = text.substr(0, AlarmBoard::kMostTextBytes);
  while (!text.empty() && !valid_utf8(text)) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

std::uint16_t severity_number(Severity severity) {
  switch (severity) {
    case Severity::info:
      return 100;
    case Severity::low:
      return 300;
    case Severity::medium:
      return 500;
    case Severity::high:
      return 700;
    case Severity::critical:
      return 900;
  }
  return 1;
}

void AlarmBoard::take(const EventNotice& event) {
  AlarmNotice notice{event.key,           event.raised, event.severity, bounded(event.pipeline), bounded(event.asset),
                     bounded(event.text), event.time};
  const std::lock_guard lock(mutex_);
  if (!event.raised)
    active_.erase(event.key);
  else if (active_.size() < kMostActive || active_.contains(event.key))
    active_[event.key] = notice;
  else
    ++dropped_;
  if (waiting_.size() == kMostWaiting) {
    waiting_.pop_front();
    ++dropped_;
  }
  waiting_.push_back(std::move(notice));
}

std::vector<AlarmNotice> AlarmBoard::notices() {
  const std::lock_guard lock(mutex_);
  std::vector<AlarmNotice> all(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  return all;
}

AlarmBoard::Standing AlarmBoard::standing() const {
  const std::lock_guard lock(mutex_);
  std::vector<const AlarmNotice*> all;
  for (const auto& [key, notice] : active_) all.push_back(&notice);
  std::ranges::stable_sort(all, std::ranges::greater{}, &AlarmNotice::time);
  Standing out;
  out.count = static_cast<std::uint32_t>(all.size());
  for (const AlarmNotice* notice : all) {
    out.highest = std::max(out.highest, severity_number(notice->severity));
    if (out.lines.size() < kMostLines)
      out.lines.push_back(fmt::format("{} {} {}: {} (since {})", name_of(notice->severity), notice->asset,
                                      notice->pipeline, notice->text, format_instant(notice->time)));
  }
  return out;
}

std::uint64_t AlarmBoard::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace alara::opcua
