// SPDX-License-Identifier: Apache-2.0
#include "core/frame.hpp"

namespace alara {

FrameBuilder::FrameBuilder(std::size_t columns, std::size_t reserve_rows) : values_(columns), spans_(columns) {
  reserve(reserve_rows);
}

void FrameBuilder::reserve(std::size_t rows) {
  if (rows <= reserved_) return;
  reserved_ = rows;
  slot_.reserve(rows);
  time_.reserve(rows);
  quality_.reserve(rows);
  for (auto& column : values_) column.reserve(rows);
}

void FrameBuilder::clear() {
  slot_.clear();
  time_.clear();
  quality_.clear();
  for (auto& column : values_) column.clear();
}

void FrameBuilder::spell_out_slots() {
  if (slot_.empty()) slot_.assign(time_.size(), only_slot_);
}

void FrameBuilder::spell_out_quality() {
  if (quality_.empty()) quality_.assign(time_.size(), Quality::good);
}

void FrameBuilder::append(std::uint32_t slot, Nanos time, Quality quality, std::span<const double> values) {
  if (time_.empty()) {
    only_slot_ = slot;
  } else if (!slot_.empty() || slot != only_slot_) {
    spell_out_slots();
    slot_.push_back(slot);
  }
  if (!quality_.empty() || quality != Quality::good) {
    spell_out_quality();
    quality_.push_back(quality);
  }
  time_.push_back(time);
  for (std::size_t k = 0; k < values_.size(); ++k) values_[k].push_back(values[k]);
}

std::size_t FrameBuilder::append_like(const Frame& rows) {
  const std::size_t first = time_.size();
  const std::size_t added = rows.size();
  if (first == 0 && rows.single_slot()) {
    only_slot_ = rows.only_slot;
  } else if (!(rows.single_slot() && slot_.empty() && rows.only_slot == only_slot_)) {
    if (first > 0) spell_out_slots();
    if (rows.single_slot())
      slot_.insert(slot_.end(), added, rows.only_slot);
    else
      slot_.insert(slot_.end(), rows.slot.begin(), rows.slot.end());
  }
  if (!rows.quality.empty() || !quality_.empty()) {
    spell_out_quality();
    if (rows.quality.empty())
      quality_.insert(quality_.end(), added, Quality::good);
    else
      quality_.insert(quality_.end(), rows.quality.begin(), rows.quality.end());
  }
  time_.insert(time_.end(), rows.time.begin(), rows.time.end());
  for (auto& column : values_) column.resize(first + added);
  return first;
}

void FrameBuilder::set_quality(std::size_t row, Quality quality) {
  if (quality_.empty() && quality == Quality::good) return;
  spell_out_quality();
  quality_[row] = quality;
}

Frame FrameBuilder::view(Nanos arrival) {
  for (std::size_t k = 0; k < values_.size(); ++k) spans_[k] = values_[k];
  return Frame{slot_, only_slot_, time_, quality_, spans_, arrival};
}

}  // namespace alara
