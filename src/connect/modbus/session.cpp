// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/session.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "base/quantity.hpp"

namespace alara::modbus {
namespace {

// A device that answers nothing for so many requests in a row is taken for gone, though its connection looks alive.
constexpr int kTimeoutsBeforeReconnect = 3;

}  // namespace

Session::Session(const Settings& settings, std::vector<Tag> tags, std::vector<Actuator> actuators,
                 std::uint64_t name_hash, const ConnectorContext& context, std::shared_ptr<Telemetry> telemetry)
    : settings_(settings),
      context_(context),
      loop_(*context.loop),
      clock_(*context.clock),
      telemetry_(std::move(telemetry)),
      poller_(std::move(tags), settings_, name_hash, *telemetry_),
      writer_(std::move(actuators), settings_, *telemetry_),
      link_(make_link(settings_, loop_, clock_, *this, *telemetry_)),
      backoff_(settings_.reconnect_min, settings_.reconnect_max, context.seed ^ name_hash) {}

void Session::begin() {
  if (ended_) return;
  poller_.begin(*context_.inlet, clock_);
  writer_.begin(context_.commands);
  if (context_.commands != nullptr) {
    const auto watched = loop_.watch(context_.commands->event_fd(), EPOLLIN, [this](std::uint32_t) { on_commands(); });
    if (!watched) telemetry_->set_error(watched.error().message);
  }
  if (settings_.gateway) {
    gateway_ = std::make_unique<GatewayServer>(loop_, clock_, *settings_.gateway, *telemetry_, [this] {
      dispatch();
      rest();
    });
    gateway_->begin();
  }
  link_->open();
}

void Session::end() {
  if (std::exchange(ended_, true)) return;
  const Nanos now = clock_.monotonic();
  writer_.set_connected(false);
  lose_all(now);
  writer_.take(now);
  gateway_.reset();
  link_->close();
  loop_.cancel(timer_);
  loop_.cancel(reconnect_timer_);
  if (context_.commands != nullptr) loop_.unwatch(context_.commands->event_fd());
  if (telemetry_->stats.connected.exchange(false)) count(telemetry_->stats.disconnects);
}

void Session::on_commands() {
  writer_.take(clock_.monotonic());
  dispatch();
  rest();
}

void Session::link_up() {
  const Nanos now = clock_.monotonic();
  count(telemetry_->stats.connects);
  telemetry_->stats.connected.store(true, std::memory_order_relaxed);
  writer_.set_connected(true);
  if (gateway_) gateway_->set_connected(true);
  silent_timeouts_ = 0;
  not_before_ = now;
  poller_.connected(now);
  rest();
}

void Session::link_down(const Error& why) {
  const Nanos now = clock_.monotonic();
  const bool was_connected = telemetry_->stats.connected.exchange(false, std::memory_order_relaxed);
  if (was_connected) count(telemetry_->stats.disconnects);
  count(telemetry_->stats.errors);
  telemetry_->set_error(why.message);
  writer_.set_connected(false);
  lose_all(now);
  poller_.disconnected(now);
  loop_.cancel(timer_);
  timer_at_ = kNever;
  reconnect_later();
}

void Session::reconnect_later() {
  reconnect_timer_ = loop_.at(clock_.monotonic() + backoff_.next(), [this] {
    reconnect_timer_ = IoLoop::TimerId::none;
    link_->open();
  });
}

void Session::disconnect(const Error& why) {
  link_->close();
  link_down(why);
}

void Session::lose_all(Nanos now) {
  for (Transaction& transaction : transactions_) {
    if (!transaction.busy) continue;
    transaction.busy = false;
    if (transaction.kind == Kind::write) writer_.lost(transaction.write, Outcome::unavailable, now);
    if (transaction.kind == Kind::relayed) gateway_->failed(transaction.relayed, wire::ModbusException::gateway_path);
  }
  in_flight_ = 0;
  writer_.drop_queued(now);
  if (gateway_) gateway_->set_connected(false);
}

void Session::on_timer() {
  timer_ = IoLoop::TimerId::none;
  timer_at_ = kNever;
  const Nanos now = clock_.monotonic();
  poller_.advance(now);
  dispatch();  // first what is due: its punctuality is what is measured
  expire(now);
  rest();
}

void Session::wake_at(Nanos instant) {
  if (instant >= timer_at_) return;
  loop_.cancel(timer_);
  timer_at_ = instant;
  timer_ = loop_.at(instant, [this] { on_timer(); });
}

// Nothing more to do now: sleep until the next slot, deadline or end of a pause.
void Session::rest() {
  if (!link_->up()) return;
  Nanos next = poller_.next_due();
  for (const Transaction& transaction : transactions_)
    if (transaction.busy) next = std::min(next, transaction.deadline);
  if (next != kNever) wake_at(next);
}

bool Session::reads_in_flight() const {
  return std::ranges::any_of(transactions_, [](const Transaction& t) { return t.busy && t.kind == Kind::poll; });
}

Session::Transaction* Session::free_slot() {
  if (in_flight_ >= settings_.in_flight) return nullptr;
  return &*std::ranges::find(transactions_, false, &Transaction::busy);
}

Session::Transaction* Session::in_flight(std::uint16_t id) {
  const auto found = std::ranges::find_if(transactions_, [id](const Transaction& t) { return t.busy && t.id == id; });
  return found == transactions_.end() ? nullptr : &*found;
}

wire::ModbusRequest Session::Transaction::request() const {
  switch (kind) {
    case Kind::write:
      return write.request();
    case Kind::relayed:
      return relayed.request();
    default:
      return poll->request();
  }
}

void Session::dispatch() {
  if (!link_->up()) return;
  if (poller_.wants_plan() && !reads_in_flight()) poller_.replan(clock_.monotonic());
  while (Transaction* slot = free_slot()) {
    const Nanos now = clock_.monotonic();
    const Nanos not_before = std::max(not_before_, link_->quiet_until());
    if (now < not_before) return wake_at(not_before);
    if (!take_next(*slot, now)) return;
    send(*slot, now);
  }
}

bool Session::take_next(Transaction& transaction, Nanos now) {
  if (writer_.next(transaction.write)) {
    transaction.kind = Kind::write;
    transaction.unit = transaction.write.actuator->address.unit;
    return true;
  }
  const bool taken = relayed_last_ ? take_poll(transaction, now) || take_relayed(transaction)
                                   : take_relayed(transaction) || take_poll(transaction, now);
  if (taken) relayed_last_ = transaction.kind == Kind::relayed;
  return taken;
}

bool Session::take_relayed(Transaction& transaction) {
  if (!gateway_ || !gateway_->next(transaction.relayed)) return false;
  transaction.kind = Kind::relayed;
  transaction.unit = transaction.relayed.ticket.unit;
  return true;
}

bool Session::take_poll(Transaction& transaction, Nanos now) {
  transaction.poll = poller_.next(now);
  if (transaction.poll == nullptr) return false;
  transaction.kind = Kind::poll;
  transaction.unit = transaction.poll->plan.unit;
  poller_.sent(*transaction.poll, now);
  return true;
}

void Session::send(Transaction& transaction, Nanos now) {
  transaction.busy = true;
  transaction.id = next_id_++;
  ++in_flight_;
  if (settings_.pause > 0) not_before_ = now + settings_.pause;
  const Nanos on_the_line = link_->send({transaction.id, transaction.unit, transaction.request()});
  transaction.deadline = now + on_the_line + settings_.timeout;
}

void Session::release(Transaction& transaction, Nanos now) {
  transaction.busy = false;
  --in_flight_;
  if (settings_.pause > 0) not_before_ = now + settings_.pause;
}

void Session::link_frame(const wire::ModbusFrame& frame, Nanos arrival) {
  Transaction* const found = in_flight(frame.transaction);
  if (found == nullptr || found->unit != frame.unit) {
    const bool late = found == nullptr && std::ranges::find(expired_, frame.transaction + 1u) != expired_.end();
    if (late) static_cast<void>(poller_.late(frame.unit));
    count(late ? telemetry_->late_answers : telemetry_->stray_answers);
    if (!late) count(telemetry_->stats.errors);
    return;
  }
  answered(*found, wire::parse_answer(found->request(), frame.pdu), frame.pdu, arrival);
}

void Session::link_stray(std::uint8_t unit) {
  const bool late = poller_.late(unit);
  count(late ? telemetry_->late_answers : telemetry_->stray_answers);
  if (!late) count(telemetry_->stats.errors);
}

void Session::link_damaged(std::uint16_t transaction, Nanos arrival) {
  wire::ModbusAnswer damaged;
  damaged.fault = "an answer with a wrong checksum";
  if (Transaction* const found = in_flight(transaction)) answered(*found, damaged, {}, arrival);
}

void Session::answered(Transaction& transaction, const wire::ModbusAnswer& answer, std::span<const std::uint8_t> pdu,
                       Nanos arrival) {
  release(transaction, arrival);
  const bool malformed = answer.kind == wire::ModbusAnswer::Kind::malformed;
  if (!malformed) {
    silent_timeouts_ = 0;
    backoff_.restart();
    telemetry_->stats.last_progress.store(arrival, std::memory_order_relaxed);
    const bool refused = answer.kind == wire::ModbusAnswer::Kind::exception;
    if (!refused && telemetry_->quarantined.load(std::memory_order_relaxed) == 0) telemetry_->clear_error();
  }
  if (transaction.kind == Kind::poll) return poller_.answered(*transaction.poll, answer, arrival);
  if (transaction.kind == Kind::write) return writer_.answered(transaction.write, answer, arrival);
  if (malformed)
    gateway_->failed(transaction.relayed, wire::ModbusException::gateway_target);
  else
    gateway_->answered(transaction.relayed, pdu);
}

void Session::link_quiet() {
  dispatch();
  rest();
}

void Session::expire(Nanos now) {
  for (Transaction& transaction : transactions_) {
    if (!transaction.busy || transaction.deadline > now) continue;
    release(transaction, now);
    expired_[next_expired_++ % expired_.size()] = transaction.id + 1u;
    count(telemetry_->timeouts);
    count(telemetry_->stats.errors);
    telemetry_->set_error(fmt::format("{}: unit {} did not answer within {}", settings_.place(), transaction.unit,
                                      format_duration(settings_.timeout)));
    if (transaction.kind == Kind::poll)
      poller_.timed_out(*transaction.poll, now);
    else if (transaction.kind == Kind::write)
      writer_.lost(transaction.write, Outcome::timed_out, now);
    else
      gateway_->failed(transaction.relayed, wire::ModbusException::gateway_target);
    ++silent_timeouts_;
  }
  if (silent_timeouts_ >= kTimeoutsBeforeReconnect)
    return disconnect(
        {ErrorKind::timed_out, fmt::format("{} answers nothing; connecting anew", settings_.place()), {}, {}});
  dispatch();
}

}  // namespace alara::modbus
