// SPDX-License-Identifier: Apache-2.0
#include "connect/file/player.hpp"

#include <algorithm>
#include <cmath>

namespace alara::file {
namespace {

constexpr Nanos kNap = 20 * kMillisecond;        // the longest sleep before looking at the stop token
constexpr Nanos kBlockSpan = 50 * kMillisecond;  // real time that one block of a waveform may gather

}  // namespace

Nanos later(Nanos start, double nanos) {
  return saturating_add(start, static_cast<Nanos>(std::clamp(nanos, -9e18, 9e18)));
}

Player::Player(const Settings& settings, Inlet& inlet, Clock& clock, ConnectorStats& stats, std::stop_token stop,
               std::optional<SignalId> single)
    : settings_(settings), inlet_(inlet), clock_(clock), stats_(stats), stop_(std::move(stop)), single_(single) {
  if (!single_) signals_.reserve(kPointsPerBatch);
  values_.reserve(kPointsPerBatch);
  times_.reserve(kPointsPerBatch);
  qualities_.reserve(kPointsPerBatch);
}

Nanos Player::moved(Nanos time) const {
  if (settings_.stamp == Stamp::recorded) return saturating_add(time, shift_);
  const double since =
      (static_cast<double>(saturating_add(time, shift_)) - static_cast<double>(first_)) / settings_.speed;
  return later(began_wall_, since);
}

bool Player::wait_until_due(Nanos time) {
  if (!any_) {
    any_ = true;
    first_ = time;
    began_wall_ = clock_.wall();
    began_monotonic_ = clock_.monotonic();
  } else if (time > last_) {
    gap_ = saturating_add(time, last_ == INT64_MIN ? 0 : -last_);
  }
  last_ = time;
  if (settings_.speed == 0) return !stop_.stop_requested();
  const double since =
      (static_cast<double>(saturating_add(time, shift_)) - static_cast<double>(first_)) / settings_.speed;
  const Nanos due = later(began_monotonic_, since);
  if (clock_.monotonic() < due) flush();
  while (!stop_.stop_requested()) {
    const Nanos now = clock_.monotonic();
    if (now >= due) return true;
    clock_.sleep_until(std::min(due, now + kNap));
  }
  return false;
}

bool Player::record(Nanos time) {
  if (!wait_until_due(time)) return false;
  now_ = moved(time);
  return true;
}

void Player::point(SignalId signal, double value, Quality quality) {
  if (!single_) signals_.push_back(signal);
  values_.push_back(value);
  times_.push_back(now_);
  qualities_.push_back(quality);
  all_good_ = all_good_ && quality == Quality::good;
  if (values_.size() >= kPointsPerBatch) flush();
}

bool Player::wave(SignalId signal, std::span<const double> samples, std::span<const Quality> quality, Nanos time0,
                  Nanos step) {
  if (samples.empty()) return !stop_.stop_requested();
  flush();
  const auto span = static_cast<Nanos>(samples.size() - 1) * step;
  if (!any_) static_cast<void>(wait_until_due(time0));  // the recording begins with the first sample, not the last
  if (!wait_until_due(saturating_add(time0, span))) return false;
  Batch batch;
  batch.block_signal = signal;
  batch.value = samples;
  batch.quality = quality;
  batch.time0 = moved(time0);
  batch.step = settings_.stamp == Stamp::now
                   ? static_cast<Nanos>(std::llround(static_cast<double>(step) / settings_.speed))
                   : step;
  gap_ = step;
  push(batch);
  return true;
}

void Player::flush() {
  if (values_.empty()) return;
  Batch batch;
  if (single_) {
    batch.block_signal = *single_;
  } else {
    batch.signal = signals_;
  }
  batch.value = values_;
  batch.time = times_;
  if (!all_good_) batch.quality = qualities_;
  push(batch);
  signals_.clear();
  values_.clear();
  times_.clear();
  qualities_.clear();
  all_good_ = true;
}

void Player::push(Batch& batch) {
  batch.arrival = clock_.monotonic();
  stats_.messages_in.fetch_add(1, std::memory_order_relaxed);
  stats_.last_progress.store(batch.arrival, std::memory_order_relaxed);
  inlet_.push(batch);
}

void Player::rewind() {
  flush();
  shift_ = saturating_add(shift_, saturating_add(saturating_add(last_, -first_), std::max<Nanos>(gap_, 1)));
}

std::size_t Player::block_size(Nanos step) const {
  if (settings_.speed == 0 || step <= 0) return kPointsPerBatch;
  const double samples = static_cast<double>(kBlockSpan) * settings_.speed / static_cast<double>(step);
  return static_cast<std::size_t>(std::clamp(samples, 1.0, static_cast<double>(kPointsPerBatch)));
}

}  // namespace alara::file
