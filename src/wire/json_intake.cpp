// SPDX-License-Identifier: Apache-2.0
#include "wire/json_intake.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"

namespace alara::wire {

void Receipt::refuse(std::size_t line, std::string reason) {
  ++rejected;
  if (refusals.size() < kMostShown) refusals.push_back({line, std::move(reason)});
}

void SampleBasket::add(SignalId id, double value, Nanos time, Quality quality) {
  signals_.push_back(id);
  values_.push_back(quality == Quality::bad ? std::numeric_limits<double>::quiet_NaN() : value);
  times_.push_back(time);
  qualities_.push_back(quality);
}

void SampleBasket::push(Nanos monotonic, Inlet& inlet) {
  if (signals_.empty()) return;
  Batch batch;
  batch.signal = signals_;
  batch.value = values_;
  batch.time = times_;
  batch.quality = qualities_;
  batch.arrival = monotonic;
  inlet.push(batch);
  signals_.clear();
  values_.clear();
  times_.clear();
  qualities_.clear();
}

Result<std::string> JsonIntake::add(std::string_view address, SignalId signal) {
  if (!address.starts_with('/'))
    return fail(ErrorKind::bad_input, "'{}' is no path, as in /presses/1#current", address);
  const std::size_t hash = address.find('#');
  std::string path(address.substr(0, hash));
  if (path.find_first_of("?% ") != std::string::npos)
    return fail(ErrorKind::bad_input, "'{}': a path has no '?', '%' or space", path);
  if (hash != std::string_view::npos && hash + 1 == address.size())
    return fail(ErrorKind::bad_input, "'{}' has nothing behind #", address);
  Route& route = routes_[path];
  ALARA_TRY(const std::uint32_t point,
            route.plan.add(hash == std::string_view::npos ? std::string_view() : address.substr(hash + 1)));
  route.targets.emplace_back(point, signal);
  return path;
}

std::vector<std::string> JsonIntake::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, route] : routes_) all.push_back(path);
  return all;
}

std::vector<SignalId> JsonIntake::signals(std::string_view path) const {
  std::vector<SignalId> all;
  for (const auto& [point, signal] : routes_.at(std::string(path)).targets) all.push_back(signal);
  return all;
}

void JsonIntake::take_one(const Route& route, std::size_t line, std::string_view text, Nanos wall, Inlet& inlet,
                          Receipt& receipt) {
  const auto refuse = [&](PayloadFault fault, std::size_t points) {
    inlet.reject(name_of(fault), points);
    for (std::size_t i = 0; i < points; ++i) receipt.refuse(line, std::string(name_of(fault)));
  };
  if (const auto fault = route.plan.read(text, {}, row_); fault != PayloadFault::none)
    return refuse(fault, route.targets.size());
  for (const auto& [index, signal] : route.targets) {
    const JsonRow::Point& point = row_.points[index];
    if (point.fault != PayloadFault::none || point.list) {
      refuse(point.list ? PayloadFault::wrong_type : point.fault, 1);
      continue;
    }
    const bool timed = point.timed || row_.timed;
    const Nanos time = point.timed ? point.time : row_.timed ? row_.time : wall;
    basket_.add(signal, point.value, time,
                point.bad_time && !timed ? std::max(point.quality, Quality::uncertain) : point.quality);
    ++receipt.accepted;
  }
}

Receipt JsonIntake::take(std::string_view path, std::string_view body, Nanos wall, Nanos monotonic, Inlet& inlet) {
  Receipt receipt;
  const Route& route = routes_.at(std::string(path));
  // A value over several lines is one value: only what ends with every line is taken line by line.
  const std::string_view whole = trim(body);
  const std::size_t first_end = whole.find('\n');
  const bool lines =
      first_end != std::string_view::npos && whole.front() == '{' && trim(whole.substr(0, first_end)).ends_with('}');
  if (!lines) {
    take_one(route, 1, whole, wall, inlet, receipt);
  } else {
    each_line(whole, [&](std::size_t number, std::string_view text) {
      if (trim(text).empty()) return;
      take_one(route, number, text, wall, inlet, receipt);
      if (basket_.size() >= kMostSamplesPerPush) basket_.push(monotonic, inlet);
    });
  }
  basket_.push(monotonic, inlet);
  return receipt;
}

}  // namespace alara::wire
