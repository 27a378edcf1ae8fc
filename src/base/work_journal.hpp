// SPDX-License-Identifier: Apache-2.0
// What the parts of long work found, each under a hash of all that went into it, so that work which was stopped goes on
// where it was: the same work asks for the same hashes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara {

// One line of text per part, added to the end of the file and synced as soon as it is found. Not for two writers at
// once. Confined to one thread.
class WorkJournal {
 public:
  using Parts = std::map<std::uint64_t, std::vector<double>>;  // finite numbers

  // Goes on with the file, or begins it. A last line that was cut off (power, a full disk) is dropped. Errors:
  // unavailable, with the system's reason; corrupt, with the line, when it is no journal.
  static Result<WorkJournal> open(const std::filesystem::path& path);
  static Result<Parts> parse(std::string_view text);  // without that last line

  WorkJournal(WorkJournal&& other) noexcept;
  WorkJournal& operator=(WorkJournal&&) = delete;
  ~WorkJournal();

  // Counts what it finds as recalled. nullptr: not done yet.
  [[nodiscard]] const std::vector<double>* recall(std::uint64_t key);
  Status add(std::uint64_t key, std::span<const double> numbers);
  [[nodiscard]] std::size_t recalled() const { return recalled_; }

 private:
  WorkJournal(int descriptor, Parts parts, std::filesystem::path path);
  int descriptor_;
  Parts parts_;
  std::filesystem::path path_;
  std::size_t recalled_ = 0;
};

}  // namespace alara
