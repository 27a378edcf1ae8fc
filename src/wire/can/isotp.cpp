// SPDX-License-Identifier: Apache-2.0
#include "wire/can/isotp.hpp"

#include <algorithm>

namespace alara::wire::can {
namespace {

constexpr std::uint8_t kSingle = 0, kFirst = 1, kConsecutive = 2, kFlowControl = 3;  // high four bits of byte 0
constexpr std::uint8_t kGoOn = 0, kWait = 1;

// STmin as a time: 0…127 ms, or 0xF1…0xF9 for 100…900 µs; what is reserved counts as the longest.
Nanos pause_of(std::uint8_t code) {
  if (code <= 0x7F) return code * kMillisecond;
  if (code >= 0xF1 && code <= 0xF9) return (code - 0xF0) * 100 * kMicrosecond;
  return 127 * kMillisecond;
}

}  // namespace

IsotpReceiver::Event IsotpReceiver::take(std::span<const std::uint8_t> data, Nanos now) {
  if (data.empty()) return Event::fault;
  const std::uint8_t kind = data[0] >> 4;
  if (kind == kSingle) {
    const std::size_t size = data[0] & 0x0F;
    size_ = 0;
    if (size == 0 || size > 7 || size + 1 > data.size()) return Event::fault;
    message_.assign(data.begin() + 1, data.begin() + 1 + static_cast<std::ptrdiff_t>(size));
    return Event::message;
  }
  if (kind == kFirst) {
    size_ = 0;
    if (data.size() < 8) return Event::fault;
    const std::size_t size = static_cast<std::size_t>(data[0] & 0x0F) << 8 | data[1];
    if (size < 8) return Event::fault;
    size_ = size;
    next_ = 1;
    last_ = now;
    message_.assign(data.begin() + 2, data.end());
    return Event::flow_control_due;
  }
  if (kind != kConsecutive || size_ == 0) return kind == kFlowControl ? Event::none : Event::fault;
  if ((data[0] & 0x0F) != next_) {
    size_ = 0;
    return Event::fault;
  }
  const std::size_t left = size_ - message_.size(), most = std::min<std::size_t>(left, 7);
  if (data.size() - 1 < most) {
    size_ = 0;
    return Event::fault;
  }
  message_.insert(message_.end(), data.begin() + 1, data.begin() + 1 + static_cast<std::ptrdiff_t>(most));
  next_ = (next_ + 1) & 0x0F;
  last_ = now;
  if (message_.size() < size_) return Event::none;
  size_ = 0;
  return Event::message;
}

std::array<std::uint8_t, 8> IsotpReceiver::flow_control() {
  return {kFlowControl << 4 | kGoOn, 0, 0, kIsotpPad, kIsotpPad, kIsotpPad, kIsotpPad, kIsotpPad};
}

bool IsotpReceiver::timed_out(Nanos now) {
  if (size_ == 0 || now - last_ <= kIsotpTimeout) return false;
  size_ = 0;
  return true;
}

Status IsotpSender::begin(std::vector<std::uint8_t> message, Nanos now) {
  if (message.empty() || message.size() > kMostIsotpBytes)
    return fail(ErrorKind::refused, "a message of {} bytes; 1 to {} can be sent", message.size(), kMostIsotpBytes);
  message_ = std::move(message);
  sent_ = 0;
  sequence_ = 1;
  due_ = asked_ = now;
  state_ = State::first;
  return {};
}

std::optional<std::vector<std::uint8_t>> IsotpSender::next(Nanos now) {
  if (state_ == State::waiting && now - asked_ > kIsotpTimeout) state_ = State::failed;
  if ((state_ != State::first && state_ != State::sending) || now < due_) return std::nullopt;
  std::vector<std::uint8_t> data;
  std::size_t count = 0;
  if (state_ == State::first && message_.size() <= 7) {
    data.push_back(static_cast<std::uint8_t>(message_.size()));
    count = message_.size();
    state_ = State::idle;
  } else if (state_ == State::first) {
    data = {static_cast<std::uint8_t>(kFirst << 4 | message_.size() >> 8), static_cast<std::uint8_t>(message_.size())};
    count = 6;
    state_ = State::waiting;
    asked_ = now;
  } else {
    data.push_back(static_cast<std::uint8_t>(kConsecutive << 4 | sequence_));
    sequence_ = (sequence_ + 1) & 0x0F;
    count = std::min<std::size_t>(7, message_.size() - sent_);
    due_ = now + pause_;
    if (sent_ + count == message_.size()) {
      state_ = State::idle;
    } else if (limited_ && --block_left_ == 0) {
      state_ = State::waiting;
      asked_ = now;
    }
  }
  const auto begin = message_.begin() + static_cast<std::ptrdiff_t>(sent_);
  data.insert(data.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
  sent_ += count;
  data.resize(8, kIsotpPad);
  return data;
}

void IsotpSender::take(std::span<const std::uint8_t> data, Nanos now) {
  if (state_ != State::waiting || data.size() < 3 || data[0] >> 4 != kFlowControl) return;
  const std::uint8_t status = data[0] & 0x0F;
  if (status == kWait) {
    asked_ = now;
  } else if (status == kGoOn) {
    limited_ = data[1] != 0;
    block_left_ = data[1];
    pause_ = pause_of(data[2]);
    due_ = now;
    state_ = State::sending;
  } else {
    state_ = State::failed;  // the receiver has no room
  }
}

Nanos IsotpSender::due() const {
  if (state_ == State::waiting) return asked_ + kIsotpTimeout + 1;
  return state_ == State::first || state_ == State::sending ? due_ : kNever;
}

}  // namespace alara::wire::can
