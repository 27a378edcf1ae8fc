// SPDX-License-Identifier: Apache-2.0
// Any sequence of doubles, times and qualities through any detector: scores stay numbers unless the reading was bad.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "flow/detect/detect.hpp"

namespace {

using namespace alara;

constexpr std::array<const char*, 8> kSteps{
    "{of: a, with: ewma, warm_up: 2, memory: 2}",
    "{of: a, with: mad, window: 4, warm_up: 2}",
    "{of: a, with: cusum, warm_up: 2, after: carry}",
    "{of: a, with: page_hinkley, warm_up: 2, after: relearn}",
    "{of: a, with: spot, warm_up: 40, tail: 0.2, q: 0.01, peaks: 16}",
    "{of: a, with: spot, warm_up: 40, tail: 0.2, q: 0.01, peaks: 16, drift: 3}",
    "{of: a, with: hs_trees, window: 4, depth: 3, trees: 2}",
    "{of: a, with: anomaly, warm_up: 2, memory: 2, season: 1min}",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto node = parse_document(kSteps[data[0] % kSteps.size()], "fuzz");
  const std::array<AssetId, 2> assets{};
  OperatorContext context;
  context.assets = assets;
  const std::array<ValueInfo, 1> input{ValueInfo{.name = "a", .unit = {}}};
  auto made = flow::detect_kind().make(*node, input, context);
  if (!made) __builtin_trap();
  FrameBuilder out(made->outputs.size());
  constexpr std::size_t kRow = sizeof(double) + sizeof(Nanos) + 1;
  for (std::size_t at = 1; at + kRow <= size; at += kRow) {
    double x = 0;
    Nanos time = 0;
    std::memcpy(&x, data + at, sizeof x);
    std::memcpy(&time, data + at + sizeof x, sizeof time);
    time = std::clamp<Nanos>(time, INT64_MIN / 4, INT64_MAX / 4);  // the engine bounds event times
    const std::uint8_t flags = data[at + kRow - 1];
    const auto quality = static_cast<Quality>(flags % 3);
    const std::array<std::span<const double>, 1> columns{std::span(&x, 1)};
    out.clear();
    made->code->process({{}, static_cast<std::uint32_t>(flags >> 7), {&time, 1}, {&quality, 1}, columns, 0}, out);
    const bool bad = out.view(0).quality_at(0) == Quality::bad;
    if (bad != std::isnan(out.column(0)[0]) || out.column(0)[0] < 0) __builtin_trap();
  }
  return 0;
}
