// SPDX-License-Identifier: Apache-2.0
// What a client writes: commands, published values, messages.
#include "connect/coap/client.hpp"

namespace alara::coap {
namespace {

constexpr std::size_t kMostMessages = 1000;  // commands that wait; messages whose answers are waited for

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

void Client::outlet_answered(coap_pdu_code_t code) {
  publishing_ = false;
  if (is_good(code)) return context_.outlets->delivered(1);
  refused("PUT", "a published value", code);
  context_.outlets->dropped("refused", 1);
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

}  // namespace alara::coap
