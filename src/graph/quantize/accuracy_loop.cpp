// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/accuracy_loop.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace alara::graph {
namespace {

class Search {
 public:
  Search(std::vector<Candidate> candidates, double wanted, const Score& score, Progress& progress)
      : candidates_(std::move(candidates)), wanted_(wanted), score_(score), progress_(progress) {
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.sensitivity > b.sensitivity; });
  }

  Result<LoopResult> run() {
    progress_.begin("searching layers to put back", 0);
    ALARA_TRY(const bool good, reaches({}));
    if (good) return best_;
    ALARA_CHECK(bisect());
    ALARA_CHECK(take_back());
    best_.tried = tried_;
    return best_;
  }

 private:
  [[nodiscard]] std::set<std::size_t> first(std::size_t count) const {
    std::set<std::size_t> out;
    for (std::size_t i = 0; i < count; ++i) out.insert(candidates_[i].node);
    return out;
  }

  // Scores the set; where it is good enough it becomes the best so far.
  Result<bool> reaches(std::set<std::size_t> in_float) {
    if (progress_.stopped()) return fail(ErrorKind::refused, "stopped while searching layers to put back");
    ALARA_TRY(last_, score_(in_float));
    progress_.step(++tried_, fmt::format("{} in float: {:.3f}", in_float.size(), last_));
    const bool good = last_ >= wanted_;
    if (good || tried_ == 1) best_ = {std::move(in_float), last_, tried_};
    return good;
  }

  Status bisect() {
    std::size_t too_few = 0, enough = candidates_.size();
    ALARA_TRY(const bool possible, reaches(first(enough)));
    if (!possible) {
      best_ = {first(enough), last_, tried_};
      return {};
    }
    while (enough - too_few > 1) {
      const std::size_t middle = too_few + (enough - too_few) / 2;
      ALARA_TRY(const bool good, reaches(first(middle)));
      (good ? enough : too_few) = middle;
    }
    return {};
  }

  Status take_back() {
    if (best_.score < wanted_) return {};
    std::size_t tries = 0;
    for (std::size_t i = candidates_.size(); i-- > 0 && tries < kMaxTakenBack;) {
      if (!best_.in_float.contains(candidates_[i].node) || best_.in_float.size() == 1) continue;
      std::set<std::size_t> fewer = best_.in_float;
      fewer.erase(candidates_[i].node);
      ++tries;
      ALARA_TRY([[maybe_unused]] const bool good, reaches(std::move(fewer)));
    }
    return {};
  }

  std::vector<Candidate> candidates_;
  double wanted_;
  const Score& score_;
  Progress& progress_;
  LoopResult best_;
  std::size_t tried_ = 0;
  double last_ = 0;  // score of the last set
};

}  // namespace

Result<LoopResult> find_fewest(std::vector<Candidate> candidates, double wanted, const Score& score,
                               Progress& progress) {
  return Search(std::move(candidates), wanted, score, progress).run();
}

}  // namespace alara::graph
