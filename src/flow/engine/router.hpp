// SPDX-License-Identifier: Apache-2.0
// Spreads the samples of a batch over the signal inputs of a shard's pipelines. Inputs with the same signals in the
// same slots (pipelines over one asset type) share a feed, so their rows are made once. A block goes through without
// copying; so do the values of a batch that belongs to one feed. Confined to its shard's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/sample.hpp"
#include "flow/engine/pipeline.hpp"

namespace alara::flow {

class Router {
 public:
  Router(std::span<const std::unique_ptr<Pipeline>> pipelines, std::size_t signals);

  // Offers the batch's samples to the pipelines concerned and returns these, each once, in the order in which they were
  // touched. Frames stay valid until the next call or the end of the batch. Samples of unknown ids go nowhere.
  [[nodiscard]] std::span<Pipeline* const> scatter(const Batch& batch, std::uint32_t greatest_signal);

  // Samples that no pipeline of this shard uses, so far.
  [[nodiscard]] std::uint64_t unused() const { return unused_; }

 private:
  // Where a sample goes: one place directly, or `kMany | index` into many_.
  struct Place {
    std::uint32_t feed = 0;  // 0 = nowhere
    std::uint32_t slot = 0;
  };
  static constexpr std::uint32_t kMany = 1u << 31;
  struct Target {
    Pipeline* pipeline = nullptr;
    std::uint32_t index = 0;  // of the pipeline
    std::uint32_t input = 0;
  };
  struct Feed {
    std::vector<Target> targets;
    std::uint32_t rows = 0;   // in this batch
    std::uint32_t begin = 0;  // in the scratch columns
    std::uint32_t end = 0;
  };

  void add_place(std::uint32_t signal, Place place);
  void scatter_block(const Batch& batch);
  void scatter_rows(const Batch& batch);
  [[nodiscard]] bool one_feed(const Batch& batch, std::uint32_t& feed);
  void count_rows(const Batch& batch);
  void place_rows(const Batch& batch);
  void put(const Batch& batch, std::size_t i, Place place);
  void offer(std::uint32_t feed, const Frame& rows);
  [[nodiscard]] std::span<const Nanos> times_of(const Batch& batch);

  std::vector<Place> place_;              // [signal]
  std::vector<std::vector<Place>> many_;  // of signals that stand in several places
  std::vector<Feed> feeds_;               // [0] is nowhere
  std::vector<std::uint32_t> used_feeds_;
  std::vector<Pipeline*> touched_;
  std::vector<std::uint8_t> is_touched_;  // [pipeline]
  std::vector<std::uint32_t> touched_at_;
  std::uint64_t unused_ = 0;

  // Scratch; grows while warming up.
  std::vector<std::uint32_t> slot_;
  std::vector<Nanos> time_;
  std::vector<double> value_;
  std::vector<Quality> quality_;
  std::span<const double> column_;  // what the frames' `columns` point to during offer()
};

}  // namespace alara::flow
