// SPDX-License-Identifier: Apache-2.0
#include "graph/prune/channels.hpp"

#include <numeric>

#include "graph/prune/channel_rules.hpp"

namespace alara::graph {

ChannelId ChannelSets::make() {
  const auto id = static_cast<ChannelId>(parents_.size());
  parents_.push_back(id);
  pinned_.push_back(false);
  return id;
}

ChannelId ChannelSets::root(ChannelId id) const {
  auto& parents = parents_;
  const auto at = [&](ChannelId i) -> ChannelId& { return parents[static_cast<std::size_t>(i)]; };
  while (at(id) != id) id = at(id) = at(at(id));
  return id;
}

void ChannelSets::unite(ChannelId a, ChannelId b) {
  const ChannelId left = root(a);
  const ChannelId right = root(b);
  const ChannelId first = std::min(left, right);
  const ChannelId second = std::max(left, right);
  parents_[static_cast<std::size_t>(second)] = first;
  if (pinned_[static_cast<std::size_t>(second)]) pinned_[static_cast<std::size_t>(first)] = true;
}

void ChannelSets::pin(ChannelId id) { pinned_[static_cast<std::size_t>(root(id))] = true; }

namespace channels {

const FollowedValue* Follower::followed(const std::string& value) const {
  const auto entry = found.values.find(value);
  return entry == found.values.end() ? nullptr : &entry->second;
}

const Dims* Follower::dims(const std::string& value) const {
  const auto entry = table_.find(value);
  return entry == table_.end() || !entry->second.dims ? nullptr : &*entry->second.dims;
}

void Follower::follow(const std::string& value, std::size_t axis, ChannelIds channels) {
  if (value.empty()) return;
  total_ += channels->size();
  found.values.insert_or_assign(value, FollowedValue{axis, std::move(channels)});
}

ChannelIds Follower::fresh(std::int64_t count) {
  auto out = std::make_shared<std::vector<ChannelId>>();
  for (std::int64_t i = 0; i < count; ++i) out->push_back(found.sets.make());
  return out;
}

void Follower::unite(const ChannelIds& a, const ChannelIds& b) {
  for (std::size_t i = 0; i < a->size(); ++i) found.sets.unite((*a)[i], (*b)[i]);
}

void Follower::pin(const ChannelIds& channels) {
  for (const ChannelId id : *channels) found.sets.pin(id);
}

void Follower::pin(const std::string& value) {
  if (const FollowedValue* entry = followed(value)) pin(entry->channels);
}

void Follower::pin_inputs(const Node& node) {
  for (const std::string& input : node.inputs) pin(input);
}

void Follower::constant(std::size_t node, std::size_t input, std::size_t axis, ChannelIds channels) {
  found.constants.push_back({node, input, axis, std::move(channels)});
}

}  // namespace channels

Result<Channels> follow_channels(const Graph& graph, const ValueTable& values) {
  Channels found;
  channels::Follower follower(graph, values, found);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!follow_layer(follower, i) && !follow_layout(follower, i) && !follow_element_wise(follower, i))
      follower.pin_inputs(graph.nodes[i]);
    if (follower.total() > kMaxFollowedChannelsTotal)
      return fail(ErrorKind::exhausted, "the graph's values have more than {} channels together; at {}",
                  kMaxFollowedChannelsTotal, graph.nodes[i].label());
  }
  for (const ValueInfo& output : graph.outputs) follower.pin(output.name);
  for (const auto& [value, entry] : found.values) {  // subgraphs look at values in their own way
    for (const Wiring::Use& use : follower.wiring.uses(value))
      if (use.input == Wiring::npos) follower.pin(value);
  }
  return found;
}

}  // namespace alara::graph
