// SPDX-License-Identifier: Apache-2.0
// What `alara model inspect FILE` says: what is in the file, and whether this machine can run it.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "infer/model_info.hpp"
#include "infer/session.hpp"

namespace alara::infer {

struct Inspection {
  std::string path;
  ModelInfo info;
  Result<RuntimeInfo> runtime;  // of this machine
  Status loads;                 // on the CPU
  Nanos load_time = 0;

  // Lines for people.
  [[nodiscard]] std::string text() const;
};

// Fails only when the file can not be read as a model; that it can not be run here is part of the answer.
[[nodiscard]] Result<Inspection> inspect(const std::string& path, const Clock& clock);

}  // namespace alara::infer
