// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/stats.hpp"

namespace alara::flow {

std::string_view name_of(TurnedAway reason) { return reason == TurnedAway::bad_quality ? "bad_quality" : "too_old"; }

std::uint64_t PipelineAccount::unaccounted() const {
  std::uint64_t known = delivered + buffered + dead_lettered;
  for (const auto& [reason, samples] : dropped) known += samples;
  return accepted > known ? accepted - known : known - accepted;
}

PipelineAccount PipelineStats::account() const {
  PipelineAccount account{accepted.get(), rows_in.get(), in_round.get(), dead_lettered.get(), {}};
  for (std::size_t i = 0; i < kTurnedAway; ++i)
    if (const std::uint64_t samples = turned_away[i].get(); samples != 0)
      account.dropped.emplace_back(name_of(static_cast<TurnedAway>(i)), samples);
  if (const std::uint64_t samples = dead_letters_full.get(); samples != 0)
    account.dropped.emplace_back("dead_letters_full", samples);
  return account;
}

}  // namespace alara::flow
