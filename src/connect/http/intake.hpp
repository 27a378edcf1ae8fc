// SPDX-License-Identifier: Apache-2.0
// What pushed bodies mean: addresses bound to signals when a site file is loaded, then points out of each body, with an
// account for the one who sent it. No sockets in here. One body at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/connector.hpp"
#include "wire/line_protocol.hpp"
#include "wire/payload_json.hpp"

namespace alara::http {

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

class Intake {
 public:
  // "/presses/1#current" (JSON by POST to /presses/1) or "line:pump,hall=a pressure" (line protocol).
  [[nodiscard]] Status add(const SignalBinding& signal);

  [[nodiscard]] bool knows(std::string_view path) const { return routes_.contains(std::string(path)); }
  [[nodiscard]] std::vector<std::string> paths() const;
  [[nodiscard]] std::size_t lines() const { return lines_.size(); }  // signals from line protocol

  // One JSON value, or one in each line. Rejects and pushes through `inlet`.
  [[nodiscard]] Receipt take_json(std::string_view path, std::string_view body, Nanos wall, Nanos monotonic,
                                  Inlet& inlet);
  [[nodiscard]] Receipt take_lines(std::string_view body, Nanos unit, Nanos wall, Nanos monotonic, Inlet& inlet);

 private:
  struct Route {
    wire::JsonPlan plan;
    std::vector<std::pair<std::uint32_t, SignalId>> targets;  // point of the plan
  };
  struct LineTarget {
    std::vector<std::pair<std::string, std::string>> tags;  // all must agree
    std::string field;
    SignalId signal{};
  };
  void add_sample(SignalId id, double value, Nanos time, Quality quality);
  void push(Nanos monotonic, Inlet& inlet);

  std::map<std::string, Route> routes_;
  std::multimap<std::string, LineTarget> lines_;  // by measurement
  wire::JsonRow row_;
  wire::Line line_;
  std::vector<SignalId> signals_;
  std::vector<double> values_;
  std::vector<Nanos> times_;
  std::vector<Quality> qualities_;
};

}  // namespace alara::http
