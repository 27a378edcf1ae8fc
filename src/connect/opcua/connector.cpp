// SPDX-License-Identifier: Apache-2.0
// Load time and the life of the session; values that come are in connector_take.cpp, commands in connector_send.cpp.
#include "connect/opcua/connector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/backoff.hpp"
#include "base/quantity.hpp"
#include "connect/opcua/ua_loop.hpp"

namespace alara::opcua {
namespace {

constexpr Nanos kLasting = 5 * kSecond;           // a session that lasts so long starts the back-off afresh
constexpr Nanos kCommandLook = 2 * kMillisecond;  // how long a command may lie while the network is quiet
constexpr Nanos kQuietLook = 50 * kMillisecond;   // … when there is nothing to command
constexpr std::size_t kMostSamplesPerPush = 4096;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

OpcuaConnector::OpcuaConnector(std::string name, Settings settings)
    : name_(std::move(name)), settings_(std::move(settings)) {}

OpcuaConnector::~OpcuaConnector() { stop(); }

void OpcuaConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                          std::vector<Error>& errors) {
  std::map<Nanos, std::vector<Target*>> by_period;
  for (const SignalBinding& signal : signals) {
    auto address = parse_address(signal.address);
    if (address && address->method) address = fail(ErrorKind::bad_input, "a method can be called, not read");
    if (!address) {
      errors.push_back(located(signal, address.error()));
      continue;
    }
    Target& target = targets_.emplace_back();
    target.signal = signal.signal;
    target.name = signal.name;
    target.address = std::move(*address);
    target.period = signal.poll > 0 ? signal.poll : settings_.interval;
    target.connector = this;
    by_period[target.period].push_back(&target);
  }
  for (auto& [period, targets] : by_period) groups_.push_back({period, 0, std::move(targets), 0});
  for (const ActuatorBinding& actuator : actuators) {
    auto address = parse_address(actuator.address);
    const bool one_element =
        address && (address->path.empty() || (address->path.size() == 1 && address->path[0].index));
    if (address && !one_element)
      address = fail(ErrorKind::bad_input, "a member of a structure can not be written by itself");
    if (!address) {
      errors.push_back(located(actuator, address.error()));
      continue;
    }
    Output& output = outputs_.emplace_back();
    output.actuator = actuator.actuator;
    output.name = actuator.name;
    output.address = std::move(*address);
  }
}

std::vector<std::string> OpcuaConnector::explain() const {
  std::vector<std::string> lines{
      fmt::format("{} ({}{})", settings_.endpoint,
                  policy_uri(settings_.security).substr(policy_uri(settings_.security).find('#') + 1),
                  settings_.security != Security::none && settings_.sign_only ? ", signed only" : "")};
  for (const Group& group : groups_)
    lines.push_back(fmt::format("{} {} nodes every {}", settings_.subscribe ? "subscribe to" : "poll",
                                group.targets.size(), format_duration(group.period)));
  for (const Output& output : outputs_)
    lines.push_back(output.address.method ? fmt::format("call {}", output.address.method->text)
                                          : fmt::format("write {}", output.address.node.text));
  return lines;
}

Status OpcuaConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(!thread_.joinable(), "start() of a running connector");
  context_ = context;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void OpcuaConnector::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  thread_ = {};
}

void OpcuaConnector::run(const std::stop_token& stop) {
  const StoppableWaits waits([&stop] { return stop.stop_requested(); }, *context_.clock);
  Backoff backoff(settings_.reconnect_min, settings_.reconnect_max, context_.seed);
  while (!stop.stop_requested()) {
    auto opened = Session::open(settings_, *context_.clock, [&stop] { return stop.stop_requested(); });
    if (opened) {
      session_ = std::move(*opened);
      const Nanos since = context_.clock->monotonic();
      stats_.connects.fetch_add(1, std::memory_order_relaxed);
      stats_.connected.store(true, std::memory_order_relaxed);
      stats_.last_progress.store(since, std::memory_order_relaxed);
      report("");
      const Status ended = live(stop);
      stats_.connected.store(false, std::memory_order_relaxed);
      stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
      session_.reset();
      if (!ended) {
        stats_.errors.fetch_add(1, std::memory_order_relaxed);
        report(fmt::format("{}: {}", settings_.endpoint, ended.error().message));
        push();
        mark_bad();
      }
      if (context_.clock->monotonic() - since >= kLasting) backoff.restart();
    } else if (!stop.stop_requested()) {
      stats_.errors.fetch_add(1, std::memory_order_relaxed);
      report(opened.error().message);
    }
    if (stop.stop_requested()) break;
    wait(context_.clock->monotonic() + backoff.next(), stop);
  }
  take_commands(false);
}

// Not connected: commands are answered at once, none is kept.
void OpcuaConnector::wait(Nanos until, const std::stop_token& stop) {
  do {
    take_commands(false);
    context_.clock->sleep_until(std::min(until, context_.clock->monotonic() + 5 * kMillisecond));
  } while (!stop.stop_requested() && context_.clock->monotonic() < until);
}

Status OpcuaConnector::live(const std::stop_token& stop) {
  structures_.forget();
  unread_.clear();
  for (Target& target : targets_) {
    target.refused = false;
    target.item = 0;
    auto node = session_->resolve(target.address.node);
    if (node)
      target.node = std::move(*node);
    else
      refuse(target, node.error().message);
  }
  prepare_outputs();
  if (settings_.subscribe)
    for (Group& group : groups_) ALARA_CHECK(subscribe(group));
  const Nanos look = outputs_.empty() ? kQuietLook : kCommandLook;
  retry_due_ = context_.clock->monotonic() + settings_.retry;
  while (!stop.stop_requested()) {
    Nanos wait = look;
    if (!settings_.subscribe)
      for (Group& group : groups_) {
        if (context_.clock->monotonic() >= group.due) ALARA_CHECK(poll(group));
        wait = std::clamp<Nanos>(group.due - context_.clock->monotonic(), 0, wait);
      }
    ALARA_CHECK(session_->iterate(wait));
    learn_structures();
    push();
    take_commands(true);
    if (context_.clock->monotonic() >= retry_due_) ALARA_CHECK(retry_refused());
  }
  return {};
}

Status OpcuaConnector::subscribe(Group& group) {
  UA_CreateSubscriptionRequest request = UA_CreateSubscriptionRequest_default();
  const double millis = static_cast<double>(group.period) / 1e6;
  request.requestedPublishingInterval = millis;
  // Two signs of life within `silence`; the server keeps the subscription for ten of these without hearing from us.
  request.requestedMaxKeepAliveCount =
      static_cast<UA_UInt32>(std::clamp<Nanos>(settings_.silence / 2 / group.period, 1, 10'000));
  request.requestedLifetimeCount = 10 * request.requestedMaxKeepAliveCount;
  request.maxNotificationsPerPublish = 0;
  const UA_CreateSubscriptionResponse response =
      UA_Client_Subscriptions_create(session_->client(), request, this, nullptr, nullptr);
  if (response.responseHeader.serviceResult != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::refused, "the server refuses a subscription: {}",
                name_of(response.responseHeader.serviceResult));
  group.subscription = response.subscriptionId;
  std::vector<Target*> wanted;
  for (Target* target : group.targets)
    if (!target->refused) wanted.push_back(target);
  return monitor(group, wanted);
}

Status OpcuaConnector::monitor(Group& group, std::span<Target* const> targets) {
  UA_DataChangeFilter filter;
  UA_DataChangeFilter_init(&filter);
  filter.trigger = UA_DATACHANGETRIGGER_STATUSVALUETIMESTAMP;
  const std::size_t most = session_->limits().items;
  for (std::size_t first = 0; first < targets.size(); first += most) {
    const auto part = targets.subspan(first, std::min(most, targets.size() - first));
    std::vector<UA_MonitoredItemCreateRequest> items;
    std::vector<void*> contexts;
    for (Target* target : part) {
      UA_MonitoredItemCreateRequest item = UA_MonitoredItemCreateRequest_default(*target->node);
      item.requestedParameters.samplingInterval = static_cast<double>(group.period) / 1e6;
      item.requestedParameters.queueSize = settings_.queue;
      item.requestedParameters.discardOldest = true;
      if (settings_.trigger == Trigger::timestamp)
        UA_ExtensionObject_setValueNoDelete(&item.requestedParameters.filter, &filter,
                                            &UA_TYPES[UA_TYPES_DATACHANGEFILTER]);
      items.push_back(item);
      contexts.push_back(target);
    }
    std::vector<UA_Client_DataChangeNotificationCallback> callbacks(part.size(), &OpcuaConnector::on_change);
    std::vector<UA_Client_DeleteMonitoredItemCallback> deleted(part.size(), nullptr);
    UA_CreateMonitoredItemsRequest request;
    UA_CreateMonitoredItemsRequest_init(&request);
    request.subscriptionId = group.subscription;
    request.timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
    request.itemsToCreate = items.data();
    request.itemsToCreateSize = items.size();
    Ua<UA_CreateMonitoredItemsResponse, UA_TYPES_CREATEMONITOREDITEMSRESPONSE> response;
    *response = UA_Client_MonitoredItems_createDataChanges(session_->client(), request, contexts.data(),
                                                           callbacks.data(), deleted.data());
    if (response->responseHeader.serviceResult != UA_STATUSCODE_GOOD || response->resultsSize != part.size())
      return fail(ErrorKind::refused, "the server refuses to watch nodes: {}",
                  name_of(response->responseHeader.serviceResult));
    for (std::size_t i = 0; i < part.size(); ++i) {
      part[i]->refused = false;
      part[i]->item = response->results[i].monitoredItemId;
      if (response->results[i].statusCode != UA_STATUSCODE_GOOD)
        refuse(*part[i], name_of(response->results[i].statusCode));
    }
  }
  return {};
}

void OpcuaConnector::on_change(UA_Client*, UA_UInt32, void*, UA_UInt32, void* context, UA_DataValue* value) {
  auto& target = *static_cast<Target*>(context);
  target.connector->take(target, *value);
}

Status OpcuaConnector::poll(Group& group) {
  const Nanos now = context_.clock->monotonic();
  group.due = std::max(group.due + group.period, now);  // what was missed is not made up for
  if (group.due == now) group.due = now + group.period;
  std::vector<Target*> wanted;
  for (Target* target : group.targets)
    if (!target->refused) wanted.push_back(target);
  const std::size_t most = session_->limits().reads;
  for (std::size_t first = 0; first < wanted.size(); first += most)
    ALARA_CHECK(poll(std::span(wanted).subspan(first, std::min(most, wanted.size() - first))));
  stats_.polls_done.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Status OpcuaConnector::poll(std::span<Target* const> targets) {
  std::vector<UA_ReadValueId> nodes(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    UA_ReadValueId_init(&nodes[i]);
    nodes[i].nodeId = *targets[i]->node;
    nodes[i].attributeId = UA_ATTRIBUTEID_VALUE;
  }
  UA_ReadRequest request;
  UA_ReadRequest_init(&request);
  request.timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
  request.nodesToRead = nodes.data();
  request.nodesToReadSize = nodes.size();
  Ua<UA_ReadResponse, UA_TYPES_READRESPONSE> response;
  *response = UA_Client_Service_read(session_->client(), request);
  const UA_StatusCode status = response->responseHeader.serviceResult;
  if (status != UA_STATUSCODE_GOOD || response->resultsSize != targets.size())
    return fail(ErrorKind::timed_out, "reading fails: {}", name_of(status));
  for (std::size_t i = 0; i < targets.size(); ++i) take(*targets[i], response->results[i]);
  return {};
}

// Nodes that come to be while the node runs are found.
Status OpcuaConnector::retry_refused() {
  retry_due_ = context_.clock->monotonic() + settings_.retry;
  structures_.forget_failures();
  for (Group& group : groups_) {
    std::vector<Target*> again;
    for (Target* target : group.targets) {
      if (!target->refused) continue;
      auto node = session_->resolve(target->address.node);
      if (!node) continue;
      target->node = std::move(*node);
      // Of a node that went away the server may still know the old watch: two would give every value twice.
      if (target->item != 0)
        UA_Client_MonitoredItems_deleteSingle(session_->client(), group.subscription, target->item);
      target->item = 0;
      again.push_back(target);
    }
    if (again.empty()) continue;
    if (settings_.subscribe)
      ALARA_CHECK(monitor(group, again));
    else
      for (Target* target : again) target->refused = false;
  }
  prepare_outputs();
  return {};
}

// One node disables only itself: its signal turns bad once, and it is left alone until the next try.
void OpcuaConnector::refuse(Target& target, const std::string& why) {
  if (!target.refused) {
    refused_nodes_.fetch_add(1, std::memory_order_relaxed);
    add(target.signal, kNan, context_.clock->wall(), Quality::bad);
  }
  target.refused = true;
  report(fmt::format("{} ({}) is refused: {}", target.name, target.address.node.text, why));
}

void OpcuaConnector::add(SignalId id, double value, Nanos time, Quality quality) {
  signals_.push_back(id);
  values_.push_back(value);
  times_.push_back(time);
  qualities_.push_back(quality);
  if (signals_.size() >= kMostSamplesPerPush) push();
}

void OpcuaConnector::push() {
  if (signals_.empty()) return;
  Batch batch;
  batch.signal = signals_;
  batch.value = values_;
  batch.time = times_;
  batch.quality = qualities_;
  batch.arrival = context_.clock->monotonic();
  context_.inlet->push(batch);
  signals_.clear();
  values_.clear();
  times_.clear();
  qualities_.clear();
}

void OpcuaConnector::mark_bad() {
  if (all_bad_) return;
  all_bad_ = true;
  const Nanos now = context_.clock->wall();
  for (const Target& target : targets_)
    if (!target.refused) add(target.signal, kNan, now, Quality::bad);
  push();
}

std::string OpcuaConnector::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void OpcuaConnector::report(std::string error) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(error);
}

void OpcuaConnector::counters(std::vector<Counter>& out) const {
  out.push_back({"refused_nodes", refused_nodes_.load(std::memory_order_relaxed)});
  out.push_back({"values_not_good", not_good_.load(std::memory_order_relaxed)});
}

}  // namespace alara::opcua
