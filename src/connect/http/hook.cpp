// SPDX-License-Identifier: Apache-2.0
#include "connect/http/hook.hpp"

#include <httplib.h>

#include <algorithm>

namespace alara::http {
namespace {

constexpr Nanos kFirstWait = 100 * kMillisecond, kLongestWait = 5 * kSecond;

bool worth_another_try(int status) { return status >= 500 || status == 408 || status == 429; }

}  // namespace

Hook::Hook(const Settings& settings, Clock& clock, std::uint64_t seed, ConnectorStats& stats)
    : settings_(settings),
      clock_(clock),
      stats_(stats),
      backoff_(kFirstWait, kLongestWait, seed),
      client_(std::make_unique<httplib::Client>(settings.to_host)) {
  const auto seconds = static_cast<std::time_t>(settings_.timeout / kSecond);
  const auto micros = static_cast<std::time_t>(settings_.timeout % kSecond / kMicrosecond);
  client_->set_connection_timeout(seconds, micros);
  client_->set_read_timeout(seconds, micros);
  client_->set_write_timeout(seconds, micros);
  client_->set_keep_alive(true);
  client_->set_tcp_nodelay(true);
  client_->enable_server_certificate_verification(true);
  if (!settings_.ca.empty()) client_->set_ca_cert_path(settings_.ca.c_str());
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Hook::~Hook() { stop(); }

bool Hook::hand_over(Delivery& delivery) {
  Delivery dropped;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= settings_.queue) {
      const auto oldest = std::ranges::find(queue_, true, &Delivery::may_be_dropped);
      if (oldest == queue_.end()) return false;
      dropped = std::move(*oldest);
      queue_.erase(oldest);
    }
    queue_.push_back(std::move(delivery));
  }
  changed_.notify_one();
  if (dropped.settled) dropped.settled(Fate::pushed_out);
  return true;
}

void Hook::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  client_->stop();  // ends a request under way
  thread_.join();
  thread_ = {};
}

void Hook::run(const std::stop_token& stop) {
  std::uint64_t number = backoff_.random();
  while (true) {
    Delivery delivery;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !queue_.empty(); })) break;
      delivery = std::move(queue_.front());
      queue_.pop_front();
    }
    // The same through all tries, so that the other side can tell a repetition.
    const std::string key = fmt::format("{:016x}", ++number);
    Fate fate = Fate::stopped;
    backoff_.restart();
    while (!stop.stop_requested()) {
      if (backoff_.attempts() > 0) counts_.retries.fetch_add(1, std::memory_order_relaxed);
      if (attempt(delivery, key, fate)) break;
      const Nanos next = clock_.monotonic() + backoff_.next();
      if (next >= delivery.give_up) {
        fate = reachable() ? Fate::timed_out : Fate::unreachable;
        break;
      }
      fate = Fate::stopped;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, std::chrono::nanoseconds(next - clock_.monotonic()), [] { return false; });
    }
    delivery.settled(fate);
  }
  std::deque<Delivery> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(queue_);
  }
  for (const Delivery& delivery : left) delivery.settled(Fate::stopped);
}

bool Hook::attempt(const Delivery& delivery, const std::string& key, Fate& fate) {
  if (clock_.monotonic() >= delivery.give_up) {
    fate = Fate::timed_out;
    return true;
  }
  const auto token = read_token(settings_.to_token_file);
  if (!token) {
    failed(token.error().message);
    return false;
  }
  httplib::Headers headers{{"Idempotency-Key", key}};
  if (!token->empty()) headers.emplace("Authorization", "Bearer " + *token);
  counts_.requests.fetch_add(1, std::memory_order_relaxed);
  const auto answer =
      client_->Post((settings_.to_path + delivery.path).c_str(), headers, delivery.body, "application/json");
  if (!answer) {
    reachable_.store(answer.error() == httplib::Error::Read, std::memory_order_relaxed);
    failed(fmt::format("{}: {}", settings_.to_host, httplib::to_string(answer.error())));
    return false;
  }
  reachable_.store(true, std::memory_order_relaxed);
  if (answer->status >= 200 && answer->status < 300) {
    stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
    stats_.bytes_out.fetch_add(delivery.body.size(), std::memory_order_relaxed);
    stats_.last_progress.store(clock_.monotonic(), std::memory_order_relaxed);
    report("");
    fate = Fate::taken;
    return true;
  }
  failed(fmt::format("{}{}{} answers {}", settings_.to_host, settings_.to_path, delivery.path, answer->status));
  fate = Fate::refused;
  return !worth_another_try(answer->status);
}

std::string Hook::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void Hook::failed(std::string error) {
  counts_.errors.fetch_add(1, std::memory_order_relaxed);
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  report(std::move(error));
}

void Hook::report(std::string error) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(error);
}

}  // namespace alara::http
