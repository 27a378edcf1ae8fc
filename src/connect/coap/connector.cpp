// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/connector.hpp"

#include <functional>

#include "base/quantity.hpp"
#include "connect/coap/client.hpp"
#include "connect/coap/coap.hpp"
#include "connect/coap/server.hpp"

namespace alara::coap {
namespace {

// The loop ends a session within one turn; longer means that it does not run, and then there is nothing to wait for.
constexpr Nanos kLongestStop = 900 * kMillisecond;
constexpr int kMostQueued = 1000;
constexpr std::size_t kMostMessageBytes = 1 << 20;

}  // namespace

CoapConnector::CoapConnector(std::string name, Settings settings)
    : name_(std::move(name)), settings_(std::move(settings)) {}

CoapConnector::~CoapConnector() { stop(); }

void CoapConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                         std::vector<Error>& errors) {
  bindings_ = {};
  bindings_.add(signals, actuators, errors);
}

void CoapConnector::bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  bindings_.add(outlets, errors);
}

std::vector<std::string> CoapConnector::explain() const {
  std::vector<std::string> lines{fmt::format("{}{}", settings_.server ? "listen on " : "", settings_.text())};
  for (const std::string& path : bindings_.intake.paths()) {
    const Nanos wished = bindings_.wished.at(path);
    if (settings_.server)
      lines.push_back("PUT or POST " + path);
    else if (settings_.observe && wished == 0)
      lines.push_back("observe " + path);
    else
      lines.push_back(fmt::format("GET {} every {}", path, format_duration(wished != 0 ? wished : settings_.poll)));
  }
  for (const auto& [id, outlet] : bindings_.outlets)
    lines.push_back((settings_.server ? "show " : "PUT ") + outlet.path);
  for (const auto& [id, path] : bindings_.actuators)
    lines.push_back((settings_.server ? "show commands at " : "PUT commands to ") + path);
  return lines;
}

Status CoapConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(context.inlet != nullptr && context.clock != nullptr && context.loop != nullptr,
               "a coap connector needs an inlet, a clock and a loop");
  stop();
  loop_ = context.loop;
  if (settings_.server)
    session_ = std::make_shared<Server>(settings_, bindings_, context, telemetry_);
  else
    session_ = std::make_shared<Client>(settings_, bindings_, context, context.seed ^ std::hash<std::string>()(name_),
                                        telemetry_);
  loop_->post([session = session_] { session->begin(); });
  return {};
}

void CoapConnector::stop() {
  if (!session_) return;
  static_cast<void>(loop_->call([session = session_] { session->end(); }, kLongestStop));
  session_.reset();
}

bool CoapConnector::publish(std::string_view address, std::string_view payload) {
  if (!session_ || !telemetry_->stats.connected || payload.size() > kMostMessageBytes || !check_path(address) ||
      messages_->load() >= kMostQueued)
    return false;
  ++*messages_;
  loop_->post([session = session_, waiting = messages_, path = std::string(address), body = std::string(payload),
               telemetry = telemetry_] {
    --*waiting;
    if (!session->publish(path, body)) count(telemetry->stats.errors);
  });
  return true;
}

void CoapConnector::counters(std::vector<Counter>& out) const {
  out.push_back({"notifications", telemetry_->notifications.load(std::memory_order_relaxed)});
  out.push_back({"refusals", telemetry_->refusals.load(std::memory_order_relaxed)});
  out.push_back({"timeouts", telemetry_->timeouts.load(std::memory_order_relaxed)});
}

namespace {

class CoapProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "coap"; }
  [[nodiscard]] const Schema& schema() const override { return coap::schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "/presses/1                    the number that the resource says or is sent, or\n"
           "                              {\"value\":…,\"time\":…,\"quality\":…}; several, one in each line\n"
           "/presses/1#motor.current      a member of its JSON; also #a.b[2], and #[0].v of SenML\n"
           "written, published: /valves/3/position. A client PUTs there, commands as plain numbers and values as\n"
           "                              JSON; a server shows it to devices that GET or observe it";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(Settings settings, read_settings(options, directory));
    return std::make_unique<CoapConnector>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& coap_protocol() {
  static const CoapProtocol kProtocol;
  return kProtocol;
}

}  // namespace alara::coap
