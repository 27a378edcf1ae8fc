// SPDX-License-Identifier: Apache-2.0
// Which channels of a graph live and die together. Every channel that a layer makes is followed through the graph:
// element-wise operators, residual sums and gates tie channels of several layers, Concat lines them up, Flatten repeats
// them, and whatever looks across channels (a reduction over them, an output of the graph, an operator that is not
// known) pins them. What is not pinned can be removed, from every weight, bias and constant it appears in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"
#include "graph/shapes.hpp"

namespace alara::graph {

inline constexpr std::size_t kMaxFollowedChannels = std::size_t{1} << 20;       // of one value; larger ones are pinned
inline constexpr std::size_t kMaxFollowedChannelsTotal = std::size_t{1} << 26;  // of all values

using ChannelId = std::int32_t;
using ChannelIds = std::shared_ptr<const std::vector<ChannelId>>;

// Sets of channels, each known by one of its members (its root).
class ChannelSets {
 public:
  [[nodiscard]] ChannelId make();  // a set of its own
  void unite(ChannelId a, ChannelId b);
  void pin(ChannelId id);
  [[nodiscard]] ChannelId root(ChannelId id) const;
  [[nodiscard]] bool pinned(ChannelId id) const { return pinned_[static_cast<std::size_t>(root(id))]; }
  [[nodiscard]] std::size_t size() const { return parents_.size(); }

 private:
  mutable std::vector<ChannelId> parents_;
  std::vector<bool> pinned_;  // of roots
};

// The channels along one dimension of a value.
struct FollowedValue {
  std::size_t axis = 0;
  ChannelIds channels;
};

// One dimension of a constant that has an entry for each of these channels.
struct ChannelAxis {
  std::size_t node = 0;
  std::size_t input = 0;
  std::size_t axis = 0;
  ChannelIds channels;
};

// A layer whose filters are what is removed: node and the channels it makes, in the order of its weight's outputs.
struct ChannelMaker {
  std::size_t node = 0;
  ChannelIds channels;
};

// A setting of a node that says how many channels there are.
struct ChannelSetting {
  enum class Kind : std::uint8_t {
    depthwise_groups,  // attribute group: one for each channel of the input
    split_sizes,       // Split along the channels
    slice_bounds,      // Slice along the channels
    resize_sizes,      // sizes of Resize
    reshape_target,    // Reshape that keeps dimension 1 or flattens from there on
  };
  Kind kind;
  std::size_t node = 0;
  std::size_t index = 0;  // slice_bounds: which of the Slice's axes
};

struct Channels {
  ChannelSets sets;
  std::map<std::string, FollowedValue, std::less<>> values;  // those whose channels are followed
  std::vector<ChannelMaker> makers;
  std::vector<ChannelAxis> constants;
  std::vector<ChannelSetting> settings;
};

// Weights that several nodes share pin their channels. Errors: exhausted (kMaxFollowedChannelsTotal).
[[nodiscard]] Result<Channels> follow_channels(const Graph& graph, const ValueTable& values);

}  // namespace alara::graph
