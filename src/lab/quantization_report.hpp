// SPDX-License-Identifier: Apache-2.0
// What `alara-lab quantize` says of its work: a table for people, JSON for programs.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "graph/quantize/quantize.hpp"

namespace alara::lab {

// An accuracy that was measured on labelled data, in percentage points.
struct Accuracies {
  double before = 0, after = 0;
  std::size_t samples = 0;
};

struct QuantizationReport {
  std::string from, to;     // files
  std::string kind;         // "int8", "weights", "float16"
  std::string weight_type;  // "int8", "int7", "uint8"; empty for float16
  std::uint64_t bytes_before = 0, bytes_after = 0;
  graph::Quantized result;  // of other kinds than "int8" only notes
  std::optional<Accuracies> accuracy;

  [[nodiscard]] nlohmann::ordered_json json() const;
  [[nodiscard]] std::string text() const;
};

}  // namespace alara::lab
