// SPDX-License-Identifier: Apache-2.0
// Private to learn/autograd: a graph's values as numbered slots, and which nodes run for which wanted values.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/model.hpp"
#include "learn/autograd/operators.hpp"

namespace alara::learn {

inline constexpr std::size_t kNoSlot = static_cast<std::size_t>(-1);  // an input left out, an output not wanted

struct Step {
  std::size_t node = 0;  // index into the graph's nodes
  const Operator* op = nullptr;
  std::vector<std::size_t> inputs;   // slots
  std::vector<std::size_t> outputs;  // slots
  std::vector<graph::DataType> types;
  bool carries_batch = false;
};

struct Slots {
  explicit Slots(const graph::Graph& graph);
  [[nodiscard]] std::size_t slot(const std::string& value) const;  // kNoSlot where there is no such value

  std::vector<Step> steps;  // one for each node
  std::size_t count = 0;

 private:
  std::map<std::string, std::size_t, std::less<>> slots_;
};

// Steps in order, each with the slots that nothing needs any more once it is done.
struct Schedule {
  struct Entry {
    std::size_t step = 0;
    std::vector<std::size_t> finished;
  };
  std::vector<std::size_t> wanted;
  std::vector<Entry> entries;
};
[[nodiscard]] Schedule make_schedule(const Slots& slots, std::vector<std::size_t> wanted);

}  // namespace alara::learn
