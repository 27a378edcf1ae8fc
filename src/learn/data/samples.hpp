// SPDX-License-Identifier: Apache-2.0
// Samples for calibrating and measuring a model, read from files one after the other: what lies at `path` is fitted to
// the model's inputs when it is opened, so that a wrong file is named before any work begins.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "graph/model.hpp"
#include "learn/data/preprocessing.hpp"

namespace alara::learn {

inline constexpr std::size_t kMaxSampleFiles = 1'000'000;
inline constexpr int kMaxSampleDepth = 4;  // of folders within folders

// `path` is one of
//   a .npy file, a picture, an IDX file (its whole content stays in memory);
//   a folder of .npy files, each one sample or many stacked along the first dimension; of pictures, also in
//   sub-folders; a folder with an IDX set: the images of its training part; a folder to learn from (labelled_rows.hpp):
//   inputs.npy alone of what lies beside it, and of train/, validation/ and test/ only what is in train/; for models
//   with several inputs: a folder with <input>.npy or a sub-folder <input>/ for each.
// Files are taken in the order of their names. Errors: not_found (nothing there to read), bad_input (a file, its shape,
// and what the input takes), corrupt, exhausted.
[[nodiscard]] Result<std::unique_ptr<graph::SampleSource>> open_samples(const std::filesystem::path& path,
                                                                        std::span<const graph::ValueInfo> inputs,
                                                                        const Preprocessing& preprocessing);
// At most `most` of them, spread evenly over all.
[[nodiscard]] std::unique_ptr<graph::SampleSource> spread(std::unique_ptr<graph::SampleSource> source,
                                                          std::size_t most);

// Files under a folder that `wanted` takes, sorted by name, in sub-folders down to `depth`. Errors: unavailable,
// exhausted (more than kMaxSampleFiles).
[[nodiscard]] Result<std::vector<std::filesystem::path>> files_in(const std::filesystem::path& folder, int depth,
                                                                  bool (*wanted)(const std::filesystem::path&));

}  // namespace alara::learn
