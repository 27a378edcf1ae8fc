// SPDX-License-Identifier: Apache-2.0
#include "graph/prune/filters.hpp"

#include <algorithm>

#include "graph/prune/filter_choice.hpp"

namespace alara::graph {
namespace {

std::string name_of_layer(const Node& node) { return node.name.empty() ? node.outputs.front() : node.name; }

Status check_options(const FilterOptions& options) {
  if (!(options.share >= 0 && options.share <= 1))
    return fail(ErrorKind::bad_input, "{} is not a share between 0 and 1", options.share);
  if (options.multiple < 1 || options.multiple > 1024)
    return fail(ErrorKind::bad_input, "filters can not be kept in multiples of {}", options.multiple);
  return {};
}

Result<Channels> channels_of(const Model& model) {
  ALARA_TRY(const ValueTable values, infer_shapes(model));
  return follow_channels(model.graph, values);
}

std::vector<RemovedFilters> listed(const Graph& graph, const Channels& channels, const Gone& gone) {
  std::vector<RemovedFilters> out;
  for (const ChannelMaker& maker : channels.makers) {
    RemovedFilters layer{name_of_layer(graph.nodes[maker.node]), {}, static_cast<std::int64_t>(maker.channels->size())};
    for (std::size_t i = 0; i < maker.channels->size(); ++i)
      if (gone[static_cast<std::size_t>(channels.sets.root((*maker.channels)[i]))])
        layer.filters.push_back(static_cast<std::int64_t>(i));
    if (!layer.filters.empty()) out.push_back(std::move(layer));
  }
  return out;
}

Status carry_out(Model& model, const Channels& channels, const Gone& gone) {
  cut(model.graph, channels, gone);
  remove_unused(model.graph);
  const auto valid = [&]() -> Status {
    ALARA_CHECK(check(model));
    ALARA_TRY(const ValueTable values, infer_shapes(model));
    return {};
  }();
  if (!valid) return fail(ErrorKind::internal, "removing filters broke the graph: {}", valid.error().message);
  return {};
}

// Marks one layer's filters, with what they are tied to.
Status mark(const Graph& graph, const Channels& channels, const RemovedFilters& wanted, Gone& gone) {
  const auto maker = std::find_if(channels.makers.begin(), channels.makers.end(), [&](const ChannelMaker& candidate) {
    return name_of_layer(graph.nodes[candidate.node]) == wanted.layer;
  });
  if (maker == channels.makers.end())
    return fail(ErrorKind::bad_input, "there is no layer '{}' with filters", wanted.layer);
  const auto count = static_cast<std::int64_t>(maker->channels->size());
  for (const std::int64_t filter : wanted.filters) {
    if (filter < 0 || filter >= count)
      return fail(ErrorKind::bad_input, "layer '{}' has {} filters, none of number {}", wanted.layer, count, filter);
    const ChannelId id = (*maker->channels)[static_cast<std::size_t>(filter)];
    if (channels.sets.pinned(id))
      return fail(ErrorKind::bad_input, "filter {} of layer '{}' can not go: something looks across its channels",
                  filter, wanted.layer);
    gone[static_cast<std::size_t>(channels.sets.root(id))] = true;
  }
  return {};
}

// Every layer keeps one filter at least.
Status check_left(const Graph& graph, const Channels& channels, const Gone& gone) {
  for (const RemovedFilters& layer : listed(graph, channels, gone))
    if (layer.after() < 1) return fail(ErrorKind::bad_input, "layer '{}' would have no filter left", layer.layer);
  return {};
}

}  // namespace

Result<std::vector<RemovedFilters>> choose_filters(const Model& model, const FilterOptions& options) {
  ALARA_CHECK(check_options(options));
  ALARA_TRY(const Channels channels, channels_of(model));
  return listed(model.graph, channels, weakest_sets(model.graph, channels, options));
}

Result<std::vector<RemovedFilters>> remove_filters(Model& model, const FilterOptions& options) {
  ALARA_CHECK(check_options(options));
  ALARA_TRY(const Channels channels, channels_of(model));
  const Gone gone = weakest_sets(model.graph, channels, options);
  std::vector<RemovedFilters> out = listed(model.graph, channels, gone);
  ALARA_CHECK(carry_out(model, channels, gone));
  return out;
}

Status remove_these_filters(Model& model, const std::vector<RemovedFilters>& filters) {
  ALARA_TRY(const Channels channels, channels_of(model));
  Gone gone(channels.sets.size(), false);
  for (const RemovedFilters& layer : filters) ALARA_CHECK(mark(model.graph, channels, layer, gone));
  ALARA_CHECK(check_left(model.graph, channels, gone));
  return carry_out(model, channels, gone);
}

}  // namespace alara::graph
