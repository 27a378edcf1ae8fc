// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "graph/constants.hpp"
#include "graph/prune/filter_choice.hpp"
#include "graph/reference.hpp"

namespace alara::graph {
namespace {

class Cutter {
 public:
  Cutter(Graph& graph, const Channels& channels, const Gone& gone)
      : graph_(graph), channels_(channels), gone_(gone), wiring_(graph), names_(graph) {}

  void run() {
    for (const ChannelAxis& axis : channels_.constants) cut_constant(axis);
    for (const ChannelSetting& setting : channels_.settings) adjust(setting);
    graph_.values.clear();  // what the file said of shapes no longer holds
  }

 private:
  [[nodiscard]] bool stays(ChannelId id) const { return !gone_[static_cast<std::size_t>(channels_.sets.root(id))]; }

  [[nodiscard]] std::vector<std::int64_t> kept(const std::vector<ChannelId>& channels) const {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < channels.size(); ++i)
      if (stays(channels[i])) out.push_back(static_cast<std::int64_t>(i));
    return out;
  }

  [[nodiscard]] std::int64_t kept_of(const std::string& value, std::int64_t otherwise) const {
    const auto found = channels_.values.find(value);
    return found == channels_.values.end() ? otherwise
                                           : static_cast<std::int64_t>(kept(*found->second.channels).size());
  }

  // The node gets the constant under a name of its own where others use the old one too.
  void set_constant(std::size_t node, std::size_t input, Tensor tensor) {
    std::string& name = graph_.nodes[node].inputs[input];
    if (!wiring_.used_once(name) && !own_.contains(name)) name = names_.fresh(name);
    own_.insert(name);
    graph_.constants.insert_or_assign(name, share(std::move(tensor)));
  }

  void set_integers(std::size_t node, std::size_t input, std::vector<std::int64_t> numbers) {
    auto& inputs = graph_.nodes[node].inputs;
    if (inputs.size() <= input) inputs.resize(input + 1);
    if (inputs[input].empty()) {
      inputs[input] = names_.fresh(graph_.nodes[node].outputs.front() + "_sizes");
      own_.insert(inputs[input]);
    }
    set_constant(node, input, Tensor::of(Shape{static_cast<std::int64_t>(numbers.size())}, numbers));
  }

  void cut_constant(const ChannelAxis& axis) {
    const std::vector<std::int64_t> indices = kept(*axis.channels);
    if (indices.size() == axis.channels->size()) return;
    const Tensor* old = graph_.constant(graph_.nodes[axis.node].input(axis.input));
    const Tensor which = Tensor::of(Shape{static_cast<std::int64_t>(indices.size())}, indices);
    const Node gather{
        "Gather", {}, {}, {"data", "indices"}, {"kept"}, {{"axis", static_cast<std::int64_t>(axis.axis)}}};
    const std::vector<const Tensor*> inputs{old, &which};
    auto smaller = compute(gather, inputs, old->bytes.size());
    ALARA_ASSERT(smaller.has_value(), "kept channels are channels of the constant");
    set_constant(axis.node, axis.input, std::move(smaller->front()));
  }

  void adjust(const ChannelSetting& setting) {
    Node& node = graph_.nodes[setting.node];
    const FollowedValue& in = channels_.values.find(node.input(0))->second;
    const auto count = static_cast<std::int64_t>(kept(*in.channels).size());
    if (count == static_cast<std::int64_t>(in.channels->size())) return;
    switch (setting.kind) {
      case ChannelSetting::Kind::depthwise_groups:
        node.attributes.insert_or_assign("group", count);
        return;
      case ChannelSetting::Kind::split_sizes:
        return split_sizes(setting.node);
      case ChannelSetting::Kind::slice_bounds:
        return slice_bounds(setting.node, in, setting.index);
      case ChannelSetting::Kind::resize_sizes:
        return set_size(setting.node, 3, in.axis, count);
      case ChannelSetting::Kind::reshape_target:
        return set_size(setting.node, 1, 1, kept_of(node.outputs.front(), -1));
    }
  }

  void split_sizes(std::size_t at) {
    Node& node = graph_.nodes[at];
    std::vector<std::int64_t> sizes;
    for (const std::string& output : node.outputs) sizes.push_back(kept_of(output, 0));
    node.attributes.erase("num_outputs");
    set_integers(at, 1, std::move(sizes));
  }

  void slice_bounds(std::size_t at, const FollowedValue& in, std::size_t index) {
    const Node& node = graph_.nodes[at];
    std::vector<std::int64_t> starts = *integers_of(graph_, node.input(1));
    std::vector<std::int64_t> ends = *integers_of(graph_, node.input(2));
    const std::vector<std::int64_t> left = kept(*in.channels);
    const auto size = static_cast<std::int64_t>(in.channels->size());
    const auto moved = [&](std::int64_t bound) {  // how many of the kept channels lie before it
      bound = std::clamp<std::int64_t>(bound < 0 ? bound + size : bound, 0, size);
      return static_cast<std::int64_t>(std::lower_bound(left.begin(), left.end(), bound) - left.begin());
    };
    starts[index] = moved(starts[index]);
    ends[index] = moved(ends[index]);
    set_integers(at, 1, std::move(starts));
    set_integers(at, 2, std::move(ends));
  }

  // Element `index` of the shape a node is given, where it is a size and not 0 (copied) or -1 (found out).
  void set_size(std::size_t at, std::size_t input, std::size_t index, std::int64_t size) {
    auto sizes = integers_of(graph_, graph_.nodes[at].input(input));
    if (!sizes || index >= sizes->size() || (*sizes)[index] <= 0 || size < 0) return;
    (*sizes)[index] = size;
    set_integers(at, input, *std::move(sizes));
  }

  Graph& graph_;
  const Channels& channels_;
  const Gone& gone_;
  const Wiring wiring_;
  Names names_;
  std::set<std::string> own_;  // constants that one node has for itself
};

}  // namespace

void cut(Graph& graph, const Channels& channels, const Gone& gone) { Cutter(graph, channels, gone).run(); }

}  // namespace alara::graph
