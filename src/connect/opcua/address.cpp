// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/address.hpp"

#include <charconv>

#include "base/text.hpp"

namespace alara::opcua {
namespace {

constexpr std::string_view kCall = "call ";

// "i=", "s=", "g=" or "b=" and something behind it, after an optional namespace.
Result<NodeName> node_name(std::string_view text) {
  const auto refuse = [whole = text] {
    return fail(ErrorKind::bad_input, "'{}' is no node id; write ns=2;s=NAME, ns=2;i=NUMBER or nsu=URI;s=NAME", whole);
  };
  NodeName name;
  std::string_view rest = text;
  if (rest.starts_with("nsu=")) {
    const std::size_t end = rest.find(';');
    if (end == std::string_view::npos || end == 4) return refuse();
    name.namespace_uri = rest.substr(4, end - 4);
    rest.remove_prefix(end + 1);
    name.text = rest;
  } else {
    name.text = text;
    if (rest.starts_with("ns=")) {
      std::uint16_t index = 0;
      const auto [end, error] = std::from_chars(rest.data() + 3, rest.data() + rest.size(), index);
      if (error != std::errc{} || end == rest.data() + rest.size() || *end != ';') return refuse();
      rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
    }
  }
  if (rest.size() < 3 || rest[1] != '=' || std::string_view("isgb").find(rest[0]) == std::string_view::npos)
    return refuse();
  if (rest[0] == 'i') {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(rest.data() + 2, rest.data() + rest.size(), number);
    if (error != std::errc{} || end != rest.data() + rest.size()) return refuse();
  }
  return name;
}

// "Motor.speed[1]", "[3]".
Result<std::vector<PathStep>> path_of(std::string_view text) {
  const auto refuse = [whole = text] {
    return fail(ErrorKind::bad_input, "'#{}' is no path into a value; write #[3], #member or #member.other[2]", whole);
  };
  std::vector<PathStep> steps;
  while (!text.empty()) {
    if (steps.size() == kMostPathSteps) return refuse();
    if (text.front() == '[') {
      std::uint32_t index = 0;
      const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), index);
      if (error != std::errc{} || end == text.data() + text.size() || *end != ']') return refuse();
      text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
      steps.push_back({{}, index});
    } else {
      const std::size_t end = std::min(text.find_first_of(".["), text.size());
      if (end == 0) return refuse();
      steps.push_back({std::string(text.substr(0, end)), {}});
      text.remove_prefix(end);
    }
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      if (text.empty() || text.front() == '[') return refuse();
    } else if (!text.empty() && text.front() != '[') {
      return refuse();
    }
  }
  if (steps.empty()) return refuse();
  return steps;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.empty()) return fail(ErrorKind::bad_input, "the address is empty");
  if (text.size() > kMostAddressBytes) return fail(ErrorKind::bad_input, "an address of {} bytes", text.size());
  Address address;
  if (text.starts_with(kCall)) {
    const std::string_view both = trim(text.substr(kCall.size()));
    const std::size_t space = both.find(' ');
    if (space == std::string_view::npos)
      return fail(ErrorKind::bad_input, "'{}' names no object and method; write call ns=2;s=OBJECT ns=2;s=METHOD",
                  text);
    ALARA_TRY(address.node, node_name(both.substr(0, space)));
    ALARA_TRY(address.method, node_name(trim(both.substr(space))));
    return address;
  }
  std::string node;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '#' && at + 1 < text.size() && text[at + 1] == '#') {
      node += '#';
      ++at;
    } else if (text[at] == '#') {
      ALARA_TRY(address.path, path_of(text.substr(at + 1)));
      break;
    } else {
      node += text[at];
    }
  }
  ALARA_TRY(address.node, node_name(node));
  return address;
}

}  // namespace alara::opcua
