// SPDX-License-Identifier: Apache-2.0
#include "connect/http/intake.hpp"

#include <algorithm>

namespace alara::http {
namespace {

constexpr std::string_view kLine = "line:";

}  // namespace

Status Intake::add(const SignalBinding& signal) {
  const std::string& address = signal.address;
  if (!address.starts_with(kLine)) {
    if (!address.starts_with('/'))
      return fail(ErrorKind::bad_input, "'{}' is neither a path (/presses/1#current) nor line:MEASUREMENT FIELD",
                  address);
    return json_.add(address, signal.signal).map([](const std::string&) {});
  }
  // Read as a line whose field has a value: the grammar is the same.
  wire::Line line;
  if (const Status read = wire::parse_line(address.substr(kLine.size()) + "=0", 1, line);
      !read || line.fields.size() != 1)
    return fail(ErrorKind::bad_input, "'{}' is not line:MEASUREMENT,TAG=VALUE FIELD", address);
  lines_.emplace(line.measurement, LineTarget{line.tags, line.fields[0].key, signal.signal});
  return {};
}

wire::Receipt Intake::take_lines(std::string_view body, Nanos unit, Nanos wall, Nanos monotonic, Inlet& inlet) {
  wire::Receipt receipt;
  wire::each_line(body, [&](std::size_t number, std::string_view text) {
    if (const Status read = wire::parse_line(text, unit, line_); !read) {
      if (read.error().kind == ErrorKind::not_found) return;
      inlet.reject("malformed", 1);
      return receipt.refuse(number, read.error().message);
    }
    take_line(number, wall, inlet, receipt);
    if (basket_.size() >= wire::JsonIntake::kMostSamplesPerPush) basket_.push(monotonic, inlet);
  });
  basket_.push(monotonic, inlet);
  return receipt;
}

// Of line_, what signals are bound to.
void Intake::take_line(std::size_t number, Nanos wall, Inlet& inlet, wire::Receipt& receipt) {
  const auto [begin, end] = lines_.equal_range(line_.measurement);
  const auto agrees = [this](const auto& tag) {
    const std::string* value = line_.tag(tag.first);
    return value != nullptr && *value == tag.second;
  };
  for (const wire::LineField& field : line_.fields) {
    bool wanted = false;
    for (auto target = begin; target != end; ++target) {
      if (target->second.field != field.key || !std::ranges::all_of(target->second.tags, agrees)) continue;
      wanted = true;
      if (!field.number) {
        inlet.reject("wrong_type", 1);
        receipt.refuse(number, fmt::format("field '{}' is a text", field.key));
        continue;
      }
      basket_.add(target->second.signal, *field.number, line_.time.value_or(wall), Quality::good);
      ++receipt.accepted;
    }
    if (wanted) continue;
    inlet.reject("unknown_field", 1);
    receipt.refuse(number,
                   fmt::format("no signal is bound to '{}' of '{}' with these tags", field.key, line_.measurement));
  }
}

}  // namespace alara::http
