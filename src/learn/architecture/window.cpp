// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/window.hpp"

namespace alara::learn {
namespace {

Result<std::vector<std::int64_t>> spread(std::string_view what, const char* name, const Sizes& sizes,
                                         std::size_t dimensions) {
  std::vector<std::int64_t> each = sizes.each;
  if (each.size() == 1) each.resize(dimensions, each[0]);
  if (each.size() != dimensions)
    return fail(ErrorKind::bad_input, "{}: {} {} is for {} dimensions, but the input has {}", what, name,
                graph::text_of(each), each.size(), dimensions);
  for (const std::int64_t size : each)
    if (size < 1 || size > kMaxWidth)
      return fail(ErrorKind::bad_input, "{}: {} {} is not within 1 and {}", what, name, size, kMaxWidth);
  return each;
}

}  // namespace

Result<WindowPlan> plan_window(std::string_view what, const graph::Shape& in, const Sizes& kernel, const Sizes& stride,
                               const Sizes& dilation, Padding padding, bool round_up) {
  if (in.size() != 2 && in.size() != 3)
    return fail(ErrorKind::bad_input, "{} needs [channels, length] or [channels, height, width], not {}", what,
                graph::text_of(in));
  const std::size_t dimensions = in.size() - 1;
  WindowPlan plan;
  ALARA_TRY(plan.kernel, spread(what, "kernel", kernel, dimensions));
  ALARA_TRY(plan.stride, spread(what, "stride", stride, dimensions));
  ALARA_TRY(plan.dilation, spread(what, "dilation", dilation, dimensions));
  if (padding.around > kMaxWidth)
    return fail(ErrorKind::bad_input, "{}: padding {} is more than {}", what, padding.around, kMaxWidth);
  plan.pads.resize(2 * dimensions);
  for (std::size_t i = 0; i < dimensions; ++i) {
    const std::int64_t reach = plan.dilation[i] * (plan.kernel[i] - 1);
    const bool same = padding.around == Padding::kSame;
    plan.pads[i] = same ? reach / 2 : padding.around;
    plan.pads[dimensions + i] = same ? reach - reach / 2 : padding.around;
    const std::int64_t room = in[i + 1] + plan.pads[i] + plan.pads[dimensions + i] - reach - 1;
    if (room < 0)
      return fail(ErrorKind::bad_input, "{}: a kernel of {} does not fit into {}", what, reach + 1, graph::text_of(in));
    std::int64_t out = (room + (round_up ? plan.stride[i] - 1 : 0)) / plan.stride[i] + 1;
    // A window that begins behind the input does not count (ONNX, ceil_mode).
    if (round_up && (out - 1) * plan.stride[i] >= in[i + 1] + plan.pads[i]) --out;
    plan.out.push_back(out);
  }
  return plan;
}

}  // namespace alara::learn
