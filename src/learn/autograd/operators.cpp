// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/operators.hpp"

#include <algorithm>

namespace alara::learn {
namespace {

std::vector<Operator> joined() {
  std::vector<Operator> out;
  for (const auto family : {convolution_operators, pool_operators, normalize_operators, activation_operators,
                            elementwise_operators, logic_operators, shape_operators, index_operators, resize_operators,
                            reduce_operators, recurrent_operators, quantize_operators})
    out.insert(out.end(), family().begin(), family().end());
  std::ranges::sort(out, {}, &Operator::name);
  return out;
}

}  // namespace

std::span<const Operator> all_operators() {
  static const std::vector<Operator> table = joined();
  return table;
}

const Operator* find_operator(std::string_view name) {
  const auto table = all_operators();
  const auto found = std::ranges::lower_bound(table, name, {}, &Operator::name);
  return found != table.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string> supported_operators() {
  std::vector<std::string> out;
  for (const Operator& op : all_operators()) out.emplace_back(op.name);
  return out;
}

}  // namespace alara::learn
