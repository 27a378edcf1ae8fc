// SPDX-License-Identifier: Apache-2.0
// The operator of a rule: conditions over whole frames, then a small state machine for each slot.
//
// Two clocks. Event time (rows, and `now` of advance()) measures how long a condition has held; what comes first ends
// the wait: a row whose time is late enough, or the clock having passed the same span since the row that began it.
// Monotonic time (arrivals) measures how long a slot has been without fresh good input, and is what commands carry.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "core/operator.hpp"
#include "rules/rule_plan.hpp"

namespace alara::rules {

class Rule final : public Operator {
 public:
  // What of the context the rule keeps; the spans outlive it.
  struct Identity {
    PipelineId pipeline{};
    std::string pipeline_name, name;
    std::span<const AssetId> assets;
    std::span<const std::string> asset_names;
  };
  Rule(RulePlan plan, Identity identity, Decisions* decisions);

  void process(const Frame& in, FrameBuilder& out) override;
  void advance(Nanos now, Nanos monotonic, FrameBuilder& out) override;
  [[nodiscard]] Nanos next_due() const override;
  void acknowledged(const Ack& ack) override;
  void make_safe(Nanos monotonic) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

  [[nodiscard]] bool reset_latch(std::size_t slot);

 private:
  enum class Phase : std::uint8_t { idle, pending, active, clearing };
  static constexpr Nanos kLearn = INT64_MIN;    // a due instant to be set at the next advance(), when `now` is known
  static constexpr std::uint8_t kAgreeing = 3;  // late rows in a row that make a clock set back believable

  struct Slot {
    Phase phase = Phase::idle;
    bool condition = false;  // `when` at the last row taken
    bool safe = false;       // the safe value has been commanded and no good row has come since
    bool trouble = false;    // a command failed and none has succeeded since
    bool reset_asked = false;
    bool seen = false;
    std::uint8_t late = 0;  // late rows without a timely one between
    std::uint32_t raises = 0, safes = 0, troubles = 0;
    Nanos since = 0;     // event time at which the condition of pending or clearing came true
    Nanos due = kNever;  // `now` at which it has held long enough
    Nanos repeat_due = kNever;
    Nanos cause = 0;                                       // arrival of the row of `since`
    Nanos last_time = 0;                                   // event time of the last row taken
    Nanos last_good = 0;                                   // arrival of the last fresh good row
    std::uint64_t key = 0, safe_key = 0, trouble_key = 0;  // of the events now raised
  };
  enum class Change : std::uint8_t { none, raised, cleared };
  // The moment of a decision: its event time, and the arrival of what caused it.
  struct Moment {
    Nanos time;
    Nanos arrival;
  };

  void evaluate(const Frame& in);
  bool pass_quiet_block(const Frame& in);
  [[nodiscard]] bool unusable(const Frame& in, std::size_t row) const;
  [[nodiscard]] bool late(Slot& state, Nanos time);
  void take_row(const Frame& in, std::size_t row, FrameBuilder& out);
  void take_bad_row(std::uint32_t slot, Moment moment);
  Change step(std::uint32_t slot, bool when, bool end, Moment moment, FrameBuilder& out);
  Change pass_time(std::uint32_t slot, Nanos now, Nanos monotonic, FrameBuilder& out);
  void wait(Slot& state, Phase phase, Moment moment);
  Change raise(std::uint32_t slot, Moment moment, FrameBuilder& out);
  Change clear(std::uint32_t slot, Moment moment, FrameBuilder& out);
  void remind(std::uint32_t slot, Moment moment);
  void refresh_due();

  void check_freshness(Nanos monotonic, Nanos time);
  void enter_safe(std::uint32_t slot, Moment moment, std::string_view why);
  void recover(std::uint32_t slot, Change change, Moment moment);
  void command_safe(std::uint32_t slot, Nanos arrival);

  void issue(std::uint32_t slot, On on, Moment moment);
  void send(const Command& command);
  [[nodiscard]] Command command_for(const Write& write, std::uint32_t slot, Nanos arrival) const;
  [[nodiscard]] bool forbidden(std::uint32_t slot, std::string_view& why) const;

  void store_row(const Frame& in, std::size_t row, std::uint32_t slot);
  [[nodiscard]] std::span<const double> row_of(std::uint32_t slot) const;
  [[nodiscard]] std::string_view asset_name(std::uint32_t slot) const;
  [[nodiscard]] std::uint64_t event_key(std::uint32_t slot, std::uint32_t kind, std::uint32_t occurrence) const;
  void publish(std::uint32_t slot, bool raised, std::uint64_t key, Severity severity, Moment moment, std::string text);

  // constant after construction
  RulePlan plan_;  // its programs own scratch memory
  const Identity identity_;
  Decisions* const decisions_;                                          // null at `alara check`: nothing runs then
  std::vector<std::pair<ActuatorId, std::uint32_t>> slot_of_actuator_;  // sorted
  std::string interlock_true_, interlock_unknown_, over_rate_;          // reasons for the audit log
  bool any_clear_write_ = false;
  bool keep_rows_ = false;  // something needs the last values of each slot

  // state
  std::vector<Slot> slots_;
  std::vector<double> rows_;  // [slot * inputs]: the last values taken
  RateLimit rate_limit_;
  std::vector<double> when_, end_;  // of the frame at hand
  Nanos next_due_ = kNever;         // the earliest due or repeat_due; may be too early, never too late
  bool started_ = false;            // advance() has been called
  Nanos last_now_ = 0, last_monotonic_ = 0;
  Nanos stale_check_ = kNever;  // monotonic; no slot becomes stale before

  struct Counts {
    std::uint64_t raised = 0, cleared = 0, commands = 0, refused = 0, suppressed = 0, dry_run = 0, unsent = 0, safe = 0,
                  bad_rows = 0, late_rows = 0;
    std::array<std::uint64_t, 6> acks{};  // by outcome
  };
  Counts counts_;
};

}  // namespace alara::rules
