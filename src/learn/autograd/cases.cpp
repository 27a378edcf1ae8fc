// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/cases.hpp"

namespace alara::learn {

std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (const auto family : {layer_cases, pool_cases, normalize_cases, recurrent_cases, elementwise_cases, reduce_cases,
                            shape_cases, index_cases, resize_cases, quantize_cases})
    for (Case& each : family()) out.push_back(std::move(each));
  return out;
}

}  // namespace alara::learn
