// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/equalise.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "graph/linear.hpp"

namespace alara::graph {
namespace {

constexpr int kMaxRounds = 50;
constexpr double kEven = 0.01;  // factors that differ from 1 by less change nothing worth another round

bool passes_factors(const Node& node) {
  static constexpr std::string_view kOps[] = {"Relu",        "LeakyRelu",         "PRelu",   "MaxPool",
                                              "AveragePool", "GlobalAveragePool", "Flatten", "Reshape"};
  if (node.is("Resize")) return node.text("mode", "nearest") != "cubic";
  return node.domain.empty() && std::find(std::begin(kOps), std::end(kOps), node.op) != std::end(kOps);
}

class PairFinder {
 public:
  PairFinder(const Graph& graph, const ValueTable& values) : graph_(graph), values_(values), wiring_(graph) {}

  std::vector<LayerPair> find() const {
    std::vector<LayerPair> out;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (!linear_of(graph_, node)) continue;
      LayerPair pair{i, {}, false};
      relus_ = others_ = 0;
      if (!follow(node.outputs.front(), node, pair.seconds) || pair.seconds.empty()) continue;
      pair.behind_relu = relus_ == 1 && others_ == 0 && pair.seconds.size() == 1;
      out.push_back(std::move(pair));
    }
    return out;
  }

 private:
  [[nodiscard]] std::size_t rank_of(const std::string& value) const {
    const auto found = values_.find(value);
    return found == values_.end() || !found->second.dims ? 0 : found->second.dims->size();
  }
  // Flattening keeps channels apart when it joins all dimensions but the first.
  [[nodiscard]] bool flattens_channels(const Node& node) const {
    if (rank_of(node.outputs.front()) != 2 || rank_of(node.input(0)) < 2) return false;
    const auto in = values_.find(node.input(0)), out = values_.find(node.outputs.front());
    if (node.is("Flatten")) return node.integer("axis", 1) == 1;
    std::int64_t joined = 1;
    for (std::size_t i = 1; i < in->second.dims->size(); ++i) {
      const Dim& dim = (*in->second.dims)[i];
      if (!dim.known()) return false;
      joined *= dim.size;
    }
    return (*out->second.dims)[1].size == joined;
  }
  // Whether `next` takes as its input channels what `first` makes as output channels.
  [[nodiscard]] bool channels_meet(const Node& first, const Node& next, const std::string& value) const {
    const bool last = first.is("MatMul"), wants_last = next.is("MatMul");
    if (last != wants_last && rank_of(value) != 2) return false;
    const std::int64_t made = linear_of(graph_, first)->outputs(), taken = linear_of(graph_, next)->inputs();
    return made > 0 && taken % made == 0 && (taken == made || rank_of(value) == 2);
  }

  bool follow(const std::string& value, const Node& first, std::vector<std::size_t>& seconds) const {
    if (wiring_.is_output(value)) return false;
    for (const Wiring::Use& use : wiring_.uses(value)) {
      const Node& node = graph_.nodes[use.node];
      if (use.input != 0) return false;
      if (linear_of(graph_, node)) {
        if (!channels_meet(first, node, value)) return false;
        seconds.push_back(use.node);
        continue;
      }
      if (!passes_factors(node) || (first.is("MatMul") && !node.is("Relu") && !node.is("LeakyRelu"))) return false;
      if ((node.is("Flatten") || node.is("Reshape")) && !flattens_channels(node)) return false;
      ++(node.is("Relu") ? relus_ : others_);
      for (const std::string& output : node.outputs)
        if (!output.empty() && !follow(output, first, seconds)) return false;
    }
    return true;
  }

  const Graph& graph_;
  const ValueTable& values_;
  Wiring wiring_;
  mutable int relus_ = 0, others_ = 0;  // met on the way of the pair at hand
};

const std::string& value_between(const Graph& graph, const LayerPair& pair) {
  return graph.nodes[pair.seconds.front()].input(0);
}

// The weights and bias of a layer in double precision while factors are found.
struct Layer {
  Linear linear;
  std::vector<double> weights;
  std::vector<double> bias;  // empty: none

  Layer(const Graph& graph, const Node& node) : linear(*linear_of(graph, node)) {
    const auto numbers = linear.weight->values<float>();
    weights.assign(numbers.begin(), numbers.end());
    if (linear.bias != nullptr) bias = linear.biases(node);
  }
  [[nodiscard]] std::size_t output(std::size_t i) const {
    return static_cast<std::size_t>(linear.place(static_cast<std::int64_t>(i)).output);
  }
  // Several inputs belong to one channel of the layer before where a feature map was flattened.
  [[nodiscard]] std::size_t channel(std::size_t i, std::size_t channels) const {
    const auto input = static_cast<std::size_t>(linear.place(static_cast<std::int64_t>(i)).input);
    return input / (static_cast<std::size_t>(linear.inputs()) / channels);
  }
};

class Equaliser {
 public:
  Equaliser(Graph& graph, const std::vector<LayerPair>& pairs) : graph_(graph), pairs_(pairs) {
    for (const LayerPair& pair : pairs) {
      load(pair.first);
      for (const std::size_t second : pair.seconds) load(second);
    }
  }

  double run() {
    for (const LayerPair& pair : pairs_) total_[pair.first].assign(outputs(pair), 1.0);
    for (int round = 0; round < kMaxRounds; ++round) {
      double furthest = 0;
      for (const LayerPair& pair : pairs_) furthest = std::max(furthest, even_out(pair));
      if (furthest < kEven) break;
    }
    return finish();
  }

  void scale(const LayerPair& pair, const std::function<std::vector<double>(std::size_t)>& factors) {
    apply(pair, factors(outputs(pair)));
    finish();
  }

  double run_on_values(const Calibration& seen) {
    for (const LayerPair& pair : pairs_) {
      const auto found = seen.channels.find(value_between(graph_, pair));
      if (found == seen.channels.end() || found->second.channels() != outputs(pair)) continue;
      even_out_values(pair, found->second);
    }
    return finish();
  }

 private:
  double finish() {
    for (const auto& [node, layer] : layers_) store(node, layer);
    double ratio = 1;
    for (const auto& [node, factors] : total_) {
      const auto [low, high] = std::minmax_element(factors.begin(), factors.end());
      if (low != factors.end()) ratio = std::max(ratio, *high / *low);
    }
    return ratio;
  }
  void load(std::size_t node) { layers_.try_emplace(node, graph_, graph_.nodes[node]); }
  [[nodiscard]] std::size_t outputs(const LayerPair& pair) const {
    return static_cast<std::size_t>(layers_.at(pair.first).linear.outputs());
  }

  // s_i = sqrt(r1_i r2_i) / r2_i (the paper's eq. 11); returns the largest |log s|.
  double even_out(const LayerPair& pair) {
    const std::size_t channels = outputs(pair);
    std::vector<double> first(channels, 0), second(channels, 0);
    Layer& before = layers_.at(pair.first);
    for (std::size_t i = 0; i < before.weights.size(); ++i) raise(first[before.output(i)], before.weights[i]);
    for (const std::size_t node : pair.seconds) {
      const Layer& behind = layers_.at(node);
      for (std::size_t i = 0; i < behind.weights.size(); ++i)
        raise(second[behind.channel(i, channels)], behind.weights[i]);
    }
    std::vector<double> factors(channels, 1);
    double furthest = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      if (first[c] <= 0 || second[c] <= 0) continue;
      factors[c] = std::sqrt(first[c] / second[c]);
      total_[pair.first][c] *= factors[c];
      furthest = std::max(furthest, std::fabs(std::log(factors[c])));
    }
    apply(pair, factors);
    return furthest;
  }
  // A depthwise layer behind has a scale for each channel, so that values may be made even altogether; else values and
  // the weights behind share it, weights counted against the largest of their output channel.
  void even_out_values(const LayerPair& pair, const ChannelStatistics& seen) {
    const std::size_t channels = outputs(pair);
    std::vector<double> range(channels), weight(channels, 0), factors(channels, 1);
    for (std::size_t c = 0; c < channels; ++c) range[c] = std::max(std::fabs(seen.min(c)), std::fabs(seen.max(c)));
    bool depthwise = true;
    for (const std::size_t node : pair.seconds) {
      const Layer& behind = layers_.at(node);
      depthwise = depthwise && behind.linear.groups == behind.linear.inputs() && behind.linear.groups > 1;
      std::vector<double> largest(static_cast<std::size_t>(behind.linear.outputs()), 0);
      for (std::size_t i = 0; i < behind.weights.size(); ++i) raise(largest[behind.output(i)], behind.weights[i]);
      for (std::size_t i = 0; i < behind.weights.size(); ++i)
        if (largest[behind.output(i)] > 0)
          raise(weight[behind.channel(i, channels)], behind.weights[i] / largest[behind.output(i)]);
    }
    // Channels that are next to nothing stay near the others: their weights would become all that counts.
    const double floor = 1e-3 * *std::max_element(range.begin(), range.end());
    if (floor <= 0) return;
    for (std::size_t c = 0; c < channels; ++c) {
      if (weight[c] <= 0) continue;
      const double even = std::max(range[c], floor);
      factors[c] = depthwise ? even : std::sqrt(even / weight[c]);
    }
    total_[pair.first] = factors;
    apply(pair, factors);
  }
  static void raise(double& largest, double weight) { largest = std::max(largest, std::fabs(weight)); }

  void apply(const LayerPair& pair, const std::vector<double>& factors) {
    Layer& before = layers_.at(pair.first);
    for (std::size_t i = 0; i < before.weights.size(); ++i) before.weights[i] /= factors[before.output(i)];
    for (std::size_t c = 0; c < before.bias.size(); ++c) before.bias[c] /= factors[c];
    for (const std::size_t node : pair.seconds) {
      Layer& behind = layers_.at(node);
      for (std::size_t i = 0; i < behind.weights.size(); ++i)
        behind.weights[i] *= factors[behind.channel(i, factors.size())];
    }
  }

  // Under new names: the old constants may have other users.
  void store(std::size_t number, const Layer& layer) {
    Node& node = graph_.nodes[number];
    Names names(graph_);
    const auto put = [&](std::size_t input, const std::vector<double>& numbers, const Shape& shape) {
      const std::string name = names.fresh(node.input(input));
      const std::vector<float> floats(numbers.begin(), numbers.end());
      graph_.constants[name] = share(Tensor::of<float>(shape, floats));
      node.inputs[input] = name;
    };
    put(1, layer.weights, layer.linear.weight->shape);
    if (layer.bias.empty()) return;
    put(2, layer.bias, {static_cast<std::int64_t>(layer.bias.size())});
    if (node.is("Gemm")) node.attributes.erase("beta");  // biases() has it in
  }

  Graph& graph_;
  const std::vector<LayerPair>& pairs_;
  std::map<std::size_t, Layer> layers_;
  std::map<std::size_t, std::vector<double>> total_;
};

bool pads(const Node& node) {
  const auto pads = node.integers("pads");
  return std::any_of(pads.begin(), pads.end(), [](std::int64_t n) { return n != 0; }) ||
         node.text("auto_pad", "NOTSET").starts_with("SAME");
}

bool can_absorb(const Graph& graph, const LayerPair& pair) {
  if (!pair.behind_relu) return false;
  const Node& first = graph.nodes[pair.first];
  const Node& second = graph.nodes[pair.seconds.front()];
  return linear_of(graph, first)->bias != nullptr && linear_of(graph, second)->bias != nullptr && !pads(second) &&
         !second.is("ConvTranspose") && linear_of(graph, first)->outputs() == linear_of(graph, second)->inputs();
}

void set_bias(Graph& graph, Node& node, const std::vector<double>& bias) {
  const std::string name = Names(graph).fresh(node.input(2));
  graph.constants[name] =
      share(Tensor::of<float>({static_cast<std::int64_t>(bias.size())}, std::vector<float>(bias.begin(), bias.end())));
  node.inputs[2] = name;
  if (node.is("Gemm")) node.attributes.erase("beta");
}

}  // namespace

std::vector<LayerPair> find_pairs(const Graph& graph, const ValueTable& values) {
  return PairFinder(graph, values).find();
}

void scale_channels(Graph& graph, const LayerPair& pair,
                    const std::function<std::vector<double>(std::size_t channels)>& factors) {
  const std::vector<LayerPair> pairs{pair};
  Equaliser(graph, pairs).scale(pair, factors);
  remove_unused(graph);
}

double equalise(Graph& graph, const std::vector<LayerPair>& pairs) {
  const double ratio = Equaliser(graph, pairs).run();
  remove_unused(graph);
  return ratio;
}

double equalise_values(Graph& graph, const std::vector<LayerPair>& pairs, const Calibration& seen) {
  const double ratio = Equaliser(graph, pairs).run_on_values(seen);
  remove_unused(graph);
  return ratio;
}

CalibrationRequest request_for_values(const Graph& graph, const std::vector<LayerPair>& pairs) {
  CalibrationRequest out;
  for (const LayerPair& pair : pairs) {
    const bool last = graph.nodes[pair.seconds.front()].is("MatMul");
    out.channels.emplace(value_between(graph, pair), last ? ChannelAxis::last : ChannelAxis::second);
  }
  return out;
}

CalibrationRequest request_for_absorption(const Graph& graph, const std::vector<LayerPair>& pairs) {
  CalibrationRequest out;
  for (const LayerPair& pair : pairs) {
    const Node& node = graph.nodes[pair.first];
    if (can_absorb(graph, pair))
      out.channels.emplace(node.outputs.front(), node.is("MatMul") ? ChannelAxis::last : ChannelAxis::second);
  }
  return out;
}

std::size_t absorb_biases(Graph& graph, const std::vector<LayerPair>& pairs, const Calibration& calibration) {
  std::size_t absorbed = 0;
  for (const LayerPair& pair : pairs) {
    Node& first = graph.nodes[pair.first];
    Node& second = graph.nodes[pair.seconds.front()];
    const auto found = calibration.channels.find(first.outputs.front());
    if (!can_absorb(graph, pair) || found == calibration.channels.end()) continue;
    std::vector<double> shift(found->second.channels());
    for (std::size_t c = 0; c < shift.size(); ++c) {
      shift[c] = std::max(0.0, found->second.min(c));
      absorbed += shift[c] > 0 ? 1 : 0;
    }
    std::vector<double> before = linear_of(graph, first)->biases(first);
    for (std::size_t c = 0; c < before.size(); ++c) before[c] -= shift[c];
    const Linear linear = *linear_of(graph, second);
    std::vector<double> behind = linear.biases(second);
    const auto weights = linear.weight->values<float>();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto place = linear.place(static_cast<std::int64_t>(i));
      behind[static_cast<std::size_t>(place.output)] +=
          static_cast<double>(weights[i]) * shift[static_cast<std::size_t>(place.input)];
    }
    set_bias(graph, first, before);
    set_bias(graph, second, behind);
  }
  remove_unused(graph);
  return absorbed;
}

}  // namespace alara::graph
