// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/address.hpp"

#include "base/text.hpp"

namespace alara::mqtt {
namespace {

Status check_text(std::string_view what, std::string_view text) {
  if (text.empty()) return fail(ErrorKind::bad_input, "{} is empty", what);
  if (text.size() > kMaxTopicBytes)
    return fail(ErrorKind::bad_input, "{} is longer than {} bytes", what, kMaxTopicBytes);
  if (!valid_utf8(text) || text.find('\0') != std::string_view::npos)
    return fail(ErrorKind::bad_input, "{} is not UTF-8 text", what);
  return {};
}

std::string_view without_share(std::string_view pattern) {
  if (!pattern.starts_with("$share/")) return pattern;
  const std::size_t group_end = pattern.find('/', 7);
  return group_end == std::string_view::npos ? std::string_view{} : pattern.substr(group_end + 1);
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const std::size_t hash = text.find('#');
  Address address;
  address.topic = text.substr(0, hash);
  if (hash != std::string_view::npos) {
    address.path = text.substr(hash + 1);
    if (address.path.empty()) return fail(ErrorKind::bad_input, "address '{}' has nothing behind #", text);
  }
  ALARA_CHECK(check_topic(address.topic));
  return address;
}

Status check_topic(std::string_view topic) {
  ALARA_CHECK(check_text("the topic", topic));
  if (topic.find_first_of("+#") != std::string_view::npos)
    return fail(ErrorKind::bad_input, "topic '{}' has a wildcard; name one topic, or use the subscribe option", topic);
  return {};
}

Status check_pattern(std::string_view pattern) {
  ALARA_CHECK(check_text("the topic filter", pattern));
  const std::string_view filter = without_share(pattern);
  if (filter.empty())
    return fail(ErrorKind::bad_input, "topic filter '{}' lacks the part behind $share/<group>/", pattern);
  if (filter.size() != pattern.size()) {
    const std::string_view group = pattern.substr(7, pattern.size() - filter.size() - 8);
    if (group.empty() || group.find_first_of("+#") != std::string_view::npos)
      return fail(ErrorKind::bad_input, "topic filter '{}': '{}' is no name of a group of subscribers", pattern, group);
  }
  const auto levels = split(filter, '/');
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const bool wild = levels[i].find_first_of("+#") != std::string_view::npos;
    if (wild && levels[i].size() > 1)
      return fail(ErrorKind::bad_input, "topic filter '{}': a wildcard stands for a whole level", pattern);
    if (levels[i] == "#" && i + 1 != levels.size())
      return fail(ErrorKind::bad_input, "topic filter '{}': # stands last", pattern);
  }
  return {};
}

bool covers(std::string_view pattern, std::string_view topic) {
  std::string_view filter = without_share(pattern);
  if (!topic.empty() && topic.front() == '$' && !filter.empty() && (filter.front() == '+' || filter.front() == '#'))
    return false;
  for (;;) {
    const std::size_t filter_end = std::min(filter.find('/'), filter.size());
    const std::size_t topic_end = std::min(topic.find('/'), topic.size());
    const std::string_view level = filter.substr(0, filter_end);
    if (level == "#") return true;
    if (level != "+" && level != topic.substr(0, topic_end)) return false;
    const bool filter_done = filter_end == filter.size(), topic_done = topic_end == topic.size();
    if (filter_done && topic_done) return true;
    if (topic_done) return filter.substr(filter_end) == "/#";  // "a/#" covers "a"
    if (filter_done) return false;
    filter.remove_prefix(filter_end + 1);
    topic.remove_prefix(topic_end + 1);
  }
}

}  // namespace alara::mqtt
