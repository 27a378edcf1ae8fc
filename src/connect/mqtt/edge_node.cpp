// SPDX-License-Identifier: Apache-2.0
// Load time, sessions, births and deaths; values and commands are in edge_values.cpp.
#include "connect/mqtt/edge_node.hpp"

#include <algorithm>

namespace alara::mqtt {
namespace {

constexpr std::uint64_t kFirstAlias = 1;
constexpr std::string_view kRebirth = "Node Control/Rebirth";

}  // namespace

// The metric of an address, made when it is new.
Result<std::size_t> EdgeNode::metric_at(std::string_view text) {
  ALARA_TRY(const MetricAddress address, parse_metric_address(text));
  const auto [place, is_new] = by_address_.try_emplace(address.device + "/" + address.metric, metrics_.size());
  if (!is_new) return place->second;
  auto device = std::find_if(devices_.begin(), devices_.end(),
                             [&](const Device& candidate) { return candidate.name == address.device; });
  if (device == devices_.end()) {
    devices_.push_back({});
    device = std::prev(devices_.end());
    device->name = address.device;
  }
  device->metrics.push_back(metrics_.size());
  Metric metric;
  metric.name = address.metric;
  metric.device = static_cast<std::size_t>(device - devices_.begin());
  metrics_.push_back(std::move(metric));
  return metrics_.size() - 1;
}

Status EdgeNode::add_outlet(const OutletBinding& outlet) {
  ALARA_TRY(const std::size_t index, metric_at(outlet.address));
  Metric& metric = metrics_[index];
  if (metric.outlet)
    return fail(ErrorKind::bad_input, "metric '{}' gets another value already; {{asset}} and {{value}} tell them apart",
                outlet.address);
  metric.outlet = true;
  metric.type = outlet.boolean ? SignalType::boolean : outlet.type;
  metric.unit = outlet.unit.text();
  ++devices_[metric.device].outlets;
  outlets_[index_of(outlet.outlet)] = index;
  return {};
}

Status EdgeNode::add_command(const SignalBinding& signal) {
  ALARA_TRY(const std::size_t index, metric_at(signal.address));
  Metric& metric = metrics_[index];
  if (metric.signal) return fail(ErrorKind::bad_input, "metric '{}' is another signal already", signal.address);
  metric.signal = signal.signal;
  if (!metric.outlet) {
    metric.type = signal.type;
    metric.unit = signal.unit.text();
  }
  return {};
}

std::vector<std::string> EdgeNode::explain() const {
  std::vector<std::string> lines{settings_.text()};
  lines.push_back(
      fmt::format("edge node {}/{}, {}", settings_.group, settings_.edge_node,
                  settings_.primary_host.empty() ? "waits for no host" : "waits for host " + settings_.primary_host));
  for (const Device& device : devices_) {
    if (device.metrics.empty()) continue;
    const auto writable = std::count_if(device.metrics.begin(), device.metrics.end(),
                                        [this](std::size_t metric) { return metrics_[metric].signal.has_value(); });
    lines.push_back(fmt::format("{}: {} metrics, {} of them written by hosts",
                                device.name.empty() ? "the node itself" : "device " + device.name,
                                device.metrics.size(), writable));
  }
  return lines;
}

std::vector<std::string> EdgeNode::filters() const {
  std::vector<std::string> out{edge_topic(settings_, "NCMD"), edge_topic(settings_, "DCMD", "+")};
  if (!settings_.primary_host.empty()) out.push_back(state_topic(settings_));
  return out;
}

std::uint64_t EdgeNode::alias_of(std::size_t metric) const { return kFirstAlias + metric; }

namespace {

EdgeMetric bd_seq_metric(std::uint8_t bd_seq, Nanos wall) {
  EdgeMetric metric;
  metric.name = "bdSeq";
  metric.type = SignalType::int64;
  metric.value = bd_seq;
  metric.time = wall;
  return metric;
}

}  // namespace

std::string EdgeNode::death_payload(std::uint8_t bd_seq, Nanos wall) const {
  std::string out;
  const EdgeMetric metric = bd_seq_metric(bd_seq, wall);
  encode_edge_payload(wall, std::nullopt, std::span(&metric, 1), out);
  return out;
}

void EdgeNode::session_began(std::uint8_t bd_seq, EdgeInstant now, Nanos jitter) {
  session_ = true;
  bd_seq_ = bd_seq;
  jitter_ = jitter;
  birth_at_ = now.monotonic + jitter;
  update_due();
}

void EdgeNode::session_ended(std::span<const OutletSample> unsent, OutletQueue* queue) {
  session_ = born_ = live_ = false;
  host_.forget();
  birth_at_.reset();
  device_birth_at_.reset();
  for (Device& device : devices_) device.born = false;
  store_.insert(store_.begin(), unsent.begin(), unsent.end());
  while (queue != nullptr && store_.size() > settings_.store) {
    store_.pop_front();
    queue->dropped("store_full", 1);
  }
  update_due();
}

// A host that is online lets births go; one that leaves ends the session (Sparkplug 3.0, section 5.4).
void EdgeNode::hear_host(std::span<const std::uint8_t> payload, EdgeInstant now) {
  const auto state = read_host_state(payload);
  if (!state || !host_.hear(*state)) return;
  if (host_.online()) {
    if (session_ && !born_) birth_at_ = now.monotonic + jitter_;
  } else if (born_) {
    live_ = false;
    output_.leave(fmt::format("primary host {} went offline", settings_.primary_host));
  }
  update_due();
}

void EdgeNode::ask_for_rebirth(EdgeInstant now) {
  ++counts_.rebirths_asked;
  if (!born_ || birth_at_) return;  // one is on its way
  live_ = false;                    // no data until it is out
  birth_at_ = std::max(now.monotonic, last_birth_.value_or(now.monotonic) + settings_.birth_spacing);
  update_due();
}

void EdgeNode::update_due() {
  const bool allowed = session_ && (settings_.primary_host.empty() || host_.online());
  due_ = kNever;
  if (!allowed) return;
  if (birth_at_) due_ = *birth_at_;
  if (live_ && device_birth_at_) due_ = std::min(due_, *device_birth_at_);
}

void EdgeNode::step(EdgeInstant now) {
  if (due_ <= now.monotonic) {
    if (birth_at_ && *birth_at_ <= now.monotonic) {
      give_birth(now);
    } else {
      bear_late_devices(now);
    }
    update_due();
  }
  if (live_) flush_store(now);
}

void EdgeNode::give_birth(EdgeInstant now) {
  birth_at_.reset();
  device_birth_at_.reset();
  last_birth_ = now.monotonic;
  for (Device& device : devices_) device.born = false;
  if (!send_node_birth(now)) return;
  born_ = true;
  for (Device& device : devices_)
    if (!device.name.empty() && wants_to_live(device) && !send_device_birth(device, {}, now)) return;
  live_ = flush_wanted_ = true;
}

bool EdgeNode::send_node_birth(EdgeInstant now) {
  Device& node = devices_.front();
  seq_ = 0;
  std::vector<EdgeMetric> metrics{bd_seq_metric(bd_seq_, now.wall)};
  EdgeMetric rebirth;
  rebirth.name = kRebirth;
  rebirth.type = SignalType::boolean;
  rebirth.time = now.wall;
  metrics.push_back(rebirth);
  for (const std::size_t metric : node.metrics) metrics.push_back(described(metric));
  if (!send_metrics("NBIRTH", node, metrics, {}, now)) return false;
  node.born = true;
  ++counts_.births;
  return true;
}

bool EdgeNode::send_device_birth(Device& device, std::span<const OutletSample> values, EdgeInstant now) {
  std::vector<EdgeMetric> metrics;
  for (const std::size_t metric : device.metrics) metrics.push_back(described(metric));
  if (!send_metrics("DBIRTH", device, metrics, values, now)) return false;
  for (const std::size_t metric : device.metrics) metrics_[metric].told = metrics_[metric].quality;
  device.born = flush_wanted_ = true;
  device.born_at = now.monotonic;
  ++counts_.device_births;
  return true;
}

bool EdgeNode::send_device_death(Device& device, std::span<const OutletSample> values, EdgeInstant now) {
  if (!send_metrics("DDEATH", device, {}, values, now)) return false;
  device.born = false;
  ++counts_.device_deaths;
  return true;
}

// Devices that came back sooner than births may follow each other.
void EdgeNode::bear_late_devices(EdgeInstant now) {
  device_birth_at_.reset();
  for (Device& device : devices_) {
    if (device.name.empty() || device.born || !wants_to_live(device)) continue;
    const Nanos at = device.born_at.value_or(now.monotonic - settings_.birth_spacing) + settings_.birth_spacing;
    if (at > now.monotonic) {
      device_birth_at_ = std::min(device_birth_at_.value_or(kNever), at);
    } else if (!send_device_birth(device, {}, now)) {
      return;
    }
  }
}

// All of a metric, for births.
EdgeMetric EdgeNode::described(std::size_t index) const {
  const Metric& metric = metrics_[index];
  EdgeMetric out;
  out.name = metric.name;
  if (settings_.aliases) out.alias = alias_of(index);
  out.type = metric.type;
  out.value = metric.value;
  out.null = !metric.known || metric.value != metric.value;
  out.time = metric.time;
  out.quality = metric.known ? metric.quality : Quality::uncertain;
  out.unit = metric.unit;
  return out;
}

bool EdgeNode::send_metrics(std::string_view message, const Device& device, std::span<const EdgeMetric> metrics,
                            std::span<const OutletSample> values, EdgeInstant now) {
  EdgeMessage out;
  out.topic = edge_topic(settings_, message, device.name);
  encode_edge_payload(now.wall, seq_++, metrics, out.payload);
  out.values.assign(values.begin(), values.end());
  return output_.send(std::move(out));
}

bool EdgeNode::wants_to_live(const Device& device) const {
  return !settings_.dead_when_bad || device.outlets == 0 || device.lost < device.outlets;
}

std::optional<std::size_t> EdgeNode::find(std::size_t device, const WrittenMetric& written) const {
  if (written.name.empty()) {
    if (!settings_.aliases || !written.alias || *written.alias < kFirstAlias) return std::nullopt;
    const std::uint64_t index = *written.alias - kFirstAlias;
    if (index >= metrics_.size() || metrics_[index].device != device) return std::nullopt;
    return index;
  }
  const auto found = by_address_.find(devices_[device].name + "/" + written.name);
  return found == by_address_.end() ? std::nullopt : std::optional(found->second);
}

void EdgeNode::obey(std::size_t device, std::span<const std::uint8_t> payload, EdgeInstant now, Inlet& inlet) {
  const auto written = decode_command(payload);
  if (!written) return inlet.reject("malformed", 1);
  for (const WrittenMetric& metric : *written) {
    const bool rebirth = device == 0 && metric.name == kRebirth;  // it has no alias
    if (!rebirth) {
      write_metric(device, metric, now, inlet);
    } else if (metric.value.value_or(0) != 0) {
      ask_for_rebirth(now);
    }
  }
}

void EdgeNode::received(std::string_view topic, std::span<const std::uint8_t> payload, EdgeInstant now, Inlet& inlet) {
  if (!settings_.primary_host.empty() && topic == state_topic(settings_)) return hear_host(payload, now);
  if (topic == edge_topic(settings_, "NCMD")) return obey(0, payload, now, inlet);
  const std::string prefix = edge_topic(settings_, "DCMD") + "/";
  if (!topic.starts_with(prefix)) return inlet.reject("unknown_topic", 1);
  const std::string_view name = topic.substr(prefix.size());
  for (std::size_t i = 1; i < devices_.size(); ++i)
    if (devices_[i].name == name) return obey(i, payload, now, inlet);
  inlet.reject("unknown_device", 1);
}

}  // namespace alara::mqtt
