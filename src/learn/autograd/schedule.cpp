// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/schedule.hpp"

#include <algorithm>

#include "learn/autograd/learned.hpp"

namespace alara::learn {

Slots::Slots(const graph::Graph& graph) {
  const auto slot_for = [&](const std::string& name) {
    if (name.empty()) return kNoSlot;
    const auto [place, fresh] = slots_.emplace(name, count);
    if (fresh) ++count;
    return place->second;
  };
  std::map<std::string, graph::DataType> types;
  for (const graph::ValueInfo& input : graph.inputs) {
    slot_for(input.name);
    types[input.name] = input.type;
  }
  for (const auto& [name, constant] : graph.constants) {
    slot_for(name);
    types[name] = constant->type;
  }
  const std::set<std::string> depending = depending_on_inputs(graph);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const graph::Node& node = graph.nodes[n];
    Step step{n, find_operator(node.op), {}, {}, {}, depending.contains(node.input(0))};
    for (const std::string& name : node.inputs) {
      step.inputs.push_back(slot_for(name));
      const auto known = types.find(name);
      step.types.push_back(known == types.end() ? graph::DataType::undefined : known->second);
    }
    for (const std::string& name : node.outputs) step.outputs.push_back(slot_for(name));
    steps.push_back(std::move(step));
  }
}

std::size_t Slots::slot(const std::string& value) const {
  const auto found = slots_.find(value);
  return found == slots_.end() ? kNoSlot : found->second;
}

Schedule make_schedule(const Slots& slots, std::vector<std::size_t> wanted) {
  Schedule out;
  std::vector<bool> needed(slots.count, false);
  for (const std::size_t slot : wanted) needed[slot] = true;
  std::vector<bool> alive = needed;  // going backwards: is anything after this step in need of the slot?
  for (std::size_t s = slots.steps.size(); s-- > 0;) {
    const Step& step = slots.steps[s];
    const auto is_needed = [&](std::size_t slot) { return slot != kNoSlot && needed[slot]; };
    if (!std::ranges::any_of(step.outputs, is_needed)) continue;
    Schedule::Entry entry{s, {}};
    const auto finish = [&](std::size_t slot) {
      if (slot == kNoSlot || alive[slot]) return;
      alive[slot] = true;
      entry.finished.push_back(slot);
    };
    for (const std::size_t slot : step.outputs) finish(slot);  // made, and used by nobody
    for (const std::size_t slot : step.inputs) {
      finish(slot);
      if (slot != kNoSlot) needed[slot] = true;
    }
    out.entries.push_back(std::move(entry));
  }
  std::ranges::reverse(out.entries);
  out.wanted = std::move(wanted);
  return out;
}

}  // namespace alara::learn
