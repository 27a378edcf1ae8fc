// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_connector.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/quantity.hpp"

namespace alara::opcua {
namespace {

constexpr Nanos kServeAtMost = 50 * kMillisecond;  // between two looks at whether to stop
constexpr Nanos kRetryMin = 100 * kMillisecond, kRetryMax = 5 * kSecond;
constexpr Nanos kLasting = 5 * kSecond;  // a server that listened for so long starts the back-off afresh

std::uint64_t next_random(std::uint64_t& state) {  // SplitMix64 (Steele, Lea, Flood 2014)
  std::uint64_t z = (state += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

void drain(int bell) {
  std::uint64_t ignored = 0;
  static_cast<void>(!read(bell, &ignored, sizeof ignored));
}

}  // namespace

OpcuaServerConnector::OpcuaServerConnector(std::string name, ServerSettings settings)
    : name_(std::move(name)), settings_(std::move(settings)), bell_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

OpcuaServerConnector::~OpcuaServerConnector() {
  stop();
  if (bell_ >= 0) close(bell_);
}

void OpcuaServerConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                                std::vector<Error>& errors) {
  plan_.add(signals, errors);
  for (const ActuatorBinding& actuator : actuators)
    errors.push_back(
        {ErrorKind::bad_input,
         fmt::format("{}: '{}' is a node of our own server, not an actuator", actuator.name, actuator.address),
         actuator.where, "publish the value to it"});
}

void OpcuaServerConnector::bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  plan_.add(outlets, errors);
}

std::vector<std::string> OpcuaServerConnector::explain() const {
  std::string security;
  for (const Security policy : settings_.security) {
    const std::string_view uri = policy_uri(policy);
    security += fmt::format("{}{}", security.empty() ? "" : ", ", uri.substr(uri.find('#') + 1));
  }
  const auto writable = std::ranges::count_if(plan_.nodes(), &ServerNode::writable);
  return {fmt::format("listen on {} ({})", settings_.endpoint(settings_.port), security),
          fmt::format("show {} values; let clients write {}", plan_.nodes().size() - static_cast<std::size_t>(writable),
                      writable)};
}

Status OpcuaServerConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(!server_thread_.joinable(), "start() of a running connector");
  if (bell_ < 0) return fail(ErrorKind::exhausted, "no file descriptor for {}", name_);
  context_ = context;
  shown_.assign(plan_.nodes().size(), {});
  server_thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  feeder_ = std::jthread([this](const std::stop_token& stop) { feed(stop); });
  return {};
}

void OpcuaServerConnector::stop() {
  if (!server_thread_.joinable()) return;
  feeder_.request_stop();
  server_thread_.request_stop();
  ring();
  feeder_.join();
  server_thread_.join();
  feeder_ = {};
  server_thread_ = {};
}

void OpcuaServerConnector::ring() const {
  const std::uint64_t one = 1;
  static_cast<void>(!write(bell_, &one, sizeof one));
}

void OpcuaServerConnector::serve(const std::stop_token& stop) {
  std::uint64_t random = context_.seed;
  for (int attempt = 0; !stop.stop_requested();) {
    auto opened = ServerHost::open(
        settings_, plan_, lasting_, *context_.clock,
        [this](const ServerNode& node, double value, Nanos time, const char* fault) {
          take_write(node, value, time, fault);
        },
        [this](std::string error) { report(std::move(error)); });
    if (opened) {
      const Nanos since = context_.clock->monotonic();
      report((*opened)->warning());
      {
        const std::lock_guard lock(host_mutex_);
        host_ = std::move(*opened);
      }
      serve_host(stop);
      if (context_.clock->monotonic() - since >= kLasting) attempt = 0;
    } else {
      report(opened.error().message);
      stats_.errors.fetch_add(1, std::memory_order_relaxed);
    }
    if (stop.stop_requested()) break;
    // Waits a random time below a bound that doubles with every failure: full jitter.
    const double bound =
        std::min(static_cast<double>(kRetryMax),
                 static_cast<double>(kRetryMin) * static_cast<double>(1ull << std::min(attempt++, 30)));
    const double fraction = static_cast<double>(next_random(random) >> 11) * 0x1p-53;
    wait(context_.clock->monotonic() + static_cast<Nanos>(fraction * bound), stop);
  }
}

void OpcuaServerConnector::serve_host(const std::stop_token& stop) {
  stats_.connects.fetch_add(1, std::memory_order_relaxed);
  stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
  stats_.connected.store(true, std::memory_order_relaxed);
  fresh_.store(true);
  ring();
  Status alive;
  std::uint64_t complaints = lasting_.complaints.load(std::memory_order_relaxed);
  while (alive && !stop.stop_requested()) {
    alive = host_->serve(kServeAtMost);
    const std::uint64_t now = lasting_.complaints.load(std::memory_order_relaxed);
    stats_.errors.fetch_add(now - std::exchange(complaints, now), std::memory_order_relaxed);
  }
  stats_.connected.store(false, std::memory_order_relaxed);
  stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
  if (!alive) {
    report(alive.error().message);
    stats_.errors.fetch_add(1, std::memory_order_relaxed);
  }
  std::unique_ptr<ServerHost> ended;
  {
    const std::lock_guard lock(host_mutex_);
    ended = std::move(host_);
  }
}

void OpcuaServerConnector::wait(Nanos until, const std::stop_token& stop) {
  constexpr Nanos kLook = 10 * kMillisecond;
  while (!stop.stop_requested() && context_.clock->monotonic() < until)
    context_.clock->sleep_until(std::min(until, context_.clock->monotonic() + kLook));
}

// The serving thread, from within the library.
void OpcuaServerConnector::take_write(const ServerNode& node, double value, Nanos time, const char* fault) {
  const Nanos arrival = context_.clock->monotonic();
  stats_.messages_in.fetch_add(1, std::memory_order_relaxed);
  if (fault != nullptr) {
    report(fmt::format("{} ({}): a client's write is refused: {}", node.name, node.address.text(), fault));
    stats_.errors.fetch_add(1, std::memory_order_relaxed);
    context_.inlet->reject(fault, node.signals.size());
    return;
  }
  stats_.last_progress.store(arrival, std::memory_order_relaxed);
  const std::vector<double> values(node.signals.size(), value);
  Batch batch;
  batch.signal = node.signals;
  batch.value = values;
  batch.time0 = time;
  batch.arrival = arrival;
  context_.inlet->push(batch);
}

void OpcuaServerConnector::feed(const std::stop_token& stop) {
  std::array<pollfd, 2> waiting{{{bell_, POLLIN, 0}, {-1, POLLIN, 0}}};
  if (context_.outlets != nullptr) waiting[1].fd = context_.outlets->event_fd();
  while (!stop.stop_requested()) {
    poll(waiting.data(), waiting.size(), -1);
    drain(bell_);
    const std::lock_guard lock(host_mutex_);
    if (fresh_.exchange(false) && host_) show_all();
    take_outlets();
    show_alarms();
  }
  give_up_outlets();
}

// A new server has to be told everything; what was delivered to its predecessor is not counted again.
void OpcuaServerConnector::show_all() {
  for (std::size_t i = 0; i < shown_.size(); ++i)
    if (shown_[i].newest) show(i);
  host_->nodes().show(alarms_.standing());
}

// While there is no server only the newest value of each node is worth keeping.
void OpcuaServerConnector::take_outlets() {
  OutletSample sample;
  while (context_.outlets != nullptr && context_.outlets->pop(sample)) {
    const std::size_t index = plan_.index_of_outlet(sample.outlet);
    if (index == ServerPlan::kNone) {  // of a plan before the last reload
      context_.outlets->dropped("unknown_outlet", 1);
      continue;
    }
    Shown& shown = shown_[index];
    if (shown.held) context_.outlets->dropped("not_listening", 1);
    shown.newest = sample;
    shown.held = true;
    if (host_) show(index);
  }
}

void OpcuaServerConnector::show(std::size_t index) {
  Shown& shown = shown_[index];
  const bool fits = host_->nodes().show(index, *shown.newest);
  if (!std::exchange(shown.held, false)) return;
  if (fits) {
    stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
    stats_.last_progress.store(context_.clock->monotonic(), std::memory_order_relaxed);
    context_.outlets->delivered(1);
  } else {
    const ServerNode& node = plan_.nodes()[index];
    report(fmt::format("{} ({}): {:g} does not fit the node's type, {}", node.name, node.address.text(),
                       shown.newest->value, alara::name_of(node.type)));
    context_.outlets->dropped("does_not_fit", 1);
  }
}

// The end: nobody will read what is still held.
void OpcuaServerConnector::give_up_outlets() {
  if (context_.outlets == nullptr) return;
  for (Shown& shown : shown_)
    if (std::exchange(shown.held, false)) context_.outlets->dropped("not_listening", 1);
  OutletSample sample;
  while (context_.outlets->pop(sample)) context_.outlets->dropped("not_listening", 1);
}

void OpcuaServerConnector::announce(const EventNotice& event) {
  alarms_.take(event);
  ring();
}

void OpcuaServerConnector::show_alarms() {
  if (!host_) return;
  const std::vector<AlarmNotice> notices = alarms_.notices();
  if (notices.empty()) return;
  host_->nodes().show(alarms_.standing());
  for (const AlarmNotice& notice : notices) host_->nodes().announce(notice);
}

std::uint16_t OpcuaServerConnector::port() const {
  const std::lock_guard lock(host_mutex_);
  return host_ ? host_->port() : 0;
}

void OpcuaServerConnector::report(std::string error) {
  const std::lock_guard lock(error_mutex_);
  last_error_ = std::move(error);
}

std::string OpcuaServerConnector::last_error() const {
  const std::lock_guard lock(error_mutex_);
  return last_error_;
}

void OpcuaServerConnector::counters(std::vector<Counter>& out) const {
  {
    const std::lock_guard lock(host_mutex_);
    out.push_back({"sessions", host_ ? host_->sessions() : 0});
    out.push_back({"connections", host_ ? host_->channels() : 0});
  }
  out.push_back({"logins", lasting_.gate.logins.load(std::memory_order_relaxed)});
  out.push_back({"refused_logins", lasting_.gate.refused_logins.load(std::memory_order_relaxed)});
  out.push_back({"untrusted_clients", lasting_.gate.strangers.load(std::memory_order_relaxed)});
  out.push_back({"dropped_alarms", alarms_.dropped()});
}

}  // namespace alara::opcua
