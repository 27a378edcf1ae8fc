// SPDX-License-Identifier: Apache-2.0
// The options of a Sparkplug B edge node, and the grammar of its addresses and topics.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "connect/mqtt/link_settings.hpp"
#include "core/document.hpp"
#include "core/schema.hpp"

namespace alara::mqtt {

struct EdgeSettings : LinkSettings {
  std::string group, edge_node;
  std::string primary_host;  // "" = births do not wait for one
  bool aliases = true;
  bool dead_when_bad = true;  // a device whose values are all bad is reported dead
  std::size_t store = 10'000;
  Nanos birth_jitter = 500 * kMillisecond;
  Nanos birth_spacing = kSecond;
  std::string bd_seq_file;
};

[[nodiscard]] const Schema& edge_schema();
[[nodiscard]] Result<EdgeSettings> read_edge_settings(const std::string& name, const Node& options,
                                                      const std::string& directory);

struct MetricAddress {
  std::string device;  // "" = the edge node itself
  std::string metric;
};
// "device/metric", "metric", or "/folder/metric" for a metric of the node whose name has slashes.
[[nodiscard]] Result<MetricAddress> parse_metric_address(std::string_view text);

// "spBv1.0/<group>/<message>/<edge node>[/<device>]".
[[nodiscard]] std::string edge_topic(const EdgeSettings& settings, std::string_view message,
                                     std::string_view device = {});
[[nodiscard]] std::string state_topic(const EdgeSettings& settings);

}  // namespace alara::mqtt
