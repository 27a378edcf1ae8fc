// SPDX-License-Identifier: Apache-2.0
// The compile step of one pipeline: orders its steps by what they read, checks names, units and shapes through each
// step's kind, and builds the operators for a given set of assets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/operator.hpp"
#include "node/site.hpp"

namespace alara::node {

// Where a step's input comes from.
struct ValueRef {
  static constexpr int kSignal = -1;
  int producer = kSignal;  // kSignal, or an index into BuiltPipeline::steps
  std::size_t index = 0;   // into BuiltPipeline::signals, or the producer's output column
};

struct BuiltStep {
  std::string name;
  std::string kind;
  std::vector<ValueRef> inputs;
  bool first_input_drives = false;
  std::vector<ValueInfo> outputs;  // full names
  std::unique_ptr<Operator> code;
  std::size_t memory_bound = 0;
};

struct BuiltPipeline {
  std::vector<std::size_t> signals;  // signals of the asset type that the steps read, in input order
  std::vector<BuiltStep> steps;      // in an order in which every step follows those it reads
  std::size_t memory_bound = 0;
};

// Builds `pipeline` for the assets of `context`. Every fault is added to `diagnosis`; the result is usable only when
// it gained no error. `report_warnings` is false for further shards, whose warnings would repeat the first's.
[[nodiscard]] BuiltPipeline build_pipeline(const Site& site, const PipelineSpec& pipeline,
                                           const OperatorContext& context, bool report_warnings, Diagnosis& diagnosis);

}  // namespace alara::node
