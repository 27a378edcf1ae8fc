// SPDX-License-Identifier: Apache-2.0
// Inside of channels.hpp: how one node passes channels on.
#pragma once

#include <optional>

#include "graph/prune/channels.hpp"

namespace alara::graph::channels {

[[nodiscard]] inline ChannelIds shared(std::vector<ChannelId> channels) {
  return std::make_shared<const std::vector<ChannelId>>(std::move(channels));
}

// What rules see and say. A value without an entry in `found.values` is not followed.
class Follower {
 public:
  Follower(const Graph& followed_graph, const ValueTable& table, Channels& result)
      : graph(followed_graph), wiring(followed_graph), found(result), table_(table) {}

  const Graph& graph;
  const Wiring wiring;
  Channels& found;

  [[nodiscard]] const FollowedValue* followed(const std::string& value) const;
  [[nodiscard]] const Dims* dims(const std::string& value) const;  // nullptr where not even the rank is known

  // The value's channels are `channels`, along `axis`.
  void follow(const std::string& value, std::size_t axis, ChannelIds channels);
  [[nodiscard]] ChannelIds fresh(std::int64_t count);
  void unite(const ChannelIds& a, const ChannelIds& b);  // one by one; of the same length
  void pin(const ChannelIds& channels);
  void pin(const std::string& value);  // if it is followed
  void pin_inputs(const Node& node);
  // Input `input` of the node, a constant, has the channels along `axis`.
  void constant(std::size_t node, std::size_t input, std::size_t axis, ChannelIds channels);
  void setting(ChannelSetting::Kind kind, std::size_t node, std::size_t index = 0) {
    found.settings.push_back({kind, node, index});
  }

  [[nodiscard]] std::size_t total() const { return total_; }

 private:
  const ValueTable& table_;
  std::size_t total_ = 0;  // channels of all values
};

// True when there was a rule for the node and the node is dealt with.
[[nodiscard]] bool follow_layer(Follower& follower, std::size_t node);   // convolutions, products, normalisations
[[nodiscard]] bool follow_layout(Follower& follower, std::size_t node);  // joins, splits, reshapes
[[nodiscard]] bool follow_element_wise(Follower& follower, std::size_t node);

}  // namespace alara::graph::channels
