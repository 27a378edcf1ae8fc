// SPDX-License-Identifier: Apache-2.0
// Deliveries to a web hook: a bounded queue and the thread that empties it, one request at a time, in order, tried
// again with growing random waits until it is taken, refused, or too late.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/backoff.hpp"
#include "connect/http/settings.hpp"
#include "core/connector.hpp"

namespace httplib {
class Client;
}

namespace alara::http {

enum class Fate : std::uint8_t { taken, refused, timed_out, unreachable, pushed_out, stopped };

struct Delivery {
  std::string path, body;
  Nanos give_up = kNever;      // monotonic
  bool may_be_dropped = true;  // to make room for newer ones
  // Once, on the hook's thread or that of the call that pushed it out.
  std::function<void(Fate)> settled;
};

class Hook {
 public:
  // Counts what the hook took, and faults, in `stats`, which outlives it.
  Hook(const Settings& settings, Clock& clock, std::uint64_t seed, ConnectorStats& stats);
  ~Hook();  // stops
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  // Any thread. False when there is no room and nothing may be dropped for it: the delivery is then the caller's.
  bool hand_over(Delivery& delivery);
  void stop();  // within 1 s; what waits is settled as stopped

  [[nodiscard]] bool reachable() const { return reachable_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::string last_error() const;
  struct Counts {
    std::atomic<std::uint64_t> requests{0}, retries{0}, errors{0};
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void run(const std::stop_token& stop);
  // Tries once: a fate, or nothing when it should be tried again.
  [[nodiscard]] bool attempt(const Delivery& delivery, const std::string& key, Fate& fate);
  void report(std::string error);
  void failed(std::string error);

  const Settings& settings_;
  Clock& clock_;
  ConnectorStats& stats_;
  Backoff backoff_;
  std::unique_ptr<httplib::Client> client_;
  std::atomic<bool> reachable_{true};
  Counts counts_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::deque<Delivery> queue_;
  std::string last_error_;
  std::jthread thread_;
};

}  // namespace alara::http
