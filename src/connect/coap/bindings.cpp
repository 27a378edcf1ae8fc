// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/bindings.hpp"

#include "base/text.hpp"

namespace alara::coap {
namespace {

constexpr std::size_t kLongestSegment = 255, kLongestPath = 1000;

}  // namespace

Status check_path(std::string_view path) {
  const auto refused = [path](std::string_view why) {
    return fail(ErrorKind::bad_input, "'{}' {}; a resource's path is like /valves/3/position", path, why);
  };
  if (path.size() < 2 || path.front() != '/') return refused("does not begin with '/' and a name");
  if (path.size() > kLongestPath) return refused("is too long");
  if (path.starts_with("/.well-known/")) return refused("is where resources are listed");
  if (path.find_first_of(" ?#%\"\\\r\n\t") != std::string_view::npos)
    return refused("has a character that paths have not");
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end == at) return refused("has an empty segment");
    if (end - at > kLongestSegment) return refused("has a segment of more than 255 bytes");
    at = end + 1;
  }
  return {};
}

void Bindings::add(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> targets,
                   std::vector<Error>& errors) {
  for (const SignalBinding& signal : signals) {
    const std::string_view address = signal.address;
    if (const Status checked = check_path(address.substr(0, address.find('#'))); !checked) {
      errors.push_back(located(signal, checked.error()));
      continue;
    }
    const auto path = intake.add(address, signal.signal);
    if (!path) {
      errors.push_back(located(signal, path.error()));
      continue;
    }
    Nanos& poll = wished[*path];
    if (signal.poll != 0 && (poll == 0 || signal.poll < poll)) poll = signal.poll;
  }
  for (const ActuatorBinding& actuator : targets) {
    if (const Status checked = check_path(actuator.address); checked)
      actuators[index_of(actuator.actuator)] = actuator.address;
    else
      errors.push_back(located(actuator, checked.error()));
  }
}

void Bindings::add(std::span<const OutletBinding> values, std::vector<Error>& errors) {
  for (const OutletBinding& outlet : values) {
    if (const Status checked = check_path(outlet.address); checked)
      outlets[index_of(outlet.outlet)] = {outlet.address, outlet.unit.text(), outlet.boolean};
    else
      errors.push_back(located(outlet, checked.error()));
  }
}

std::string text_of(double value) {
  std::string text;
  wire::append_number(value, text);
  return text;
}

std::string json_of(const Bindings::Outlet& outlet, const OutletSample& sample) {
  std::string body;
  wire::append_point({sample.value, outlet.boolean, sample.time, sample.quality, outlet.unit}, body);
  return body;
}

}  // namespace alara::coap
