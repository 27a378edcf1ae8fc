// SPDX-License-Identifier: Apache-2.0
// Element-wise operators and pools: channels pass, and those that meet are tied.
#include <algorithm>
#include <array>

#include "graph/prune/channel_rules.hpp"

namespace alara::graph::channels {
namespace {

constexpr std::array<std::string_view, 33> kOneByOne{"Abs",
                                                     "AveragePool",
                                                     "Cast",
                                                     "Ceil",
                                                     "Celu",
                                                     "Clip",
                                                     "Dropout",
                                                     "Elu",
                                                     "Erf",
                                                     "Exp",
                                                     "Floor",
                                                     "Gelu",
                                                     "Identity",
                                                     "Log",
                                                     "LpPool",
                                                     "MaxPool",
                                                     "GlobalAveragePool",
                                                     "GlobalMaxPool",
                                                     "HardSigmoid",
                                                     "HardSwish",
                                                     "LeakyRelu",
                                                     "Mish",
                                                     "Neg",
                                                     "Not",
                                                     "Reciprocal",
                                                     "Relu",
                                                     "Selu",
                                                     "Sigmoid",
                                                     "Softplus",
                                                     "Softsign",
                                                     "Sqrt",
                                                     "Tanh",
                                                     "ThresholdedRelu"};
constexpr std::array<std::string_view, 9> kTogether{"Add", "Div", "Max", "Min", "Mul", "Pow", "PRelu", "Sub", "Sum"};

bool one_of(const std::string& op, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

// A constant beside followed channels: none of its business, one number per channel, or something else.
bool constant_beside(Follower& follower, std::size_t at, std::size_t input, const Tensor& constant,
                     std::size_t from_end, const ChannelIds& channels) {
  if (constant.rank() < from_end || constant.shape[constant.rank() - from_end] == 1) return true;
  const std::size_t axis = constant.rank() - from_end;
  if (constant.shape[axis] != static_cast<std::int64_t>(channels->size())) return false;
  follower.constant(at, input, axis, channels);
  return true;
}

// Two or more values under numpy's rules: channels that meet are tied. Counted from the last dimension, as shapes are
// lined up from there.
bool together(Follower& follower, std::size_t at) {
  const Node& node = follower.graph.nodes[at];
  const Dims* out = follower.dims(node.outputs.front());
  const FollowedValue* lead = nullptr;
  std::size_t from_end = 0;
  for (const std::string& input : node.inputs) {
    const FollowedValue* entry = follower.followed(input);
    const Dims* dims = follower.dims(input);
    if (entry == nullptr) continue;
    if (dims == nullptr) return false;
    if (lead == nullptr || entry->channels->size() > lead->channels->size()) {
      lead = entry;
      from_end = dims->size() - entry->axis;
    }
  }
  if (lead == nullptr) return true;
  if (out == nullptr) return false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Dims* dims = follower.dims(node.inputs[i]);
    const FollowedValue* entry = follower.followed(node.inputs[i]);
    if (dims == nullptr) return false;
    if (const Tensor* constant = follower.graph.constant(node.inputs[i])) {
      if (!constant_beside(follower, at, i, *constant, from_end, lead->channels)) return false;
    } else if (entry != nullptr && dims->size() - entry->axis == from_end) {
      if (entry->channels->size() == lead->channels->size())
        follower.unite(entry->channels, lead->channels);
      else
        follower.pin(entry->channels);  // one channel for all
    } else if (entry != nullptr) {
      return false;  // channels across channels
    } else if (dims->size() >= from_end && (*dims)[dims->size() - from_end].size != 1) {
      return false;  // a value whose channels are not followed
    }
  }
  follower.follow(node.outputs.front(), out->size() - from_end, lead->channels);
  return true;
}

// Softmax and the like: across one dimension, which must not be the channels'.
bool across(Follower& follower, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const Dims* dims = follower.dims(node.input(0));
  if (dims == nullptr) return false;
  std::int64_t axis = node.integer("axis", -1);
  if (axis < 0) axis += static_cast<std::int64_t>(dims->size());
  if (axis == static_cast<std::int64_t>(in->axis)) return false;
  follower.follow(node.outputs.front(), in->axis, in->channels);
  return true;
}

}  // namespace

bool follow_element_wise(Follower& follower, std::size_t at) {
  const Node& node = follower.graph.nodes[at];
  if (!node.domain.empty()) return false;
  if (one_of(node.op, kTogether)) return together(follower, at);
  if (node.op == "Softmax" || node.op == "LogSoftmax") return across(follower, node);
  if (!one_of(node.op, kOneByOne)) return false;
  if (const FollowedValue* in = follower.followed(node.input(0)))
    for (const std::string& output : node.outputs) follower.follow(output, in->axis, in->channels);
  return true;
}

}  // namespace alara::graph::channels
