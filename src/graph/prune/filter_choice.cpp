// SPDX-License-Identifier: Apache-2.0
#include "graph/prune/filter_choice.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "graph/linear.hpp"

namespace alara::graph {
namespace {

// A set of tied channels that may go.
struct Candidate {
  ChannelId root = 0;
  double score = 0;                 // sum over its filters, each relative to the mean of its layer
  double filters = 0;               // how many those are
  std::vector<std::size_t> layers;  // makers it has filters in
};

// One score for each filter of a layer.
std::vector<double> norms(const Linear& linear, FilterRank rank) {
  std::vector<double> sums(static_cast<std::size_t>(linear.outputs()), 0);
  const auto weights = linear.weight->values<float>();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto weight = static_cast<double>(weights[i]);
    sums[static_cast<std::size_t>(linear.place(static_cast<std::int64_t>(i)).output)] +=
        rank == FilterRank::l1 ? std::fabs(weight) : weight * weight;
  }
  if (rank != FilterRank::l1)
    for (double& sum : sums) sum = std::sqrt(sum);
  return sums;
}

// The scales of a BatchNormalization that is the only reader of the node's output.
std::vector<double> scales_behind(const Graph& graph, const Wiring& wiring, const Node& node, std::size_t count) {
  if (!wiring.used_once(node.outputs.front())) return {};
  const Node& reader = graph.nodes[wiring.uses(node.outputs.front()).front().node];
  const Tensor* scale = reader.is("BatchNormalization") ? graph.constant(reader.input(1)) : nullptr;
  const auto numbers = scale == nullptr ? Result<std::vector<float>>(std::vector<float>{}) : scale->to_floats();
  std::vector<double> out;
  if (numbers && numbers->size() == count)
    for (const float number : *numbers) out.push_back(std::fabs(static_cast<double>(number)));
  return out;
}

std::vector<double> scores(const Graph& graph, const Wiring& wiring, const ChannelMaker& maker, FilterRank rank) {
  const Node& node = graph.nodes[maker.node];
  const auto linear = linear_of(graph, node);
  std::vector<double> out;
  if (rank == FilterRank::norm_scale) out = scales_behind(graph, wiring, node, maker.channels->size());
  if (out.empty()) out = norms(*linear, rank);
  double mean = 0;
  for (const double score : out) mean += score / static_cast<double>(out.size());
  for (double& score : out) score = mean > 0 ? score / mean : 0;
  return out;
}

bool kept_by_name(const Node& node, const FilterOptions& options) {
  return options.keep.contains(node.name) || (!node.outputs.empty() && options.keep.contains(node.outputs.front()));
}

// Sets that may go, by the layers they have filters in: within such a group all are alike.
using Groups = std::map<std::vector<std::size_t>, std::vector<Candidate>>;

Groups candidates(const Graph& graph, const Channels& channels, const FilterOptions& options) {
  const Wiring wiring(graph);
  std::map<ChannelId, Candidate> found;
  for (std::size_t layer = 0; layer < channels.makers.size(); ++layer) {
    const ChannelMaker& maker = channels.makers[layer];
    const std::vector<double> score = scores(graph, wiring, maker, options.rank);
    for (std::size_t i = 0; i < maker.channels->size(); ++i) {
      Candidate& candidate = found[channels.sets.root((*maker.channels)[i])];
      candidate.score += score[i];
      candidate.filters += 1;
      if (candidate.layers.empty() || candidate.layers.back() != layer) candidate.layers.push_back(layer);
    }
  }
  Groups groups;
  for (auto& [root, candidate] : found) {
    const bool kept = std::any_of(candidate.layers.begin(), candidate.layers.end(), [&](std::size_t layer) {
      return kept_by_name(graph.nodes[channels.makers[layer].node], options);
    });
    if (channels.sets.pinned(root) || kept) continue;
    candidate.root = root;
    candidate.score /= candidate.filters;
    groups[candidate.layers].push_back(candidate);
  }
  for (auto& [layers, group] : groups)
    std::stable_sort(group.begin(), group.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score < b.score; });
  return groups;
}

// How many of a group's `size` sets may really go when `wanted` should.
std::size_t allowed(std::size_t size, std::size_t wanted, const FilterOptions& options) {
  const auto all = static_cast<std::int64_t>(size);
  std::int64_t kept = std::max(all - static_cast<std::int64_t>(wanted), std::max<std::int64_t>(options.least, 1));
  kept = (kept + options.multiple - 1) / options.multiple * options.multiple;
  return static_cast<std::size_t>(std::max<std::int64_t>(0, all - kept));
}

// How many each group would lose if the weakest of all went, whatever their group.
std::map<const std::vector<Candidate>*, std::size_t> weakest_of_all(const Groups& groups, double share) {
  std::vector<std::pair<double, const std::vector<Candidate>*>> all;
  for (const auto& [layers, group] : groups)
    for (const Candidate& candidate : group) all.emplace_back(candidate.score, &group);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  all.resize(static_cast<std::size_t>(std::llround(share * static_cast<double>(all.size()))));
  std::map<const std::vector<Candidate>*, std::size_t> wanted;
  for (const auto& [score, group] : all) ++wanted[group];
  return wanted;
}

}  // namespace

Gone weakest_sets(const Graph& graph, const Channels& channels, const FilterOptions& options) {
  const Groups groups = candidates(graph, channels, options);
  auto wanted = options.scope == FilterScope::global ? weakest_of_all(groups, options.share)
                                                     : std::map<const std::vector<Candidate>*, std::size_t>{};
  Gone gone(channels.sets.size(), false);
  for (const auto& [layers, group] : groups) {
    if (options.scope == FilterScope::group)
      wanted[&group] = static_cast<std::size_t>(std::llround(options.share * static_cast<double>(group.size())));
    const std::size_t count = allowed(group.size(), wanted[&group], options);
    for (std::size_t i = 0; i < count; ++i) gone[static_cast<std::size_t>(group[i].root)] = true;
  }
  return gone;
}

}  // namespace alara::graph
