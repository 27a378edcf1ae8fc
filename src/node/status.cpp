// SPDX-License-Identifier: Apache-2.0
#include "node/status.hpp"

#include <nlohmann/json.hpp>

#include "base/quantity.hpp"
#include "node/metrics.hpp"

namespace alara::node {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent = 1) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

double millis(Nanos nanos) { return static_cast<double>(nanos) / 1e6; }

Json latency_json(const Histogram& histogram) {
  return {{"count", histogram.count()},
          {"p50_ms", millis(histogram.quantile(0.5))},
          {"p99_ms", millis(histogram.quantile(0.99))},
          {"p999_ms", millis(histogram.quantile(0.999))},
          {"max_ms", millis(histogram.max())}};
}

Json counts_json(const std::vector<std::pair<std::string, std::uint64_t>>& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

std::string_view lane_name(flow::Lane lane) { return lane == flow::Lane::fast ? "fast" : "slow"; }

std::uint64_t acks_of(const flow::PipelineStats& stats, Outcome outcome) {
  return stats.acks[static_cast<std::size_t>(outcome)].get();
}

Json connector_json(const ConnectorStatus& c) {
  return {{"name", c.name},
          {"protocol", c.protocol},
          {"connected", c.connected},
          {"finished", c.finished},
          {"signals", c.signals},
          {"points",
           {{"received", c.account.received},
            {"accepted", c.account.accepted},
            {"delivered", c.account.delivered},
            {"buffered", c.account.buffered},
            {"unused", c.account.unused},
            {"skewed", c.account.skewed},
            {"rejected", counts_json(c.account.rejected)},
            {"dropped", counts_json(c.account.dropped)}}},
          {"outlets", c.outlets},
          {"published",
           {{"values", c.outlet_account.published},
            {"delivered", c.outlet_account.delivered},
            {"buffered", c.outlet_account.buffered},
            {"dropped", counts_json(c.outlet_account.dropped)}}},
          {"bytes_in", c.bytes_in},
          {"bytes_out", c.bytes_out},
          {"messages_in", c.messages_in},
          {"messages_out", c.messages_out},
          {"connects", c.connects},
          {"disconnects", c.disconnects},
          {"errors", c.errors},
          {"polls_done", c.polls_done},
          {"polls_missed", c.polls_missed},
          {"counters", counts_json(c.counters)},
          {"last_error", c.last_error}};
}

Json pipeline_json(const PipelineStatus& pipeline) {
  const flow::PipelineStats& s = *pipeline.stats;
  Json acks = Json::object();
  for (std::size_t i = 0; i < flow::kOutcomes; ++i)
    acks[std::string(name_of(static_cast<Outcome>(i)))] = s.acks[i].get();
  Json steps = Json::array();
  for (const flow::StepStats& step : s.steps) {
    Json counters = Json::object();
    for (const auto& counter : step.counters)
      if (!counter.text().empty()) counters[std::string(counter.text())] = counter.value.get();
    steps.push_back({{"name", step.name},
                     {"rows_in", step.rows_in.get()},
                     {"rows_out", step.rows_out.get()},
                     {"memory_bytes", step.memory_bytes.get()},
                     {"counters", counters}});
  }
  return {{"name", s.name},
          {"part", pipeline.part},
          {"lane", lane_name(s.lane)},
          {"shard", s.shard},
          {"points",
           {{"accepted", pipeline.account.accepted},
            {"delivered", pipeline.account.delivered},
            {"buffered", pipeline.account.buffered},
            {"dead_lettered", pipeline.account.dead_lettered},
            {"dropped", counts_json(pipeline.account.dropped)}}},
          {"rows_in", s.rows_in.get()},
          {"not_a_number", s.nan.get()},
          {"bad", s.bad.get()},
          {"commands_sent", s.commands_sent.get()},
          {"commands_refused", s.commands_refused.get()},
          {"acks", acks},
          {"deadline_misses", s.deadline_misses.get()},
          {"events", s.events.get()},
          {"arrival_to_decision", latency_json(s.arrival_to_decision)},
          {"arrival_to_ack", latency_json(s.arrival_to_ack)},
          {"steps", steps}};
}

void connector_metrics(MetricsText& out, const NodeStatus& status) {
  const auto counter = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, "counter", help);
    for (const ConnectorStatus& c : status.connectors)
      out.sample({{"connector", c.name}}, static_cast<double>(value(c)));
  };
  counter("alara_points_received_total", "Points that arrived, readable or not.",
          [](const auto& c) { return c.account.received; });
  counter("alara_points_accepted_total", "Points accepted; equals delivered + buffered + dropped.",
          [](const auto& c) { return c.account.accepted; });
  counter("alara_points_delivered_total", "Points handed to pipelines and the latest values.",
          [](const auto& c) { return c.account.delivered; });
  out.family("alara_points_buffered", "gauge", "Points waiting in rings.");
  for (const ConnectorStatus& c : status.connectors)
    out.sample({{"connector", c.name}}, static_cast<double>(c.account.buffered));
  out.family("alara_points_dropped_total", "counter", "Accepted points that were dropped, by reason.");
  for (const ConnectorStatus& c : status.connectors)
    for (const auto& [reason, points] : c.account.dropped)
      out.sample({{"connector", c.name}, {"reason", reason}}, static_cast<double>(points));
  out.family("alara_points_rejected_total", "counter", "Points that could not be accepted, by reason.");
  for (const ConnectorStatus& c : status.connectors)
    for (const auto& [reason, points] : c.account.rejected)
      out.sample({{"connector", c.name}, {"reason", reason}}, static_cast<double>(points));
  counter("alara_published_total", "Values published through the connector; equals delivered + buffered + dropped.",
          [](const auto& c) { return c.outlet_account.published; });
  counter("alara_published_delivered_total", "Of these: handed to the other side, or there to be read.",
          [](const auto& c) { return c.outlet_account.delivered; });
  out.family("alara_published_buffered", "gauge", "Of these: waiting.");
  for (const ConnectorStatus& c : status.connectors)
    out.sample({{"connector", c.name}}, static_cast<double>(c.outlet_account.buffered));
  out.family("alara_published_dropped_total", "counter", "Of these: given up, by reason.");
  for (const ConnectorStatus& c : status.connectors)
    for (const auto& [reason, values] : c.outlet_account.dropped)
      out.sample({{"connector", c.name}, {"reason", reason}}, static_cast<double>(values));
  counter("alara_points_skewed_total", "Points whose time was ahead of the clock and was replaced.",
          [](const auto& c) { return c.account.skewed; });
  counter("alara_connector_bytes_in_total", "Bytes read.", [](const auto& c) { return c.bytes_in; });
  counter("alara_connector_bytes_out_total", "Bytes written.", [](const auto& c) { return c.bytes_out; });
  counter("alara_connector_connects_total", "Connections made.", [](const auto& c) { return c.connects; });
  counter("alara_connector_errors_total", "Errors.", [](const auto& c) { return c.errors; });
  counter("alara_connector_polls_total", "Polls done.", [](const auto& c) { return c.polls_done; });
  counter("alara_connector_polls_missed_total", "Polls of the schedule that were not done in time.",
          [](const auto& c) { return c.polls_missed; });
  out.family("alara_connector_connected", "gauge", "1 while connected.");
  for (const ConnectorStatus& c : status.connectors) out.sample({{"connector", c.name}}, c.connected ? 1 : 0);
}

void pipeline_metrics(MetricsText& out, const NodeStatus& status) {
  const auto counter = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, "counter", help);
    for (const PipelineStatus& p : status.pipelines)
      out.sample({{"pipeline", p.stats->name}, {"part", p.part}}, static_cast<double>(value(*p.stats)));
  };
  const auto samples = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    out.family(name, type, help);
    for (const PipelineStatus& p : status.pipelines)
      out.sample({{"pipeline", p.stats->name}, {"part", p.part}}, static_cast<double>(value(p.account)));
  };
  samples("alara_pipeline_accepted_total", "counter",
          "Samples routed to the pipeline; equals delivered + buffered + dead-lettered + dropped.",
          [](const auto& a) { return a.accepted; });
  samples("alara_pipeline_rows_total", "counter", "Samples delivered to the pipeline's steps.",
          [](const auto& a) { return a.delivered; });
  samples("alara_pipeline_buffered", "gauge", "Samples in the round at hand.",
          [](const auto& a) { return a.buffered; });
  samples("alara_pipeline_dead_lettered_total", "counter", "Samples turned away and kept.",
          [](const auto& a) { return a.dead_lettered; });
  out.family("alara_pipeline_dropped_total", "counter", "Samples turned away and dropped, by reason.");
  for (const PipelineStatus& p : status.pipelines)
    for (const auto& [reason, count] : p.account.dropped)
      out.sample({{"pipeline", p.stats->name}, {"part", p.part}, {"reason", reason}}, static_cast<double>(count));
  counter("alara_pipeline_bad_total", "Of the delivered: of bad quality.", [](const auto& s) { return s.bad.get(); });
  counter("alara_pipeline_nan_total", "Of the delivered: not a number.", [](const auto& s) { return s.nan.get(); });
  counter("alara_commands_sent_total", "Commands sent to connectors.",
          [](const auto& s) { return s.commands_sent.get(); });
  counter("alara_commands_refused_total", "Commands that found no room or no route.",
          [](const auto& s) { return s.commands_refused.get(); });
  counter("alara_deadline_misses_total", "Commands acknowledged late or not at all.",
          [](const auto& s) { return s.deadline_misses.get(); });
  counter("alara_events_total", "Events raised and cleared.", [](const auto& s) { return s.events.get(); });
  out.family("alara_command_acks_total", "counter", "Acks by outcome.");
  for (const PipelineStatus& p : status.pipelines)
    for (std::size_t i = 0; i < flow::kOutcomes; ++i)
      out.sample({{"pipeline", p.stats->name}, {"part", p.part}, {"outcome", name_of(static_cast<Outcome>(i))}},
                 static_cast<double>(p.stats->acks[i].get()));
  out.summary("alara_arrival_to_ack_seconds",
              "From the arrival of the causing sample to the device's acknowledgement.");
  for (const PipelineStatus& p : status.pipelines)
    out.summary_sample({{"pipeline", p.stats->name}, {"part", p.part}}, p.stats->arrival_to_ack);
  out.summary("alara_model_run_seconds", "Run time of a model, a whole batch at a time.");
  for (const ModelStatus& m : status.models)
    out.summary_sample({{"pipeline", m.pipeline}, {"step", m.step}, {"digest", m.digest}}, *m.run_times);
  out.family("alara_step_counter", "counter", "Counters of steps: late samples, suppressed commands and the like.");
  for (const PipelineStatus& p : status.pipelines)
    for (const flow::StepStats& step : p.stats->steps)
      for (const auto& named : step.counters)
        if (!named.text().empty())
          out.sample({{"pipeline", p.stats->name}, {"part", p.part}, {"step", step.name}, {"counter", named.text()}},
                     static_cast<double>(named.value.get()));
}

}  // namespace

std::uint64_t NodeStatus::points_accepted() const {
  std::uint64_t points = 0;
  for (const ConnectorStatus& c : connectors) points += c.account.accepted;
  return points;
}

std::uint64_t NodeStatus::points_unaccounted() const {
  std::uint64_t points = 0;
  for (const ConnectorStatus& c : connectors) {
    const std::uint64_t known = c.account.delivered + c.account.buffered + c.account.dropped_points();
    points += c.account.accepted > known ? c.account.accepted - known : known - c.account.accepted;
    points += c.outlet_account.unaccounted();
  }
  for (const PipelineStatus& p : pipelines) points += p.account.unaccounted();
  return points;
}

std::uint64_t NodeStatus::bytes_in() const {
  std::uint64_t bytes = 0;
  for (const ConnectorStatus& c : connectors) bytes += c.bytes_in;
  return bytes;
}

Health judge(const NodeStatus& status) {
  Health health;
  const auto complain = [&](std::string text) {
    health.good = false;
    health.complaints.push_back(std::move(text));
  };
  for (const ConnectorStatus& c : status.connectors) {
    if (c.finished) continue;
    const Nanos silence = status.now - std::max(c.last_progress, status.started);
    if (!c.connected) {
      complain(fmt::format("connector {}: not connected{}{}", c.name, c.last_error.empty() ? "" : ": ", c.last_error));
    } else if (c.signals > 0 && c.expected_every > 0 && silence > std::max(kStalledAfter, 3 * c.expected_every)) {
      complain(fmt::format("connector {}: connected but silent for {}", c.name, format_duration(silence)));
    }
  }
  for (const ShardStatus& shard : status.shards)
    if (shard.has_waiting && status.now - shard.last_turn > kStalledAfter)
      complain(fmt::format("shard {}: samples wait and it has not turned for {}", shard.name,
                           format_duration(status.now - shard.last_turn)));
  return health;
}

std::string metrics_page(const NodeStatus& status) {
  MetricsText out;
  out.family("alara_up_seconds", "gauge", "Time since the node started.");
  out.sample({}, static_cast<double>(status.now - status.started) / 1e9);
  out.family("alara_resident_megabytes", "gauge", "Resident memory.");
  out.sample({}, status.resident_mb);
  out.family("alara_cpu_seconds_total", "counter", "Processor time used.");
  out.sample({}, status.cpu_seconds);
  connector_metrics(out, status);
  pipeline_metrics(out, status);
  out.family(
      "alara_points_unaccounted", "gauge",
      "Points and published values, by connector and pipeline, that are neither delivered, buffered, dead-lettered nor "
      "dropped; a moment's skew while data flow, else 0.");
  out.sample({}, static_cast<double>(status.points_unaccounted()));
  out.family("alara_uplink_bytes_total", "counter", "Bytes handed to the layer above.");
  out.sample({}, static_cast<double>(status.bytes_up));
  out.family("alara_uplink_failed_total", "counter", "Messages the layer above could not be given.");
  out.sample({}, static_cast<double>(status.messages_up_failed));
  out.family("alara_events_lost_total", "counter", "Events that found the queue full.");
  out.sample({}, static_cast<double>(status.events_lost));
  out.family("alara_audit_lines_lost_total", "counter", "Audit lines that found the queue full.");
  out.sample({}, static_cast<double>(status.audit_lines_lost));
  out.family("alara_reloads_total", "counter", "Reloads, by result.");
  out.sample({{"result", "done"}}, static_cast<double>(status.reloads));
  out.sample({{"result", "refused"}}, static_cast<double>(status.reloads_refused));
  return out.take();
}

std::string status_json(const NodeStatus& status) {
  std::uint64_t sent = 0, misses = 0;
  for (const PipelineStatus& p : status.pipelines) {
    sent += p.stats->commands_sent.get();
    misses += p.stats->deadline_misses.get();
  }
  return dump({{"node", status.node},
               {"time", format_instant(status.wall)},
               {"uptime_s", static_cast<double>(status.now - status.started) / 1e9},
               {"points_accepted", status.points_accepted()},
               {"commands_sent", sent},
               {"deadline_misses", misses},
               {"events_raised", status.events_raised},
               {"events_cleared", status.events_cleared},
               {"bytes_in", status.bytes_in()},
               {"bytes_up", status.bytes_up},
               {"reloads", status.reloads},
               {"reloads_refused", status.reloads_refused},
               {"resident_mb", status.resident_mb},
               {"cpu_seconds", status.cpu_seconds}});
}

std::string pipelines_json(const NodeStatus& status) {
  Json list = Json::array();
  for (const PipelineStatus& pipeline : status.pipelines) list.push_back(pipeline_json(pipeline));
  return dump({{"pipelines", list}});
}

std::string connectors_json(const NodeStatus& status) {
  Json list = Json::array();
  for (const ConnectorStatus& connector : status.connectors) list.push_back(connector_json(connector));
  return dump({{"connectors", list}});
}

std::string models_json(const NodeStatus& status) {
  Json list = Json::array();
  for (const ModelStatus& m : status.models)
    list.push_back({{"pipeline", m.pipeline},
                    {"step", m.step},
                    {"path", m.path},
                    {"digest", m.digest},
                    {"replaced", m.replaced},
                    {"run", latency_json(*m.run_times)}});
  return dump({{"models", list}});
}

std::string health_json(const Health& health) {
  return dump({{"status", health.good ? "good" : "unhealthy"}, {"complaints", health.complaints}});
}

std::string summary_json(const NodeStatus& status, const NodeStatus* before) {
  const double seconds = static_cast<double>(status.now - (before ? before->now : status.started)) / 1e9;
  const std::uint64_t points = status.points_accepted() - (before ? before->points_accepted() : 0);
  Json pipelines = Json::object();
  for (const PipelineStatus& p : status.pipelines) {
    const flow::PipelineStats& s = *p.stats;
    if (s.commands_sent.get() == 0 && s.events.get() == 0) continue;
    pipelines[p.part] = {{"commands", s.commands_sent.get()},
                         {"done", acks_of(s, Outcome::done)},
                         {"misses", s.deadline_misses.get()},
                         {"events", s.events.get()},
                         {"p99_ms", std::round(millis(s.arrival_to_ack.quantile(0.99)) * 1000) / 1000}};
  }
  const Json json = {{"node", status.node}, {"time", format_instant(status.wall)}, {"seconds", std::round(seconds)},
                     {"points", points},    {"good", judge(status).good},          {"pipelines", pipelines}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace alara::node
