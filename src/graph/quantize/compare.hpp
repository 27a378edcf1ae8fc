// SPDX-License-Identifier: Apache-2.0
// How far a changed model's values are from the original's, value by value, over samples.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "graph/quantize/stream.hpp"

namespace alara::graph {

inline constexpr double kExactDb = 200;

// Sums over all numbers of a value in all samples.
class Agreement {
 public:
  Status add(const TensorView& original, const TensorView& changed);

  // 10 log10(signal / noise), at most kExactDb: that is also what equal values have. -kExactDb where a difference is
  // not finite.
  [[nodiscard]] double sqnr_db() const;
  [[nodiscard]] double cosine() const;  // 1 when both are zero everywhere, 0 where a difference is not finite
  [[nodiscard]] double largest_error() const { return largest_; }       // of the finite ones
  [[nodiscard]] std::size_t not_finite() const { return not_finite_; }  // differences with NaN or an infinity

 private:
  std::size_t not_finite_ = 0;
  double signal_ = 0, changed_ = 0, noise_ = 0, product_ = 0, largest_ = 0;
};

struct Compared {
  std::string value;
  Agreement agreement;
};

struct CompareOptions {
  std::vector<std::string> values;  // which both models must have; empty: the outputs
  std::size_t max_samples = kAllSamples;
};

// Runs both models on the same samples, in step. Values that are not float32 in both are left out.
[[nodiscard]] Result<std::vector<Compared>> compare(const Model& original, const Model& changed, SampleSource& samples,
                                                    const ExecutorFactory& executors, const CompareOptions& options,
                                                    Progress& progress);
// The original's outputs on some samples, kept for comparing many changed models with them.
class Reference {
 public:
  [[nodiscard]] static Result<Reference> of(const Model& original, SampleSource& samples, std::size_t count,
                                            const ExecutorFactory& executors, Progress& progress);
  [[nodiscard]] Result<std::vector<Compared>> compare(const Model& changed, const ExecutorFactory& executors) const;

 private:
  std::vector<std::string> values_;
  std::vector<std::vector<Tensor>> inputs_, outputs_;  // of each sample
};

// One figure for a model.
struct OutputQuality {
  double sqnr_db = 0;  // of the worst output
  double cosine = 1;   // of the worst output
};
[[nodiscard]] OutputQuality worst_of(const std::vector<Compared>& outputs);

}  // namespace alara::graph
