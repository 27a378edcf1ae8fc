// SPDX-License-Identifier: Apache-2.0
// What pushed bodies mean: addresses bound to signals when a site file is loaded, then points out of each body, JSON or
// line protocol. No sockets in here. One body at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "wire/json_intake.hpp"
#include "wire/line_protocol.hpp"

namespace alara::http {

class Intake {
 public:
  // "/presses/1#current" (JSON by POST to /presses/1) or "line:pump,hall=a pressure" (line protocol).
  [[nodiscard]] Status add(const SignalBinding& signal);

  [[nodiscard]] std::size_t lines() const { return lines_.size(); }  // signals from line protocol
  [[nodiscard]] wire::JsonIntake& json() { return json_; }
  [[nodiscard]] const wire::JsonIntake& json() const { return json_; }
  // Rejects and pushes through `inlet`.
  [[nodiscard]] wire::Receipt take_lines(std::string_view body, Nanos unit, Nanos wall, Nanos monotonic, Inlet& inlet);

 private:
  struct LineTarget {
    std::vector<std::pair<std::string, std::string>> tags;  // all must agree
    std::string field;
    SignalId signal{};
  };
  using Targets = std::multimap<std::string, LineTarget, std::less<>>;  // by measurement
  void take_line(std::size_t number, Nanos wall, Inlet& inlet, wire::Receipt& receipt);

  wire::JsonIntake json_;
  Targets lines_;
  wire::Line line_;
  wire::SampleBasket basket_;
};

}  // namespace alara::http
