// SPDX-License-Identifier: Apache-2.0
// Resize, one axis after the other: each output element is a weighted sum of 1 (nearest), 2 (linear) or 4 (cubic)
// input elements. Coordinates are computed in float32, as ONNX Runtime does, so that ties round alike.
#include <algorithm>
#include <cmath>

#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

struct Line {  // how one axis is resized
  std::int64_t axis = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  float scale = 1;
};

// Where output element i lies in the input.
float coordinate(const std::string& mode, const Line& line, std::int64_t i) {
  const auto x = static_cast<float>(i);
  const auto in = static_cast<float>(line.in);
  const auto out = static_cast<float>(line.out);
  if (mode == "asymmetric") return x / line.scale;
  if (mode == "align_corners") return line.out > 1 ? x * (in - 1) / (out - 1) : 0;
  if (mode == "pytorch_half_pixel" && line.out <= 1) return 0;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5F) / line.scale;
  if (mode == "half_pixel_symmetric") return in / 2 * (1 - out / (line.scale * in)) + (x + 0.5F) / line.scale - 0.5F;
  return (x + 0.5F) / line.scale - 0.5F;
}

// For each output element as many places of the input and weights as there are taps.
struct Taps {
  std::vector<Integers> places;
  std::vector<std::vector<double>> weights;
};

Integers nearest_places(const Call& call, const Line& line) {
  const std::string mode = call.node.text("coordinate_transformation_mode", "half_pixel");
  const std::string rounding = call.node.text("nearest_mode", "round_prefer_floor");
  Integers out;
  for (std::int64_t i = 0; i < line.out; ++i) {
    const float x = coordinate(mode, line, i);
    const float place = rounding == "floor"               ? std::floor(x)
                        : rounding == "ceil"              ? std::ceil(x)
                        : rounding == "round_prefer_ceil" ? std::floor(x + 0.5F)
                                                          : std::ceil(x - 0.5F);
    out.push_back(std::clamp<std::int64_t>(static_cast<std::int64_t>(place), 0, line.in - 1));
  }
  return out;
}

Taps linear_taps(const Call& call, const Line& line) {
  const std::string mode = call.node.text("coordinate_transformation_mode", "half_pixel");
  Taps out{std::vector<Integers>(2), std::vector<std::vector<double>>(2)};
  for (std::int64_t i = 0; i < line.out; ++i) {
    const float x = std::clamp(coordinate(mode, line, i), 0.0F, static_cast<float>(line.in - 1));
    const auto low = static_cast<std::int64_t>(x);
    out.places[0].push_back(low);
    out.places[1].push_back(std::min(low + 1, line.in - 1));
    out.weights[1].push_back(static_cast<double>(x) - static_cast<double>(low));
    out.weights[0].push_back(1 - out.weights[1].back());
  }
  return out;
}

// Keys' cubic convolution kernel with parameter a, at distance d (IEEE Trans. ASSP 29, 1981, eq. 4 generalised).
double cubic_weight(double a, double d) {
  d = std::abs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

Taps cubic_taps(const Call& call, const Line& line) {
  const std::string mode = call.node.text("coordinate_transformation_mode", "half_pixel");
  const double a = call.number("cubic_coeff_a", -0.75);
  const bool exclude = call.integer("exclude_outside", 0) != 0;
  Taps out{std::vector<Integers>(4), std::vector<std::vector<double>>(4)};
  for (std::int64_t i = 0; i < line.out; ++i) {
    const float x = coordinate(mode, line, i);
    const auto base = static_cast<std::int64_t>(std::floor(x));
    double sum = 0;
    for (std::int64_t tap = 0; tap < 4; ++tap) {
      const std::int64_t place = base - 1 + tap;
      const bool outside = place < 0 || place >= line.in;
      const double weight =
          exclude && outside ? 0 : cubic_weight(a, static_cast<double>(x) - static_cast<double>(place));
      out.places[static_cast<std::size_t>(tap)].push_back(std::clamp<std::int64_t>(place, 0, line.in - 1));
      out.weights[static_cast<std::size_t>(tap)].push_back(weight);
      sum += weight;
    }
    for (auto& weights : out.weights) weights.back() /= sum;
  }
  return out;
}

at::Tensor combined(const at::Tensor& x, const Line& line, const Taps& taps) {
  at::Tensor out;
  Integers shape(static_cast<std::size_t>(x.dim()), 1);
  shape[static_cast<std::size_t>(line.axis)] = line.out;
  for (std::size_t tap = 0; tap < taps.places.size(); ++tap) {
    const at::Tensor weight = at::tensor(taps.weights[tap], x.options()).reshape(shape);
    const at::Tensor part = x.index_select(line.axis, tensor_of(taps.places[tap])) * weight;
    out = out.defined() ? out + part : part;
  }
  return out;
}

// Output sizes and scales of the axes that the node names, from its scales or its sizes.
std::vector<Line> lines_of(const Call& call) {
  const at::Tensor& x = call[0];
  Integers axes = call.node.integers("axes");
  for (std::int64_t i = 0; i < x.dim() && !call.node.has("axes"); ++i) axes.push_back(i);
  const bool by_scale = call.has(2) && call[2].numel() > 0;
  const at::Tensor numbers = (by_scale ? call[2] : call[3]).to(at::kFloat).contiguous();
  const Integers sizes = by_scale ? Integers{} : call.integers(3);
  TORCH_CHECK(numbers.numel() == static_cast<std::int64_t>(axes.size()), numbers.numel(), " scales or sizes for ",
              axes.size(), " axes");
  std::vector<Line> out;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Line line{axis_in(axes[i], x.dim()), 0, 0, 1};
    line.in = x.size(line.axis);
    const float number = numbers.data_ptr<float>()[i];
    TORCH_CHECK(number > 0 && number < static_cast<float>(graph::kMaxElements), "a scale or size of ", number);
    line.out = by_scale ? static_cast<std::int64_t>(std::floor(static_cast<float>(line.in) * number)) : sizes[i];
    if (!by_scale && line.axis == 0 && call.batch.differs() && line.out == call.batch.declared) line.out = line.in;
    line.scale = by_scale ? number : static_cast<float>(line.out) / static_cast<float>(line.in);
    TORCH_CHECK(line.in > 0 && line.scale > 0 && line.out > 0 && line.out <= graph::kMaxElements, line.in,
                " elements can not be resized to ", line.out);
    out.push_back(line);
  }
  return out;
}

// keep_aspect_ratio_policy: one scale for all, the smallest (not_larger) or the largest (not_smaller).
void keep_aspect_ratio(const std::string& policy, std::vector<Line>& lines) {
  if (policy != "not_larger" && policy != "not_smaller") return;
  const auto by_scale = [](const Line& a, const Line& b) { return a.scale < b.scale; };
  const float scale = policy == "not_larger" ? std::ranges::min_element(lines, by_scale)->scale
                                             : std::ranges::max_element(lines, by_scale)->scale;
  for (Line& line : lines) {
    line.scale = scale;
    line.out = static_cast<std::int64_t>(std::round(scale * static_cast<float>(line.in)));
  }
}

// libtorch's own kernel for pictures, where it means the same; it is more than twice as fast.
c10::optional<at::Tensor> by_libtorch(const Call& call, const std::string& mode, const std::vector<Line>& lines) {
  const at::Tensor& x = call[0];
  Integers sizes = x.sizes().vec();
  for (const Line& line : lines) {
    sizes[static_cast<std::size_t>(line.axis)] = line.out;
    if (line.scale != static_cast<float>(line.out) / static_cast<float>(line.in)) return c10::nullopt;
  }
  if (x.dim() != 4 || sizes[0] != x.size(0) || sizes[1] != x.size(1) || !x.is_floating_point()) return c10::nullopt;
  const at::IntArrayRef plane = at::IntArrayRef(sizes).slice(2);
  const std::string coordinates = call.node.text("coordinate_transformation_mode", "half_pixel");
  if (mode == "nearest" && coordinates == "asymmetric" && call.node.text("nearest_mode", "") == "floor")
    return at::upsample_nearest2d(x, plane);
  if (mode == "linear" && (coordinates == "half_pixel" || coordinates == "align_corners"))
    return at::upsample_bilinear2d(x, plane, coordinates == "align_corners");
  return c10::nullopt;
}

Values resize(const Call& call) {
  std::vector<Line> lines = lines_of(call);
  if (!call.has(2) || call[2].numel() == 0)
    keep_aspect_ratio(call.node.text("keep_aspect_ratio_policy", "stretch"), lines);
  const std::string mode = call.node.text("mode", "nearest");
  if (const auto whole = by_libtorch(call, mode, lines)) return {*whole};
  at::Tensor out = call[0];
  for (const Line& line : lines) {
    if (line.in == line.out && line.scale == 1) continue;
    if (mode == "nearest")
      out = out.index_select(line.axis, tensor_of(nearest_places(call, line)));
    else
      out = combined(out, line, mode == "cubic" ? cubic_taps(call, line) : linear_taps(call, line));
  }
  return {out};
}

std::string resize_limits(const graph::Node& node) {
  if (node.integer("antialias", 0) != 0) return "attribute antialias";
  if (node.text("coordinate_transformation_mode", "") == "tf_crop_and_resize") return "mode tf_crop_and_resize";
  return "";
}

}  // namespace

std::span<const Operator> resize_operators() {
  static constexpr Operator kTable[] = {{"Resize", resize, 0, inputs(1, 2), resize_limits}};
  return kTable;
}

}  // namespace alara::learn
