// SPDX-License-Identifier: Apache-2.0
// Delivers a recording's samples at its pace: gathers them into batches, waits until they are due, moves their times
// when the recording happens "now" or again. Confined to the connector's reading thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/clock.hpp"
#include "connect/file/settings.hpp"
#include "core/connector.hpp"

namespace alara::file {

inline constexpr std::size_t kPointsPerBatch = 4096;

// `start` plus so many nanoseconds, at most the end of time.
[[nodiscard]] Nanos later(Nanos start, double nanos);

class Player {
 public:
  // `settings`, `inlet`, `clock` and `stats` outlive the player. `single`: the one signal, when there is only one.
  Player(const Settings& settings, Inlet& inlet, Clock& clock, ConnectorStats& stats, std::stop_token stop,
         std::optional<SignalId> single);

  // Begins a record taken at `time`: waits until it is due. False when stop was asked for.
  [[nodiscard]] bool record(Nanos time);
  // A point of the record begun last.
  void point(SignalId signal, double value, Quality quality);
  // A waveform that ends when its last sample is due. `quality` may be empty. False when stop was asked for.
  [[nodiscard]] bool wave(SignalId signal, std::span<const double> samples, std::span<const Quality> quality,
                          Nanos time0, Nanos step);
  void flush();
  // The recording starts again: its times go on where they ended.
  void rewind();
  [[nodiscard]] bool delivered_any() const { return any_; }
  // How many samples of a waveform should make one block, so that they are not late by more than a moment.
  [[nodiscard]] std::size_t block_size(Nanos step) const;

 private:
  bool wait_until_due(Nanos time);
  [[nodiscard]] Nanos moved(Nanos time) const;
  void push(Batch& batch);

  const Settings& settings_;
  Inlet& inlet_;
  Clock& clock_;
  ConnectorStats& stats_;
  const std::stop_token stop_;
  const std::optional<SignalId> single_;

  bool any_ = false;
  Nanos first_ = 0, last_ = 0, gap_ = kSecond;  // recorded times; gap_ is the last distance between two records
  Nanos shift_ = 0;                             // added to recorded times by rewind()
  Nanos began_wall_ = 0, began_monotonic_ = 0;
  Nanos now_ = 0;  // of the current record, moved

  std::vector<SignalId> signals_;
  std::vector<double> values_;
  std::vector<Nanos> times_;
  std::vector<Quality> qualities_;
  bool all_good_ = true;
};

}  // namespace alara::file
