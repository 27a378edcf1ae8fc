// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/plan.hpp"

#include <algorithm>
#include <tuple>

#include "base/quantity.hpp"

namespace alara::modbus {
namespace {

auto group_of(const Address& address) { return std::tuple(address.poll, address.unit, address.table); }
std::uint32_t end_of(const Address& address) { return std::uint32_t{address.first} + address.count; }

// A barrier lies between a read that ends at `end` and a tag that would stretch it.
bool crosses(const Address& begin, const Address& next, std::span<const Barrier> barriers) {
  return std::ranges::any_of(barriers, [&](const Barrier& barrier) {
    return barrier.unit == begin.unit && barrier.table == begin.table && begin.first < barrier.before &&
           end_of(next) > barrier.before;
  });
}

}  // namespace

ReadPlan read_of(std::span<const Tag> tags, std::span<const std::uint32_t> sorted) {
  const Address& begin = tags[sorted.front()].address;
  ReadPlan plan{begin.unit, begin.table, begin.first, begin.count, begin.poll, {sorted.begin(), sorted.end()}};
  std::uint32_t end = 0;
  for (const std::uint32_t tag : sorted) end = std::max(end, end_of(tags[tag].address));
  plan.count = static_cast<std::uint16_t>(end - begin.first);
  return plan;
}

// Greedy from the lowest register: a request that begins at the first tag not yet read and takes all that fits is never
// worse than another choice, so the number of requests is the least possible (interval covering).
std::vector<ReadPlan> plan_reads(std::span<const Tag> tags, std::span<const std::uint32_t> wanted, const Limits& limits,
                                 std::span<const Barrier> barriers) {
  std::vector<std::uint32_t> order(wanted.begin(), wanted.end());
  std::ranges::sort(order, {}, [&](std::uint32_t i) {
    const Address& address = tags[i].address;
    return std::tuple(group_of(address), address.first, address.count, i);
  });
  std::vector<ReadPlan> plans;
  for (std::size_t begin = 0; begin < order.size();) {
    const Address& first = tags[order[begin]].address;
    const std::uint32_t most = is_of_bits(first.table) ? limits.max_bits : limits.max_registers;
    std::uint32_t end = end_of(first);
    std::size_t next = begin + 1;
    for (; next < order.size(); ++next) {
      const Address& candidate = tags[order[next]].address;
      if (group_of(candidate) != group_of(first) || candidate.first > end + limits.max_gap) break;
      const std::uint32_t stretched = std::max(end, end_of(candidate));
      if (stretched - first.first > most || crosses(first, candidate, barriers)) break;
      end = stretched;
    }
    plans.push_back(read_of(tags, std::span(order).subspan(begin, next - begin)));
    begin = next;
  }
  return plans;
}

std::vector<std::string> explain_reads(std::span<const ReadPlan> plans) {
  std::size_t signals = 0;
  double requests_per_second = 0;
  for (const ReadPlan& plan : plans) {
    signals += plan.tags.size();
    requests_per_second += static_cast<double>(kSecond) / static_cast<double>(plan.period);
  }
  std::vector<std::string> lines;
  lines.push_back(
      fmt::format("{} signals in {} requests, {:.4g} requests/s", signals, plans.size(), requests_per_second));
  for (const ReadPlan& plan : plans)
    lines.push_back(fmt::format("every {}  unit {}  {} {}..{} ({} {}, {} signals)", format_duration(plan.period),
                                plan.unit, name_of(plan.table), plan.first, plan.first + plan.count - 1, plan.count,
                                is_of_bits(plan.table) ? "bits" : "registers", plan.tags.size()));
  return lines;
}

}  // namespace alara::modbus
