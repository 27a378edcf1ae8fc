// SPDX-License-Identifier: Apache-2.0
// Values on their way to hosts, live or from the store, and what hosts write.
#include <algorithm>
#include <cmath>

#include "connect/mqtt/edge_node.hpp"

namespace alara::mqtt {
namespace {

// Negative integers travel as two's complement in unsigned fields; who leaves the datatype out means the metric's.
double with_sign(const WrittenMetric& written, SignalType type) {
  const bool is_signed = type == SignalType::int16 || type == SignalType::int32 || type == SignalType::int64;
  const double half = written.untyped_bits == 64 ? 0x1p63 : 0x1p31;
  return is_signed && written.untyped_bits != 0 && *written.value >= half ? *written.value - 2 * half : *written.value;
}

}  // namespace

void EdgeNode::remember(const OutletSample& sample) {
  Metric& metric = metrics_[outlets_.at(index_of(sample.outlet))];
  Device& device = devices_[metric.device];
  device.lost -= metric.lost() ? 1 : 0;
  metric.known = true;
  metric.value = sample.value;
  metric.quality = sample.quality;
  metric.time = sample.time;
  device.lost += metric.lost() ? 1 : 0;
}

void EdgeNode::take(OutletQueue& queue, EdgeInstant now) {
  OutletSample sample;
  while (queue.pop(sample)) {
    if (!outlets_.contains(index_of(sample.outlet))) {
      queue.dropped("unknown_outlet", 1);
      continue;
    }
    remember(sample);
    if (live_ && output_.unsent_values() < kMaxUnsentValues) {
      publish_value(sample, queue, now);
    } else {
      keep(sample, &queue);
    }
  }
  flush_data(now);
  update_due();
}

// The oldest goes: the newest values say how things are.
void EdgeNode::keep(const OutletSample& sample, OutletQueue* queue) {
  store_.push_back(sample);
  flush_wanted_ = true;
  while (queue != nullptr && store_.size() > settings_.store) {
    store_.pop_front();
    queue->dropped("store_full", 1);
  }
}

void EdgeNode::publish_value(const OutletSample& sample, OutletQueue& queue, EdgeInstant now) {
  Device& device = devices_[metrics_[outlets_.at(index_of(sample.outlet))].device];
  const bool lives = device.name.empty() || wants_to_live(device);
  if (device.born && lives) {
    device.data.push_back(sample);
    if (device.data.size() >= kMetricsPerMessage) flush_data(now);
  } else if (device.born) {
    flush_data(now);
    if (!send_device_death(device, std::span(&sample, 1), now)) keep(sample, &queue);
  } else if (!lives) {
    queue.dropped("device_dead", 1);  // its death has said it
  } else if (const Nanos at = device.born_at ? *device.born_at + settings_.birth_spacing : now.monotonic;
             at > now.monotonic) {
    keep(sample, &queue);
    device_birth_at_ = std::min(device_birth_at_.value_or(kNever), at);
  } else if (!send_device_birth(device, std::span(&sample, 1), now)) {
    keep(sample, &queue);
  }
}

// Sends what has been gathered of each device. What can not be sent comes back to the store.
void EdgeNode::flush_data(EdgeInstant now) {
  for (Device& device : devices_) {
    if (device.data.empty()) continue;
    const std::vector<OutletSample> data = std::move(device.data);
    device.data.clear();
    if (!send_data(device, data, false, now))
      for (const OutletSample& sample : data) keep(sample, nullptr);
  }
}

bool EdgeNode::send_data(const Device& device, std::span<const OutletSample> values, bool historical, EdgeInstant now) {
  std::vector<EdgeMetric> metrics;
  metrics.reserve(values.size());
  for (const OutletSample& sample : values) {
    const std::size_t index = outlets_.at(index_of(sample.outlet));
    Metric& metric = metrics_[index];
    EdgeMetric out;
    if (settings_.aliases) {
      out.alias = alias_of(index);
    } else {
      out.name = metric.name;
    }
    out.type = metric.type;
    out.value = sample.value;
    out.null = !std::isfinite(sample.value);
    out.historical = historical;
    out.time = sample.time;
    // A host keeps the quality it was told last; history speaks for itself.
    if (sample.quality != Quality::good || (!historical && metric.told != Quality::good)) out.quality = sample.quality;
    if (!historical) metric.told = sample.quality;
    metrics.push_back(out);
  }
  return send_metrics(device.name.empty() ? "NDATA" : "DDATA", device, metrics, values, now);
}

// Stored values of devices that are born go out as history, as many as the connection takes now; the others wait.
void EdgeNode::flush_store(EdgeInstant now) {
  if (!flush_wanted_ || store_.empty() || output_.unsent_values() >= kMaxUnsentValues) return;
  std::deque<OutletSample> kept;
  std::vector<std::vector<OutletSample>> gathered(devices_.size());
  const std::size_t most = kMaxUnsentValues - output_.unsent_values();
  std::size_t taken = 0;
  for (; taken < most && !store_.empty(); ++taken) {
    const OutletSample sample = store_.front();
    store_.pop_front();
    const std::size_t device = metrics_[outlets_.at(index_of(sample.outlet))].device;
    if (devices_[device].born) {
      gathered[device].push_back(sample);
    } else {
      kept.push_back(sample);
    }
  }
  flush_wanted_ = !store_.empty();
  for (std::size_t i = 0; i < gathered.size(); ++i) {
    for (std::size_t first = 0; first < gathered[i].size(); first += kMetricsPerMessage) {
      const auto chunk = std::span<const OutletSample>(gathered[i])
                             .subspan(first, std::min(kMetricsPerMessage, gathered[i].size() - first));
      if (live_ && send_data(devices_[i], chunk, true, now)) {
        counts_.historical += chunk.size();
      } else {
        kept.insert(kept.end(), chunk.begin(), chunk.end());
        flush_wanted_ = true;
      }
    }
  }
  store_.insert(store_.begin(), kept.begin(), kept.end());
}

void EdgeNode::give_up(OutletQueue& queue) {
  if (!store_.empty()) queue.dropped("stopped", store_.size());
  store_.clear();
}

// Only what the site file binds as a signal can be written.
void EdgeNode::write_metric(std::size_t device, const WrittenMetric& written, EdgeInstant now, Inlet& inlet) {
  const auto index = find(device, written);
  if (!index) return inlet.reject("unknown_metric", 1);
  Metric& metric = metrics_[*index];
  if (!metric.signal) return inlet.reject("not_writable", 1);
  if (!written.value) return inlet.reject(written.null ? "missing" : "wrong_type", 1);
  if (!std::isfinite(*written.value)) return inlet.reject("not_finite", 1);
  const double value = with_sign(written, metric.type);
  Batch batch;
  batch.block_signal = *metric.signal;
  batch.value = std::span(&value, 1);
  batch.time0 = now.wall;  // a command takes effect when it comes, whatever the host's clock says
  batch.arrival = now.monotonic;
  inlet.push(batch);
  if (metric.outlet) return;  // its value is the node's to tell
  metric.known = true;
  metric.value = value;
  metric.quality = Quality::good;
  metric.time = now.wall;
  if (!live_ || !devices_[device].born) return;
  EdgeMetric echo = described(*index);
  if (settings_.aliases) echo.name = {};
  echo.unit = {};
  static_cast<void>(send_metrics(device == 0 ? "NDATA" : "DDATA", devices_[device], std::span(&echo, 1), {}, now));
}

}  // namespace alara::mqtt
