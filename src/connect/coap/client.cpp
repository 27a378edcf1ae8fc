// SPDX-License-Identifier: Apache-2.0
// The life of the session and of what is under way; reading is in client_read.cpp, writing in client_write.cpp.
#include "connect/coap/client.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "base/quantity.hpp"

namespace alara::coap {
namespace {

constexpr int kFailuresBeforeRest = 2;

std::string_view text_of(coap_nack_reason_t reason) {
  switch (reason) {
    case COAP_NACK_TOO_MANY_RETRIES:
      return "does not answer";
    case COAP_NACK_TLS_FAILED:
      return "gives no secured session";
    case COAP_NACK_ICMP_ISSUE:
      return "is not there";
    default:
      return "can not be sent to";
  }
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
  const auto watch = [this](int fd, void (Client::*take)()) {
    const auto watched = loop_.watch(fd, EPOLLIN, [this, take](std::uint32_t) {
      (this->*take)();
      work();
    });
    if (!watched) telemetry_->set_error(watched.error().message);
  };
  if (context_.commands != nullptr) watch(context_.commands->event_fd(), &Client::take_commands);
  if (context_.outlets != nullptr) watch(context_.outlets->event_fd(), &Client::take_outlets);
  auto engine = Engine::create(loop_, this, [this] { after_turn(); });
  if (!engine) return telemetry_->set_error(engine.error().message);
  engine_ = std::move(*engine);
  coap_context_t* const context = engine_->context();
  coap_register_response_handler(context, on_response);
  coap_register_nack_handler(context, on_nack);
  coap_register_pong_handler(context, on_pong);
  coap_register_event_handler(context, on_event);
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

// Before there was a secured session, keys or certificates may be the reason.
std::string Client::without_session(std::string_view what) const {
  if (!settings_.dtls || connected()) return fmt::format("{} {}", settings_.text(), what);
  if (!engine_->refusal().empty()) return fmt::format("{}: {}", settings_.text(), engine_->refusal());
  return fmt::format("{} {}: perhaps we do not agree on keys or certificates", settings_.text(), what);
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
    self->lost(self->without_session("ended the secured session"));
  return 0;
}

void Client::on_pong(coap_session_t* session, const coap_pdu_t*, coap_mid_t) {
  if (Client* const self = of(session)) self->alive();
}

void Client::on_nack(coap_session_t* session, const coap_pdu_t* sent, coap_nack_reason_t reason, coap_mid_t) {
  Client* const self = of(session);
  if (self == nullptr) return;
  if (reason != COAP_NACK_RST) return self->lost(self->without_session(text_of(reason)));
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

void Client::refused(std::string_view method, std::string_view path, coap_pdu_code_t code) {
  count(telemetry_->refusals);
  count(telemetry_->stats.errors);
  telemetry_->set_error(fmt::format("{} refuses {} {}: {}", settings_.text(), method, path, coap::name_of(code)));
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
  lost(without_session("gives no sign of life"));
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

bool Client::start(Exchange exchange, Request request, std::uint64_t token) {
  request.token = token;
  if (session_ == nullptr || !send(session_, request)) return false;
  count(telemetry_->stats.messages_out);
  count(telemetry_->stats.bytes_out, request.body.size());
  exchanges_.insert_or_assign(token, std::move(exchange));
  return true;
}

}  // namespace alara::coap
