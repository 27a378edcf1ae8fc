// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/router.hpp"

#include <algorithm>
#include <map>

#include "flow/engine/columns.hpp"

namespace alara::flow {

Router::Router(std::span<const std::unique_ptr<Pipeline>> pipelines, std::size_t signals)
    : place_(signals), feeds_(1), is_touched_(pipelines.size()) {
  std::map<std::vector<SignalId>, std::uint32_t> feed_of;
  for (std::uint32_t at = 0; at < pipelines.size(); ++at) {
    const auto& inputs = pipelines[at]->signals();
    for (std::uint32_t input = 0; input < inputs.size(); ++input) {
      const auto [known, is_new] = feed_of.try_emplace(inputs[input], static_cast<std::uint32_t>(feeds_.size()));
      if (is_new) {
        feeds_.emplace_back();
        for (std::uint32_t slot = 0; slot < inputs[input].size(); ++slot)
          add_place(index_of(inputs[input][slot]), {known->second, slot});
      }
      feeds_[known->second].targets.push_back({pipelines[at].get(), at, input});
    }
  }
  used_feeds_.reserve(feeds_.size());
  touched_.reserve(pipelines.size());
  touched_at_.reserve(pipelines.size());
}

void Router::add_place(std::uint32_t signal, Place place) {
  if (signal >= place_.size()) place_.resize(signal + 1);
  Place& known = place_[signal];
  if (known.feed == 0) {
    known = place;
    return;
  }
  if ((known.feed & kMany) == 0) {
    many_.push_back({known});
    known = {kMany | static_cast<std::uint32_t>(many_.size() - 1), 0};
  }
  many_[known.feed & ~kMany].push_back(place);
}

std::span<Pipeline* const> Router::scatter(const Batch& batch, std::uint32_t greatest_signal) {
  for (const std::uint32_t at : touched_at_) is_touched_[at] = 0;
  touched_at_.clear();
  touched_.clear();
  // The inlet's table may know signals of a plan that this shard has not got yet, or no longer.
  if (greatest_signal >= place_.size()) place_.resize(greatest_signal + 1);
  if (batch.is_block())
    scatter_block(batch);
  else
    scatter_rows(batch);
  return touched_;
}

void Router::offer(std::uint32_t feed, const Frame& rows) {
  for (const Target& target : feeds_[feed].targets) {
    target.pipeline->offer(target.input, rows);
    if (is_touched_[target.index] != 0) continue;
    is_touched_[target.index] = 1;
    touched_at_.push_back(target.index);
    touched_.push_back(target.pipeline);
  }
}

std::span<const Nanos> Router::times_of(const Batch& batch) {
  if (!batch.time.empty()) return batch.time;
  if (time_.size() < batch.size()) time_.resize(batch.size());
  fill_times(batch.time0, batch.step, std::span(time_).first(batch.size()));
  return {time_.data(), batch.size()};
}

void Router::scatter_block(const Batch& batch) {
  const Place place = place_[index_of(batch.block_signal)];
  if (place.feed == 0) {
    unused_ += batch.size();
    return;
  }
  if ((place.feed & kMany) == 0) {
    column_ = batch.value;
    return offer(place.feed, {{}, place.slot, times_of(batch), batch.quality, {&column_, 1}, batch.arrival});
  }
  // A feed may have the signal in several slots (one ambient temperature for forty machines): rows for each.
  count_rows(batch);
  place_rows(batch);
}

// True when all samples go to one place each, of one feed; their slots are then in slot_.
bool Router::one_feed(const Batch& batch, std::uint32_t& feed) {
  const std::size_t n = batch.size();
  if (slot_.size() < n) slot_.resize(n);
  const Place* places = place_.data();
  feed = places[index_of(batch.signal[0])].feed;
  if (feed == 0 || (feed & kMany) != 0) return false;
  constexpr std::size_t kStride = 256;  // look early enough to lose little when the batch is mixed
  for (std::size_t first = 0; first < n; first += kStride) {
    std::uint32_t other = 0;
    const std::size_t end = std::min(first + kStride, n);
    for (std::size_t i = first; i < end; ++i) {
      const Place place = places[index_of(batch.signal[i])];
      slot_[i] = place.slot;
      other |= place.feed ^ feed;
    }
    if (other != 0) return false;
  }
  return true;
}

void Router::scatter_rows(const Batch& batch) {
  std::uint32_t feed = 0;
  if (one_feed(batch, feed)) {
    column_ = batch.value;
    return offer(feed, {{slot_.data(), batch.size()}, 0, times_of(batch), batch.quality, {&column_, 1}, batch.arrival});
  }
  count_rows(batch);
  place_rows(batch);
}

void Router::count_rows(const Batch& batch) {
  used_feeds_.clear();
  const auto count = [this](Place place) {
    if (feeds_[place.feed].rows++ == 0) used_feeds_.push_back(place.feed);
  };
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Place place = place_[index_of(batch.signal_at(i))];
    if ((place.feed & kMany) == 0)
      count(place);
    else
      for (const Place each : many_[place.feed & ~kMany]) count(each);
  }
  std::uint32_t total = 0;
  for (const std::uint32_t feed : used_feeds_) {
    feeds_[feed].begin = feeds_[feed].end = total;
    total += feeds_[feed].rows;
    if (feed == 0) unused_ += feeds_[feed].rows;
  }
  if (slot_.size() < total) slot_.resize(total);
  if (time_.size() < total) time_.resize(total);
  if (value_.size() < total) value_.resize(total);
  if (quality_.size() < total) quality_.resize(total);
}

void Router::put(const Batch& batch, std::size_t i, Place place) {
  const std::uint32_t at = feeds_[place.feed].end++;
  slot_[at] = place.slot;
  time_[at] = batch.time_at(i);
  value_[at] = batch.value[i];
  if (!batch.quality.empty()) quality_[at] = batch.quality[i];
}

void Router::place_rows(const Batch& batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Place place = place_[index_of(batch.signal_at(i))];
    if ((place.feed & kMany) == 0)
      put(batch, i, place);
    else
      for (const Place each : many_[place.feed & ~kMany]) put(batch, i, each);
  }
  for (const std::uint32_t used : used_feeds_) {
    Feed& feed = feeds_[used];
    const std::size_t n = feed.rows;
    column_ = {value_.data() + feed.begin, n};
    const std::span<const Quality> quality{quality_.data() + feed.begin, batch.quality.empty() ? 0 : n};
    offer(used,
          {{slot_.data() + feed.begin, n}, 0, {time_.data() + feed.begin, n}, quality, {&column_, 1}, batch.arrival});
    feed.rows = 0;
  }
}

}  // namespace alara::flow
