// SPDX-License-Identifier: Apache-2.0
#include "lab/inspection.hpp"

#include <algorithm>

#include "lab/text_table.hpp"

namespace alara::lab {
namespace {

using graph::Node;
using graph::NodeCost;

std::string type_and_shape(const graph::ValueInfo& info) {
  return fmt::format("{}{}", graph::name_of(info.type), info.dims ? graph::text_of(*info.dims) : "[...]");
}

std::string output_text(const Inspection& inspection, const Node& node) {
  std::string out;
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    const auto found = inspection.values.find(output);
    const bool known = found != inspection.values.end() && found->second.type != graph::DataType::undefined;
    out += (out.empty() ? "" : ", ") + (known ? type_and_shape(found->second) : std::string("?"));
  }
  return out;
}

std::string operator_name(const Node& node) { return node.domain.empty() ? node.op : node.domain + "." + node.op; }

std::string node_name(const Node& node) {
  return node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name;
}

// Names of fused operators can fill screens; their end tells most.
std::string shortened(const std::string& name) {
  constexpr std::size_t kMost = 48;
  return name.size() <= kMost ? name : "…" + name.substr(name.size() - kMost);
}

std::string or_unknown(const std::optional<std::int64_t>& count, std::string (*text)(std::int64_t)) {
  if (!count) return "?";
  return *count == 0 ? "" : text(*count);
}

std::string node_table(const Inspection& inspection) {
  using Align = TextTable::Align;
  TextTable table({{"node", Align::right},
                   {"operator"},
                   {"output"},
                   {"parameters", Align::right},
                   {"MACs", Align::right},
                   {"output", Align::right},
                   {"in memory", Align::right},
                   {"name"}});
  for (std::size_t i = 0; i < inspection.cost.nodes.size(); ++i) {
    const Node& node = inspection.model.graph.nodes[i];
    const NodeCost& cost = inspection.cost.nodes[i];
    table.row({std::to_string(i), operator_name(node), output_text(inspection, node),
               or_unknown(cost.parameters, short_count), or_unknown(cost.macs, short_count),
               or_unknown(cost.output_bytes, short_bytes), or_unknown(cost.live_bytes, short_bytes),
               shortened(node_name(node))});
  }
  return table.text();
}

std::string operator_list(const graph::ModelCost& cost) {
  std::vector<std::pair<std::string, std::size_t>> counts(cost.operators.begin(), cost.operators.end());
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (const auto& [name, count] : counts) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, count);
  return out;
}

nlohmann::ordered_json value_json(const graph::ValueInfo& info) {
  nlohmann::ordered_json out{{"name", info.name}, {"type", graph::name_of(info.type)}, {"shape", nullptr}};
  if (!info.dims) return out;
  out["shape"] = nlohmann::ordered_json::array();
  for (const graph::Dim& dim : *info.dims) {
    if (dim.known())
      out["shape"].push_back(dim.size);
    else
      out["shape"].push_back(dim.symbol.empty() ? "?" : dim.symbol);
  }
  return out;
}

nlohmann::ordered_json optional_json(const std::optional<std::int64_t>& count) {
  return count ? nlohmann::ordered_json(*count) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json node_json(const Inspection& inspection, std::size_t i) {
  const Node& node = inspection.model.graph.nodes[i];
  const NodeCost& cost = inspection.cost.nodes[i];
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (const std::string& output : node.outputs)
    if (const auto found = inspection.values.find(output); found != inspection.values.end())
      outputs.push_back(value_json(found->second));
  return {{"name", node_name(node)},
          {"operator", operator_name(node)},
          {"known", cost.known_operator},
          {"inputs", node.inputs},
          {"outputs", outputs},
          {"parameters", cost.parameters},
          {"weight_bytes", cost.weight_bytes},
          {"macs", optional_json(cost.macs)},
          {"output_bytes", optional_json(cost.output_bytes)},
          {"live_bytes", optional_json(cost.live_bytes)}};
}

}  // namespace

std::vector<std::string> Inspection::unknown_operators() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < cost.nodes.size(); ++i) {
    const Node& node = model.graph.nodes[i];
    if (!cost.nodes[i].known_operator)
      out.push_back(fmt::format("{} (node {}, reads '{}')", node.label(), i, node.input(0)));
  }
  return out;
}

std::string Inspection::text() const {
  std::string out = fmt::format("{} nodes, opset {}, made by {}\n", cost.nodes.size(), model.opset(),
                                model.producer.empty() ? "an unnamed program" : model.producer);
  for (const graph::ValueInfo& input : model.graph.inputs) out += "input   " + input.text() + "\n";
  for (const graph::ValueInfo& output : model.graph.outputs) {
    const auto found = values.find(output.name);
    out += "output  " + (found == values.end() ? output : found->second).text() + "\n";
  }
  out += "\n" + node_table(*this) + "\n";
  out += fmt::format("parameters        {} ({} of weights and other constants)\n", short_count(cost.parameters),
                     short_bytes(cost.weight_bytes));
  out += fmt::format("MACs              {}\n", short_count(cost.macs));
  if (!cost.nodes.empty())
    out += fmt::format("peak activations  {} at node {}\n", short_bytes(cost.peak_activation_bytes), cost.peak_node);
  out += fmt::format("operators         {}\n", operator_list(cost));
  if (cost.unknown_shapes > 0)
    out += fmt::format("not counted       {} nodes whose shapes are not known (give --batch or --shape)\n",
                       cost.unknown_shapes);
  for (const std::string& unknown : unknown_operators()) out += "unknown operator  " + unknown + "\n";
  return out;
}

nlohmann::ordered_json Inspection::json() const {
  nlohmann::ordered_json out{{"opset", model.opset()}, {"producer", model.producer}};
  for (const graph::ValueInfo& input : model.graph.inputs) out["inputs"].push_back(value_json(input));
  for (const graph::ValueInfo& output : model.graph.outputs) {
    const auto found = values.find(output.name);
    out["outputs"].push_back(value_json(found == values.end() ? output : found->second));
  }
  out["parameters"] = cost.parameters;
  out["weight_bytes"] = cost.weight_bytes;
  out["macs"] = cost.macs;
  out["peak_activation_bytes"] = cost.peak_activation_bytes;
  out["peak_node"] = cost.peak_node;
  out["nodes_without_shape"] = cost.unknown_shapes;
  out["operators"] = cost.operators;
  out["unknown_operators"] = unknown_operators();
  out["nodes"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < cost.nodes.size(); ++i) out["nodes"].push_back(node_json(*this, i));
  return out;
}

Result<Inspection> inspect(graph::Model model, std::int64_t batch, const std::map<std::string, graph::Shape>& shapes) {
  Inspection out;
  out.model = std::move(model);
  std::map<std::string, graph::Shape> left = shapes;
  for (graph::ValueInfo& input : out.model.graph.inputs) {
    if (const auto given = left.find(input.name); given != left.end()) {
      input.dims = graph::dims_of(given->second);
      left.erase(given);
    } else if (input.dims && !input.dims->empty() && !input.dims->front().known()) {
      input.dims->front() = {batch, {}};
    }
  }
  if (!left.empty()) return fail(ErrorKind::bad_input, "the model has no input '{}'", left.begin()->first);
  ALARA_TRY(out.values, graph::infer_shapes(out.model));
  out.cost = graph::cost_of(out.model.graph, out.values);
  return out;
}

}  // namespace alara::lab
