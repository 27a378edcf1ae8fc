// SPDX-License-Identifier: Apache-2.0
// Runs a float model and its variants over the same samples, in step, and takes a report from that.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/progress.hpp"
#include "graph/executor.hpp"
#include "lab/report_data.hpp"

namespace alara::lab {

struct NamedFile {
  std::string name;
  std::filesystem::path path;
};

struct ReportRequest {
  std::string title;
  NamedFile original;               // the float model
  std::vector<NamedFile> variants;  // with the same inputs and outputs
  std::filesystem::path data;       // labelled rows (learn/data/labelled_rows.hpp) or samples (learn/data/samples.hpp)
  std::string preprocessing = {};   // empty: what the float model's metadata say
  std::vector<NamedFile> curves = {};
  std::size_t samples = 1000;      // for accuracy and outputs; 0: all there are
  std::size_t value_samples = 16;  // for the errors of values in between; 0: no such table
  std::size_t runs = 200;          // of each model, for the latency
  std::string program = {};        // this executable, to measure resident memory; empty: that is left out
};

// Errors name the file: one that can not be read or run, inputs that differ, samples that do not fit; refused
// (stopped).
[[nodiscard]] Result<Report> make_report(const ReportRequest& request, const graph::ExecutorFactory& executors,
                                         const Clock& clock, Progress& progress);

}  // namespace alara::lab
