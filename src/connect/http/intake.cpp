// SPDX-License-Identifier: Apache-2.0
#include "connect/http/intake.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"

namespace alara::http {
namespace {

constexpr std::string_view kLine = "line:";
constexpr std::size_t kMostSamplesPerPush = 4096;

// Calls `take(number, text)` for each line.
template <typename Take>
void each_line(std::string_view body, Take take) {
  for (std::size_t number = 1, at = 0; at < body.size(); ++number) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    take(number, body.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

void Receipt::refuse(std::size_t line, std::string reason) {
  ++rejected;
  if (refusals.size() < kMostShown) refusals.push_back({line, std::move(reason)});
}

Status Intake::add(const SignalBinding& signal) {
  const std::string& address = signal.address;
  if (address.starts_with(kLine)) {
    // Read as a line whose field has a value: the grammar is the same.
    wire::Line line;
    if (const Status read = wire::parse_line(address.substr(kLine.size()) + "=0", 1, line);
        !read || line.fields.size() != 1)
      return fail(ErrorKind::bad_input, "'{}' is not line:MEASUREMENT,TAG=VALUE FIELD", address);
    lines_.emplace(line.measurement, LineTarget{line.tags, line.fields[0].key, signal.signal});
    return {};
  }
  if (!address.starts_with('/'))
    return fail(ErrorKind::bad_input, "'{}' is neither a path (/presses/1#current) nor line:MEASUREMENT FIELD",
                address);
  const std::size_t hash = address.find('#');
  const std::string path = address.substr(0, hash);
  if (path.find_first_of("?% ") != std::string::npos)
    return fail(ErrorKind::bad_input, "'{}': a path has no '?', '%' or space", path);
  if (hash != std::string::npos && hash + 1 == address.size())
    return fail(ErrorKind::bad_input, "'{}' has nothing behind #", address);
  Route& route = routes_[path];
  ALARA_TRY(
      const std::uint32_t point,
      route.plan.add(hash == std::string::npos ? std::string_view() : std::string_view(address).substr(hash + 1)));
  route.targets.emplace_back(point, signal.signal);
  return {};
}

std::vector<std::string> Intake::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, route] : routes_) all.push_back(path);
  return all;
}

Receipt Intake::take_json(std::string_view path, std::string_view body, Nanos wall, Nanos monotonic, Inlet& inlet) {
  Receipt receipt;
  const Route& route = routes_.at(std::string(path));
  const auto refuse = [&](std::size_t line, wire::PayloadFault fault, std::size_t points) {
    inlet.reject(wire::name_of(fault), points);
    for (std::size_t i = 0; i < points; ++i) receipt.refuse(line, std::string(wire::name_of(fault)));
  };
  const auto take = [&](std::size_t number, std::string_view text) {
    if (trim(text).empty()) return;
    if (const auto fault = route.plan.read(text, {}, row_); fault != wire::PayloadFault::none)
      return refuse(number, fault, route.targets.size());
    for (const auto& [index, signal] : route.targets) {
      const wire::JsonRow::Point& point = row_.points[index];
      if (point.fault != wire::PayloadFault::none || point.list) {
        refuse(number, point.list ? wire::PayloadFault::wrong_type : point.fault, 1);
        continue;
      }
      const bool timed = point.timed || row_.timed;
      const Nanos time = point.timed ? point.time : row_.timed ? row_.time : wall;
      add_sample(signal, point.value, time,
                 point.bad_time && !timed ? std::max(point.quality, Quality::uncertain) : point.quality);
      ++receipt.accepted;
    }
    if (signals_.size() >= kMostSamplesPerPush) push(monotonic, inlet);
  };
  // A value over several lines is one value: only what ends with every line is taken line by line.
  const std::string_view whole = trim(body);
  const std::size_t first_end = whole.find('\n');
  const bool lines =
      first_end != std::string_view::npos && whole.front() == '{' && trim(whole.substr(0, first_end)).ends_with('}');
  if (lines)
    each_line(whole, take);
  else if (whole.empty())
    refuse(1, wire::PayloadFault::truncated, route.targets.size());
  else
    take(1, whole);
  push(monotonic, inlet);
  return receipt;
}

Receipt Intake::take_lines(std::string_view body, Nanos unit, Nanos wall, Nanos monotonic, Inlet& inlet) {
  Receipt receipt;
  each_line(body, [&](std::size_t number, std::string_view text) {
    if (const Status read = wire::parse_line(text, unit, line_); !read) {
      if (read.error().kind == ErrorKind::not_found) return;
      inlet.reject("malformed", 1);
      return receipt.refuse(number, read.error().message);
    }
    const auto [begin, end] = lines_.equal_range(line_.measurement);
    for (const wire::LineField& field : line_.fields) {
      bool wanted = false;
      for (auto target = begin; target != end; ++target) {
        const auto agrees = [this](const auto& tag) {
          const std::string* value = line_.tag(tag.first);
          return value != nullptr && *value == tag.second;
        };
        if (target->second.field != field.key || !std::ranges::all_of(target->second.tags, agrees)) continue;
        wanted = true;
        if (!field.number) {
          inlet.reject("wrong_type", 1);
          receipt.refuse(number, fmt::format("field '{}' is a text", field.key));
          continue;
        }
        add_sample(target->second.signal, *field.number, line_.time.value_or(wall), Quality::good);
        ++receipt.accepted;
      }
      if (wanted) continue;
      inlet.reject("unknown_field", 1);
      receipt.refuse(number,
                     fmt::format("no signal is bound to '{}' of '{}' with these tags", field.key, line_.measurement));
    }
    if (signals_.size() >= kMostSamplesPerPush) push(monotonic, inlet);
  });
  push(monotonic, inlet);
  return receipt;
}

void Intake::add_sample(SignalId id, double value, Nanos time, Quality quality) {
  signals_.push_back(id);
  values_.push_back(quality == Quality::bad ? std::numeric_limits<double>::quiet_NaN() : value);
  times_.push_back(time);
  qualities_.push_back(quality);
}

void Intake::push(Nanos monotonic, Inlet& inlet) {
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

}  // namespace alara::http
