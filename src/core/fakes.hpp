// SPDX-License-Identifier: Apache-2.0
// Test doubles for what a connector is given: an inlet that remembers what came, and an inbox fed by a test. Both may
// be used from the connector's thread and the test's at the same time; waiting is by condition, never by sleeping.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/connector.hpp"

namespace alara::testing {

inline constexpr std::chrono::seconds kPatience{10};  // a wait that ends without its condition is a failure

class RecordingInlet final : public Inlet {
 public:
  struct Point {
    SignalId signal{};
    double value = 0;
    Nanos time = 0;
    Quality quality = Quality::good;
    Nanos arrival = 0;
  };
  struct Seen {
    std::vector<Point> points;
    std::map<std::string, std::uint64_t> rejected;
    std::size_t batches = 0, blocks = 0;
    bool finished = false;
  };

  void push(const Batch& batch) override {
    const std::lock_guard lock(mutex_);
    ++seen_.batches;
    seen_.blocks += batch.is_block() ? 1 : 0;
    for (std::size_t i = 0; i < batch.size(); ++i)
      seen_.points.push_back(
          {batch.signal_at(i), batch.value[i], batch.time_at(i), batch.quality_at(i), batch.arrival});
    changed_.notify_all();
  }
  void reject(std::string_view reason, std::uint64_t points) override {
    const std::lock_guard lock(mutex_);
    seen_.rejected[std::string(reason)] += points;
    changed_.notify_all();
  }
  void finished() override {
    const std::lock_guard lock(mutex_);
    seen_.finished = true;
    changed_.notify_all();
  }

  [[nodiscard]] Seen seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    seen_ = {};
  }
  // Waits until `condition(seen)` holds; false when it did not in time.
  template <typename Condition>
  bool wait_for(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return condition(static_cast<const Seen&>(seen_)); });
  }
  bool wait_for_points(std::size_t count) {
    return wait_for([count](const Seen& seen) { return seen.points.size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
};

class FakeInbox final : public CommandInbox {
 public:
  FakeInbox() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~FakeInbox() override { close(fd_); }
  FakeInbox(const FakeInbox&) = delete;
  FakeInbox& operator=(const FakeInbox&) = delete;

  bool pop(Command& command) override {
    const std::lock_guard lock(mutex_);
    if (commands_.empty()) {
      std::uint64_t ignored = 0;
      static_cast<void>(!read(fd_, &ignored, sizeof ignored));
      return false;
    }
    command = commands_.front();
    commands_.pop_front();
    return true;
  }
  [[nodiscard]] int event_fd() const override { return fd_; }
  void acknowledge(const Ack& ack) override {
    const std::lock_guard lock(mutex_);
    acks_.push_back(ack);
    changed_.notify_all();
  }

  void put(const Command& command) {
    const std::lock_guard lock(mutex_);
    commands_.push_back(command);
    const std::uint64_t one = 1;
    static_cast<void>(!write(fd_, &one, sizeof one));
  }
  [[nodiscard]] std::vector<Ack> acks() const {
    const std::lock_guard lock(mutex_);
    return acks_;
  }
  // All acks so far, once there are `count`; fewer when they did not come in time.
  std::vector<Ack> wait_for_acks(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return acks_.size() >= count; });
    return acks_;
  }

 private:
  int fd_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> commands_;
  std::vector<Ack> acks_;
};

// Published values for a connector under test, and what it says became of them.
class FakeOutlets final : public OutletQueue {
 public:
  FakeOutlets() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~FakeOutlets() override { close(fd_); }
  FakeOutlets(const FakeOutlets&) = delete;
  FakeOutlets& operator=(const FakeOutlets&) = delete;

  bool pop(OutletSample& sample) override {
    const std::lock_guard lock(mutex_);
    if (samples_.empty()) {
      std::uint64_t ignored = 0;
      static_cast<void>(!read(fd_, &ignored, sizeof ignored));
      return false;
    }
    sample = samples_.front();
    samples_.pop_front();
    return true;
  }
  [[nodiscard]] int event_fd() const override { return fd_; }
  void delivered(std::uint64_t values) override {
    const std::lock_guard lock(mutex_);
    delivered_ += values;
    changed_.notify_all();
  }
  void dropped(std::string_view reason, std::uint64_t values) override {
    const std::lock_guard lock(mutex_);
    dropped_[std::string(reason)] += values;
    changed_.notify_all();
  }

  void put(const OutletSample& sample) {
    const std::lock_guard lock(mutex_);
    samples_.push_back(sample);
    ++published_;
    const std::uint64_t one = 1;
    static_cast<void>(!write(fd_, &one, sizeof one));
  }
  struct Account {
    std::uint64_t published = 0, delivered = 0;
    std::map<std::string, std::uint64_t> dropped;
    [[nodiscard]] std::uint64_t settled() const {
      std::uint64_t sum = delivered;
      for (const auto& [reason, values] : dropped) sum += values;
      return sum;
    }
  };
  [[nodiscard]] Account account() const {
    const std::lock_guard lock(mutex_);
    return {published_, delivered_, dropped_};
  }
  // Waits until every value put so far has been settled; the account then, or what it was when patience ended.
  Account wait_until_settled() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return Account{0, delivered_, dropped_}.settled() == published_; });
    return {published_, delivered_, dropped_};
  }

 private:
  int fd_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<OutletSample> samples_;
  std::uint64_t published_ = 0, delivered_ = 0;
  std::map<std::string, std::uint64_t> dropped_;
};

}  // namespace alara::testing
