// SPDX-License-Identifier: Apache-2.0
// Any text as a rule's options, then wild rows and times: it is refused with a sentence, or runs and never overflows.
#include <cstring>

#include "rules/rule_kind.hpp"

using namespace alara;

namespace {

class NoDecisions final : public Decisions {
 public:
  bool send(const Command&) override { return true; }
  CommandId next_command_id() override { return static_cast<CommandId>(++last_); }
  void publish(Event&&) override {}
  bool hand_out(const OutletSample&) override { return false; }
  void audit(std::string_view, const Command&, std::string_view) override {}

 private:
  std::uint64_t last_ = 0;
};

class AnyActuator final : public ActuatorBook {
 public:
  Result<ActuatorId> actuator(const Node&, std::size_t slot) override { return static_cast<ActuatorId>(slot); }
};

}  // namespace

// Options, then a zero byte, then the bytes of rows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* zero = static_cast<const std::uint8_t*>(std::memchr(data, 0, size));
  const std::size_t text_size = zero == nullptr ? size : static_cast<std::size_t>(zero - data);
  const auto options = parse_document({reinterpret_cast<const char*>(data), text_size}, "fuzz");
  if (!options) return 0;
  const auto& kind = rules::rule_kind();
  std::vector<Error> errors;
  kind.schema().check(*options, errors);
  if (!errors.empty()) return 0;
  const auto names = kind.inputs(*options);
  if (!names) return 0;
  std::vector<ValueInfo> inputs;
  for (const std::string& name : *names)
    inputs.push_back({.name = name, .unit = *Unit::parse(name.size() % 2 ? "" : "degC")});
  const std::vector<AssetId> assets(2);
  const std::vector<std::string> asset_names = {"a", "b"};
  NoDecisions decisions;
  AnyActuator book;
  OperatorContext context;
  context.assets = assets;
  context.asset_names = asset_names;
  context.decisions = &decisions;
  context.actuators = &book;
  auto made = kind.make(*options, inputs, context);
  if (!made) {
    ALARA_ASSERT(!made.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  FrameBuilder out(1);
  Nanos monotonic = 0;
  for (std::size_t at = text_size + 1; at + 9 <= size; at += 9) {
    Nanos time = 0;
    std::memcpy(&time, data + at + 1, sizeof time);
    const double value = data[at] % 8 == 7 ? std::numeric_limits<double>::quiet_NaN() : data[at] % 8;
    std::vector<std::span<const double>> columns(inputs.size(), {&value, 1});
    Frame frame;
    frame.only_slot = data[at] >> 7;
    frame.time = {&time, 1};
    frame.columns = columns;
    frame.arrival = monotonic += data[at] * kMillisecond;
    out.clear();
    made->code->process(frame, out);
    if (made->code->next_due() <= time) made->code->advance(time, monotonic, out);
    if (data[at] == 9) static_cast<void>(rules::reset_latch(*made->code, 0));
  }
  made->code->make_safe(monotonic);
  return 0;
}
