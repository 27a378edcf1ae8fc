// SPDX-License-Identifier: Apache-2.0
// What detectors find, from their raw outputs: boxes with class and score. For two networks: SSD-MobileNetV2 over 24
// classes (300x300) and CenterNet over 80 (512x512).
#pragma once

#include <span>
#include <vector>

#include "graph/executor.hpp"

namespace alara::bench {

struct Detection {
  int label = 0;
  double score = 0;
  double left = 0, top = 0, right = 0, bottom = 0;  // shares of the picture
};
// Area of what two boxes share by that of what they cover.
[[nodiscard]] double overlap(const Detection& a, const Detection& b);
// Of boxes of one class that overlap by more than `limit` the best stays.
[[nodiscard]] std::vector<Detection> without_doubles(std::vector<Detection> detections, double limit);

inline constexpr double kDetectionScore = 0.3;
inline constexpr double kSameObject = 0.75;  // overlap

// `boxes` [1, 1917, 4], `classes` [1, 1917, 24]: offsets to anchors (Liu et al., "SSD", 2016), logits.
[[nodiscard]] std::vector<Detection> decode_ssd(const graph::TensorView& boxes, const graph::TensorView& classes);
// `heat` [1, 128, 128, 80], `sides` [1, 128, 128, 4]: peaks among their neighbours are centres, and each centre has its
// distances to left, top, right and bottom (Zhou et al., "Objects as points", 2019).
[[nodiscard]] std::vector<Detection> decode_centernet(const graph::TensorView& heat, const graph::TensorView& sides);

// How many of `before` have one of the same class in `after` that overlaps by kSameObject.
[[nodiscard]] std::size_t kept(std::span<const Detection> before, std::span<const Detection> after);

}  // namespace alara::bench
