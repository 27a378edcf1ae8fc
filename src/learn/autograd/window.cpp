// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/window.hpp"

#include <algorithm>

namespace alara::learn {

Integers Window::torch_pads() const {
  Integers out;
  for (std::size_t i = rank(); i-- > 0;) {
    out.push_back(begins[i]);
    out.push_back(ends[i]);
  }
  return out;
}

Window bare_window_of(const Call& call, at::IntArrayRef kernel) {
  Window out;
  out.kernel = kernel.vec();
  const std::size_t rank = kernel.size();
  out.strides = call.node.integers("strides", Integers(rank, 1));
  out.dilations = call.node.integers("dilations", Integers(rank, 1));
  const Integers pads = call.node.integers("pads", Integers(2 * rank, 0));
  TORCH_CHECK(out.strides.size() == rank && out.dilations.size() == rank && pads.size() == 2 * rank,
              "strides, dilations and pads must fit a kernel of ", rank, " dimensions");
  out.begins.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
  out.ends.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
  const auto counts = [](const Integers& sizes) { return std::ranges::all_of(sizes, [](auto n) { return n > 0; }); };
  TORCH_CHECK(counts(out.kernel) && counts(out.strides) && counts(out.dilations),
              "kernel, strides and dilations must be 1 or more");
  return out;
}

Window window_of(const Call& call, at::IntArrayRef kernel) {
  const at::Tensor& x = call[0];
  TORCH_CHECK(x.dim() == static_cast<std::int64_t>(kernel.size()) + 2, "a kernel of ", kernel.size(),
              " dimensions does not fit an input of ", x.dim());
  Window out = bare_window_of(call, kernel);
  const std::string auto_pad = call.node.text("auto_pad", "NOTSET");
  if (auto_pad == "NOTSET" || auto_pad.empty()) return out;
  for (std::size_t i = 0; i < out.rank(); ++i) {
    const std::int64_t in = x.size(static_cast<std::int64_t>(i) + 2);
    const std::int64_t size = (in + out.strides[i] - 1) / out.strides[i];
    const std::int64_t total =
        auto_pad == "VALID" ? 0 : std::max<std::int64_t>(0, (size - 1) * out.strides[i] + out.reach(i) - in);
    out.begins[i] = auto_pad == "SAME_LOWER" ? total - total / 2 : total / 2;
    out.ends[i] = total - out.begins[i];
  }
  return out;
}

std::int64_t places(const Window& window, std::size_t i, std::int64_t in, bool ceil_mode) {
  const std::int64_t room = in + window.begins[i] + window.ends[i] - window.reach(i);
  TORCH_CHECK(room >= 0, "the window is larger than its input: ", window.reach(i), " over ", in);
  const std::int64_t steps = ceil_mode ? (room + window.strides[i] - 1) / window.strides[i] : room / window.strides[i];
  return ceil_mode && steps * window.strides[i] >= in + window.begins[i] ? steps : steps + 1;
}

}  // namespace alara::learn
