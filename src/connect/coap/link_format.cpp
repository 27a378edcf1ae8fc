// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/link_format.hpp"

#include <algorithm>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::coap {
namespace {

constexpr std::size_t kLongestText = 1000;

// Takes what stands before any of `ends`; quoted parts hide them.
std::string_view take_until(std::string_view& text, std::string_view ends) {
  std::size_t at = 0;
  for (bool quoted = false; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
      continue;
    }
    if (text[at] == '"') quoted = !quoted;
    if (!quoted && ends.find(text[at]) != std::string_view::npos) break;
  }
  at = std::min(at, text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at);
  return taken;
}

std::string unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text.substr(0, kLongestText));
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size() && out.size() < kLongestText; ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

void take_attribute(std::string_view attribute, Link& link) {
  const std::size_t equals = attribute.find('=');
  const std::string_view key = trim(attribute.substr(0, equals));
  const std::string value = equals == std::string_view::npos ? "" : unquoted(attribute.substr(equals + 1));
  if (key == "obs") link.observable = true;
  if (key == "title") link.title = value;
  if (key == "rt") link.type = value;
  if (key == "u") link.unit = value;
  if (key != "ct") return;
  for (const std::string_view part : split(value, ' '))
    if (const auto format = parse_integer(part); format && *format >= 0 && *format <= 65'535)
      link.formats.push_back(static_cast<unsigned>(*format));
}

}  // namespace

Result<std::vector<Link>> parse_links(std::string_view text) {
  std::vector<Link> links;
  text = trim(text);
  while (!text.empty()) {
    const std::size_t end = text.find('>');
    if (text.front() != '<' || end == std::string_view::npos)
      return fail(ErrorKind::corrupt, "'{}' is no list of resources", text.substr(0, 40));
    Link link;
    link.path = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    std::string_view attributes = take_until(text, ",");
    while (!attributes.empty()) {
      take_attribute(take_until(attributes, ";"), link);
      if (!attributes.empty()) attributes.remove_prefix(1);
    }
    if (link.path.starts_with('/') && link.path.size() <= kLongestText && links.size() < kMostLinks)
      links.push_back(std::move(link));
    if (text.empty()) break;
    text.remove_prefix(1);
    text = trim(text);
  }
  return links;
}

}  // namespace alara::coap
