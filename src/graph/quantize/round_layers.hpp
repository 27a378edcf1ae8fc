// SPDX-License-Identifier: Apache-2.0
// AdaRound over all layers of a model: a few layers at a time, as many as their matrices leave room for, each group one
// pass over the samples.
#pragma once

#include <string>
#include <vector>

#include "base/work_journal.hpp"
#include "graph/quantize/adaround.hpp"
#include "graph/quantize/layers.hpp"

namespace alara::graph {

inline constexpr std::size_t kGramBytes = std::size_t{256} << 20;  // of all matrices at a time

// Changes the levels in `layers`; says in `notes` which layers were left out and why. What the journal knows (nullptr:
// nothing) is not done again.
Status round_layers(const Model& model, SampleSource& samples, const ExecutorFactory& executors,
                    std::size_t max_samples, int largest_level, std::vector<LayerWork>& layers, WorkJournal* journal,
                    std::vector<std::string>& notes, Progress& progress);

}  // namespace alara::graph
