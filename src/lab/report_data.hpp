// SPDX-License-Identifier: Apache-2.0
// What `alara-lab report` says of a model and its variants. Everything but `Measured` follows from the files alone and
// is the same in every run.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/machine.hpp"
#include "base/result.hpp"

namespace alara::lab {

// One value that both models make.
struct ValueError {
  std::string value;
  std::string op;  // what makes it in the variant
  double sqnr_db = 0;
  double cosine = 1;
  double largest_error = 0;
};

struct Measured {
  double p50_ms = 0;
  double p95_ms = 0;
  std::optional<double> resident_mb;  // at most, beyond the loaded runtime
};

struct VariantReport {
  std::string name;
  std::string file;
  std::uint64_t bytes = 0;
  std::uint64_t packed_bytes = 0;  // zlib, level 9
  std::int64_t nodes = 0;
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::int64_t peak_activation_bytes = 0;
  std::map<std::string, std::int64_t> weight_bytes;  // by type: {"int8": 91234}
  double zero_share = 0;                             // of the weights
  bool integer = false;                              // has layers on integers (QuantizeLinear)
  std::optional<double> accuracy;                    // percent
  std::optional<double> same_answer;                 // percent of samples that get the float model's class
  std::optional<double> sqnr_db, cosine;             // of the worst output against the float model
  std::vector<std::string> not_finite;               // outputs that can not be compared: NaN or infinities
  std::vector<ValueError> values;                    // in the order of the variant's nodes
  Measured measured;
};

// A learning curve: named series over epochs.
struct Curve {
  std::string name;
  std::map<std::string, std::vector<double>> series;  // "loss", "validation_accuracy", … of equal length
};

struct Report {
  std::string title;
  std::string data;
  std::size_t samples = 0;              // that accuracy and outputs were taken over
  std::size_t runs = 0;                 // of each variant, for the latency
  std::vector<VariantReport> variants;  // the float model first
  std::vector<Curve> curves;
  std::string cpu;
  std::vector<std::string> cpu_features;
  std::string runtime;  // "ONNX Runtime 1.30.0"

  // What a reader must not miss: slower variants, and why; large losses.
  [[nodiscard]] std::vector<std::string> warnings() const;
  // {"report": what follows from the files, "measured": what is different in each run}.
  [[nodiscard]] nlohmann::ordered_json json() const;
};

// Learning curves as training writes them: an array of epochs, or an object with one under "curve". Errors: bad_input.
[[nodiscard]] Result<Curve> parse_curve(std::string name, std::string_view text);

}  // namespace alara::lab
