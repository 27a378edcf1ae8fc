// SPDX-License-Identifier: Apache-2.0
// Published values: each goes to the topic that is its address, as {"value":…,"time":…,"quality":…,"unit":…}.
#include <algorithm>

#include "connect/mqtt/address.hpp"
#include "connect/mqtt/connector.hpp"
#include "wire/payload_json.hpp"

namespace alara::mqtt {

void MqttConnector::bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  for (const OutletBinding& outlet : outlets) {
    const Status topic = check_topic(outlet.address);
    if (!topic) {
      Error error = topic.error();
      error.message = fmt::format("{}: {}", outlet.name, error.message);
      error.where = outlet.where;
      errors.push_back(std::move(error));
      continue;
    }
    outlets_.emplace(index_of(outlet.outlet), Outlet{outlet.address, outlet.unit.text(), outlet.boolean, false, {}});
  }
}

// While there is no broker, or one that does not keep up, only the newest value of each outlet is worth keeping: a
// subscriber wants to know how things stand, not how they stood.
void MqttConnector::take_outlets() {
  OutletSample sample;
  while (context_.outlets->pop(sample)) {
    const auto found = outlets_.find(index_of(sample.outlet));
    if (found == outlets_.end())  // of a plan before the last reload
      context_.outlets->dropped("unknown_outlet", 1);
    else if (online_ && unsettled_.size() < kMaxUnsettled)
      show(found->second, sample);
    else
      hold(found->second, sample);
  }
}

void MqttConnector::hold(Outlet& outlet, const OutletSample& sample) {
  if (outlet.held) context_.outlets->dropped(online_ ? "broker_behind" : "not_connected", 1);
  outlet.held = true;
  outlet.newest = sample;
}

void MqttConnector::show(Outlet& outlet, const OutletSample& sample) {
  text_.clear();
  wire::append_point({sample.value, outlet.boolean, sample.time, sample.quality, outlet.unit}, text_);
  Publication publication{outlet.topic, text_, settings_.qos, settings_.retain, settings_.message_expiry};
  unsettled_.push_back({-1, sample});
  const std::size_t before = unsettled_.size();
  const Status sent = connection_->publish(publication, unsettled_.back().id);
  if (!sent) {
    report(sent.error().message);
    if (unsettled_.size() != before) return;  // the connection broke meanwhile, and took it back
    unsettled_.pop_back();
    return hold(outlet, sample);
  }
  stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
  stats_.bytes_out.fetch_add(publication.topic.size() + text_.size(), std::memory_order_relaxed);
}

// True when `id` was that of a published value.
bool MqttConnector::settle_outlet(int id, bool accepted) {
  // Answers come in the order of sending, so the search ends at once.
  const auto found = std::find_if(unsettled_.begin(), unsettled_.end(),
                                  [id](const Unsettled& unsettled) { return unsettled.id == id; });
  if (found == unsettled_.end()) return false;
  if (accepted) {
    context_.outlets->delivered(1);
  } else {
    context_.outlets->dropped("refused_by_broker", 1);
    const auto outlet = outlets_.find(index_of(found->sample.outlet));
    report(fmt::format("the broker refuses messages to {}", outlet == outlets_.end() ? "?" : outlet->second.topic));
  }
  unsettled_.erase(found);
  if (unsettled_.size() == kMaxUnsettled / 2) loop_->post([this] { show_held(); });
  return true;
}

// There is a connection, with room again: what was held goes first.
void MqttConnector::show_held() {
  if (context_.outlets == nullptr) return;
  for (auto& [id, outlet] : outlets_) {
    if (!outlet.held || !online_ || unsettled_.size() >= kMaxUnsettled) continue;
    outlet.held = false;
    show(outlet, outlet.newest);
  }
  take_outlets();
}

// The connection is gone: what it has not answered is unknown to have arrived.
void MqttConnector::take_back_outlets() {
  for (const Unsettled& unsettled : unsettled_) {
    const auto outlet = outlets_.find(index_of(unsettled.sample.outlet));
    if (outlet != outlets_.end())
      hold(outlet->second, unsettled.sample);
    else
      context_.outlets->dropped("unknown_outlet", 1);
  }
  unsettled_.clear();
}

// The end: nobody will hear what is still held.
void MqttConnector::give_up_outlets() {
  if (context_.outlets == nullptr) return;
  take_back_outlets();
  take_outlets();
  for (auto& [id, outlet] : outlets_) {
    if (outlet.held) context_.outlets->dropped("not_connected", 1);
    outlet.held = false;
  }
}

}  // namespace alara::mqtt
