// SPDX-License-Identifier: Apache-2.0
// The options of a `window` step: declared once, read into a plain struct, checked against each other and against what
// is known of the input.
#pragma once

#include <string>
#include <vector>

#include "core/operator.hpp"
#include "core/schema.hpp"
#include "flow/window/aggregate.hpp"
#include "flow/window/watermark.hpp"

namespace alara::flow {

enum class WindowShape : std::uint8_t { tumbling, hopping, sliding, session, count, state };

struct WindowOptions {
  WindowShape shape = WindowShape::tumbling;
  std::string of;
  std::string by;  // of state windows; empty = the value itself
  std::vector<Wanted> use;
  Needs needs;

  Nanos size = 0;           // tumbling, hopping, sliding by time
  Nanos every = 0;          // hopping
  std::uint64_t count = 0;  // count, sliding by count; 0 = by time
  Nanos gap = 0;            // session
  Nanos max = kNever;       // session, state: longest window
  bool has_thresholds = false;
  double open = 0, close = 0;  // state

  Watermark::Policy time;
  bool ordered = false;  // by event time; otherwise as samples arrive (windows by count)
  bool emit_late = false;
  bool narrow = false;       // samples fit a float without loss, or the user accepts it
  std::size_t capacity = 0;  // samples kept for one asset (sliding by time); set by complete()
  std::size_t pending = 0;   // samples held back for one asset until the watermark passes; set by complete()
};

[[nodiscard]] const Schema& window_schema();

// Reads a map that has passed window_schema().check(). Fails when options contradict one another.
[[nodiscard]] Result<WindowOptions> read_window(const Node& map);

// Adds what depends on the input: storage and capacities. Fails when a bound can not be known.
[[nodiscard]] Status complete(WindowOptions& options, const ValueInfo& input, const Node& map);

}  // namespace alara::flow
