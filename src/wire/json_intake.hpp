// SPDX-License-Identifier: Apache-2.0
// JSON bodies that peers push in (HTTP, CoAP): paths bound to signals when a site file is loaded, then points out of
// each body, with an account for the one who sent it. No sockets in here. One body at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/connector.hpp"
#include "wire/payload_json.hpp"

namespace alara::wire {

// What became of one body; the answer to the one who sent it.
struct Receipt {
  std::size_t accepted = 0;
  struct Refusal {
    std::size_t line = 0;  // from 1
    std::string reason;
  };
  std::size_t rejected = 0;
  std::vector<Refusal> refusals;  // the first kMostShown
  static constexpr std::size_t kMostShown = 20;
  void refuse(std::size_t line, std::string reason);
};

// Samples on their way to the inlet, in batches.
class SampleBasket {
 public:
  void add(SignalId id, double value, Nanos time, Quality quality);  // the value of a bad one becomes NaN
  [[nodiscard]] std::size_t size() const { return signals_.size(); }
  void push(Nanos monotonic, Inlet& inlet);  // and begins anew

 private:
  std::vector<SignalId> signals_;
  std::vector<double> values_;
  std::vector<Nanos> times_;
  std::vector<Quality> qualities_;
};

// Calls `take(number, text)` for each line; numbers begin at 1.
template <typename Take>
void each_line(std::string_view body, Take take) {
  for (std::size_t number = 1, at = 0; at < body.size(); ++number) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    take(number, body.substr(at, end - at));
    at = end + 1;
  }
}

class JsonIntake {
 public:
  static constexpr std::size_t kMostSamplesPerPush = 4096;

  // "/presses/1#current": the member of what comes in at this path; without '#' the whole. Returns the path.
  [[nodiscard]] Result<std::string> add(std::string_view address, SignalId signal);

  [[nodiscard]] bool knows(std::string_view path) const { return routes_.contains(std::string(path)); }
  [[nodiscard]] std::vector<std::string> paths() const;
  [[nodiscard]] std::vector<SignalId> signals(std::string_view path) const;

  // One JSON value, or one in each line, for a path that it knows. Rejects and pushes through `inlet`.
  [[nodiscard]] Receipt take(std::string_view path, std::string_view body, Nanos wall, Nanos monotonic, Inlet& inlet);

 private:
  struct Route {
    JsonPlan plan;
    std::vector<std::pair<std::uint32_t, SignalId>> targets;  // point of the plan
  };
  void take_one(const Route& route, std::size_t line, std::string_view text, Nanos wall, Inlet& inlet,
                Receipt& receipt);

  std::map<std::string, Route> routes_;
  JsonRow row_;
  SampleBasket basket_;
};

}  // namespace alara::wire
