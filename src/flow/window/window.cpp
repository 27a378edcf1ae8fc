// SPDX-License-Identifier: Apache-2.0
#include "flow/window/window.hpp"

#include <algorithm>

#include "flow/window/options.hpp"
#include "flow/window/panes.hpp"
#include "flow/window/runs.hpp"
#include "flow/window/sliding_count.hpp"
#include "flow/window/sliding_ring.hpp"

namespace alara::flow {
namespace {

double result_rate(const WindowOptions& options, double input_rate) {
  switch (options.shape) {
    case WindowShape::tumbling:
    case WindowShape::hopping:
      return 1e9 / static_cast<double>(options.every);
    case WindowShape::sliding:
      return input_rate;
    case WindowShape::count:
      return input_rate / static_cast<double>(options.count);
    default:
      return 0;  // as the signal has it
  }
}

Result<std::unique_ptr<Operator>> build(const WindowOptions& options, std::size_t slots) {
  const bool by_count = options.shape == WindowShape::sliding && options.count > 0;
  if (by_count && !options.ordered && !options.needs.sketch)
    return options.narrow ? SlidingCount<float>::make(options, slots) : SlidingCount<double>::make(options, slots);
  auto windows = options.shape == WindowShape::tumbling || options.shape == WindowShape::hopping
                     ? PaneWindows::make(options, slots)
                 : options.shape == WindowShape::sliding ? SlidingRing::make(options, slots)
                                                         : RunWindows::make(options, slots);
  if (!windows) return fail_with(std::move(windows));
  ALARA_TRY(auto pending, PendingSamples::make(slots, options.pending));
  return std::make_unique<EventTimeOperator>(options, slots, std::move(pending), std::move(*windows));
}

std::vector<Error> warnings_for(const WindowOptions& options, const ValueInfo& input, const Where& where) {
  std::vector<Error> warnings;
  const auto warn = [&](std::string message, std::string hint) {
    warnings.push_back({ErrorKind::bad_input, std::move(message), where, std::move(hint)});
  };
  for (const Wanted& wanted : options.use)
    if (input.unit.affine() && (wanted.what == Aggregate::sum || wanted.what == Aggregate::rms))
      warn(fmt::format("the {} of {} depends on where the scale {} has its zero", wanted.name, options.of,
                       input.unit.text()),
           "convert to K first");
  if (options.size > 0 && input.rate_hz > 0 && static_cast<double>(options.size) * 1e-9 * input.rate_hz < 1)
    warn(fmt::format("a window of this size holds less than one sample of {} at {} Hz", options.of, input.rate_hz),
         "make size longer");
  return warnings;
}

class WindowKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "window"; }
  [[nodiscard]] const Schema& schema() const override { return window_schema(); }

  Result<std::vector<std::string>> inputs(const Node& options) const override {
    ALARA_TRY(const WindowOptions read, read_window(options));
    if (read.by.empty() || read.by == read.of) return std::vector<std::string>{read.of};
    return std::vector<std::string>{read.of, read.by};
  }

  Result<Made> make(const Node& options, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    ALARA_TRY(WindowOptions read, read_window(options));
    const ValueInfo& input = inputs[0];
    ALARA_CHECK(complete(read, input, options));
    Made made;
    ALARA_TRY(made.code, build(read, context.assets.size()));
    made.memory_bound = made.code->memory_bytes();
    for (const Wanted& wanted : read.use) {
      made.outputs.push_back(describe(wanted, input));
      made.outputs.back().rate_hz = result_rate(read, input.rate_hz);
    }
    if (read.emit_late) {
      made.outputs.push_back(input);
      made.outputs.back().name = "late";
      made.outputs.back().rate_hz = 0;
    }
    made.warnings = warnings_for(read, input, options.where);
    return made;
  }
};

}  // namespace

const OperatorKind& window_kind() {
  static const WindowKind kind;
  return kind;
}

}  // namespace alara::flow
