// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_address.hpp"

#include <algorithm>
#include <charconv>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::opcua {
namespace {

constexpr std::string_view kIn = " in ", kTo = "..";

Result<ValueRange> range_of(std::string_view text) {
  const std::size_t to = text.find(kTo);
  const auto least = parse_number(trim(text.substr(0, to))), most = parse_number(trim(text.substr(to + kTo.size())));
  if (!least || !most) return fail(ErrorKind::bad_input, "'{}' is no range; write in 0..1500", text);
  if (*least >= *most) return fail(ErrorKind::bad_input, "the range {} is empty", text);
  return ValueRange{*least, *most};
}

Status check_name(std::string_view name) {
  const bool control =
      std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
  if (name.empty() || control || !valid_utf8(name))
    return fail(ErrorKind::bad_input, "'{}' has a part that is empty or no text", name);
  return {};
}

}  // namespace

std::string ServerAddress::text() const {
  if (number) return fmt::format("i={}", *number);
  std::string all;
  for (const std::string& part : path) all += (all.empty() ? "" : "/") + part;
  return all;
}

Result<ServerAddress> parse_server_address(std::string_view text) {
  if (text.empty()) return fail(ErrorKind::bad_input, "the address is empty");
  if (text.size() > kMostServerAddressBytes)
    return fail(ErrorKind::bad_input, "an address of {} bytes; at most {}", text.size(), kMostServerAddressBytes);
  ServerAddress address;
  std::string_view node = text;
  if (const std::size_t in = text.rfind(kIn); in != std::string_view::npos && text.find(kTo, in) != text.npos) {
    ALARA_TRY(address.range, range_of(text.substr(in + kIn.size())));
    node = text.substr(0, in);
  }
  if (node.starts_with("ns=")) {
    const std::string own = fmt::format("ns={};", kServerNamespace);
    if (!node.starts_with(own))
      return fail(ErrorKind::bad_input, "'{}': the nodes of this server are in namespace {}; write {}s=NAME", node,
                  kServerNamespace, own);
    node.remove_prefix(own.size());
    if (!node.starts_with("s=") && !node.starts_with("i="))
      return fail(ErrorKind::bad_input, "'{}' is no node id; write {}s=NAME or {}i=NUMBER", text, own, own);
  }
  if (node.starts_with("i=")) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(node.data() + 2, node.data() + node.size(), number);
    if (error != std::errc{} || end != node.data() + node.size() || number == 0)
      return fail(ErrorKind::bad_input, "'{}' is no node id; write i=NUMBER", node);
    address.number = number;
    address.path.emplace_back(node.substr(2));
    return address;
  }
  if (node.starts_with("s=")) node.remove_prefix(2);
  for (const std::string_view part : split(node, '/')) {
    ALARA_CHECK(check_name(part));
    address.path.emplace_back(part);
  }
  if (address.path.size() > kMostFolders + 1)
    return fail(ErrorKind::bad_input, "'{}' is {} folders deep; at most {}", text, address.path.size() - 1,
                kMostFolders);
  if (address.path.front() == kAlarmFolder)
    return fail(ErrorKind::bad_input, "'{}': the folder '{}' holds the alarms; choose another", text, kAlarmFolder);
  return address;
}

}  // namespace alara::opcua
