// SPDX-License-Identifier: Apache-2.0
// How long work tells how far it is, and hears that it shall stop. Programs show it as a bar or as lines
// (cli/progress.hpp); tests and callers that do not care pass a Silent.
#pragma once

#include <cstddef>
#include <string_view>

namespace alara {

// Used by the thread that does the work.
class Progress {
 public:
  virtual ~Progress() = default;
  // A new task of `steps` equal steps; 0: how many is not known.
  virtual void begin(std::string_view task, std::size_t steps) = 0;
  // `done` steps are behind; `note` is one short phrase ("loss 0.31").
  virtual void step(std::size_t done, std::string_view note) = 0;
  // True once somebody asked to stop: work ends at the next good place, in good order.
  [[nodiscard]] virtual bool stopped() const = 0;
};

class Silent final : public Progress {
 public:
  void begin(std::string_view, std::size_t) override {}
  void step(std::size_t, std::string_view) override {}
  [[nodiscard]] bool stopped() const override { return false; }
};

}  // namespace alara
