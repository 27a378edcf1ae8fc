// SPDX-License-Identifier: Apache-2.0
// Pools: the input is padded so that every place of the window lies within it, then pooled without padding.
#include <limits>

#include "learn/autograd/operators.hpp"
#include "learn/autograd/window.hpp"

namespace alara::learn {
namespace {

Window pool_window(const Call& call) { return window_of(call, call.node.integers("kernel_shape")); }

// Pads that make all places lie within the input (those at the end may be negative: what no window reaches).
Window with_ends_to_places(const Call& call, Window window) {
  const bool ceil_mode = call.integer("ceil_mode", 0) != 0;
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t in = call[0].size(static_cast<std::int64_t>(i) + 2);
    const std::int64_t count = places(window, i, in, ceil_mode);
    window.ends[i] = (count - 1) * window.strides[i] + window.reach(i) - in - window.begins[i];
  }
  return window;
}

at::Tensor padded(const at::Tensor& x, const Window& window, double value) {
  const Integers pads = window.torch_pads();
  if (std::ranges::all_of(pads, [](auto pad) { return pad == 0; })) return x;
  return at::constant_pad_nd(x, pads, value);
}

at::Tensor max_over(const at::Tensor& x, const Window& window) {
  const Integers zeros(window.rank(), 0);
  switch (window.rank()) {
    case 1:
      return at::max_pool1d(x, window.kernel, window.strides, zeros, window.dilations);
    case 2:
      return at::max_pool2d(x, window.kernel, window.strides, zeros, window.dilations);
    case 3:
      return at::max_pool3d(x, window.kernel, window.strides, zeros, window.dilations);
    default:
      TORCH_CHECK(false, "pools of ", window.rank(), " dimensions");
  }
}

at::Tensor sum_over(const at::Tensor& x, const Window& window) {
  const Integers zeros(window.rank(), 0);
  TORCH_CHECK(std::ranges::all_of(window.dilations, [](auto d) { return d == 1; }), "dilations of averages");
  switch (window.rank()) {
    case 1: {
      const Integers kernel = {1, window.kernel[0]};
      const Integers strides = {1, window.strides[0]};
      return at::avg_pool2d(x.unsqueeze(-2), kernel, strides, {0, 0}, false, true, 1).squeeze(-2);
    }
    case 2:
      return at::avg_pool2d(x, window.kernel, window.strides, zeros, false, true, 1);
    case 3:
      return at::avg_pool3d(x, window.kernel, window.strides, zeros, false, true, 1);
    default:
      TORCH_CHECK(false, "pools of ", window.rank(), " dimensions");
  }
}

// How many elements of `of` (a size of the input, with or without its pads) each place holds.
at::Tensor counts(const Call& call, const Window& asked, const Window& full, bool with_pads) {
  Integers shape = {1, 1};
  for (std::size_t i = 0; i < asked.rank(); ++i)
    shape.push_back(call[0].size(static_cast<std::int64_t>(i) + 2) + (with_pads ? asked.begins[i] + asked.ends[i] : 0));
  Window rest = full;
  for (std::size_t i = 0; i < asked.rank() && with_pads; ++i) {
    rest.begins[i] = 0;
    rest.ends[i] -= asked.ends[i];
  }
  return sum_over(padded(at::ones(shape, call[0].options()), rest, 0), full);
}

Integers spatial(const at::Tensor& x) {
  Integers out;
  for (std::int64_t i = 2; i < x.dim(); ++i) out.push_back(i);
  return out;
}

Values max_pool(const Call& call) {
  const at::Tensor& given = call[0];
  const at::Tensor x = given.is_floating_point() ? given : given.to(call.real);
  const Window window = with_ends_to_places(call, pool_window(call));
  return {max_over(padded(x, window, -std::numeric_limits<double>::infinity()), window).to(given.scalar_type())};
}

Values average_pool(const Call& call) {
  const Window asked = pool_window(call);
  const Window full = with_ends_to_places(call, asked);
  const bool with_pads = call.integer("count_include_pad", 0) != 0;
  return {sum_over(padded(call[0], full, 0), full) / counts(call, asked, full, with_pads)};
}

Values lp_pool(const Call& call) {
  const double p = static_cast<double>(call.integer("p", 2));
  const Window full = with_ends_to_places(call, pool_window(call));
  return {at::pow(sum_over(at::pow(padded(call[0], full, 0).abs(), p), full), 1 / p)};
}

Values global_average_pool(const Call& call) { return {at::mean(call[0], spatial(call[0]), true)}; }
Values global_max_pool(const Call& call) { return {at::amax(call[0], spatial(call[0]), true)}; }
Values global_lp_pool(const Call& call) {
  const double p = static_cast<double>(call.integer("p", 2));
  return {at::pow(at::sum(at::pow(call[0].abs(), p), spatial(call[0]), true), 1 / p)};
}

std::string max_limits(const graph::Node& node) {
  return node.outputs.size() > 1 && !node.outputs[1].empty() ? "its second output, the places of the maxima" : "";
}
std::string average_limits(const graph::Node& node) {
  return std::ranges::any_of(node.integers("dilations"), [](auto d) { return d != 1; }) ? "dilations" : "";
}

}  // namespace

std::span<const Operator> pool_operators() {
  static constexpr Operator kTable[] = {
      {"AveragePool", average_pool, 0, 0, average_limits},
      {"GlobalAveragePool", global_average_pool},
      {"GlobalLpPool", global_lp_pool},
      {"GlobalMaxPool", global_max_pool},
      {"LpPool", lp_pool, 0, 0, average_limits},
      {"MaxPool", max_pool, 0, 0, max_limits},
  };
  return kTable;
}

}  // namespace alara::learn
