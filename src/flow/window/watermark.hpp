// SPDX-License-Identifier: Apache-2.0
// Event-time progress of one stream: no sample older than the watermark is expected any more. It follows the newest
// time seen, less the allowed lateness; a time that is off by more than max_jump, ahead or behind, moves it only when
// three later samples in a row agree, so one broken clock can neither freeze a stream nor close its windows early.
// Plain data, a cache line's half: one per slot. Confined to its shard's thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace alara::flow {

inline constexpr Nanos kLongAgo = INT64_MIN;  // the watermark before the first sample

class Watermark {
 public:
  struct Policy {
    Nanos lateness = 0;       // how much older than the newest a sample may be
    Nanos max_jump = kNever;  // a larger step needs witnesses
    Nanos idle = kNever;      // silence after which the engine's clock moves the watermark
  };
  static constexpr int kWitnesses = 3;  // later samples that must agree with a jump

  enum class Verdict : std::uint8_t {
    on_time,  // at or after the watermark
    late,     // before it
    suspect,  // a jump not yet believed: leave the sample out
    jumped,   // the third witness: time now goes on from here; close what is open, then take the sample
  };

  // Judges a sample and moves the watermark. `now` is the engine's event time at the last turn, kLongAgo before one:
  // the first sample of a stream is measured against it.
  Verdict observe(Nanos time, Nanos now, const Policy& policy) {
    touched_ = now;
    const Nanos reference = started() ? newest_ : now;
    if (reference != kLongAgo && distance(time, reference) > policy.max_jump) return doubt(time, policy);
    witnesses_ = 0;
    if (!started() || time > newest_) {
      newest_ = time;
      mark_ = std::max(mark_, saturating_sub(time, policy.lateness));
    }
    return time < mark_ ? Verdict::late : Verdict::on_time;
  }

  // The engine's clock stands at `now`: after `idle` of silence the watermark follows it. True when it moved.
  bool advance(Nanos now, const Policy& policy) {
    if (!started() || now < quiet_from(policy)) return false;
    const Nanos mark = saturating_sub(now, policy.lateness);
    if (mark <= mark_) return false;
    mark_ = mark;
    return true;
  }

  // The earliest `now` at which advance() can bring the watermark to `instant`.
  [[nodiscard]] Nanos due(Nanos instant, const Policy& policy) const {
    return std::max(quiet_from(policy), saturating_add(instant, policy.lateness));
  }

  // Moves the watermark forward by hand, for a buffer that must let go of its oldest sample.
  void raise(Nanos mark) { mark_ = std::max(mark_, mark); }

  [[nodiscard]] bool started() const { return newest_ != kLongAgo; }
  [[nodiscard]] Nanos mark() const { return mark_; }
  [[nodiscard]] Nanos newest() const { return newest_; }

 private:
  [[nodiscard]] static Nanos distance(Nanos a, Nanos b) { return a > b ? saturating_sub(a, b) : saturating_sub(b, a); }
  [[nodiscard]] Nanos quiet_from(const Policy& policy) const {
    // A stream that has not seen the engine's clock yet is measured from its own newest sample.
    return saturating_add(touched_ == kLongAgo ? newest_ : touched_, policy.idle);
  }

  Verdict doubt(Nanos time, const Policy& policy) {
    const bool agrees = witnesses_ > 0 && distance(time, suspect_) <= policy.max_jump;
    suspect_ = time;
    witnesses_ = agrees ? static_cast<std::uint8_t>(witnesses_ + 1) : std::uint8_t{1};
    if (witnesses_ <= kWitnesses) return Verdict::suspect;
    witnesses_ = 0;
    newest_ = time;
    mark_ = saturating_sub(time, policy.lateness);
    return Verdict::jumped;
  }

  Nanos newest_ = kLongAgo;  // of the samples believed
  Nanos mark_ = kLongAgo;
  Nanos touched_ = kLongAgo;  // engine's event time at the last sample
  Nanos suspect_ = 0;
  std::uint8_t witnesses_ = 0;  // suspects in a row that agree, the first included
};

}  // namespace alara::flow
