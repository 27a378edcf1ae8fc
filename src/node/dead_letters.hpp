// SPDX-License-Identifier: Apache-2.0
// The file of samples that pipelines did not take: JSON Lines, one sample each,
//   {"time":"…","press-1":{"current":41.5},"quality":"bad","reason":"bad_quality","pipeline":"…","turned_away":"…"}
// so that a `file` connector can play them again (address press-1.current). Bounded: a full file becomes PATH.1 in
// place of the one before it. Used by one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/sample.hpp"

namespace alara::node {

struct ShownDeadLetter {
  std::string_view signal;  // "press-1.current": the asset, a dot, the signal
  std::string_view pipeline, reason;
  double value = 0;
  Nanos time = 0;  // event time
  Quality quality = Quality::good;
  Nanos wall = 0;  // when it was turned away
};

[[nodiscard]] std::string to_json(const ShownDeadLetter& letter);

class DeadLetterFile {
 public:
  // Appends to what is there. `most_bytes` is for both files together.
  [[nodiscard]] static Result<std::unique_ptr<DeadLetterFile>> open(const std::string& path, std::uint64_t most_bytes);
  ~DeadLetterFile();
  DeadLetterFile(const DeadLetterFile&) = delete;
  DeadLetterFile& operator=(const DeadLetterFile&) = delete;

  [[nodiscard]] Status append(const ShownDeadLetter& letter);

 private:
  DeadLetterFile(std::string path, std::uint64_t most_bytes) : path_(std::move(path)), most_bytes_(most_bytes) {}
  [[nodiscard]] Status open_file();

  const std::string path_;
  const std::uint64_t most_bytes_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace alara::node
