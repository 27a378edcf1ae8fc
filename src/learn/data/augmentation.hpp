// SPDX-License-Identifier: Apache-2.0
// Private to learn/data: chance variations of one sample.
#pragma once

#include <span>

#include "learn/data/dataset.hpp"

namespace alara::learn {

// `outside` holds the normalised value of a recorded 0 for each channel. `scratch` has the sample's size.
void vary(std::span<float> sample, std::span<float> scratch, const InputForm& form, std::span<const float> outside,
          const Augmentation& augmentation, Random& chance);

}  // namespace alara::learn
