// SPDX-License-Identifier: Apache-2.0
#include "flow/publish/publish.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace alara::flow {
namespace {

struct PublishPlan {
  std::vector<OutletId> outlets;  // by slot
  Nanos every = 0;                // at least this long between two values of a slot; 0 = each as it comes
  bool changes_only = false;
};

class Publish final : public Operator {
 public:
  Publish(PublishPlan plan, Decisions* decisions)
      : plan_(std::move(plan)), decisions_(decisions), slots_(plan_.outlets.size()) {}

  void process(const Frame& in, FrameBuilder&) override {
    for (std::size_t row = 0; row < in.size(); ++row) {
      const std::uint32_t slot = in.slot_at(row);
      OutletSample sample{plan_.outlets[slot], in.columns[0][row], in.time[row], in.quality_at(row), in.arrival};
      take(slots_[slot], sample, in.now != 0 ? in.now : sample.time);
    }
  }

  void advance(Nanos now, Nanos, FrameBuilder&) override {
    next_due_ = kNever;
    for (Slot& slot : slots_) {
      if (!slot.waits) continue;
      // A clock that was set back must not hold a value for as long as it was set back.
      slot.due = std::min(slot.due, now + plan_.every);
      if (slot.due <= now)
        hand_out(slot, slot.waiting, now);
      else
        next_due_ = std::min(next_due_, slot.due);
    }
  }
  [[nodiscard]] Nanos next_due() const override { return next_due_; }

  [[nodiscard]] std::size_t memory_bytes() const override {
    return sizeof *this + slots_.capacity() * sizeof(Slot) + plan_.outlets.capacity() * sizeof(OutletId);
  }
  void counters(std::vector<Counter>& out) const override {
    out.push_back({"published", published_});
    out.push_back({"unchanged", unchanged_});
    out.push_back({"replaced", replaced_});
    out.push_back({"queue_full", refused_});
  }

 private:
  struct Slot {
    OutletSample last{};     // as handed out
    OutletSample waiting{};  // the newest one held back
    Nanos due = 0;           // when the next may go
    bool seen = false, waits = false;
  };

  static bool same(const OutletSample& a, const OutletSample& b) {
    const bool same_value = a.value == b.value || (a.value != a.value && b.value != b.value);
    return same_value && a.quality == b.quality;
  }

  void take(Slot& slot, const OutletSample& sample, Nanos now) {
    if (slot.waits) {
      ++replaced_;
      slot.waiting = sample;
      return;
    }
    if (plan_.changes_only && slot.seen && same(slot.last, sample)) {
      ++unchanged_;
      return;
    }
    if (slot.seen && plan_.every > 0 && now < slot.due && now >= slot.due - plan_.every) {
      slot.waits = true;
      slot.waiting = sample;
      next_due_ = std::min(next_due_, slot.due);
      return;
    }
    hand_out(slot, sample, now);
  }

  void hand_out(Slot& slot, const OutletSample& sample, Nanos now) {
    slot.waits = false;
    if (plan_.changes_only && slot.seen && same(slot.last, sample)) {  // went away and came back while it waited
      ++unchanged_;
      return;
    }
    slot.last = sample;
    slot.seen = true;
    slot.due = now + plan_.every;
    ++(decisions_->hand_out(sample) ? published_ : refused_);
  }

  const PublishPlan plan_;
  Decisions* const decisions_;  // null at `alara check`: nothing runs then
  std::vector<Slot> slots_;
  Nanos next_due_ = kNever;
  std::uint64_t published_ = 0, unchanged_ = 0, replaced_ = 0, refused_ = 0;
};

const Schema& publish_schema() {
  static const Property kName{.name = "value", .type = PropertyType::text, .sentence = "A value."};
  static const Schema kSchema{
      "publish",
      "Shows values of the node to others through a connector: on MQTT topics, OPC UA nodes, Sparkplug metrics. Each "
      "goes with its event time, quality and unit.",
      {{.name = "values",
        .type = PropertyType::list,
        .sentence = "Signals and results of steps, [temperature, load.mean]; \"*\" stands for all signals.",
        .required = true,
        .element = &kName},
       {.name = "to",
        .type = PropertyType::text,
        .sentence = "Where: connector/address. {asset} and {value} stand for the names, so that each has a place of "
                    "its own.",
        .required = true},
       {.name = "every",
        .type = PropertyType::duration,
        .sentence = "At least this long between two values of one address; the newest is sent then. 0s sends each.",
        .fallback = "0s"},
       {.name = "only",
        .type = PropertyType::choice,
        .sentence = "changes leaves out a value that equals the last one sent, with the same quality.",
        .fallback = "all",
        .choices = {"all", "changes"}}}};
  return kSchema;
}

class PublishKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "publish"; }
  [[nodiscard]] const Schema& schema() const override { return publish_schema(); }
  [[nodiscard]] bool takes_inputs_apart() const override { return true; }
  [[nodiscard]] bool acts() const override { return true; }

  Result<std::vector<std::string>> inputs(const Node& options) const override {
    std::vector<std::string> names;
    for (std::string& name : Options(options, publish_schema()).texts("values"))
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    if (names.empty()) return fail_at(options.where, "publish has no values");
    return names;
  }

  Result<Made> make(const Node& options, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    const Options read(options, publish_schema());
    if (context.outlets == nullptr) return fail_at(read.where("to"), "values can not be published from here");
    PublishPlan plan;
    plan.every = read.duration("every");
    plan.changes_only = read.text("only") == "changes";
    for (std::size_t slot = 0; slot < context.assets.size(); ++slot) {
      ALARA_TRY(const OutletId outlet, context.outlets->outlet(*read.node("to"), slot, inputs[0]));
      plan.outlets.push_back(outlet);
    }
    Made made;
    made.code = std::make_unique<Publish>(std::move(plan), context.decisions);
    made.memory_bound = made.code->memory_bytes();
    return made;
  }
};

}  // namespace

const OperatorKind& publish_kind() {
  static const PublishKind kKind;
  return kKind;
}

}  // namespace alara::flow
