// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/admission.hpp"

#include "flow/engine/decisions.hpp"

namespace alara::flow {

bool Admission::refuses(const Frame& rows, std::size_t row, Nanos now, TurnedAway& reason) const {
  if (rows.quality_at(row) > plan_.worst) {
    reason = TurnedAway::bad_quality;
    return true;
  }
  if (plan_.max_age == 0 || rows.time[row] >= now - plan_.max_age) return false;
  reason = TurnedAway::too_old;
  return true;
}

Frame Admission::admit(std::size_t input, const Frame& rows, std::span<const SignalId> signals, Nanos now,
                       DecisionDesk& desk, PipelineStats& stats) {
  TurnedAway reason{};
  std::size_t first = 0;
  while (first < rows.size() && !refuses(rows, first, now, reason)) ++first;
  if (first == rows.size()) return rows;

  Kept& kept = kept_[input];
  kept.slot.clear();
  kept.time.clear();
  kept.quality.clear();
  kept.value.clear();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::uint32_t slot = rows.slot_at(row);
    if (row < first || !refuses(rows, row, now, reason)) {
      kept.slot.push_back(slot);
      kept.time.push_back(rows.time[row]);
      kept.quality.push_back(rows.quality_at(row));
      kept.value.push_back(rows.columns[0][row]);
      continue;
    }
    if (!plan_.keep)
      stats.turned_away[static_cast<std::size_t>(reason)].add();
    else if (desk.put_aside(signals[slot], rows.columns[0][row], rows.time[row], rows.quality_at(row), reason))
      stats.dead_lettered.add();
    else
      stats.dead_letters_full.add();
  }
  kept.column = kept.value;
  return {kept.slot, 0, kept.time, kept.quality, {&kept.column, 1}, rows.arrival};
}

}  // namespace alara::flow
