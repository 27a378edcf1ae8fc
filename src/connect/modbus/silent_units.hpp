// SPDX-License-Identifier: Apache-2.0
// Which units behind one line or gateway stay silent, and until when each is left alone, so that waiting for one costs
// the others as little as possible. Confined to the loop's thread.
//
// Behind a TCP gateway a unit that is silent twice rests for `retry`. On a serial line it is left alone after every
// silence, for as long as its answer may come late: answers carry no number there, and a late one could be taken for
// the next. That time is `timeout` at first and doubles up to `retry` while the unit stays silent and others answer.
#pragma once

#include <array>

#include "connect/modbus/settings.hpp"
#include "connect/modbus/telemetry.hpp"

namespace alara::modbus {

class SilentUnits {
 public:
  // `several`: one connection leads to more than one unit.
  SilentUnits(const Settings& settings, bool several, Telemetry& telemetry);

  void connected();
  [[nodiscard]] bool rests(std::uint8_t unit, Nanos now) const { return units_[unit].rests_until > now; }
  void answered(std::uint8_t unit);
  void silent(std::uint8_t unit, Nanos now);  // a request to it timed out
  // An answer that nobody waits for came from it. True when it is late: the unit was silent before, and may be asked
  // again.
  bool late(std::uint8_t unit);

 private:
  enum class Rule : std::uint8_t { never, rest, back_off };
  struct Unit {
    int timeouts = 0;  // in a row
    bool speaks = false;
    Nanos rests_until = 0;
  };
  [[nodiscard]] bool others_speak(std::uint8_t unit) const { return speaking_ > (units_[unit].speaks ? 1 : 0); }
  void count_silent();

  const Settings& settings_;
  const Rule rule_;
  Telemetry& telemetry_;
  std::array<Unit, 256> units_{};
  int speaking_ = 0;
};

}  // namespace alara::modbus
