// SPDX-License-Identifier: Apache-2.0
// Layers that make channels, and normalisations that have numbers for each.
#include "graph/linear.hpp"
#include "graph/prune/channel_rules.hpp"

namespace alara::graph::channels {
namespace {

std::vector<ChannelId> first_of(const ChannelIds& channels, std::int64_t count) {
  return {channels->begin(), channels->begin() + count};
}

// Channel k of every group lives and dies with channel k of the first, so that groups stay equal.
void tie_groups(Follower& follower, const ChannelIds& channels, std::int64_t groups) {
  const std::size_t size = channels->size() / static_cast<std::size_t>(groups);
  for (std::size_t i = size; i < channels->size(); ++i)
    follower.found.sets.unite((*channels)[i], (*channels)[i % size]);
}

// One filter (or several) for each input channel.
void follow_depthwise(Follower& follower, std::size_t at, const Linear& linear, const FollowedValue& in) {
  const Node& node = follower.graph.nodes[at];
  const auto multiplier = static_cast<std::size_t>(linear.outputs() / linear.inputs());
  std::vector<ChannelId> out;
  for (const ChannelId id : *in.channels) out.insert(out.end(), multiplier, id);
  const ChannelIds outputs = shared(std::move(out));
  follower.constant(at, 1, 0, linear.first_is_output ? outputs : in.channels);
  if (linear.bias != nullptr) follower.constant(at, 2, 0, outputs);
  follower.setting(ChannelSetting::Kind::depthwise_groups, at);
  follower.follow(node.outputs.front(), 1, outputs);
}

void follow_linear(Follower& follower, std::size_t at, const Linear& linear) {
  const Node& node = follower.graph.nodes[at];
  const bool convolves = node.op == "Conv" || node.op == "ConvTranspose";
  const Dims* in_dims = follower.dims(node.input(0));
  const FollowedValue* in = follower.followed(node.input(0));
  const bool shares_weights =
      follower.wiring.uses(node.input(1)).size() != 1 || follower.wiring.is_output(node.input(1));
  const std::size_t axis = convolves || in_dims == nullptr ? 1 : in_dims->size() - 1;
  if (in != nullptr && (in->axis != axis || static_cast<std::int64_t>(in->channels->size()) != linear.inputs())) {
    follower.pin(in->channels);
    in = nullptr;
  }
  if (in != nullptr && shares_weights) follower.pin(in->channels);
  const bool depthwise = linear.groups > 1 && linear.groups == linear.inputs();
  if (depthwise && in != nullptr && !shares_weights) return follow_depthwise(follower, at, linear, *in);

  const ChannelIds outputs = follower.fresh(linear.outputs());
  if (shares_weights || (depthwise && in == nullptr)) follower.pin(outputs);
  if (linear.groups > 1) {
    tie_groups(follower, outputs, linear.groups);
    if (in != nullptr) tie_groups(follower, in->channels, linear.groups);
  }
  const std::size_t output_axis = linear.first_is_output ? 0 : 1;
  const ChannelIds of_weight = output_axis == 0 ? outputs : shared(first_of(outputs, linear.second));
  follower.constant(at, 1, output_axis, of_weight);
  if (in != nullptr)
    follower.constant(at, 1, 1 - output_axis,
                      output_axis == 0 ? shared(first_of(in->channels, linear.second)) : in->channels);
  if (linear.bias != nullptr && linear.bias->elements() != 1)
    follower.constant(at, 2, linear.bias->rank() - 1, outputs);
  follower.found.makers.push_back({at, outputs});
  if (convolves || in_dims != nullptr) return follower.follow(node.outputs.front(), axis, outputs);
  follower.pin(outputs);  // a product whose rank is not known
}

// Statistics and factors of each channel.
void follow_normalisation(Follower& follower, std::size_t at) {
  const Node& node = follower.graph.nodes[at];
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return;
  bool known = in->axis == 1;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const Tensor* part = follower.graph.constant(node.input(i));
    known = known && part != nullptr && part->shape == Shape{static_cast<std::int64_t>(in->channels->size())};
  }
  if (!known) return follower.pin(in->channels);
  for (std::size_t i = 1; i < node.inputs.size(); ++i) follower.constant(at, i, 0, in->channels);
  follower.follow(node.outputs.front(), in->axis, in->channels);
}

}  // namespace

bool follow_layer(Follower& follower, std::size_t at) {
  const Node& node = follower.graph.nodes[at];
  if (!node.domain.empty()) return false;
  if (node.op == "BatchNormalization" || node.op == "InstanceNormalization") {
    follow_normalisation(follower, at);
    return true;
  }
  const auto linear = linear_of(follower.graph, node);
  if (!linear) return false;
  follow_linear(follower, at, *linear);
  return true;
}

}  // namespace alara::graph::channels
