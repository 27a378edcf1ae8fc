// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/filter_operators.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "flow/feature/clones.hpp"

namespace alara::flow {
namespace {

constexpr double kNegligible = 1e-200;  // smaller states are cleared before they get slow (subnormal)

bool usable(double value, Quality quality) { return quality != Quality::bad && std::isfinite(value); }

// Four sums at once; with the order fixed, the result does not depend on where a block began.
ALARA_CLONES double dot(const double* a, const double* b, std::size_t n) {
  double sum[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) sum[k] += a[i + k] * b[i + k];
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

}  // namespace

bool Continuity::begins(Slot& slot, Nanos time) const {
  Nanos pause = 0;
  const bool overflow = __builtin_sub_overflow(time, slot.previous, &pause);
  const bool begins = !slot.seen || (max_gap_ > 0 && (overflow || pause > max_gap_ || pause < 0));
  slot.seen = true;
  slot.previous = time;
  return begins;
}

CascadeOperator::CascadeOperator(std::vector<Section> sections, Nanos max_gap, std::size_t slots)
    : sections_(std::move(sections)), continuity_(max_gap), slots_(slots), states_(slots * sections_.size()) {}

void CascadeOperator::process(const Frame& in, FrameBuilder& out) {
  const std::size_t first = out.append_like(in);
  const std::span<const double> values = in.column(0);
  const std::span<double> results = out.column(0).subspan(first);
  std::size_t run = 0;  // [run, i) are consecutive samples of one slot, bridged but not yet filtered
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t index = in.slot_at(i);
    if (i > run && index != in.slot_at(i - 1)) {
      filter_run(in.slot_at(i - 1), results.subspan(run, i - run));
      run = i;
    }
    Continuity::Slot& slot = slots_[index];
    const bool good = usable(values[i], in.quality_at(i));
    if (!good) {
      ++bad_samples_;
      out.set_quality(first + i, Quality::bad);
      results[i] = slot.held;
      if (!slot.seen) results[i] = std::numeric_limits<double>::quiet_NaN();
      if (!slot.seen) run = i + 1;  // nothing to filter before the first good sample
      continue;
    }
    if (continuity_.begins(slot, in.time[i])) {
      if (i > run) filter_run(index, results.subspan(run, i - run));
      run = i;
      settle(index, values[i]);
      ++restarts_;
    }
    slot.held = results[i] = values[i];
  }
  if (run < in.size()) filter_run(in.slot_at(in.size() - 1), results.subspan(run));
  for (std::size_t i = 0; i < in.size(); ++i)
    if (!std::isfinite(results[i])) out.set_quality(first + i, Quality::bad);
}

void CascadeOperator::settle(std::uint32_t slot, double value) {
  for (std::size_t k = 0; k < sections_.size(); ++k) {
    const Section& s = sections_[k];
    const double settled = s.gain_at_zero() * value;
    states_[slot * sections_.size() + k] = {settled - s.b0 * value, s.b2 * value - s.a2 * settled};
    value = settled;
  }
}

// Transposed direct form II: the one least troubled by rounding (Oppenheim & Schafer, section 6.3).
void CascadeOperator::filter_run(std::uint32_t slot, std::span<double> values) {
  for (std::size_t k = 0; k < sections_.size(); ++k) {
    const Section s = sections_[k];
    State& state = states_[slot * sections_.size() + k];
    double z1 = state.first, z2 = state.second;
    for (double& value : values) {
      const double y = s.b0 * value + z1;
      z1 = s.b1 * value - s.a1 * y + z2;
      z2 = s.b2 * value - s.a2 * y;
      value = y;
    }
    state = {std::fabs(z1) > kNegligible ? z1 : 0, std::fabs(z2) > kNegligible ? z2 : 0};
    if (!std::isfinite(z1) || !std::isfinite(z2)) slots_[slot].seen = false;  // overflowed: begin anew
  }
}

std::size_t CascadeOperator::memory_bytes() const {
  return sizeof *this + slots_.capacity() * sizeof(Continuity::Slot) + states_.capacity() * sizeof(State) +
         sections_.capacity() * sizeof(Section);
}

void CascadeOperator::counters(std::vector<Counter>& out) const {
  out.push_back({"bad_samples", bad_samples_});
  out.push_back({"restarts", restarts_});
}

DecimateOperator::DecimateOperator(int factor, Nanos max_gap, std::size_t slots)
    : factor_(static_cast<std::size_t>(factor)),
      taps_(decimation_taps(factor)),
      continuity_(max_gap),
      slots_(slots),
      history_(slots * 2 * taps_.size()) {}

void DecimateOperator::process(const Frame& in, FrameBuilder& out) {
  const std::size_t n = taps_.size();
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t index = in.slot_at(i);
    Slot& slot = slots_[index];
    double* history = history_.data() + index * 2 * n;
    double value = in.column(0)[i];
    if (usable(value, in.quality_at(i))) {
      if (continuity_.begins(slot.continuity, in.time[i])) {
        ++restarts_;
        std::fill(history, history + 2 * n, value);
        slot = Slot{slot.continuity};
      }
      slot.continuity.held = value;
      slot.worst = std::max(slot.worst, in.quality_at(i));
    } else {
      ++bad_samples_;
      if (!slot.continuity.seen) continue;
      value = slot.continuity.held;
      ++slot.bad;
    }
    history[slot.next] = history[slot.next + n] = value;
    slot.next = (slot.next + 1) % n;
    slot.fresh = std::min(slot.fresh + 1, n);
    if (static_cast<std::size_t>(++slot.phase) < factor_) continue;
    const double result = dot(taps_.data(), history + slot.next, n);  // symmetric taps: the order does not matter
    Quality quality = slot.bad > 0 || slot.fresh < n ? std::max(slot.worst, Quality::uncertain) : slot.worst;
    if (slot.bad == slot.phase || !std::isfinite(result)) quality = Quality::bad;
    out.append(index, in.time[i], quality, {&result, 1});
    slot.phase = slot.bad = 0;
    slot.worst = Quality::good;
  }
}

std::size_t DecimateOperator::memory_bytes() const {
  return sizeof *this + slots_.capacity() * sizeof(Slot) + (history_.capacity() + taps_.capacity()) * sizeof(double);
}

void DecimateOperator::counters(std::vector<Counter>& out) const {
  out.push_back({"bad_samples", bad_samples_});
  out.push_back({"restarts", restarts_});
}

MedianOperator::MedianOperator(std::size_t size, std::size_t slots) : size_(size), slots_(slots) {}

void MedianOperator::process(const Frame& in, FrameBuilder& out) {
  const std::size_t first = out.append_like(in);
  const std::span<double> results = out.column(0).subspan(first);
  for (std::size_t i = 0; i < in.size(); ++i) {
    Slot& slot = slots_[in.slot_at(i)];
    const double value = in.column(0)[i];
    if (usable(value, in.quality_at(i))) {
      insert(slot, value, size_);
    } else {
      ++bad_samples_;
      out.set_quality(first + i, Quality::bad);
    }
    const std::size_t n = slot.held;
    results[i] =
        n == 0 ? std::numeric_limits<double>::quiet_NaN() : 0.5 * slot.sorted[(n - 1) / 2] + 0.5 * slot.sorted[n / 2];
  }
}

void MedianOperator::insert(Slot& slot, double value, std::size_t size) {
  double* end = slot.sorted + slot.held;
  if (slot.held == size) {
    double* gone = std::lower_bound(slot.sorted, end, slot.ring[slot.oldest]);
    std::copy(gone + 1, end, gone);
    --end;
  } else {
    ++slot.held;
  }
  double* place = std::upper_bound(slot.sorted, end, value);
  std::copy_backward(place, end, end + 1);
  *place = value;
  slot.ring[slot.oldest] = value;
  slot.oldest = (slot.oldest + 1) % size;
}

std::size_t MedianOperator::memory_bytes() const { return sizeof *this + slots_.capacity() * sizeof(Slot); }

void MedianOperator::counters(std::vector<Counter>& out) const { out.push_back({"bad_samples", bad_samples_}); }

}  // namespace alara::flow
