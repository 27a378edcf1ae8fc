// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/host_state.hpp"

#include "wire/payload_json.hpp"

namespace alara::mqtt {

Result<HostState> read_host_state(std::span<const std::uint8_t> payload) {
  wire::JsonPlan plan;
  ALARA_TRY(const std::uint32_t online, plan.add("online"));
  ALARA_CHECK(plan.set_time_path("timestamp"));
  wire::JsonRow row;
  const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
  const wire::PayloadFault fault = plan.read(text, {.bytes = kMaxStateBytes, .count = 64, .depth = 4}, row);
  if (fault != wire::PayloadFault::none)
    return fail(ErrorKind::corrupt, "STATE is not {{\"online\":…,\"timestamp\":…}} but {}", wire::name_of(fault));
  const wire::JsonRow::Point& point = row.points[online];
  if (point.fault != wire::PayloadFault::none || point.list || (point.value != 0 && point.value != 1))
    return fail(ErrorKind::corrupt, "STATE has no member \"online\" that is true or false");
  if (!row.timed) return fail(ErrorKind::corrupt, "STATE has no member \"timestamp\" that is an instant");
  return HostState{point.value == 1, row.time};
}

}  // namespace alara::mqtt
