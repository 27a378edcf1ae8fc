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
  // The test part of a labelled set, or all of it where it has no parts; else samples without labels. `preprocessing`
  // as text, empty: what the model's metadata say.
  [[nodiscard]] static Result<EvaluationData> open(const std::filesystem::path& path, const graph::Model& model,
                                                   const std::string& preprocessing);

  [[nodiscard]] std::size_t size() const { return source_->size(); }
  [[nodiscard]] graph::SampleSource& source() { return *source_; }
  [[nodiscard]] bool labelled() const { return set_ != nullptr; }
  [[nodiscard]] std::optional<std::int64_t> label(std::size_t i) const;

 private:
  std::unique_ptr<learn::Dataset> set_;  // nullptr: without labels
  learn::Part part_ = learn::Part::test;
  std::unique_ptr<graph::SampleSource> source_;
};

}  // namespace alara::lab
