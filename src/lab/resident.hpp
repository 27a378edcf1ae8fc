// SPDX-License-Identifier: Apache-2.0
// How much memory a model takes while it runs, seen by the kernel: a process of its own loads and runs it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace alara::lab {

// Runs `program report --resident-of MODEL` and reads what it prints. nullopt where that fails, e.g. because an input's
// size is open: the figure is an extra.
[[nodiscard]] std::optional<double> resident_mb(const std::string& program, const std::filesystem::path& model);

// What that process does: MB that are resident at most while the model runs, beyond what the loaded runtime takes.
[[nodiscard]] Result<double> run_and_measure_resident(const std::filesystem::path& model);

}  // namespace alara::lab
