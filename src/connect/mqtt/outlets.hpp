// SPDX-License-Identifier: Apache-2.0
// Published values on their way to topics: taken from the queue, kept (within bounds) while the broker is away or slow,
// sent in order, and settled when the broker has them. Exact at any moment: taken = delivered + buffered + dropped.
//
// In the formats of points an address may be "topic#name": values that wait for the same topic, one behind the other,
// then go in one message. None waits for others to come. With `name_every`, names go with an alias beside them at first
// and so often again, and the alias alone between.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "connect/mqtt/connection.hpp"
#include "connect/mqtt/settings.hpp"
#include "core/connector.hpp"

namespace alara::mqtt {

inline constexpr std::size_t kMaxUnanswered =
    1000;  // messages at the broker without an answer, or waiting for the socket
inline constexpr std::size_t kMaxPointsMessage = 64u << 10;  // bytes, beyond which values go in another message

class Outlets {
 public:
  explicit Outlets(const Settings& settings);

  // Load time. An error has no place yet.
  Status add(const OutletBinding& outlet);
  [[nodiscard]] std::vector<std::string> explain() const;
  [[nodiscard]] bool empty() const { return topics_.empty(); }

  // On the connector's thread, all of it.
  enum class Link : std::uint8_t { up, down };
  void take(OutletQueue& queue, Link link);
  // Sends what waits, as far as the broker's flow control lets it. `now`: monotonic. Returns why not, when something
  // went wrong.
  Status send(Connection& connection, OutletQueue& queue, Nanos now);
  struct Settled {
    bool ours = false;
    std::size_t bytes = 0;     // topic and payload
    std::string refusal = {};  // topic and reason, when the broker refused it
  };
  // Counts the message as sent before its values are settled.
  [[nodiscard]] Settled settle(const Answer& answer, OutletQueue& queue, ConnectorStats& stats);
  void take_back(OutletQueue& queue);  // the connection is gone: what was not answered is sent again on the next
  void give_up(OutletQueue& queue);
  [[nodiscard]] bool unanswered() const { return !in_flight_.empty(); }

  [[nodiscard]] std::uint64_t buffered() const { return buffered_.load(std::memory_order_relaxed); }  // any thread

 private:
  struct Outlet {
    std::size_t topic = 0;
    std::string name;  // of the point; "" = the topic says which
    bool boolean = false;
    std::string unit;
    std::uint32_t alias = 0;  // of its name on its topic; 0 = none
    Nanos name_due = 0;       // when the name goes with it next
  };
  struct Sent {
    int id = 0;
    std::vector<OutletSample> samples;  // of one topic
    std::size_t bytes = 0;              // topic and payload
  };

  [[nodiscard]] Outlet& outlet_of(const OutletSample& sample) { return outlets_.at(index_of(sample.outlet)); }
  [[nodiscard]] static std::size_t bytes_of(const Outlet& outlet);  // of its point in a message, at most
  void make_room(OutletQueue& queue, Link link);
  void take_next(std::size_t most_bytes);
  void put_back();
  void compose(std::span<const OutletSample> samples, Nanos now);
  void named(std::span<const OutletSample> samples, Nanos now);
  void name_all();  // the next time each goes
  void count();

  const Settings& settings_;  // outlives this
  std::vector<std::string> topics_;
  std::vector<std::uint32_t> names_;  // of each topic, so many
  std::unordered_map<std::string, std::size_t> topic_numbers_;
  std::unordered_set<std::string> addresses_;
  std::unordered_map<std::uint32_t, Outlet> outlets_;

  std::deque<OutletSample> waiting_;
  std::deque<Sent> in_flight_;
  std::size_t unsettled_ = 0;  // samples in in_flight_
  std::atomic<std::uint64_t> buffered_{0};
  std::unique_ptr<wire::PointCodec> codec_;  // of format points
  std::vector<wire::Point> points_;
  std::string text_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace alara::mqtt
