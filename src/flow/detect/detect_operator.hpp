// SPDX-License-Identifier: Apache-2.0
// Runs a detector bank over frames: skips what is no reading, holds alarms, writes score, alarm and level.
#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/operator.hpp"
#include "flow/detect/reading.hpp"

namespace alara::flow {

inline constexpr std::size_t kMaxInputs = 16;

template <typename Bank>
class DetectOperator final : public Operator {
 public:
  // `hold`: an alarm lasts at least this long (event time) after the last hit.
  DetectOperator(Bank bank, std::size_t slots, std::size_t inputs, Nanos hold, bool with_level)
      : bank_(std::move(bank)), alarms_(slots), inputs_(inputs), hold_(hold), with_level_(with_level) {}

  void process(const Frame& in, FrameBuilder& out) override {
    const std::size_t first = out.append_like(in);
    const std::span<double> score = out.column(0);
    const std::span<double> alarm = out.column(1);
    const std::span<double> level = with_level_ ? out.column(2) : std::span<double>{};
    std::array<double, kMaxInputs> x;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t slot = in.slot_at(i);
      bool usable = in.quality_at(i) != Quality::bad;
      for (std::size_t k = 0; k < inputs_; ++k) {
        x[k] = in.column(k)[i];
        usable = usable && std::fabs(x[k]) <= kMaxMagnitude;  // false for NaN
      }
      Reading reading;
      if (usable) {
        reading = bank_.step(slot, in.time[i], x.data());
        if (!reading.warm) out.set_quality(first + i, std::max(Quality::uncertain, in.quality_at(i)));
      } else {
        ++skipped_;
        reading.score = std::numeric_limits<double>::quiet_NaN();
        out.set_quality(first + i, Quality::bad);
      }
      score[first + i] = reading.score;
      alarm[first + i] = alarm_after(alarms_[slot], reading, in.time[i]) ? 1 : 0;
      if (with_level_) level[first + i] = reading.level;
    }
  }

  [[nodiscard]] std::size_t memory_bytes() const override {
    return sizeof(*this) + alarms_.size() * (sizeof(Alarm) + bank_.bytes_per_slot());
  }
  void counters(std::vector<Counter>& out) const override {
    out.push_back({"skipped", skipped_});
    out.push_back({"hits", hits_});
    out.push_back({"alarms", raised_});
  }

 private:
  struct Alarm {
    Nanos last_hit = 0;
    bool raised = false;
  };
  bool alarm_after(Alarm& alarm, const Reading& reading, Nanos time) {
    if (reading.hit) {
      ++hits_;
      if (!alarm.raised) ++raised_;
      alarm.last_hit = alarm.raised ? std::max(alarm.last_hit, time) : time;
      alarm.raised = true;
    } else if (alarm.raised && time - alarm.last_hit >= hold_) {
      alarm.raised = false;
    }
    return alarm.raised;
  }

  Bank bank_;
  std::vector<Alarm> alarms_;
  std::size_t inputs_;
  Nanos hold_;
  bool with_level_;
  std::uint64_t skipped_ = 0, hits_ = 0, raised_ = 0;
};

}  // namespace alara::flow
