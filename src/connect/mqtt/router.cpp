// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/router.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::mqtt {
namespace {

// "[17]" as an element of a binary array; nullopt for anything else.
std::optional<std::uint32_t> element_of(std::string_view path) {
  std::size_t index = 0;
  if (path.size() < 3 || path.front() != '[' || path.back() != ']') return std::nullopt;
  for (const char c : path.substr(1, path.size() - 2)) {
    if (c < '0' || c > '9' || index > wire::kMaxJsonIndex) return std::nullopt;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  if (index > wire::kMaxJsonIndex) return std::nullopt;
  return static_cast<std::uint32_t>(index);
}

Nanos step_of(double rate_hz) { return rate_hz > 0 ? static_cast<Nanos>(std::llround(1e9 / rate_hz)) : 0; }

}  // namespace

Router::Router(const Settings& settings) : settings_(settings) {
  if (settings.format == Format::points) codec_ = wire::make_point_codec(settings.points);
}

Status Router::add(const Address& address, const SignalBinding& signal) {
  auto found = routes_.find(address.topic);
  if (found == routes_.end()) {
    found = routes_.emplace(address.topic, Route{}).first;
    if (!settings_.time_path.empty()) ALARA_CHECK(found->second.json.set_time_path(settings_.time_path));
  }
  Route& route = found->second;
  Target target{0, signal.signal, step_of(signal.rate_hz)};
  if (settings_.format == Format::json) {
    ALARA_TRY(target.from, route.json.add(address.path));
    route.rows.push_back(target);
    return {};
  }
  if (settings_.format == Format::points) {
    ALARA_TRY(target.from, route.names.add(address.path));
    route.rows.push_back(target);
    return {};
  }
  if (address.path.empty() || address.path == "[:]") {
    route.waves.push_back(target);
    return {};
  }
  const auto element = element_of(address.path);
  if (!element)
    return fail(ErrorKind::bad_input,
                "'#{}' does not name an element of an array; write #[0] to #[{}], or nothing for a waveform",
                address.path, wire::kMaxJsonIndex);
  target.from = *element;
  route.rows.push_back(target);
  return {};
}

void Router::seal() {
  all_signals_.clear();
  for (auto& [topic, route] : routes_) {
    std::stable_sort(route.rows.begin(), route.rows.end(),
                     [](const Target& a, const Target& b) { return a.from < b.from; });
    route.row_signals.clear();
    route.first_row.clear();
    for (std::uint32_t name = 0; name <= route.names.size(); ++name) {
      const auto first = std::ranges::lower_bound(route.rows, name, {}, &Target::from);
      route.first_row.push_back(static_cast<std::uint32_t>(first - route.rows.begin()));
    }
    route.dense = true;
    for (std::size_t i = 0; i < route.rows.size(); ++i) {
      route.row_signals.push_back(route.rows[i].signal);
      route.dense = route.dense && route.rows[i].from == i;
    }
    for (const Target& target : route.rows) all_signals_.push_back(target.signal);
    for (const Target& target : route.waves) all_signals_.push_back(target.signal);
  }
}

void Router::mark_bad(Nanos wall, Nanos monotonic, Inlet& inlet) {
  if (all_signals_.empty()) return;
  values_.assign(all_signals_.size(), std::numeric_limits<double>::quiet_NaN());
  qualities_.assign(all_signals_.size(), Quality::bad);
  Batch batch;
  batch.signal = all_signals_;
  batch.value = values_;
  batch.quality = qualities_;
  batch.time0 = wall;
  batch.arrival = monotonic;
  inlet.push(batch);
}

std::vector<std::string> Router::topics() const {
  std::vector<std::string> out;
  out.reserve(routes_.size());
  for (const auto& [topic, route] : routes_) out.push_back(topic);
  std::sort(out.begin(), out.end());
  return out;
}

std::size_t Router::signals() const {
  std::size_t count = 0;
  for (const auto& [topic, route] : routes_) count += route.rows.size() + route.waves.size();
  return count;
}

void Router::deliver(const Message& message, Inlet& inlet) {
  const auto found = routes_.find(message.topic);
  if (found == routes_.end()) {
    inlet.reject("unknown_topic", 1);
    return;
  }
  if (settings_.format == Format::json) {
    deliver_json(found->second, message, inlet);
  } else if (settings_.format == Format::points) {
    deliver_points(found->second, message, inlet);
  } else {
    deliver_array(found->second, message, inlet);
  }
}

void Router::deliver_array(const Route& route, const Message& message, Inlet& inlet) {
  wire::ArrayView view;
  const wire::PayloadFault fault =
      settings_.format == Format::array
          ? wire::read_array(message.payload, settings_.limits, view)
          : wire::read_bare_array(message.payload, settings_.element, settings_.limits, view);
  if (fault != wire::PayloadFault::none) {
    inlet.reject(wire::name_of(fault), route.rows.size() + route.waves.size());
    return;
  }
  if (elements_.size() < view.count) elements_.resize(view.count);
  const std::span<double> elements(elements_.data(), view.count);
  const std::size_t bad = wire::decode_elements(view, elements);
  const bool timed = view.time.has_value() && settings_.time == TimeFrom::payload;
  const Origin origin{timed, message.retained && !timed ? Quality::uncertain : Quality::good};
  Batch batch;
  batch.time0 = timed ? *view.time : message.wall;
  batch.arrival = message.monotonic;
  if (!route.rows.empty()) deliver_rows(route, view.count, bad, origin, batch, inlet);
  for (const Target& wave : route.waves)
    deliver_wave(wave.signal, elements, view.step > 0 ? view.step : wave.step, origin, batch, inlet);
}

// elements_[0, count) hold the decoded array, of which `bad` are not finite.
void Router::deliver_rows(const Route& route, std::size_t count, std::size_t bad, Origin origin, Batch batch,
                          Inlet& inlet) {
  if (route.dense && bad == 0) {
    const std::size_t taken = std::min(route.rows.size(), count);
    batch.signal = std::span(route.row_signals).first(taken);
    batch.value = std::span<const double>(elements_).first(taken);
    if (taken < route.rows.size()) inlet.reject("missing", route.rows.size() - taken);
  } else {
    clear_rows();
    std::uint64_t missing = 0, not_finite = 0;
    for (const Target& target : route.rows) {
      if (target.from >= count) {
        ++missing;
      } else if (!std::isfinite(elements_[target.from])) {
        ++not_finite;
      } else {
        signals_.push_back(target.signal);
        values_.push_back(elements_[target.from]);
      }
    }
    if (missing > 0) inlet.reject("missing", missing);
    if (not_finite > 0) inlet.reject("not_finite", not_finite);
    batch.signal = signals_;
    batch.value = values_;
  }
  if (batch.size() == 0) return;
  if (origin.least != Quality::good) {
    qualities_.assign(batch.size(), origin.least);
    batch.quality = qualities_;
  }
  inlet.push(batch);
}

// Consecutive samples of one signal. A sample that is not finite stays in its place, as bad, so that the others keep
// their times.
void Router::deliver_wave(SignalId signal, std::span<const double> samples, Nanos step, Origin origin, Batch batch,
                          Inlet& inlet) {
  const auto finite = [](double value) { return std::isfinite(value); };
  const bool all_finite = std::all_of(samples.begin(), samples.end(), finite);
  if (samples.empty()) return inlet.reject("missing", 1);
  if (samples.size() == 1 && !all_finite) return inlet.reject("not_finite", 1);
  if (samples.size() > 1 && step <= 0) return inlet.reject("no_rate", samples.size());

  batch.block_signal = signal;
  batch.value = samples;
  batch.step = samples.size() > 1 ? step : 0;
  // Without a time of its own, the newest sample is as old as the message.
  if (!origin.timed) batch.time0 -= static_cast<Nanos>(samples.size() - 1) * batch.step;
  if (!all_finite || origin.least != Quality::good) {
    wave_qualities_.resize(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i)
      wave_qualities_[i] = finite(samples[i]) ? origin.least : Quality::bad;
    batch.quality = wave_qualities_;
  }
  inlet.push(batch);
}

void Router::clear_rows() {
  signals_.clear();
  values_.clear();
  times_.clear();
  qualities_.clear();
  own_times_ = own_quality_ = false;
}

void Router::deliver_json(const Route& route, const Message& message, Inlet& inlet) {
  const std::string_view text(reinterpret_cast<const char*>(message.payload.data()), message.payload.size());
  const wire::PayloadFault fault = route.json.read(text, settings_.limits, row_);
  if (fault != wire::PayloadFault::none) {
    inlet.reject(wire::name_of(fault), route.rows.size());
    return;
  }
  clear_rows();
  const bool timed = row_.timed && settings_.time == TimeFrom::payload;
  const Origin origin{timed, message.retained && !timed ? Quality::uncertain : Quality::good};
  Batch batch;
  batch.time0 = timed ? row_.time : message.wall;
  batch.arrival = message.monotonic;
  for (const Target& target : route.rows) take_point(target, row_.points[target.from], origin, batch, inlet);
  push_rows(batch, inlet);
}

// Adds one value to the row buffers, or pushes the samples of a list at once. `batch` has the payload's time.
void Router::take_point(const Target& target, const wire::JsonRow::Point& point, Origin origin, Batch batch,
                        Inlet& inlet) {
  if (point.fault != wire::PayloadFault::none) return inlet.reject(wire::name_of(point.fault), 1);
  const bool own_time = point.timed && settings_.time == TimeFrom::payload;
  if (own_time) {
    origin = {true, Quality::good};
    batch.time0 = point.time;
  }
  origin.least = std::max(origin.least, point.quality);
  if (point.list)
    return deliver_wave(target.signal, std::span<const double>(row_.samples).subspan(point.first, point.count),
                        target.step, origin, batch, inlet);
  add_row(target.signal, point.value, batch.time0, origin.least);
  own_times_ = own_times_ || own_time;
}

// A message says what its sender has to say: points of which it says nothing are not missed.
void Router::deliver_points(Route& route, const Message& message, Inlet& inlet) {
  const wire::PayloadFault fault = codec_->read(message.payload, settings_.limits, points_);
  if (fault != wire::PayloadFault::none) return inlet.reject(wire::name_of(fault), route.rows.size());
  clear_rows();
  std::uint64_t unknown = 0;
  bool wanted = false;
  for (const wire::Point& point : points_) {
    const auto name = route.names.find(point);
    if (!name) ++unknown;
    if (!name || *name == PointNames::kUnwanted) continue;
    wanted = true;
    const std::uint32_t first = route.first_row[*name];
    take_point(std::span<const Target>(route.rows).subspan(first, route.first_row[*name + 1] - first), point, message,
               inlet);
  }
  if (unknown > 0) inlet.reject("unknown_alias", unknown);
  if (unknown == 0 && !wanted) inlet.reject("missing", route.rows.size());  // a wrong name shall not go unnoticed
  Batch batch;
  batch.arrival = message.monotonic;
  push_rows(batch, inlet);
}

void Router::take_point(std::span<const Target> targets, const wire::Point& point, const Message& message,
                        Inlet& inlet) {
  if (point.fault != wire::PayloadFault::none) return inlet.reject(wire::name_of(point.fault), targets.size());
  const bool timed = point.time != 0 && settings_.time == TimeFrom::payload;
  const Quality least = message.retained && !timed ? Quality::uncertain : Quality::good;
  for (const Target& target : targets)
    add_row(target.signal, point.value, timed ? point.time : message.wall, std::max(least, point.quality));
  own_times_ = true;
}

void Router::add_row(SignalId signal, double value, Nanos time, Quality quality) {
  signals_.push_back(signal);
  values_.push_back(value);
  times_.push_back(time);
  qualities_.push_back(quality);
  own_quality_ = own_quality_ || quality != Quality::good;
}

void Router::push_rows(Batch batch, Inlet& inlet) {
  if (signals_.empty()) return;
  batch.signal = signals_;
  batch.value = values_;
  if (own_times_) batch.time = times_;
  if (own_quality_) batch.quality = qualities_;
  inlet.push(batch);
}

}  // namespace alara::mqtt
