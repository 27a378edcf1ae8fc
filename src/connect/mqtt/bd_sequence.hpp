// SPDX-License-Identifier: Apache-2.0
// The birth and death sequence number, 0 to 255, one greater with every CONNECT, over restarts and crashes: written to
// a new file, synced and renamed before it is used.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace alara::mqtt {

class BdSequence {
 public:
  explicit BdSequence(std::string path) : path_(std::move(path)) {}

  // The number for the next session. When the file can not be read or written, numbers go on from memory and `problem`
  // says so.
  [[nodiscard]] std::uint8_t next(Status& problem);

 private:
  Status load();
  [[nodiscard]] Status save(std::uint8_t number) const;

  const std::string path_;
  bool loaded_ = false;
  int last_ = 255;  // so that the first is 0
};

}  // namespace alara::mqtt
