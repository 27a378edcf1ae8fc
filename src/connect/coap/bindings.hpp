// SPDX-License-Identifier: Apache-2.0
// What a site file binds to the resources of one connector, checked when it is loaded.
#pragma once

#include <string>
#include <vector>

#include "core/connector.hpp"
#include "wire/json_intake.hpp"

namespace alara::coap {

struct Bindings {
  wire::JsonIntake intake;                         // signals by path
  std::map<std::string, Nanos> wished;             // the shortest `poll` that signals of a path ask for
  std::map<std::uint32_t, std::string> actuators;  // paths
  struct Outlet {
    std::string path, unit;
    bool boolean = false;
  };
  std::map<std::uint32_t, Outlet> outlets;

  void add(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
           std::vector<Error>& errors);
  void add(std::span<const OutletBinding> outlets, std::vector<Error>& errors);
};

// "/valves/3/position": of unreserved characters, in segments of at most 255 bytes (RFC 7252, 5.10).
[[nodiscard]] Status check_path(std::string_view path);

// Numbers as devices take them: "21.5".
[[nodiscard]] std::string text_of(double value);
// One published value as JSON, with unit, time and quality.
[[nodiscard]] std::string json_of(const Bindings::Outlet& outlet, const OutletSample& sample);

}  // namespace alara::coap
