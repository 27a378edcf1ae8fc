// SPDX-License-Identifier: Apache-2.0
// The newest accepted value of every signal, for the API and the live table. Each entry has one writer (the thread of
// the connector that owns the signal, or the shard that owns a derived value) and any number of readers.
//
// Safety rules: an entry is a sequence lock over atomics. The writer makes `version` odd, stores the fields with
// release order, then makes it even; a reader retries when the version was odd or has changed. Nobody waits for a
// reader. Growing adds chunks and never moves an entry, so references stay valid.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.hpp"
#include "core/sample.hpp"

namespace alara::flow {

struct LatestValue {
  double value = 0;
  Nanos time = 0;  // event time
  Quality quality = Quality::good;
  std::uint32_t updates = 0;  // modulo 2^31; 0 = never seen
};

class LatestValues {
 public:
  static constexpr std::size_t kChunkBits = 12;
  static constexpr std::size_t kMaxChunks = 1024;
  static constexpr std::size_t kMaxEntries = kMaxChunks << kChunkBits;

  explicit LatestValues(std::size_t entries) { grow(entries); }
  ~LatestValues() {
    for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
  }
  LatestValues(const LatestValues&) = delete;
  LatestValues& operator=(const LatestValues&) = delete;

  // Control thread, before ids up to `entries` are used.
  void grow(std::size_t entries) {
    ALARA_ASSERT(entries <= kMaxEntries, "more signals than LatestValues can hold");
    for (; size_ < entries; size_ += std::size_t{1} << kChunkBits)
      chunks_[size_ >> kChunkBits].store(new Chunk, std::memory_order_release);
  }

  // The entry's one writer.
  void write(SignalId id, double value, Nanos time, Quality quality) {
    Entry& entry = (*chunks_[index_of(id) >> kChunkBits].load(std::memory_order_relaxed))[index_of(id) & kMask];
    const std::uint32_t version = entry.version.load(std::memory_order_relaxed);
    entry.version.store(version + 1, std::memory_order_relaxed);
    entry.value.store(value, std::memory_order_release);
    entry.time.store(time, std::memory_order_release);
    entry.quality.store(static_cast<std::uint32_t>(quality), std::memory_order_release);
    entry.version.store(version + 2, std::memory_order_release);
  }

  // Any thread; a value nobody has written yet has updates == 0.
  [[nodiscard]] LatestValue read(SignalId id) const {
    const std::size_t chunk = index_of(id) >> kChunkBits;
    if (chunk >= kMaxChunks) return {};
    const Chunk* entries = chunks_[chunk].load(std::memory_order_acquire);
    if (entries == nullptr) return {};
    const Entry& entry = (*entries)[index_of(id) & kMask];
    for (;;) {
      const std::uint32_t before = entry.version.load(std::memory_order_acquire);
      const LatestValue read{entry.value.load(std::memory_order_acquire), entry.time.load(std::memory_order_acquire),
                             static_cast<Quality>(entry.quality.load(std::memory_order_acquire)), before / 2};
      if (before % 2 == 0 && entry.version.load(std::memory_order_relaxed) == before) return read;
    }
  }

 private:
  struct alignas(32) Entry {
    std::atomic<std::uint32_t> version{0};
    std::atomic<std::uint32_t> quality{0};
    std::atomic<double> value{0};
    std::atomic<Nanos> time{0};
  };
  static constexpr std::uint32_t kMask = (1u << kChunkBits) - 1;
  using Chunk = std::array<Entry, std::size_t{1} << kChunkBits>;

  std::array<std::atomic<Chunk*>, kMaxChunks> chunks_{};
  std::size_t size_ = 0;  // control thread
};

}  // namespace alara::flow
