// SPDX-License-Identifier: Apache-2.0
// Private to learn/architecture: the block that MobileNetV2, MobileNetV3, EfficientNet and SSDLite share.
#pragma once

#include "learn/architecture/layers.hpp"

namespace alara::learn {

struct InvertedResidual {
  std::int64_t kernel = 3;
  std::int64_t expanded = 0;  // channels inside; no expansion where the input has as many
  std::int64_t filters = 0;
  std::int64_t stride = 1;
  std::int64_t squeezed = 0;  // of squeeze-and-excitation; 0: none
  Activation activation = Activation::relu6;
};

// The input is added where stride and channels let it.
Flow inverted_residual(Layers& net, const Flow& in, const InvertedResidual& block);

}  // namespace alara::learn
