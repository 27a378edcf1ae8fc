// SPDX-License-Identifier: Apache-2.0
// Samples to judge a model by, with their classes where the folder has them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "graph/executor.hpp"
#include "graph/model.hpp"
#include "learn/data/dataset.hpp"

namespace alara::lab {

class EvaluationData {
 public:
  // The test part of a labelled set, else its validation part, or all of it where it has no parts; without labels,
  // samples as open_samples takes them. Labels that do not fit are an error. `preprocessing` as text, empty: what the
  // model's metadata say.
  [[nodiscard]] static Result<EvaluationData> open(const std::filesystem::path& path, const graph::Model& model,
                                                   const std::string& preprocessing);
  // The same where labels must be there. Errors also: bad_input (no labels, or a model of several inputs).
  [[nodiscard]] static Result<EvaluationData> open_labelled(const std::filesystem::path& path,
                                                            const graph::Model& model,
                                                            const std::string& preprocessing);

  [[nodiscard]] std::size_t size() const { return source_->size(); }
  [[nodiscard]] graph::SampleSource& source() { return *source_; }
  [[nodiscard]] bool labelled() const { return set_ != nullptr; }
  [[nodiscard]] std::optional<std::int64_t> label(std::size_t i) const;
  // Differs where the samples or their classes do; for labelled data.
  [[nodiscard]] std::uint64_t hash() const { return set_->hash(part_, set_->size(part_)); }
  // Percent of all samples whose largest output is their class; for labelled data.
  [[nodiscard]] Result<double> accuracy_of(const graph::Model& model, const graph::ExecutorFactory& executors,
                                           int threads) const;

 private:
  static Result<EvaluationData> labelled_rows(const std::filesystem::path& folder, const graph::Model& model,
                                              learn::DatasetOptions options);

  std::unique_ptr<learn::Dataset> set_;  // nullptr: without labels
  learn::Part part_ = learn::Part::test;
  std::unique_ptr<graph::SampleSource> source_;
};

}  // namespace alara::lab
