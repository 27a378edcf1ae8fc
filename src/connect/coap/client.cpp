// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/client.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <limits>

#include "base/quantity.hpp"
#include "wire/payload_json.hpp"

namespace alara::coap {
namespace {

constexpr std::size_t kReadsAtOnce = 4;
constexpr int kFailuresBeforeRest = 2;
constexpr std::size_t kMostMessages = 1000;  // commands that wait; messages whose answers are waited for
// An observation's numbers are 24 bits and may wrap; after this time any number is newer (RFC 7641, 3.4).
constexpr std::uint32_t kSequenceHalf = 1u << 23;
constexpr Nanos kSequenceAge = 128 * kSecond;

std::string_view name_of(coap_nack_reason_t reason) {
  switch (reason) {
    case COAP_NACK_TOO_MANY_RETRIES:
      return "does not answer";
    case COAP_NACK_TLS_FAILED:
      return "and we do not agree on keys or certificates";
    case COAP_NACK_ICMP_ISSUE:
      return "is not there";
    default:
      return "can not be sent to";
  }
}

// The number that a body says, if it says one.
std::optional<double> number_in(std::string_view body) {
  wire::JsonPlan plan;
  wire::JsonRow row;
  const auto point = plan.add("");
  if (!point || plan.read(body, {}, row) != wire::PayloadFault::none) return std::nullopt;
  if (row.points[*point].fault != wire::PayloadFault::none) return std::nullopt;
  return row.points[*point].value;
}

}  // namespace

Client::Client(const Settings& settings, Bindings bindings, const ConnectorContext& context, std::uint64_t seed,
               std::shared_ptr<Telemetry> telemetry)
    : settings_(settings),
      bindings_(std::move(bindings)),
      context_(context),
      loop_(*context.loop),
      clock_(*context.clock),
      telemetry_(std::move(telemetry)),
      resolver_(loop_),
      backoff_(settings_.reconnect_min, settings_.reconnect_max, seed),
      next_token_(backoff_.random() | 1) {
  for (const std::string& path : bindings_.intake.paths()) {
    Route& route = routes_.emplace_back();
    route.path = path;
    route.signals = bindings_.intake.signals(path);
    const Nanos wished = bindings_.wished[path];
    route.poll = wished != 0 ? wished : settings_.poll;
    route.observe = settings_.observe && wished == 0;
  }
}

void Client::begin() {
  if (ended_) return;
  auto engine = Engine::create(loop_, this, [this] { after_turn(); });
  if (!engine) return telemetry_->set_error(engine.error().message);
  engine_ = std::move(*engine);
  coap_context_t* const context = engine_->context();
  coap_register_response_handler(context, on_response);
  coap_register_nack_handler(context, on_nack);
  coap_register_pong_handler(context, on_pong);
  coap_register_event_handler(context, on_event);
  const auto watch = [this](int fd, void (Client::*take)()) {
    const auto watched = loop_.watch(fd, EPOLLIN, [this, take](std::uint32_t) {
      (this->*take)();
      work();
    });
    if (!watched) telemetry_->set_error(watched.error().message);
  };
  if (context_.commands != nullptr) watch(context_.commands->event_fd(), &Client::take_commands);
  if (context_.outlets != nullptr) watch(context_.outlets->event_fd(), &Client::take_outlets);
  connect();
}

void Client::end() {
  if (std::exchange(ended_, true)) return;
  resolver_.cancel();
  loop_.cancel(timer_);
  loop_.cancel(reconnect_);
  disconnect();
  engine_.reset();
  take_commands();
  if (context_.commands != nullptr) loop_.unwatch(context_.commands->event_fd());
  if (context_.outlets == nullptr) return;
  take_outlets();
  loop_.unwatch(context_.outlets->event_fd());
  context_.outlets->dropped("stopped", outlets_.size());
  outlets_.clear();
}

void Client::connect() {
  reconnect_ = IoLoop::TimerId::none;
  resolver_.resolve(settings_.endpoint, [this](const Result<std::vector<SocketAddress>>& addresses) {
    if (addresses) return connect_to((*addresses)[static_cast<std::size_t>(backoff_.attempts()) % addresses->size()]);
    lost_ = addresses.error().message;
    go_down();
  });
}

void Client::connect_to(const SocketAddress& address) {
  auto session = engine_->open_session(settings_, address);
  if (!session) {
    lost_ = session.error().message;
    return go_down();
  }
  session_ = *session;
  const Nanos now = clock_.monotonic();
  heard_ = now - settings_.keepalive;  // a sign of life first; with DTLS that is the handshake
  for (Route& route : routes_) route.due = now;
  work();
}

// A session's answers end with it.
void Client::disconnect() {
  if (session_ != nullptr) coap_session_release(std::exchange(session_, nullptr));
  ping_deadline_ = 0;
  for (auto& [token, exchange] : std::exchange(exchanges_, {})) failed(std::move(exchange), "", Outcome::timed_out);
  for (const Command& command : std::exchange(commands_, {})) acknowledge(command, Outcome::unavailable);
  for (Route& route : routes_) {
    route.token = 0;
    spoil(route);
  }
  if (telemetry_->stats.connected.exchange(false)) count(telemetry_->stats.disconnects);
}

void Client::lost(std::string why) {
  if (!lost_) lost_ = std::move(why);
}

void Client::after_turn() {
  if (ended_) return;
  if (lost_) return go_down();
  if (std::exchange(heard_something_, false)) wake_at(clock_.monotonic());
}

void Client::wake_at(Nanos instant) {
  loop_.cancel(timer_);
  timer_ = loop_.at(instant, [this] {
    timer_ = IoLoop::TimerId::none;
    work();
  });
}

void Client::go_down() {
  telemetry_->set_error(*std::exchange(lost_, std::nullopt));
  count(telemetry_->stats.errors);
  loop_.cancel(timer_);
  timer_ = IoLoop::TimerId::none;
  disconnect();
  take_commands();
  loop_.cancel(reconnect_);
  reconnect_ = loop_.at(clock_.monotonic() + backoff_.next(), [this] { connect(); });
}

void Client::alive() {
  heard_something_ = true;
  heard_ = clock_.monotonic();
  ping_deadline_ = 0;
  backoff_.restart();
  telemetry_->stats.last_progress.store(heard_, std::memory_order_relaxed);
  if (telemetry_->stats.connected.exchange(true)) return;
  count(telemetry_->stats.connects);
  telemetry_->clear_error();
}

// libcoap keeps a session that we have released until its queues are empty, and still speaks of it.
Client* Client::of(coap_session_t* session) {
  auto* const self = static_cast<Client*>(coap_get_app_data(coap_session_get_context(session)));
  return session == self->session_ ? self : nullptr;
}

int Client::on_event(coap_session_t* session, coap_event_t event) {
  Client* const self = of(session);
  if (self == nullptr) return 0;
  if (event == COAP_EVENT_DTLS_CONNECTED) self->alive();
  if (event == COAP_EVENT_DTLS_CLOSED || event == COAP_EVENT_DTLS_ERROR)
    self->lost(fmt::format("{} ended the secured session, or we do not agree on keys or certificates",
                           self->settings_.text()));
  return 0;
}

void Client::on_pong(coap_session_t* session, const coap_pdu_t*, coap_mid_t) {
  if (Client* const self = of(session)) self->alive();
}

void Client::on_nack(coap_session_t* session, const coap_pdu_t* sent, coap_nack_reason_t reason, coap_mid_t) {
  Client* const self = of(session);
  if (self == nullptr) return;
  if (reason != COAP_NACK_RST) return self->lost(fmt::format("{} {}", self->settings_.text(), name_of(reason)));
  self->alive();  // it refuses, so it is there
  const auto found = self->exchanges_.find(token_of(sent));
  if (found == self->exchanges_.end()) return;
  self->failed(std::move(self->exchanges_.extract(found).mapped()), "reset by the device", Outcome::refused_device);
}

coap_response_t Client::on_response(coap_session_t* session, const coap_pdu_t*, const coap_pdu_t* received,
                                    coap_mid_t) {
  Client* const self = of(session);
  if (self == nullptr) return COAP_RESPONSE_OK;
  count(self->telemetry_->stats.messages_in);
  self->alive();
  self->answered(token_of(received), received);
  return COAP_RESPONSE_OK;
}

void Client::answered(std::uint64_t token, const coap_pdu_t* answer) {
  const auto found = exchanges_.find(token);
  if (found == exchanges_.end()) return;
  bool whole = true;
  const bool fits = append_block(answer, settings_.max_body, found->second.body, whole);
  if (fits && !whole) return;
  if (found->second.route != kNone) {
    if (!fits) {
      context_.inlet->reject("too_large", routes_[found->second.route].signals.size());
      return failed(std::move(exchanges_.extract(found).mapped()), "the body is too large, or has a gap",
                    Outcome::timed_out);
    }
    return route_answered(token, found->second, answer);
  }
  Exchange exchange = std::move(exchanges_.extract(found).mapped());
  if (exchange.command) return command_answered(std::move(exchange), coap_pdu_get_code(answer));
  if (exchange.outlet) outlet_answered(coap_pdu_get_code(answer));
}

void Client::route_answered(std::uint64_t token, Exchange& exchange, const coap_pdu_t* answer) {
  Route& route = routes_[exchange.route];
  const Nanos now = clock_.monotonic();
  const coap_pdu_code_t code = coap_pdu_get_code(answer);
  read_over(exchange);
  route.failures = 0;
  if (!is_good(code)) {
    refused("GET", route.path, code);
    route.token = 0;
    route.due = now + settings_.retry;
    spoil(route);
    exchanges_.erase(token);
    return;
  }
  const auto sequence = number_option(answer, COAP_OPTION_OBSERVE);
  if (route.observe && sequence) {
    exchange.deadline = kNever;  // more will come
    route.due = now + settings_.refresh;
    count(telemetry_->notifications);
    if (!is_fresh(route, *sequence, now)) return;
  }
  const std::string body = std::move(exchange.body);
  exchange.body.clear();
  if (!(route.observe && sequence)) {
    count(telemetry_->stats.polls_done);
    exchanges_.erase(token);
    route.token = 0;
    route.due = std::max(route.asked + route.poll, now);
  }
  if (!is_readable(number_option(answer, COAP_OPTION_CONTENT_FORMAT)))
    return context_.inlet->reject("content_format", route.signals.size());
  route.bad = false;
  count(telemetry_->stats.bytes_in, body.size());
  static_cast<void>(bindings_.intake.take(route.path, body, clock_.wall(), now, *context_.inlet));
}

void Client::read_over(Exchange& exchange) {
  if (std::exchange(exchange.counted, false)) --reads_;
}

bool Client::is_fresh(Route& route, std::uint32_t sequence, Nanos now) const {
  const std::uint32_t ahead = (sequence - route.sequence) & (2 * kSequenceHalf - 1);
  const bool fresh =
      route.sequence_at == 0 || now - route.sequence_at > kSequenceAge || (ahead != 0 && ahead < kSequenceHalf);
  if (fresh) {
    route.sequence = sequence;
    route.sequence_at = now;
  }
  return fresh;
}

void Client::refused(std::string_view method, std::string_view path, coap_pdu_code_t code) {
  count(telemetry_->refusals);
  count(telemetry_->stats.errors);
  telemetry_->set_error(fmt::format("{} refuses {} {}: {}", settings_.text(), method, path, coap::name_of(code)));
}

void Client::command_answered(Exchange exchange, coap_pdu_code_t code) {
  const Command command = *exchange.command;
  writing_ = false;
  const std::string& path = bindings_.actuators[index_of(command.actuator)];
  if (!is_good(code)) {
    refused(exchange.reading_back ? "GET" : "PUT", path, code);
    return acknowledge(command, Outcome::refused_device);
  }
  if (!command.verify) return acknowledge(command, Outcome::done);
  if (exchange.reading_back) {
    const auto value = number_in(exchange.body);
    return acknowledge(command, value == command.value ? Outcome::done : Outcome::mismatch, value.value_or(0));
  }
  Exchange reading;
  reading.command = command;
  reading.reading_back = true;
  reading.deadline = std::min(command.deadline, clock_.monotonic() + settings_.timeout);
  writing_ = start(std::move(reading), {.path = path}, next_token_++);
  if (!writing_) acknowledge(command, Outcome::timed_out);
}

void Client::outlet_answered(coap_pdu_code_t code) {
  publishing_ = false;
  if (is_good(code)) return context_.outlets->delivered(1);
  refused("PUT", "a published value", code);
  context_.outlets->dropped("refused", 1);
}

// No answer will come.
void Client::failed(Exchange exchange, std::string_view why, Outcome outcome) {
  if (exchange.route != kNone) {
    Route& route = routes_[exchange.route];
    read_over(exchange);
    if (!why.empty()) telemetry_->set_error(fmt::format("{}{}: {}", settings_.text(), route.path, why));
    route.token = 0;
    const bool rests = outcome == Outcome::refused_device || ++route.failures >= kFailuresBeforeRest;
    route.due = clock_.monotonic() + (rests ? settings_.retry : route.poll);
    spoil(route);
  }
  if (exchange.command) {
    writing_ = false;
    acknowledge(*exchange.command, outcome);
  }
  if (!exchange.outlet) return;
  publishing_ = false;
  if (outcome == Outcome::refused_device || ended_)
    context_.outlets->dropped(ended_ ? "stopped" : "refused", 1);
  else
    outlets_.push_front(*exchange.outlet);  // sent again: PUT may be repeated
}

void Client::expire(Nanos now) {
  std::vector<std::uint64_t> late;
  for (const auto& [token, exchange] : exchanges_)
    if (exchange.deadline <= now) late.push_back(token);
  for (const std::uint64_t token : late) {
    count(telemetry_->timeouts);
    count(telemetry_->stats.errors);
    failed(std::move(exchanges_.extract(token).mapped()),
           fmt::format("no answer within {}", format_duration(settings_.timeout)), Outcome::timed_out);
  }
  if (ping_deadline_ == 0 || ping_deadline_ > now) return;
  const bool perhaps_keys = settings_.dtls && !connected();
  lost(fmt::format("{} gives no sign of life{}", settings_.text(),
                   perhaps_keys ? ", or we do not agree on keys or certificates" : ""));
}

void Client::work() {
  if (session_ == nullptr) return;
  const Nanos now = clock_.monotonic();
  advance(now);
  engine_->turn();  // may end the session
  if (session_ == nullptr || heard_something_) return;
  Nanos next = ping_deadline_ != 0 ? ping_deadline_ : heard_ + settings_.keepalive;
  for (const Route& route : routes_)
    if (connected() && (route.token == 0 || route.observe)) next = std::min(next, route.due);
  for (const auto& [token, exchange] : exchanges_) next = std::min(next, exchange.deadline);
  wake_at(std::max(next, now + kMillisecond));
}

void Client::advance(Nanos now) {
  expire(now);
  if (ping_deadline_ == 0 && now - heard_ >= settings_.keepalive) {
    ping_deadline_ = now + settings_.timeout;
    coap_session_send_ping(session_);
  }
  if (!connected()) return;
  write_next(now);
  read_due(now);
  publish_next(now);
}

// The most overdue first, so that all have their turn.
void Client::read_due(Nanos now) {
  while (reads_ < kReadsAtOnce) {
    std::size_t most = kNone;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      const Route& route = routes_[i];
      if (route.due > now || (route.token != 0 && !route.observe)) continue;
      if (most == kNone || route.due < routes_[most].due) most = i;
    }
    if (most == kNone) return;
    read(most, now);
  }
}

void Client::read(std::size_t index, Nanos now) {
  Route& route = routes_[index];
  const std::uint64_t token = route.token != 0 ? route.token : next_token_++;  // an observation is renewed as itself
  Exchange exchange;
  exchange.route = index;
  exchange.deadline = now + settings_.timeout;
  exchange.counted = true;
  if (start(std::move(exchange), {.path = route.path, .observe = route.observe}, token)) {
    ++reads_;
    route.token = token;
    route.asked = now;
    route.sequence_at = 0;
    if (route.observe) route.due = now + settings_.refresh;
  } else {
    route.due = now + route.poll;
  }
}

bool Client::start(Exchange exchange, Request request, std::uint64_t token) {
  request.token = token;
  if (session_ == nullptr || !send(session_, request)) return false;
  count(telemetry_->stats.messages_out);
  count(telemetry_->stats.bytes_out, request.body.size());
  exchanges_.insert_or_assign(token, std::move(exchange));
  return true;
}

void Client::take_commands() {
  Command command;
  while (context_.commands != nullptr && context_.commands->pop(command)) {
    const bool known = bindings_.actuators.contains(index_of(command.actuator));
    if (known && connected() && !ended_ && commands_.size() < kMostMessages)
      commands_.push_back(command);
    else
      acknowledge(command, Outcome::unavailable);
  }
}

void Client::write_next(Nanos now) {
  while (!writing_ && !commands_.empty()) {
    const Command command = commands_.front();
    commands_.pop_front();
    if (command.deadline <= now) {
      acknowledge(command, Outcome::timed_out);
      continue;
    }
    Exchange exchange;
    exchange.command = command;
    exchange.deadline = std::min(command.deadline, now + settings_.timeout);
    const std::string body = text_of(command.value);
    const Request request{.method = COAP_REQUEST_CODE_PUT,
                          .path = bindings_.actuators.at(index_of(command.actuator)),
                          .format = COAP_MEDIATYPE_TEXT_PLAIN,
                          .body = body};
    writing_ = start(std::move(exchange), request, next_token_++);
    if (!writing_) acknowledge(command, Outcome::unavailable);
  }
}

void Client::acknowledge(const Command& command, Outcome outcome, double read_back) {
  context_.commands->acknowledge(Ack{command.id, command.actuator, outcome, clock_.monotonic(), read_back});
}

void Client::take_outlets() {
  OutletSample sample;
  while (context_.outlets->pop(sample)) {
    if (!bindings_.outlets.contains(index_of(sample.outlet))) {  // of a plan before the last reload
      context_.outlets->dropped("unknown_outlet", 1);
      continue;
    }
    outlets_.push_back(sample);
    if (outlets_.size() <= settings_.queue) continue;
    outlets_.pop_front();
    context_.outlets->dropped("queue_full", 1);
  }
}

void Client::publish_next(Nanos now) {
  if (publishing_ || outlets_.empty()) return;
  const OutletSample sample = outlets_.front();
  const Bindings::Outlet& outlet = bindings_.outlets.at(index_of(sample.outlet));
  Exchange exchange;
  exchange.outlet = sample;
  exchange.deadline = now + settings_.timeout;
  const std::string body = json_of(outlet, sample);
  const Request request{
      .method = COAP_REQUEST_CODE_PUT, .path = outlet.path, .format = COAP_MEDIATYPE_APPLICATION_JSON, .body = body};
  publishing_ = start(std::move(exchange), request, next_token_++);
  if (publishing_) outlets_.pop_front();
}

bool Client::publish(std::string_view path, std::string_view payload) {
  if (!connected() || ended_ || exchanges_.size() >= kMostMessages) return false;
  Exchange exchange;
  exchange.deadline = clock_.monotonic() + settings_.timeout;
  const bool sent = start(
      std::move(exchange),
      {.method = COAP_REQUEST_CODE_POST, .path = path, .format = COAP_MEDIATYPE_APPLICATION_JSON, .body = payload},
      next_token_++);
  work();
  return sent;
}

void Client::spoil(Route& route) {
  if (std::exchange(route.bad, true)) return;
  wire::SampleBasket basket;
  for (const SignalId signal : route.signals)
    basket.add(signal, std::numeric_limits<double>::quiet_NaN(), clock_.wall(), Quality::bad);
  basket.push(clock_.monotonic(), *context_.inlet);
}

}  // namespace alara::coap
