// SPDX-License-Identifier: Apache-2.0
#include "node/live_table.hpp"

#include <array>
#include <map>

#include "base/quantity.hpp"

namespace alara::node {
namespace {

// The specification's figures for the same job done in the cloud (sections 2 A and 2 B): 200 ms a round trip, and
// 100 GB an hour for a million points a second.
constexpr double kCloudRoundTripMs = 200;
constexpr double kCloudBytesPerPoint = 100e9 / 3600 / 1e6;

struct Totals {
  std::uint64_t sent = 0, done = 0, misses = 0, refused = 0;
  Histogram ack;
};

void add_up(const NodeStatus& status, Totals& totals) {
  for (const PipelineStatus& pipeline : status.pipelines) {
    const flow::PipelineStats& s = *pipeline.stats;
    totals.sent += s.commands_sent.get();
    totals.done += s.acks[static_cast<std::size_t>(Outcome::done)].get();
    totals.misses += s.deadline_misses.get();
    totals.refused += s.commands_refused.get();
    totals.ack.add(s.arrival_to_ack);
  }
}

double rate(std::uint64_t now, std::uint64_t before, double seconds) {
  return seconds > 0 && now >= before ? static_cast<double>(now - before) / seconds : 0;
}

std::string latency_text(const Histogram& histogram) {
  if (histogram.count() == 0) return "-";
  return fmt::format("p50 {}  p99 {}  p99.9 {}  max {}", format_duration(histogram.quantile(0.5)),
                     format_duration(histogram.quantile(0.99)), format_duration(histogram.quantile(0.999)),
                     format_duration(histogram.max()));
}

const PipelineStatus* same_part(const NodeStatus& status, const PipelineStatus& wanted) {
  for (const PipelineStatus& pipeline : status.pipelines)
    if (pipeline.part == wanted.part) return &pipeline;
  return nullptr;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

}  // namespace

std::string live_table(const NodeStatus& now, const NodeStatus& before, const std::vector<StoredEvent>& newest) {
  const double seconds = static_cast<double>(now.now - before.now) / 1e9;
  std::string out = fmt::format("{}  up {:.0f} s   {:.1f} MB   {:.2f} cores   {}\n\n", now.node,
                                static_cast<double>(now.now - now.started) / 1e9, now.resident_mb,
                                seconds > 0 ? (now.cpu_seconds - before.cpu_seconds) / seconds : 0.0,
                                judge(now).good ? "healthy" : "UNHEALTHY");
  // Connectors of one protocol are many (a fleet of controllers); they are shown together.
  out += fmt::format("{:<12}{:>11}{:>12}{:>14}{:>12}{:>10}{:>10}\n", "protocol", "connected", "points/s", "accepted",
                     "bytes/s", "rejected", "dropped");
  std::map<std::string, std::array<std::uint64_t, 8>> protocols;
  const auto add = [&](const NodeStatus& status, std::size_t offset) {
    for (const ConnectorStatus& c : status.connectors) {
      auto& sum = protocols[c.protocol];
      sum[offset] += c.account.accepted;
      sum[offset + 1] += c.bytes_in;
      if (offset != 0) continue;
      sum[4] += c.connected || c.finished ? 1 : 0;
      sum[5] += 1;
      sum[6] += c.account.rejected_points();
      sum[7] += c.account.dropped_points();
    }
  };
  add(now, 0);
  add(before, 2);
  for (const auto& [protocol, sum] : protocols)
    out += fmt::format("{:<12}{:>11}{:>12.0f}{:>14}{:>12}{:>10}{:>10}\n", protocol,
                       fmt::format("{}/{}", sum[4], sum[5]), rate(sum[0], sum[2], seconds), grouped(sum[0]),
                       format_size(static_cast<std::uint64_t>(rate(sum[1], sum[3], seconds))), sum[6], sum[7]);
  out += fmt::format("\n{:<24}{:<6}{:>10}{:>10}{:>8}{:>8}  {}\n", "pipeline", "lane", "rows/s", "commands", "misses",
                     "events", "arrival to ack");
  for (const PipelineStatus& pipeline : now.pipelines) {
    const flow::PipelineStats& s = *pipeline.stats;
    const PipelineStatus* earlier = same_part(before, pipeline);
    out += fmt::format("{:<24}{:<6}{:>10}{:>10}{:>8}{:>8}  {}\n", pipeline.part,
                       s.lane == flow::Lane::fast ? "fast" : "slow",
                       grouped(static_cast<std::uint64_t>(rate(pipeline.rows, earlier ? earlier->rows : 0, seconds))),
                       s.commands_sent.get(), s.deadline_misses.get(), s.events.get(), latency_text(s.arrival_to_ack));
  }
  if (!newest.empty()) out += "\nevents\n";
  for (const StoredEvent& event : newest)
    out += fmt::format("  {}  {:<8} {:<8} {}\n", format_instant(event.time),
                       event.raised ? name_of(event.severity) : "cleared", event.asset, event.text);
  return out;
}

std::string live_line(const NodeStatus& now, const NodeStatus& before) {
  const double seconds = static_cast<double>(now.now - before.now) / 1e9;
  Totals totals;
  add_up(now, totals);
  return fmt::format("{:.0f} s: {:.0f} points/s, {} commands, {} misses, {} events, ack {}, {:.1f} MB\n",
                     static_cast<double>(now.now - now.started) / 1e9,
                     rate(now.points_accepted(), before.points_accepted(), seconds), totals.sent, totals.misses,
                     now.events_raised, latency_text(totals.ack), now.resident_mb);
}

std::string final_report(const NodeStatus& status) {
  const double seconds = static_cast<double>(status.now - status.started) / 1e9;
  Totals totals;
  add_up(status, totals);
  const std::uint64_t points = status.points_accepted();
  std::uint64_t rejected = 0, dropped = 0;
  for (const ConnectorStatus& c : status.connectors) {
    rejected += c.account.rejected_points();
    dropped += c.account.dropped_points();
  }
  const double hours = seconds / 3600;
  std::string out = fmt::format("report of {} after {:.1f} s\n", status.node, seconds);
  out += fmt::format("  points in          {} accepted ({:.0f}/s), {} rejected, {} dropped, {} unaccounted\n",
                     grouped(points), seconds > 0 ? static_cast<double>(points) / seconds : 0.0, rejected, dropped,
                     status.points_unaccounted());
  out += fmt::format("  decisions          {} commands, {} done; {} events raised, {} cleared\n", totals.sent,
                     totals.done, status.events_raised, status.events_cleared);
  out += fmt::format("  arrival to ack     {}\n", latency_text(totals.ack));
  out += fmt::format("  deadline misses    {}\n", totals.misses);
  out += fmt::format("  bytes              {} in, {} up in {} messages\n", format_size(status.bytes_in()),
                     format_size(status.bytes_up), status.messages_up);
  out += fmt::format("  node               {:.1f} MB resident, {:.2f} cores\n", status.resident_mb,
                     seconds > 0 ? status.cpu_seconds / seconds : 0.0);
  out += fmt::format(
      "  the same by cloud  {:.0f} ms a decision; {:.2f} GB/h up for this stream (here: {}/h); 100 GB/h at a million "
      "points a second\n",
      kCloudRoundTripMs, hours > 0 ? static_cast<double>(points) * kCloudBytesPerPoint / 1e9 / hours : 0.0,
      format_size(hours > 0 ? static_cast<std::uint64_t>(static_cast<double>(status.bytes_up) / hours) : 0));
  return out;
}

}  // namespace alara::node
