// SPDX-License-Identifier: Apache-2.0
// A data set to learn from: training, validation and test part, cut into batches that are converted, normalised and
// varied as they are asked for. The rows stay in memory as they were recorded; nothing is copied for an epoch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "learn/data/labelled_rows.hpp"
#include "learn/data/preprocessing.hpp"
#include "learn/data/random.hpp"

namespace alara::learn {

enum class Part : std::uint8_t { train, validation, test };

enum class Target : std::uint8_t {
  classes,  // a class number for each row
  values,   // numbers (regression)
  itself,   // the input (autoencoders)
};

// Chance variations of training samples; for inputs [channels, height, width], [height, width, channels] and
// [channels, length].
struct Augmentation {
  std::int64_t shift = 0;  // up to so many pixels in each direction; what comes in from outside is a recorded 0
  double flip = 0;         // chance of a horizontal flip
  std::int64_t erase = 0;  // side of a square that is set to a recorded 0, at a chance place
  [[nodiscard]] bool none() const { return shift == 0 && flip == 0 && erase == 0; }
  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

struct Minibatch {
  graph::Tensor inputs;              // float32 [n, …]
  std::vector<std::int64_t> labels;  // of Target::classes
  graph::Tensor targets;             // float32 [n, …] of Target::values
};

struct DatasetOptions {
  std::optional<Target> target;  // unset: what the folder has
  Preprocessing preprocessing;
  bool measure_mean = false;  // take mean and deviation of each channel from the training part
  double validation = 0.1;    // share of the training part set aside where there is no validation part
  std::uint64_t seed = 1;     // of that choice
  std::size_t most = 0;       // rows of the training part that are used, chosen by the seed; 0: all
};

class Dataset {
 public:
  // Errors: as find_rows, and where labels or targets are missing.
  [[nodiscard]] static Result<Dataset> open(const std::filesystem::path& folder, const graph::ValueInfo& input,
                                            const DatasetOptions& options);
  [[nodiscard]] static Result<Dataset> of(FoundRows rows, const graph::ValueInfo& input, const DatasetOptions& options);

  [[nodiscard]] std::size_t size(Part part) const { return share(part).members.size(); }
  [[nodiscard]] Target target() const { return target_; }
  [[nodiscard]] std::int64_t classes() const { return classes_; }  // 0 for other targets
  [[nodiscard]] const std::vector<std::string>& class_names() const { return class_names_; }
  [[nodiscard]] const InputForm& form() const { return form_; }
  // With what was measured and defaults filled in: what belongs into the model's metadata.
  [[nodiscard]] const Preprocessing& preprocessing() const { return preprocessing_; }

  // Rows of a part by their numbers; `chance` drives the augmentation.
  [[nodiscard]] Minibatch batch(Part part, std::span<const std::uint32_t> rows, const Augmentation& augmentation,
                                Random chance) const;
  // `count` rows in order, as they are.
  [[nodiscard]] Minibatch batch(Part part, std::size_t first, std::size_t count) const;
  [[nodiscard]] std::int64_t label(Part part, std::size_t row) const;
  // Of the preprocessing and of at most so many rows, as they are fed, with what belongs to them: tells data sets
  // apart.
  [[nodiscard]] std::uint64_t hash(Part part, std::size_t most) const;
  // For calibration and measuring; the data set must outlive it.
  [[nodiscard]] std::unique_ptr<graph::SampleSource> samples(Part part) const;
  // Whether the augmentation can be done to such inputs.
  Status check(const Augmentation& augmentation) const;

 private:
  struct Share {
    std::shared_ptr<const LabelledRows> rows;
    std::vector<std::uint32_t> members;
  };
  Dataset() = default;
  [[nodiscard]] const Share& share(Part part) const { return shares_[static_cast<std::size_t>(part)]; }
  Status choose_target(std::optional<Target> wanted);
  void divide(FoundRows rows, const DatasetOptions& options);
  Status normalise(const DatasetOptions& options);
  void measure_mean();

  InputForm form_;
  Preprocessing preprocessing_;
  std::optional<Normaliser> normaliser_;
  Target target_ = Target::classes;
  std::int64_t classes_ = 0;
  std::vector<std::string> class_names_;
  Share shares_[3];
};

}  // namespace alara::learn
