// SPDX-License-Identifier: Apache-2.0
// A model as it was before it lost filters, deaf to them: what every layer reads is multiplied by 0 in those channels.
// It must compute what the smaller model does.
#pragma once

#include <set>

#include "graph/linear.hpp"
#include "graph/prune/channels.hpp"
#include "graph/prune/filters.hpp"
#include "tests/models/running.hpp"

namespace alara::models {

inline graph::Model deaf(const graph::Model& model, const std::vector<graph::RemovedFilters>& removed) {
  const auto values = graph::infer_shapes(model);
  const auto channels = graph::follow_channels(model.graph, *values);
  std::set<graph::ChannelId> gone;
  for (const graph::ChannelMaker& maker : channels->makers)
    for (const graph::RemovedFilters& layer : removed)
      if (layer.layer == model.graph.nodes[maker.node].name)
        for (const std::int64_t filter : layer.filters)
          gone.insert(channels->sets.root((*maker.channels)[static_cast<std::size_t>(filter)]));
  graph::Model out = model;
  out.graph.nodes.clear();
  for (graph::Node node : model.graph.nodes) {
    const auto linear = graph::linear_of(model.graph, node);
    const auto value = channels->values.find(node.input(0));
    const bool listens = linear && (linear->groups == 1 || linear->groups != linear->inputs());
    if (listens && value != channels->values.end()) {
      const std::vector<graph::ChannelId>& ids = *value->second.channels;
      graph::Shape shape(values->find(node.input(0))->second.dims->size(), 1);
      shape[value->second.axis] = static_cast<std::int64_t>(ids.size());
      graph::Tensor mask = graph::Tensor::zeros(graph::DataType::float32, shape);
      for (std::size_t i = 0; i < ids.size(); ++i)
        mask.mutable_values<float>()[i] = gone.contains(channels->sets.root(ids[i])) ? 0.0F : 1.0F;
      const std::string name = node.outputs.front() + "_mask";
      out.graph.constants.emplace(name, graph::share(std::move(mask)));
      out.graph.nodes.push_back({"Mul", {}, name, {node.input(0), name}, {name + "ed"}});
      node.inputs[0] = name + "ed";
    }
    out.graph.nodes.push_back(std::move(node));
  }
  return out;
}

}  // namespace alara::models
