// SPDX-License-Identifier: Apache-2.0
// Building a JsonPlan from paths, and writing JSON scalars.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "base/quantity.hpp"
#include "wire/payload_json.hpp"

namespace alara::wire {
namespace {

struct Step {
  std::string_view key;
  std::size_t index = 0;
  enum class Kind : std::uint8_t { key, index, all } kind = Kind::key;
};

tl::unexpected<Error> refuse(std::string_view path, std::string_view why) {
  Error error{ErrorKind::bad_input, fmt::format("JSON path '{}' {}", path, why), {}, {}};
  error.hint = "write a.b[2], [17], a[\"any key\"], or a[:] for all samples of a list";
  return tl::unexpected<Error>(std::move(error));
}

// Takes the inside of "[…]" from the front of `rest`, which starts behind the bracket.
Result<Step> take_bracket(std::string_view path, std::string_view& rest) {
  Step step;
  if (rest.starts_with('"')) {
    const std::size_t end = rest.find("\"]", 1);
    if (end == std::string_view::npos) return refuse(path, "has a [\" without \"]");
    step.key = rest.substr(1, end - 1);
    rest.remove_prefix(end + 2);
    return step;
  }
  const std::size_t end = rest.find(']');
  if (end == std::string_view::npos) return refuse(path, "has a [ without ]");
  const std::string_view inside = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  if (inside == ":") {
    step.kind = Step::Kind::all;
    return step;
  }
  step.kind = Step::Kind::index;
  const auto [last, status] = std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
  if (status != std::errc{} || last != inside.data() + inside.size() || step.index > kMaxJsonIndex)
    return refuse(path, fmt::format("has index '{}'; 0 to {} are allowed", inside, kMaxJsonIndex));
  return step;
}

Result<Step> take_step(std::string_view path, std::string_view& rest) {
  if (rest.starts_with('[')) {
    rest.remove_prefix(1);
    return take_bracket(path, rest);
  }
  if (rest.starts_with('.')) {
    if (rest.size() == path.size()) return refuse(path, "starts with a dot");
    rest.remove_prefix(1);
  } else if (rest.size() != path.size()) {
    return refuse(path, "lacks a dot behind ]");
  }
  const std::size_t end = std::min(rest.find_first_of(".["), rest.size());
  if (end == 0) return refuse(path, "has an empty member name");
  Step step;
  step.key = rest.substr(0, end);
  rest.remove_prefix(end);
  return step;
}

}  // namespace

JsonPlan::JsonPlan() : trees_(1) {}

Result<std::uint32_t> JsonPlan::grow(std::string_view path, bool& list_only) {
  std::uint32_t tree = 0;
  std::size_t steps = 0;
  list_only = false;
  for (std::string_view rest = path; !rest.empty();) {
    if (list_only) return refuse(path, "goes on behind [:]");
    if (++steps > kMaxJsonPathSteps) return refuse(path, fmt::format("has more than {} steps", kMaxJsonPathSteps));
    ALARA_TRY(const Step step, take_step(path, rest));
    if (step.kind == Step::Kind::all) {
      list_only = true;
      continue;
    }
    const auto fresh = static_cast<std::uint32_t>(trees_.size());
    std::uint32_t next = step.kind == Step::Kind::key ? child_of_key(tree, step.key) : child_of_index(tree, step.index);
    if (next == kNone) {
      next = fresh;
      trees_.emplace_back();
      Tree& parent = trees_[tree];
      if (step.kind == Step::Kind::key) {
        const auto at = std::lower_bound(parent.keys.begin(), parent.keys.end(), step.key,
                                         [](const Branch& branch, std::string_view key) { return branch.key < key; });
        parent.keys.insert(at, Branch{std::string(step.key), fresh});
      } else {
        if (parent.indexes.size() <= step.index) parent.indexes.resize(step.index + 1, kNone);
        parent.indexes[step.index] = fresh;
      }
    }
    tree = next;
  }
  return tree;
}

Result<std::uint32_t> JsonPlan::add(std::string_view path) {
  bool list_only = false;
  ALARA_TRY(const std::uint32_t at, grow(path, list_only));
  Tree& tree = trees_[at];
  if (tree.time) return refuse(path, "is already the path of the time");
  if (tree.point != kNone && tree.list_only != list_only)
    return refuse(path, "is asked for both as one value and as samples");
  tree.list_only = list_only;
  if (tree.point == kNone) tree.point = points_++;
  return tree.point;
}

Status JsonPlan::set_time_path(std::string_view path) {
  bool list_only = false;
  ALARA_TRY(const std::uint32_t at, grow(path, list_only));
  if (at == 0 || list_only) return refuse(path, "can not be a time");
  if (trees_[at].point != kNone) return refuse(path, "is both a value and the time");
  trees_[at].time = true;
  has_time_path_ = true;
  return {};
}

std::uint32_t JsonPlan::child_of_key(std::uint32_t tree, std::string_view key) const {
  const std::vector<Branch>& keys = trees_[tree].keys;
  const auto at = std::lower_bound(keys.begin(), keys.end(), key,
                                   [](const Branch& branch, std::string_view wanted) { return branch.key < wanted; });
  return at != keys.end() && at->key == key ? at->tree : kNone;
}

std::uint32_t JsonPlan::child_of_index(std::uint32_t tree, std::size_t index) const {
  const std::vector<std::uint32_t>& indexes = trees_[tree].indexes;
  return index < indexes.size() ? indexes[index] : kNone;
}

void append_number(double value, std::string& out) {
  std::array<char, 32> digits{};
  const auto [end, status] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  if (status == std::errc{}) out.append(digits.data(), end);
}

void append_point(const JsonPoint& point, std::string& out) {
  out += "{\"value\":";
  if (!std::isfinite(point.value))
    out += "null";
  else if (point.boolean)
    out += point.value != 0 ? "true" : "false";
  else
    append_number(point.value, out);
  fmt::format_to(std::back_inserter(out), ",\"time\":\"{}\",\"quality\":\"{}\"", format_instant_exactly(point.time),
                 name_of(point.quality));
  if (!point.unit.empty()) {
    out += ",\"unit\":";
    append_json_string(point.unit, out);
  }
  out += '}';
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace alara::wire
