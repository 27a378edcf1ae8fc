// SPDX-License-Identifier: Apache-2.0
// What a client reads: observations and polls, and what their answers mean for the signals.
#include <limits>

#include "connect/coap/client.hpp"

namespace alara::coap {
namespace {

constexpr std::size_t kReadsAtOnce = 4;
// An observation's numbers are 24 bits and may wrap; after this time any number is newer (RFC 7641, 3.4).
constexpr std::uint32_t kSequenceHalf = 1u << 23;
constexpr Nanos kSequenceAge = 128 * kSecond;

}  // namespace

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

bool Client::is_fresh(Route& route, std::uint32_t sequence, Nanos now) {
  const std::uint32_t ahead = (sequence - route.sequence) & (2 * kSequenceHalf - 1);
  const bool fresh =
      route.sequence_at == 0 || now - route.sequence_at > kSequenceAge || (ahead != 0 && ahead < kSequenceHalf);
  if (fresh) {
    route.sequence = sequence;
    route.sequence_at = now;
  }
  return fresh;
}

void Client::spoil(Route& route) {
  if (std::exchange(route.bad, true)) return;
  wire::SampleBasket basket;
  for (const SignalId signal : route.signals)
    basket.add(signal, std::numeric_limits<double>::quiet_NaN(), clock_.wall(), Quality::bad);
  basket.push(clock_.monotonic(), *context_.inlet);
}

}  // namespace alara::coap
