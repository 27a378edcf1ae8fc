// SPDX-License-Identifier: Apache-2.0
#include "node/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace alara::node {
namespace {

// Appends a whole line; a short or failed write is reported once by the caller's counters, never retried half-way.
bool append_line(int fd, std::string line) {
  line += '\n';
  return write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const JournalFiles& files, Naming naming, EventStore& store) {
  auto journal = std::unique_ptr<Journal>(new Journal(std::move(naming), store));
  if (!files.events.empty()) {
    journal->events_fd_ = ::open(files.events.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (journal->events_fd_ < 0)
      return fail(ErrorKind::bad_input, "settings.events: can not open '{}': {}", files.events, std::strerror(errno));
  }
  if (!files.audit.empty()) {
    auto audit = rules::AuditLog::open({.path = files.audit});
    if (!audit) return fail(ErrorKind::bad_input, "settings.audit: {}", audit.error().text());
    journal->audit_ = std::move(*audit);
  }
  if (!files.dead_letters.empty()) {
    auto dead_letters = DeadLetterFile::open(files.dead_letters, files.dead_letters_most);
    if (!dead_letters) return fail(ErrorKind::bad_input, "settings.dead_letters: {}", dead_letters.error().text());
    journal->dead_letters_ = std::move(*dead_letters);
  }
  return journal;
}

Journal::~Journal() {
  if (events_fd_ >= 0) close(events_fd_);
}

void Journal::set_uplink(MessageSink* sink, std::string address) {
  const std::lock_guard lock(uplink_mutex_);
  uplink_ = sink;
  uplink_address_ = std::move(address);
}

void Journal::set_event_sinks(std::vector<EventSink*> sinks) {
  const std::lock_guard lock(uplink_mutex_);
  event_sinks_ = std::move(sinks);
}

bool Journal::drain(flow::Engine& engine) {
  bool any = false;
  for (std::size_t i = 0; i < engine.shard_count(); ++i) {
    flow::DecisionDesk& desk = engine.shard(i).decisions();
    Event event;
    while (desk.next_event(event)) {
      take(event);
      any = true;
    }
    flow::AuditLine line;
    while (desk.next_audit_line(line)) {
      take(line);
      any = true;
    }
    flow::DeadLetter letter;
    while (desk.next_dead_letter(letter)) {
      take(letter);
      any = true;
    }
  }
  return any;
}

void Journal::take(const Event& event) {
  StoredEvent stored;
  stored.key = event.key;
  stored.raised = event.raised;
  stored.severity = event.severity;
  stored.pipeline = naming_.pipeline(event.pipeline);
  stored.asset = naming_.asset(event.asset);
  stored.text = event.text;
  stored.time = event.time;
  {
    const std::lock_guard lock(uplink_mutex_);
    for (EventSink* sink : event_sinks_)
      sink->announce({event.key, event.raised, event.severity, stored.pipeline, stored.asset, stored.text, event.time});
  }
  const std::string line = to_json(store_.add(std::move(stored)));
  if (events_fd_ >= 0 && !append_line(events_fd_, line)) lost_lines_.fetch_add(1, std::memory_order_relaxed);
  send_up(line);
}

void Journal::take(const flow::AuditLine& line) {
  if (!audit_) return;
  const std::string pipeline = naming_.pipeline(line.pipeline), actuator = naming_.actuator(line.command.actuator);
  rules::AuditLog::Entry entry;
  entry.wall = line.wall;
  entry.monotonic = line.monotonic;
  entry.what = line.what_text();
  entry.why = line.why_text();
  entry.pipeline = pipeline;
  entry.actuator = actuator;
  entry.command = line.command;
  if (const Status written = audit_->append(entry); !written) lost_lines_.fetch_add(1, std::memory_order_relaxed);
}

void Journal::take(const flow::DeadLetter& letter) {
  if (!dead_letters_) return;
  const std::string pipeline = naming_.pipeline(letter.pipeline), signal = naming_.signal(letter.signal);
  const Status kept = dead_letters_->append(
      {signal, pipeline, flow::name_of(letter.reason), letter.value, letter.time, letter.quality, letter.wall});
  if (!kept) lost_lines_.fetch_add(1, std::memory_order_relaxed);
}

void Journal::flush() {
  if (!audit_) return;
  if (const Status flushed = audit_->flush(); !flushed) lost_lines_.fetch_add(1, std::memory_order_relaxed);
}

bool Journal::send_up(std::string_view message) {
  const std::lock_guard lock(uplink_mutex_);
  if (uplink_ == nullptr) return false;
  if (!uplink_->publish(uplink_address_, message)) {
    failed_up_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  messages_up_.fetch_add(1, std::memory_order_relaxed);
  bytes_up_.fetch_add(message.size(), std::memory_order_relaxed);
  return true;
}

}  // namespace alara::node
