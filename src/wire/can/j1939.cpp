// SPDX-License-Identifier: Apache-2.0
#include "wire/can/j1939.hpp"

#include <algorithm>

namespace alara::wire::can {
namespace {

constexpr std::uint32_t kPgnControl = 0xEC00;   // TP.CM
constexpr std::uint32_t kPgnTransfer = 0xEB00;  // TP.DT
constexpr std::uint8_t kRequestToSend = 16, kClearToSend = 17, kEndOfMessage = 19, kBroadcast = 32, kAbort = 255;
constexpr std::size_t kPerPacket = 7;
constexpr std::uint8_t kPerBlock = 16;  // packets that we ask for at a time

std::uint32_t pgn_in(std::span<const std::uint8_t> data) {
  return data[5] | static_cast<std::uint32_t>(data[6]) << 8 | static_cast<std::uint32_t>(data[7] & 3) << 16;
}

Frame frame_of(const J1939Id& id, std::span<const std::uint8_t> data) {
  Frame frame;
  frame.id = id.can_id();
  frame.extended = true;
  frame.size = static_cast<std::uint8_t>(data.size());
  std::ranges::copy(data, frame.data.begin());
  return frame;
}

}  // namespace

J1939Id J1939Id::of(std::uint32_t can_id) {
  J1939Id id;
  id.priority = static_cast<std::uint8_t>(can_id >> 26 & 7);
  id.source = static_cast<std::uint8_t>(can_id);
  const auto format = static_cast<std::uint8_t>(can_id >> 16), specific = static_cast<std::uint8_t>(can_id >> 8);
  id.pgn = (can_id >> 8 & 0x3FF00) | (format >= 240 ? specific : 0u);
  id.destination = format >= 240 ? kEveryone : specific;
  return id;
}

std::uint32_t J1939Id::can_id() const {
  const bool addressed = (pgn >> 8 & 0xFF) < 240;
  const std::uint32_t group = addressed ? (pgn & 0x3FF00) | destination : pgn & 0x3FFFF;
  return static_cast<std::uint32_t>(priority & 7) << 26 | group << 8 | source;
}

J1939Value judge_j1939(std::uint64_t raw, unsigned bits) {
  if (bits < 2 || bits > 32) return J1939Value::valid;  // single bits and texts have no such values
  const std::uint64_t all = (std::uint64_t{1} << bits) - 1;
  if (bits < 8) {
    if (raw == all) return J1939Value::not_available;
    return bits == 2 && raw == 2 ? J1939Value::error : J1939Value::valid;
  }
  const std::uint64_t top = raw >> (bits - 8);
  return top == 0xFF ? J1939Value::not_available : top == 0xFE ? J1939Value::error : J1939Value::valid;
}

std::optional<J1939Message> J1939Transport::take(const Frame& frame, Nanos now, std::vector<Frame>& replies) {
  if (!frame.extended || frame.remote || frame.fd) return std::nullopt;
  drop_silent(now);
  const J1939Id id = J1939Id::of(frame.id);
  if (id.pgn == kPgnControl) {
    open(frame, id, now, replies);
    return std::nullopt;
  }
  if (id.pgn == kPgnTransfer) return add(frame, id, now, replies);
  return J1939Message{id, {frame.bytes().begin(), frame.bytes().end()}};
}

void J1939Transport::drop_silent(Nanos now) {
  given_up_ += std::erase_if(sessions_, [now](const Session& session) { return now - session.last > kTimeout; });
}

// A message about messages: one begins, goes on or ends.
void J1939Transport::open(const Frame& frame, const J1939Id& id, Nanos now, std::vector<Frame>& replies) {
  const auto data = frame.bytes();
  if (data.size() < 8) {
    ++turned_away_;
    return;
  }
  const auto same = [&](const Session& s) { return s.id.source == id.source && s.id.destination == id.destination; };
  if (data[0] == kAbort) {  // by either side
    given_up_ += std::erase_if(sessions_, [&](const Session& s) {
      return same(s) || (s.id.source == id.destination && s.id.destination == id.source);
    });
    return;
  }
  if (data[0] != kRequestToSend && data[0] != kBroadcast) return;  // what others answer each other
  const std::size_t size = data[1] | static_cast<std::size_t>(data[2]) << 8;
  const std::size_t packets = data[3];
  if (size < 9 || size > kMostMessageBytes || packets != (size + kPerPacket - 1) / kPerPacket) {
    ++turned_away_;
    return;
  }
  given_up_ += std::erase_if(sessions_, same);  // a sender has one message under way to each destination
  if (sessions_.size() >= kMostSessions) {
    ++turned_away_;
    return;
  }
  Session session;
  session.id = {id.priority, pgn_in(data), id.source, id.destination};
  session.size = size;
  session.packets = static_cast<std::uint8_t>(packets);
  session.last = now;
  session.data.reserve(packets * kPerPacket);
  sessions_.push_back(std::move(session));
  if (data[0] == kRequestToSend && address_ != kEveryone && id.destination == address_)
    replies.push_back(clear_to_send(sessions_.back()));
}

std::optional<J1939Message> J1939Transport::add(const Frame& frame, const J1939Id& id, Nanos now,
                                                std::vector<Frame>& replies) {
  const auto session = std::ranges::find_if(
      sessions_, [&](const Session& s) { return s.id.source == id.source && s.id.destination == id.destination; });
  if (session == sessions_.end()) return std::nullopt;  // its beginning was before ours
  const auto data = frame.bytes();
  if (data.size() < 8 || data[0] != session->next) {
    if (data.size() == 8 && data[0] != 0 && data[0] < session->next) return std::nullopt;  // said again
    ++given_up_;
    sessions_.erase(session);
    return std::nullopt;
  }
  session->data.insert(session->data.end(), data.begin() + 1, data.begin() + 8);
  session->last = now;
  const bool ours = address_ != kEveryone && id.destination == address_;
  if (session->next == session->packets) {
    session->data.resize(session->size);
    if (ours)
      replies.push_back(control(*session, {kEndOfMessage, static_cast<std::uint8_t>(session->size),
                                           static_cast<std::uint8_t>(session->size >> 8), session->packets, 0xFF}));
    J1939Message message{session->id, std::move(session->data)};
    sessions_.erase(session);
    return message;
  }
  ++session->next;
  if (ours && session->next > session->block_end) replies.push_back(clear_to_send(*session));
  return std::nullopt;
}

Frame J1939Transport::control(const Session& session, std::array<std::uint8_t, 5> bytes) const {
  std::array<std::uint8_t, 8> data{};
  std::ranges::copy(bytes, data.begin());
  data[5] = static_cast<std::uint8_t>(session.id.pgn);
  data[6] = static_cast<std::uint8_t>(session.id.pgn >> 8);
  data[7] = static_cast<std::uint8_t>(session.id.pgn >> 16);
  return frame_of({7, kPgnControl, address_, session.id.source}, data);
}

Frame J1939Transport::clear_to_send(Session& session) const {
  const int left = session.packets - session.next + 1;
  const auto count = static_cast<std::uint8_t>(std::min<int>(left, kPerBlock));
  session.block_end = static_cast<std::uint8_t>(session.next + count - 1);
  return control(session, {kClearToSend, count, session.next, 0xFF, 0xFF});
}

std::vector<Frame> broadcast_j1939(const J1939Message& message) {
  if (message.data.size() > kMostMessageBytes) return {};
  if (message.data.size() <= 8) return {frame_of(message.id, message.data)};
  const std::size_t packets = (message.data.size() + kPerPacket - 1) / kPerPacket;
  const std::uint32_t pgn = message.id.pgn;
  const std::array<std::uint8_t, 8> announcement{kBroadcast,
                                                 static_cast<std::uint8_t>(message.data.size()),
                                                 static_cast<std::uint8_t>(message.data.size() >> 8),
                                                 static_cast<std::uint8_t>(packets),
                                                 0xFF,
                                                 static_cast<std::uint8_t>(pgn),
                                                 static_cast<std::uint8_t>(pgn >> 8),
                                                 static_cast<std::uint8_t>(pgn >> 16)};
  std::vector<Frame> frames{frame_of({7, kPgnControl, message.id.source, kEveryone}, announcement)};
  for (std::size_t packet = 0; packet < packets; ++packet) {
    std::array<std::uint8_t, 8> data;
    data.fill(0xFF);
    data[0] = static_cast<std::uint8_t>(packet + 1);
    const std::size_t begin = packet * kPerPacket, count = std::min(kPerPacket, message.data.size() - begin);
    std::copy_n(message.data.begin() + static_cast<std::ptrdiff_t>(begin), count, data.begin() + 1);
    frames.push_back(frame_of({7, kPgnTransfer, message.id.source, kEveryone}, data));
  }
  return frames;
}

std::optional<J1939Faults> parse_dm1(std::span<const std::uint8_t> data) {
  if (data.size() < 6) return std::nullopt;
  J1939Faults out;
  const auto lamp = [&](unsigned shift) { return (data[0] >> shift & 3) == 1; };
  out.malfunction = lamp(6);
  out.red_stop = lamp(4);
  out.amber_warning = lamp(2);
  out.protect = lamp(0);
  for (std::size_t at = 2; at + 4 <= data.size(); at += 4) {
    J1939Fault fault;  // conversion method 4, the one in use since 1996
    fault.spn =
        data[at] | static_cast<std::uint32_t>(data[at + 1]) << 8 | static_cast<std::uint32_t>(data[at + 2] >> 5) << 16;
    fault.fmi = data[at + 2] & 0x1F;
    fault.count = data[at + 3] & 0x7F;
    const bool none = (fault.spn == 0 && fault.fmi == 0) || (fault.spn == 0x7FFFF && fault.fmi == 0x1F);
    if (!none) out.faults.push_back(fault);
  }
  return out;
}

}  // namespace alara::wire::can
