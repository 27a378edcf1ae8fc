// SPDX-License-Identifier: Apache-2.0
// Operators that move channels: joins, splits, reshapes, transposes.
#include <algorithm>
#include <set>

#include "graph/constants.hpp"
#include "graph/prune/channel_rules.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph::channels {
namespace {

using Kind = ChannelSetting::Kind;

std::optional<std::size_t> axis_from_front(std::int64_t axis, std::size_t rank) {
  if (axis < 0) axis += static_cast<std::int64_t>(rank);
  return axis < 0 || axis >= static_cast<std::int64_t>(rank) ? std::nullopt
                                                             : std::optional(static_cast<std::size_t>(axis));
}

// Size of a dimension that is known and worth following, or 0.
std::int64_t size_at(const Dims* dims, std::size_t axis) {
  if (dims == nullptr || axis >= dims->size()) return 0;
  const std::int64_t size = (*dims)[axis].size;
  return size > 0 && size <= static_cast<std::int64_t>(kMaxFollowedChannels) ? size : 0;
}

bool concat(Follower& follower, const Node& node) {
  const FollowedValue* lead = nullptr;  // any that is followed: all have the same rank
  for (const std::string& input : node.inputs)
    if (lead == nullptr) lead = follower.followed(input);
  if (lead == nullptr) return true;
  const Dims* dims = follower.dims(node.outputs.front());
  const auto axis = dims == nullptr ? std::nullopt : axis_from_front(node.integer("axis", 0), dims->size());
  if (!axis) return false;
  if (*axis != lead->axis) {  // side by side: the same channels everywhere
    for (const std::string& input : node.inputs) {
      const FollowedValue* other = follower.followed(input);
      if (other == nullptr || other->axis != lead->axis || other->channels->size() != lead->channels->size())
        return false;
      follower.unite(lead->channels, other->channels);
    }
    follower.follow(node.outputs.front(), lead->axis, lead->channels);
    return true;
  }
  std::vector<ChannelId> all;
  for (const std::string& input : node.inputs) {
    const FollowedValue* part = follower.followed(input);
    const std::int64_t size = size_at(follower.dims(input), *axis);
    if (part != nullptr && part->axis != *axis) return false;
    if ((part == nullptr && size == 0) || all.size() + static_cast<std::size_t>(size) > kMaxFollowedChannels)
      return false;
    ChannelIds ids = part != nullptr ? part->channels : follower.fresh(size);
    if (part == nullptr) follower.pin(ids);  // what comes from elsewhere stays
    all.insert(all.end(), ids->begin(), ids->end());
  }
  follower.follow(node.outputs.front(), *axis, shared(std::move(all)));
  return true;
}

bool split(Follower& follower, std::size_t at, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const Dims* dims = follower.dims(node.input(0));
  const auto axis = dims == nullptr ? std::nullopt : axis_from_front(node.integer("axis", 0), dims->size());
  if (!axis) return false;
  const FollowedValue whole = *in;
  auto next = whole.channels->begin();
  for (const std::string& output : node.outputs) {
    if (*axis != whole.axis) {
      follower.follow(output, whole.axis, whole.channels);
      continue;
    }
    const std::int64_t size = size_at(follower.dims(output), *axis);
    if (size == 0 || size > whole.channels->end() - next) return false;
    follower.follow(output, *axis, shared({next, next + size}));
    next += size;
  }
  if (*axis == whole.axis) follower.setting(Kind::split_sizes, at);
  return true;
}

bool slice(Follower& follower, std::size_t at, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const auto starts = integers_of(follower.graph, node.input(1));
  const auto ends = integers_of(follower.graph, node.input(2));
  auto axes = integers_of(follower.graph, node.input(3));
  const auto steps = integers_of(follower.graph, node.input(4));
  if (!starts || !ends || ends->size() != starts->size() || (!node.input(4).empty() && !steps)) return false;
  if (node.input(3).empty()) {
    axes.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  const Dims* dims = follower.dims(node.input(0));
  if (!axes || axes->size() != starts->size() || dims == nullptr) return false;
  FollowedValue out = *in;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    if (axis_from_front((*axes)[i], dims->size()) != in->axis) continue;
    if (steps && (i >= steps->size() || (*steps)[i] != 1)) return false;
    const auto size = static_cast<std::int64_t>(in->channels->size());
    const auto place = [&](std::int64_t n) { return std::clamp<std::int64_t>(n < 0 ? n + size : n, 0, size); };
    const std::int64_t from = place((*starts)[i]);
    const std::int64_t to = std::max(from, place((*ends)[i]));
    out.channels = shared({in->channels->begin() + from, in->channels->begin() + to});
    follower.setting(Kind::slice_bounds, at, i);
  }
  follower.follow(node.outputs.front(), out.axis, out.channels);
  return true;
}

bool same_size(const Dim& a, const Dim& b) {
  return a.known() && b.known() ? a.size == b.size : a.known() == b.known() && a.symbol == b.symbol;
}

// Product of the sizes from dimension 2 on; 0 when one is not known.
std::int64_t rest_of(const Dims& dims) {
  std::int64_t product = 1;
  for (std::size_t d = 2; d < dims.size(); ++d) {
    if (!dims[d].known() || dims[d].size > kMaxElements / std::max<std::int64_t>(product, 1)) return 0;
    product *= dims[d].size;
  }
  return product;
}

// Reshape and Flatten: dimension 1 stays, or everything from it on becomes one dimension.
bool reshape(Follower& follower, std::size_t at, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const Dims* before = follower.dims(node.input(0));
  const Dims* after = follower.dims(node.outputs.front());
  if (before == nullptr || after == nullptr || in->axis != 1 || before->size() < 2 || after->size() < 2) return false;
  const auto channels = static_cast<std::int64_t>(in->channels->size());
  if (!same_size(before->front(), after->front()) || channels == 0) return false;
  if (node.op == "Reshape") {
    if (!integers_of(follower.graph, node.input(1)) || node.integer("allowzero", 0) != 0) return false;
    follower.setting(Kind::reshape_target, at);
  }
  const std::int64_t rest = rest_of(*before);
  if ((*after)[1].size == channels && (before->front().known() || (rest > 0 && rest == rest_of(*after)))) {
    follower.follow(node.outputs.front(), 1, in->channels);
    return true;
  }
  if (after->size() != 2 || rest == 0 || size_at(after, 1) != channels * rest) return false;
  std::vector<ChannelId> repeated;
  for (const ChannelId id : *in->channels) repeated.insert(repeated.end(), static_cast<std::size_t>(rest), id);
  follower.follow(node.outputs.front(), 1, shared(std::move(repeated)));
  return true;
}

// Squeeze, Unsqueeze: where the channels' dimension comes to lie.
bool squeeze(Follower& follower, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const bool adds = node.op == "Unsqueeze";
  const Dims* dims = follower.dims(adds ? node.outputs.front() : node.input(0));
  const auto axes = axes_of(follower.graph, node);
  if (dims == nullptr || !axes) return false;
  std::set<std::size_t> positions;
  for (const std::int64_t axis : *axes) {
    const auto at = axis_from_front(axis, dims->size());
    if (!at || (!adds && *at == in->axis)) return false;
    positions.insert(*at);
  }
  std::size_t axis = in->axis;
  for (const std::size_t position : positions) {
    if (adds && position <= axis) ++axis;
    if (!adds && position < in->axis) --axis;
  }
  follower.follow(node.outputs.front(), axis, in->channels);
  return true;
}

bool transpose(Follower& follower, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const std::vector<std::int64_t> order = node.integers("perm");
  const auto found = std::find(order.begin(), order.end(), static_cast<std::int64_t>(in->axis));
  if (found == order.end()) return false;
  follower.follow(node.outputs.front(), static_cast<std::size_t>(found - order.begin()), in->channels);
  return true;
}

// Sums over other dimensions keep the channels apart.
bool reduce(Follower& follower, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const Dims* dims = follower.dims(node.input(0));
  const auto axes = axes_of(follower.graph, node);
  if (dims == nullptr || !axes || axes->empty()) return false;
  std::size_t axis = in->axis;
  for (const std::int64_t one : *axes) {
    const auto at = axis_from_front(one, dims->size());
    if (!at || *at == in->axis) return false;
    if (*at < in->axis && node.integer("keepdims", 1) == 0) --axis;
  }
  follower.follow(node.outputs.front(), axis, in->channels);
  return true;
}

bool resize(Follower& follower, std::size_t at, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  if (size_at(follower.dims(node.outputs.front()), in->axis) != static_cast<std::int64_t>(in->channels->size()))
    return false;
  if (!node.input(3).empty()) {
    if (!integers_of(follower.graph, node.input(3)) || node.has("axes")) return false;
    follower.setting(Kind::resize_sizes, at);
  }
  follower.follow(node.outputs.front(), in->axis, in->channels);
  return true;
}

// Channels that a Pad adds stay where they are.
bool pad(Follower& follower, const Node& node) {
  const FollowedValue* in = follower.followed(node.input(0));
  if (in == nullptr) return true;
  const Dims* dims = follower.dims(node.input(0));
  const auto amounts = integers_of(follower.graph, node.input(1));
  if (dims == nullptr || !amounts || !node.input(3).empty() || amounts->size() != 2 * dims->size()) return false;
  const std::int64_t before = (*amounts)[in->axis];
  const std::int64_t behind = (*amounts)[in->axis + dims->size()];
  if (before == 0 && behind == 0) {
    follower.follow(node.outputs.front(), in->axis, in->channels);
    return true;
  }
  constexpr auto kMost = static_cast<std::int64_t>(kMaxFollowedChannels / 4);
  if (node.text("mode", "constant") != "constant" || before < 0 || behind < 0 || before > kMost || behind > kMost)
    return false;
  const ChannelIds first = follower.fresh(before);
  const ChannelIds last = follower.fresh(behind);
  std::vector<ChannelId> all;
  for (const ChannelIds& part : {first, in->channels, last}) all.insert(all.end(), part->begin(), part->end());
  follower.pin(first);
  follower.pin(last);
  follower.follow(node.outputs.front(), in->axis, shared(std::move(all)));
  return true;
}

bool dispatch(Follower& follower, std::size_t at, const Node& node) {
  const std::string& op = node.op;
  if (op == "Concat") return concat(follower, node);
  if (op == "Split") return split(follower, at, node);
  if (op == "Slice") return slice(follower, at, node);
  if (op == "Reshape" || op == "Flatten") return reshape(follower, at, node);
  if (op == "Squeeze" || op == "Unsqueeze") return squeeze(follower, node);
  if (op == "Transpose") return transpose(follower, node);
  if (op == "Resize") return resize(follower, at, node);
  if (op == "Pad") return pad(follower, node);
  return op.starts_with("Reduce") && reduce(follower, node);
}

}  // namespace

bool follow_layout(Follower& follower, std::size_t at) {
  const Node& node = follower.graph.nodes[at];
  return node.domain.empty() && dispatch(follower, at, node);
}

}  // namespace alara::graph::channels
