// SPDX-License-Identifier: Apache-2.0
#include "connect/http/connector.hpp"

#include "base/quantity.hpp"
#include "connect/http/http.hpp"

namespace alara::http {
namespace {

constexpr std::size_t kMostMessageBytes = 1 << 20;
constexpr Nanos kListenAgain = 500 * kMillisecond;

Status check_path(std::string_view address, const Settings& settings) {
  if (settings.to_host.empty()) return fail(ErrorKind::bad_input, "there is no web hook to send to: add to: https://…");
  if (!address.starts_with('/') || address.size() > 2000 ||
      address.find_first_of(" #?\r\n\t") != std::string_view::npos)
    return fail(ErrorKind::bad_input, "'{}' is not a path behind the web hook, as in /presses/1/load", address);
  return {};
}

}  // namespace

HttpConnector::HttpConnector(std::string name, Settings settings)
    : name_(std::move(name)), settings_(std::move(settings)) {}

HttpConnector::~HttpConnector() { stop(); }

void HttpConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                         std::vector<Error>& errors) {
  for (const SignalBinding& signal : signals) {
    const Status added =
        settings_.listen_host.empty()
            ? Status(fail(ErrorKind::bad_input, "nothing is pushed in here: add listen: 127.0.0.1:8086"))
            : intake_.add(signal);
    if (!added) errors.push_back(located(signal, added.error()));
  }
  for (const ActuatorBinding& actuator : actuators) {
    if (const Status path = check_path(actuator.address, settings_); !path) {
      errors.push_back(located(actuator, path.error()));
      continue;
    }
    actuators_[index_of(actuator.actuator)] = actuator.address;
  }
}

void HttpConnector::bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  for (const OutletBinding& outlet : outlets) {
    if (const Status path = check_path(outlet.address, settings_); !path) {
      errors.push_back(located(outlet, path.error()));
      continue;
    }
    outlets_[index_of(outlet.outlet)] = {outlet.address, outlet.unit.text(), outlet.boolean};
  }
}

std::vector<std::string> HttpConnector::explain() const {
  std::vector<std::string> lines;
  if (!settings_.listen_host.empty()) {
    lines.push_back(fmt::format("listen on http://{}:{}{}", settings_.listen_host, settings_.listen_port,
                                settings_.token_file.empty() ? "" : ", with a token"));
    for (const std::string& path : intake_.json().paths()) lines.push_back("POST " + path + " (JSON)");
    if (intake_.lines() > 0)
      lines.push_back(fmt::format("POST /write or /api/v2/write (line protocol, {} signals)", intake_.lines()));
  }
  if (!settings_.to_host.empty())
    lines.push_back(fmt::format("post {} values and {} actuators to {}{}", outlets_.size(), actuators_.size(),
                                settings_.to_host, settings_.to_path));
  return lines;
}

Status HttpConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(!thread_.joinable(), "start() of a running connector");
  context_ = context;
  ALARA_TRY(loop_, IoLoop::create(*context.clock));
  if (!settings_.to_host.empty()) {
    const std::lock_guard lock(mutex_);
    hook_ = std::make_unique<Hook>(settings_, *context_.clock, context_.seed, stats_);
  }
  if (context_.commands != nullptr)
    ALARA_CHECK(loop_->watch(context_.commands->event_fd(), EPOLLIN, [this](std::uint32_t) { take_commands(); }));
  if (context_.outlets != nullptr)
    ALARA_CHECK(loop_->watch(context_.outlets->event_fd(), EPOLLIN, [this](std::uint32_t) { take_outlets(); }));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void HttpConnector::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  thread_ = {};
  server_.reset();
  std::unique_ptr<Hook> hook;
  {
    const std::lock_guard lock(mutex_);
    hook = std::move(hook_);
  }
  if (hook) hook->stop();
  take_commands();  // nobody is there to send them to
  if (context_.outlets != nullptr) take_outlets();
  stats_.connected.store(false, std::memory_order_relaxed);
  loop_.reset();
}

void HttpConnector::run(const std::stop_token& stop) {
  if (!settings_.listen_host.empty())
    listen_again(stop);
  else
    stats_.connected.store(true, std::memory_order_relaxed);
  loop_->run(stop);
}

// A port that is taken may become free.
void HttpConnector::listen_again(const std::stop_token& stop) {
  auto server = PushServer::start(settings_, intake_, *context_.inlet, *context_.clock, stats_);
  if (server) {
    server_ = std::move(*server);
    stats_.connects.fetch_add(1, std::memory_order_relaxed);
    stats_.connected.store(true, std::memory_order_relaxed);
    return report("");
  }
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  report(server.error().message);
  loop_->at(context_.clock->monotonic() + kListenAgain, [this, stop] {
    if (!stop.stop_requested()) listen_again(stop);
  });
}

void HttpConnector::take_commands() {
  Command command;
  while (context_.commands != nullptr && context_.commands->pop(command)) {
    const auto acknowledge = [this, command](Outcome outcome) {
      const std::lock_guard lock(acks_);
      context_.commands->acknowledge(Ack{command.id, command.actuator, outcome, context_.clock->monotonic(), 0});
    };
    const auto path = actuators_.find(index_of(command.actuator));
    if (path == actuators_.end() || hook_ == nullptr || command.verify) {
      if (command.verify) report("a value sent to a web hook can not be verified by reading it back");
      acknowledge(Outcome::unavailable);
      continue;
    }
    std::string body;
    wire::append_point({command.value, false, context_.clock->wall(), Quality::good, ""}, body);
    Delivery delivery{path->second, std::move(body),
                      std::min(command.deadline, context_.clock->monotonic() + settings_.retry_for), false,
                      [acknowledge](Fate fate) {
                        acknowledge(fate == Fate::taken       ? Outcome::done
                                    : fate == Fate::refused   ? Outcome::refused_device
                                    : fate == Fate::timed_out ? Outcome::timed_out
                                                              : Outcome::unavailable);
                      }};
    if (!hook_->hand_over(delivery)) acknowledge(Outcome::unavailable);
  }
}

void HttpConnector::take_outlets() {
  OutletSample sample;
  while (context_.outlets->pop(sample)) {
    const auto outlet = outlets_.find(index_of(sample.outlet));
    const auto settle = [this](Fate fate) {
      const std::lock_guard lock(acks_);
      if (fate == Fate::taken) return context_.outlets->delivered(1);
      context_.outlets->dropped(fate == Fate::refused      ? "refused"
                                : fate == Fate::pushed_out ? "queue_full"
                                : fate == Fate::stopped    ? "stopped"
                                                           : "not_reachable",
                                1);
    };
    if (outlet == outlets_.end()) {  // of a plan before the last reload
      const std::lock_guard lock(acks_);
      context_.outlets->dropped("unknown_outlet", 1);
      continue;
    }
    if (hook_ == nullptr) {
      settle(Fate::stopped);
      continue;
    }
    std::string body;
    wire::append_point({sample.value, outlet->second.boolean, sample.time, sample.quality, outlet->second.unit}, body);
    Delivery delivery{outlet->second.path, std::move(body), context_.clock->monotonic() + settings_.retry_for, true,
                      settle};
    if (!hook_->hand_over(delivery)) settle(Fate::pushed_out);
  }
}

bool HttpConnector::publish(std::string_view address, std::string_view payload) {
  if (payload.size() > kMostMessageBytes || !check_path(address, settings_)) return false;
  const std::lock_guard lock(mutex_);
  if (hook_ == nullptr || context_.clock == nullptr) return false;
  Delivery delivery{std::string(address), std::string(payload), context_.clock->monotonic() + settings_.retry_for,
                    false, [](Fate) {}};
  return hook_->hand_over(delivery);
}

std::string HttpConnector::last_error() const {
  const std::lock_guard lock(mutex_);
  if (!last_error_.empty() || hook_ == nullptr) return last_error_;
  return hook_->last_error();
}

void HttpConnector::report(std::string error) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(error);
}

void HttpConnector::counters(std::vector<Counter>& out) const {
  const std::lock_guard lock(mutex_);
  if (hook_ == nullptr) return;
  out.push_back({"hook_requests", hook_->counts().requests.load(std::memory_order_relaxed)});
  out.push_back({"hook_retries", hook_->counts().retries.load(std::memory_order_relaxed)});
  out.push_back({"hook_errors", hook_->counts().errors.load(std::memory_order_relaxed)});
}

namespace {

class HttpProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "http"; }
  [[nodiscard]] const Schema& schema() const override { return http::schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "/presses/1                    the JSON value that is posted to this path: a number, or\n"
           "                              {\"value\":…,\"time\":…,\"quality\":…}; several, one in each line\n"
           "/presses/1#motor.current      a member of it; also #a.b[2]\n"
           "line:pump,hall=a pressure     line protocol posted to /write or /api/v2/write: measurement, tags that "
           "must\n"
           "                              agree, field\n"
           "written, published: /presses/1/set, a path behind the web hook's";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(Settings settings, read_settings(options, directory));
    return std::make_unique<HttpConnector>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& http_protocol() {
  static const HttpProtocol kProtocol;
  return kProtocol;
}

}  // namespace alara::http
