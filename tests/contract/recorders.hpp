// SPDX-License-Identifier: Apache-2.0
// What a connector under test is given: an inlet that keeps what it got, a command queue, a loop on its own thread.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/io_loop.hpp"
#include "core/connector.hpp"

namespace alara::contract {

struct Point {
  double value = 0;
  Quality quality = Quality::bad;
  Nanos time = 0;
  Nanos arrival = 0;
};

// Thread-safe.
class RecordingInlet final : public Inlet {
 public:
  void push(const Batch& batch) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Point point{batch.value[i], batch.quality_at(i), batch.time_at(i), batch.arrival};
      points_[index_of(batch.signal_at(i))].push_back(point);
      (point.quality == Quality::bad ? bad_ : good_) += 1;
    }
  }
  void reject(std::string_view reason, std::uint64_t points) override {
    const std::lock_guard lock(mutex_);
    rejected_[std::string(reason)] += points;
  }
  void finished() override { finished_ = true; }

  [[nodiscard]] std::vector<Point> points(std::uint32_t signal) const {
    const std::lock_guard lock(mutex_);
    const auto found = points_.find(signal);
    return found == points_.end() ? std::vector<Point>{} : found->second;
  }
  [[nodiscard]] Point last(std::uint32_t signal) const {
    const std::lock_guard lock(mutex_);
    const auto found = points_.find(signal);
    return found == points_.end() ? Point{} : found->second.back();
  }
  [[nodiscard]] std::uint64_t good() const {
    const std::lock_guard lock(mutex_);
    return good_;
  }
  [[nodiscard]] std::uint64_t all() const {
    const std::lock_guard lock(mutex_);
    return good_ + bad_;
  }
  [[nodiscard]] std::uint64_t rejected(const std::string& reason) const {
    const std::lock_guard lock(mutex_);
    const auto found = rejected_.find(reason);
    return found == rejected_.end() ? 0 : found->second;
  }
  [[nodiscard]] std::uint64_t rejected() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto& [reason, points] : rejected_) sum += points;
    return sum;
  }
  [[nodiscard]] bool has_finished() const { return finished_; }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint32_t, std::vector<Point>> points_;
  std::map<std::string, std::uint64_t> rejected_;
  std::uint64_t good_ = 0, bad_ = 0;
  std::atomic<bool> finished_{false};
};

// Thread-safe.
class CommandQueue final : public CommandInbox {
 public:
  CommandQueue() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~CommandQueue() override { close(fd_); }
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  CommandId send(ActuatorId actuator, double value, bool verify = false) {
    const std::lock_guard lock(mutex_);
    const CommandId id{++last_};
    waiting_.push_back({.id = id, .actuator = actuator, .value = value, .verify = verify});
    const std::uint64_t one = 1;
    static_cast<void>(!write(fd_, &one, sizeof one));
    return id;
  }
  bool pop(Command& command) override {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      std::uint64_t ignored = 0;
      static_cast<void>(!read(fd_, &ignored, sizeof ignored));
      return false;
    }
    command = waiting_.front();
    waiting_.pop_front();
    return true;
  }
  [[nodiscard]] int event_fd() const override { return fd_; }
  void acknowledge(const Ack& ack) override {
    const std::lock_guard lock(mutex_);
    acks_.push_back(ack);
  }
  [[nodiscard]] std::vector<Ack> acks() const {
    const std::lock_guard lock(mutex_);
    return acks_;
  }

 private:
  const int fd_;
  mutable std::mutex mutex_;
  std::deque<Command> waiting_;
  std::vector<Ack> acks_;
  std::uint64_t last_ = 0;
};

// A loop on a thread of its own, for as long as the object lives.
class RunningLoop {
 public:
  RunningLoop()
      : loop_(std::move(*IoLoop::create(clock_))), thread_([this](std::stop_token stop) { loop_->run(stop); }) {}
  [[nodiscard]] IoLoop& loop() { return *loop_; }
  [[nodiscard]] SystemClock& clock() { return clock_; }

 private:
  SystemClock clock_;
  std::unique_ptr<IoLoop> loop_;
  std::jthread thread_;
};

inline constexpr Nanos kPatience = 5 * kSecond;  // for things that take milliseconds on a machine with nothing to do

// Waits for something that another thread brings about; false when it does not happen.
inline bool eventually(const std::function<bool()>& happened, Nanos patience = kPatience) {
  SystemClock clock;
  const Nanos end = clock.monotonic() + patience;
  while (!happened()) {
    if (clock.monotonic() > end) return false;
    clock.sleep_until(clock.monotonic() + kMillisecond / 2);
  }
  return true;
}

}  // namespace alara::contract
