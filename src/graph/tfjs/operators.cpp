// SPDX-License-Identifier: Apache-2.0
#include "graph/tfjs/operators.hpp"

namespace alara::graph::tfjs {

Import import_of(std::string_view op) {
  for (const auto entries : {window_operators(), element_operators(), axis_operators(), product_operators()})
    for (const Entry& entry : entries)
      if (entry.op == op) return entry.import;
  return nullptr;
}

}  // namespace alara::graph::tfjs
