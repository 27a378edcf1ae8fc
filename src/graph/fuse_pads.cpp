// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "graph/constants.hpp"
#include "graph/edit.hpp"
#include "graph/fuse.hpp"

namespace alara::graph {
namespace {

using Amounts = std::vector<std::int64_t>;

bool pads_with_zero(const Graph& graph, const Node& pad) {
  if (!pad.is("Pad") || pad.text("mode", "constant") != "constant") return false;
  return pad.input(2).empty() || number_of(graph, pad.input(2)) == std::optional(0.0F);
}

// What a Pad adds to the spatial dimensions of a value of `rank` (begins, then ends); nothing when it touches others,
// takes away, or is not known.
Amounts spatial_pads(const Graph& graph, const Node& pad, std::size_t rank) {
  const Amounts given = integers_of(graph, pad.input(1)).value_or(Amounts{});
  Amounts axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (!pad.input(3).empty()) axes = integers_of(graph, pad.input(3)).value_or(Amounts{});
  if (rank < 3 || axes.empty() || given.size() != 2 * axes.size()) return {};
  const std::size_t spatial = rank - 2;
  Amounts out(2 * spatial, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(rank) : axes[i];
    const std::int64_t begin = given[i];
    const std::int64_t end = given[i + axes.size()];
    if (begin == 0 && end == 0) continue;
    if (axis < 2 || axis >= static_cast<std::int64_t>(rank) || begin < 0 || end < 0) return {};
    out[static_cast<std::size_t>(axis) - 2] += begin;
    out[static_cast<std::size_t>(axis) - 2 + spatial] += end;
  }
  return out;
}

// Never negative, whatever goes in.
bool never_negative(const Graph& graph, const Node* maker) {
  if (maker == nullptr || !maker->domain.empty()) return false;
  if (maker->op == "Relu" || maker->op == "Sigmoid" || maker->op == "HardSigmoid" || maker->op == "Softplus")
    return true;
  return maker->op == "Clip" && number_of(graph, maker->input(1)).value_or(-1.0F) >= 0.0F;
}

// The pads of a pool stay smaller than its kernel, as runtimes ask.
bool smaller_than_kernel(const Node& pool, const Amounts& pads) {
  const Amounts kernel = pool.integers("kernel_shape");
  for (std::size_t i = 0; i < pads.size(); ++i)
    if (kernel.size() * 2 != pads.size() || pads[i] >= kernel[i % kernel.size()]) return false;
  return true;
}

bool takes_pads(const Edit& edit, const Node& node, const Node& pad, const Amounts& pads) {
  if (node.is("Conv")) return true;
  if (node.integer("ceil_mode", 0) != 0 || node.outputs.size() != 1 || !smaller_than_kernel(node, pads)) return false;
  if (node.is("MaxPool")) return never_negative(edit.graph(), edit.maker(pad.input(0)));
  const Amounts own = node.integers("pads");
  const bool unpadded = std::all_of(own.begin(), own.end(), [](std::int64_t n) { return n == 0; });
  return node.is("AveragePool") && (unpadded || node.integer("count_include_pad", 0) != 0);
}

void absorb(Edit& edit, const ValueTable& values, std::size_t i) {
  const Node& node = edit.node(i);
  if (!node.is("Conv") && !node.is("AveragePool") && !node.is("MaxPool")) return;
  const Node* pad = edit.maker(node.input(0));
  if (pad == nullptr || edit.only_user(node.input(0)) == nullptr || !pads_with_zero(edit.graph(), *pad)) return;
  const auto info = values.find(pad->input(0));
  const std::string automatic = node.text("auto_pad", "NOTSET");
  if (info == values.end() || !info->second.dims || (automatic != "NOTSET" && automatic != "VALID")) return;
  Amounts pads = spatial_pads(edit.graph(), *pad, info->second.dims->size());
  const Amounts own = automatic == "VALID" ? Amounts{} : node.integers("pads");
  if (pads.empty() || (!own.empty() && own.size() != pads.size())) return;
  for (std::size_t k = 0; k < own.size(); ++k) pads[k] += own[k];
  if (!takes_pads(edit, node, *pad, pads) || !edit.claim({i, edit.index_of(*pad)})) return;
  Node merged = node;
  merged.inputs[0] = pad->input(0);
  merged.attributes.erase("auto_pad");
  merged.attributes.insert_or_assign("pads", pads);
  if (node.op == "AveragePool") merged.attributes.insert_or_assign("count_include_pad", std::int64_t{1});
  edit.change(i, std::move(merged));
  edit.remove(edit.index_of(*pad));
}

}  // namespace

std::size_t absorb_pads(Graph& graph, const ValueTable& values) {
  Edit edit(graph);
  for (std::size_t i = 0; i < edit.size(); ++i) absorb(edit, values, i);
  return edit.finish();
}

}  // namespace alara::graph
