// SPDX-License-Identifier: Apache-2.0
// From a message to samples: one hash look-up finds the topic's route, which decodes the payload into reused buffers
// and pushes it as one batch per shape. No strings and no allocation once the buffers have grown.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "connect/mqtt/address.hpp"
#include "connect/mqtt/point_names.hpp"
#include "connect/mqtt/settings.hpp"
#include "core/connector.hpp"
#include "wire/payload_array.hpp"
#include "wire/payload_json.hpp"
#include "wire/payload_points.hpp"

namespace alara::mqtt {

// A message as the broker delivered it; borrowed for the call.
struct Message {
  std::string_view topic;
  std::span<const std::uint8_t> payload;
  bool retained = false;  // the last known value, of unknown age
  Nanos wall = 0;         // when it arrived, by both clocks
  Nanos monotonic = 0;
};

class Router {
 public:
  explicit Router(const Settings& settings);

  // Load time. Adds one signal; an error has no place yet.
  Status add(const Address& address, const SignalBinding& signal);
  void seal();  // after the last add()

  // Delivers or rejects every point of the message, and counts it either way.
  void deliver(const Message& message, Inlet& inlet);

  // One bad sample of every signal: the broker is gone and nobody knows their values.
  void mark_bad(Nanos wall, Nanos monotonic, Inlet& inlet);

  [[nodiscard]] std::vector<std::string> topics() const;
  [[nodiscard]] std::size_t signals() const;

 private:
  struct Target {
    std::uint32_t from = 0;  // element of an array, point of the JSON plan, or number of a name
    SignalId signal{};
    Nanos step = 0;  // between samples of a waveform; 0 = unknown
  };
  struct Route {
    std::vector<Target> rows;           // one value each
    std::vector<Target> waves;          // all elements, in array formats
    std::vector<SignalId> row_signals;  // of `rows`
    bool dense = false;                 // rows[k] wants element k
    wire::JsonPlan json;
    PointNames names;
    std::vector<std::uint32_t> first_row;  // of each name, in `rows`; one more for the end
  };
  struct TopicHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view topic) const { return std::hash<std::string_view>{}(topic); }
  };

  // What is known about a message's or point's samples besides their values.
  struct Origin {
    bool timed = false;             // they carry a time of their own
    Quality least = Quality::good;  // none of them is better
  };

  void deliver_array(const Route& route, const Message& message, Inlet& inlet);
  void deliver_rows(const Route& route, std::size_t count, std::size_t bad, Origin origin, Batch batch, Inlet& inlet);
  void deliver_wave(SignalId signal, std::span<const double> samples, Nanos step, Origin origin, Batch batch,
                    Inlet& inlet);
  void deliver_json(const Route& route, const Message& message, Inlet& inlet);
  void take_point(const Target& target, const wire::JsonRow::Point& point, Origin origin, Batch batch, Inlet& inlet);
  void deliver_points(Route& route, const Message& message, Inlet& inlet);
  void take_point(std::span<const Target> targets, const wire::Point& point, const Message& message, Inlet& inlet);
  void add_row(SignalId signal, double value, Nanos time, Quality quality);
  void push_rows(Batch batch, Inlet& inlet);
  void clear_rows();

  const Settings& settings_;  // outlives the router
  std::unordered_map<std::string, Route, TopicHash, std::equal_to<>> routes_;

  std::vector<SignalId> all_signals_;

  // Buffers of the delivering thread.
  std::vector<double> elements_;
  wire::JsonRow row_;
  std::unique_ptr<wire::PointCodec> codec_;  // of format points
  std::vector<wire::Point> points_;
  std::vector<SignalId> signals_;
  std::vector<double> values_;
  std::vector<Nanos> times_;
  std::vector<Quality> qualities_;
  std::vector<Quality> wave_qualities_;
  bool own_times_ = false;    // some row has a time of its own
  bool own_quality_ = false;  // some row is not good
};

}  // namespace alara::mqtt
