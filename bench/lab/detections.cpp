// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/detections.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace alara::bench {
namespace {

struct Anchor {
  double x, y, width, height;
};

// Six feature maps; the lowest has three boxes at each place, the others six.
std::vector<Anchor> ssd_anchors() {
  constexpr std::array kSides{19, 10, 5, 3, 2, 1};
  constexpr double kSmallest = 0.2, kLargest = 0.95;
  const auto scale = [&](std::size_t layer) {
    return layer == kSides.size() ? 1.0 : kSmallest + (kLargest - kSmallest) * static_cast<double>(layer) / 5;
  };
  std::vector<Anchor> out;
  for (std::size_t layer = 0; layer < kSides.size(); ++layer) {
    std::vector<std::array<double, 2>> shapes;  // scale, aspect
    if (layer == 0)
      shapes = {{0.1, 1}, {scale(0), 2}, {scale(0), 0.5}};
    else
      shapes = {{scale(layer), 1}, {scale(layer), 2},      {scale(layer), 0.5},
                {scale(layer), 3}, {scale(layer), 0.3333}, {std::sqrt(scale(layer) * scale(layer + 1)), 1}};
    for (int y = 0; y < kSides[layer]; ++y)
      for (int x = 0; x < kSides[layer]; ++x)
        for (const auto& [size, aspect] : shapes)
          out.push_back({(x + 0.5) / kSides[layer], (y + 0.5) / kSides[layer], size * std::sqrt(aspect),
                         size / std::sqrt(aspect)});
  }
  return out;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

double overlap(const Detection& a, const Detection& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const auto area = [](const Detection& d) { return (d.right - d.left) * (d.bottom - d.top); };
  const double both = width * height;
  return both / (area(a) + area(b) - both);
}

std::vector<Detection> without_doubles(std::vector<Detection> detections, double limit) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> out;
  for (const Detection& one : detections) {
    const bool doubled = std::any_of(out.begin(), out.end(), [&](const Detection& other) {
      return other.label == one.label && overlap(other, one) > limit;
    });
    if (!doubled) out.push_back(one);
  }
  return out;
}

std::vector<Detection> decode_ssd(const graph::TensorView& boxes, const graph::TensorView& classes) {
  constexpr std::size_t kClasses = 24;
  constexpr double kCentreScale = 10, kSizeScale = 5, kDoubles = 0.6;
  const std::vector<Anchor> anchors = ssd_anchors();
  const auto offsets = boxes.values<float>();
  const auto logits = classes.values<float>();
  std::vector<Detection> out;
  for (std::size_t i = 0; i < anchors.size() && (i + 1) * kClasses <= logits.size(); ++i) {
    const auto scores = logits.subspan(i * kClasses, kClasses);
    const auto best = std::max_element(scores.begin() + 1, scores.end());  // the first is "nothing"
    const double score = sigmoid(static_cast<double>(*best));
    if (score < kDetectionScore) continue;
    const auto offset = offsets.subspan(i * 4, 4);  // y, x, height, width
    const double y = static_cast<double>(offset[0]) / kCentreScale * anchors[i].height + anchors[i].y;
    const double x = static_cast<double>(offset[1]) / kCentreScale * anchors[i].width + anchors[i].x;
    const double height = std::exp(static_cast<double>(offset[2]) / kSizeScale) * anchors[i].height;
    const double width = std::exp(static_cast<double>(offset[3]) / kSizeScale) * anchors[i].width;
    out.push_back(
        {static_cast<int>(best - scores.begin()), score, x - width / 2, y - height / 2, x + width / 2, y + height / 2});
  }
  return without_doubles(std::move(out), kDoubles);
}

std::vector<Detection> decode_centernet(const graph::TensorView& heat, const graph::TensorView& sides) {
  constexpr double kDoubles = 0.6;
  const auto rows = static_cast<int>(heat.shape[1]), columns = static_cast<int>(heat.shape[2]),
             classes = static_cast<int>(heat.shape[3]);
  const auto scores = heat.values<float>();
  const auto distances = sides.values<float>();
  const auto score = [&](int y, int x, int c) {
    return scores[static_cast<std::size_t>((y * columns + x) * classes + c)];
  };
  std::vector<Detection> out;
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x)
      for (int c = 0; c < classes; ++c) {
        const float here = score(y, x, c);
        if (static_cast<double>(here) < kDetectionScore) continue;
        bool peak = true;
        for (int v = std::max(0, y - 1); v <= std::min(rows - 1, y + 1); ++v)
          for (int u = std::max(0, x - 1); u <= std::min(columns - 1, x + 1); ++u)
            peak = peak && score(v, u, c) <= here;
        if (!peak) continue;
        const float* d = &distances[static_cast<std::size_t>((y * columns + x) * 4)];
        constexpr double kCell = 4;  // sides are in pixels of the input, four to a cell
        const auto at = [&](int place, float side, int size) {
          return (place + static_cast<double>(side) / kCell) / size;
        };
        out.push_back({c, static_cast<double>(here), at(x, -d[0], columns), at(y, -d[1], rows), at(x, d[2], columns),
                       at(y, d[3], rows)});
      }
  return without_doubles(std::move(out), kDoubles);
}

std::size_t kept(std::span<const Detection> before, std::span<const Detection> after) {
  return static_cast<std::size_t>(std::count_if(before.begin(), before.end(), [&](const Detection& one) {
    return std::any_of(after.begin(), after.end(), [&](const Detection& other) {
      return other.label == one.label && overlap(one, other) >= kSameObject;
    });
  }));
}

}  // namespace alara::bench
