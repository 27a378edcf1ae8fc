// SPDX-License-Identifier: Apache-2.0
// Rows to learn from, in memory in the type in which they were recorded (a byte stays a byte), and the folders in which
// they are found:
//   inputs.npy with labels.npy (class numbers) or targets.npy (numbers), or alone (to be learnt by themselves);
//   one folder of pictures for each class, whose names are the classes in the order of the alphabet;
//   an IDX set: train-images-idx3-ubyte(.gz), train-labels-idx1-ubyte(.gz), t10k-… as its test part;
// each of the first two either directly or in folders train/, validation/ and test/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/tensor.hpp"
#include "learn/data/preprocessing.hpp"

namespace alara::learn {

inline constexpr std::uint64_t kMaxRowBytes = std::uint64_t{8} << 30;  // of all rows of one part
inline constexpr std::int64_t kMaxClasses = 100'000;

struct LabelledRows {
  graph::Tensor inputs;              // [rows, …], numbers of any type
  std::vector<std::int64_t> labels;  // one for each row, or empty
  graph::Tensor targets;             // float32 [rows, …], or undefined
  float natural_scale = 1;           // 1/255 for bytes that are pictures

  [[nodiscard]] std::size_t size() const {
    return inputs.shape.empty() ? 0 : static_cast<std::size_t>(inputs.shape[0]);
  }
};

struct FoundRows {
  LabelledRows train, validation, test;  // without rows where the folder has no such part
  std::vector<std::string> classes;      // names, or empty
};

// Pictures are brought to the size and layout of `form`; arrays must have its elements. Errors name the file.
[[nodiscard]] Result<FoundRows> find_rows(const std::filesystem::path& folder, const InputForm& form,
                                          ColourOrder order);
// Whether a folder, or one of its parts, has labels for find_rows to read: labels.npy, pictures in a folder for each
// class, or the labels of an IDX set. They need not be good.
[[nodiscard]] Result<bool> has_labels(const std::filesystem::path& folder);
// Labels are within [0, kMaxClasses), as many as rows; targets likewise; inputs have the form's elements.
Status check_rows(const LabelledRows& rows, const InputForm& form);

}  // namespace alara::learn
