// SPDX-License-Identifier: Apache-2.0
// A candump log played as if the bus were there: event times are the recorded ones.
#include <fstream>

#include "connect/can/connector.hpp"

namespace alara::can {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kLinesPerPush = 256;

}  // namespace

void CanConnector::play(const std::stop_token& stop) {
  std::ifstream file(settings_.endpoint);
  if (!file) {
    stats_.errors.fetch_add(1, std::memory_order_relaxed);
    report(fmt::format("can not open the log {}", settings_.endpoint));
    return context_.inlet->finished();
  }
  stats_.connects.fetch_add(1, std::memory_order_relaxed);
  stats_.connected.store(true, std::memory_order_relaxed);
  const Nanos begun = context_.clock->monotonic();
  Nanos first = -1, time = 0;
  std::size_t number = 0, waiting = 0;
  for (std::string line; !stop.stop_requested() && std::getline(file, line);) {
    ++number;
    stats_.bytes_in.fetch_add(line.size() + 1, std::memory_order_relaxed);
    const auto logged =
        line.size() > kLongestLine
            ? Result<wire::can::LoggedFrame>(fail(ErrorKind::corrupt, "a line of {} bytes", line.size()))
            : wire::can::parse_candump(line);
    if (!logged) {
      if (logged.error().kind == ErrorKind::not_found) continue;
      stats_.errors.fetch_add(1, std::memory_order_relaxed);
      garbage_.fetch_add(1, std::memory_order_relaxed);
      context_.inlet->reject("malformed", 1);
      report(fmt::format("{}:{}: {}", settings_.endpoint, number, logged.error().message));
      continue;
    }
    time = logged->time.value_or(time);
    if (first < 0) first = time;
    if (settings_.speed > 0 && time > first) {
      const Nanos due = begun + static_cast<Nanos>(static_cast<double>(time - first) / settings_.speed);
      if (due > context_.clock->monotonic()) push();
      while (!stop.stop_requested() && context_.clock->monotonic() < due)
        context_.clock->sleep_until(std::min(due, context_.clock->monotonic() + 50 * kMillisecond));
    }
    stats_.messages_in.fetch_add(1, std::memory_order_relaxed);
    stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
    take(logged->frame, time);
    if (++waiting % kLinesPerPush == 0) push();
  }
  push();
  replies_.clear();
  stats_.connected.store(false, std::memory_order_relaxed);
  context_.inlet->finished();
}

}  // namespace alara::can
