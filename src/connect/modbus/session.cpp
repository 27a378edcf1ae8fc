// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/session.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "base/quantity.hpp"

namespace alara::modbus {
namespace {

// A device that answers nothing for so many requests in a row is taken for gone, though its connection looks alive.
constexpr int kTimeoutsBeforeReconnect = 3;
constexpr int kMostDoublings = 20;

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
      link_(loop_, clock_, settings_.endpoint, settings_.timeout, *this, telemetry_->stats),
      random_(context.seed ^ name_hash) {}

void Session::begin() {
  thread_ = std::this_thread::get_id();
  if (ended_) return;
  poller_.begin(*context_.inlet, clock_);
  writer_.begin(context_.commands);
  if (context_.commands != nullptr) {
    const auto watched = loop_.watch(context_.commands->event_fd(), EPOLLIN, [this](std::uint32_t) { on_commands(); });
    if (!watched) telemetry_->set_error(watched.error().message);
  }
  link_.open();
}

void Session::end() {
  if (std::exchange(ended_, true)) return;
  const Nanos now = clock_.monotonic();
  writer_.set_connected(false);
  lose_all(now);
  writer_.take(now);
  link_.close();
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

// Full jitter (M. Brooker, "Exponential Backoff and Jitter"): anything from nothing to the doubled limit, so that the
// clients of a restarted gateway do not come back at the same moments.
void Session::reconnect_later() {
  const int doublings = std::min(attempts_++, kMostDoublings);
  Nanos limit = settings_.reconnect_min;
  for (int i = 0; i < doublings && limit < settings_.reconnect_max; ++i) limit *= 2;
  limit = std::min(limit, settings_.reconnect_max);
  const Nanos wait = std::uniform_int_distribution<Nanos>(0, limit)(random_);
  reconnect_timer_ = loop_.at(clock_.monotonic() + wait, [this] {
    reconnect_timer_ = IoLoop::TimerId::none;
    link_.open();
  });
}

void Session::disconnect(const Error& why) {
  link_.close();
  link_down(why);
}

void Session::lose_all(Nanos now) {
  for (Transaction& transaction : transactions_) {
    if (!transaction.busy) continue;
    transaction.busy = false;
    if (transaction.poll == nullptr) writer_.lost(transaction.write, Outcome::unavailable, now);
  }
  in_flight_ = 0;
  writer_.drop_queued(now);
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
  if (!link_.up()) return;
  Nanos next = poller_.next_due();
  for (const Transaction& transaction : transactions_)
    if (transaction.busy) next = std::min(next, transaction.deadline);
  if (next != kNever) wake_at(next);
}

bool Session::reads_in_flight() const {
  return std::ranges::any_of(transactions_, [](const Transaction& t) { return t.busy && t.poll != nullptr; });
}

Session::Transaction* Session::free_slot() {
  if (in_flight_ >= settings_.in_flight) return nullptr;
  return &*std::ranges::find(transactions_, false, &Transaction::busy);
}

void Session::dispatch() {
  if (!link_.up()) return;
  if (poller_.wants_plan() && !reads_in_flight()) poller_.replan(clock_.monotonic());
  while (Transaction* slot = free_slot()) {
    const Nanos now = clock_.monotonic();
    if (now < not_before_) return wake_at(not_before_);
    if (writer_.next(slot->write)) {
      slot->poll = nullptr;
    } else if (Poll* poll = poller_.next()) {
      slot->poll = poll;
      poller_.sent(*poll, now);
    } else {
      return;
    }
    send(*slot, now);
  }
}

void Session::send(Transaction& transaction, Nanos now) {
  transaction.busy = true;
  transaction.id = next_id_++;
  transaction.unit =
      transaction.poll != nullptr ? transaction.poll->plan.unit : transaction.write.actuator->address.unit;
  transaction.deadline = now + settings_.timeout;
  ++in_flight_;
  if (settings_.pause > 0) not_before_ = now + settings_.pause;
  std::array<std::uint8_t, wire::kMaxModbusFrame> frame;
  const std::size_t size = wire::encode_request(transaction.id, transaction.unit, transaction.request(), frame);
  link_.send(std::span(frame).first(size));
}

void Session::release(Transaction& transaction, Nanos now) {
  transaction.busy = false;
  --in_flight_;
  if (settings_.pause > 0) not_before_ = now + settings_.pause;
}

void Session::link_frame(const wire::ModbusFrame& frame, Nanos arrival) {
  const auto found =
      std::ranges::find_if(transactions_, [&](const Transaction& t) { return t.busy && t.id == frame.transaction; });
  if (found == transactions_.end() || found->unit != frame.unit) {
    const bool late =
        found == transactions_.end() && std::ranges::find(expired_, frame.transaction + 1u) != expired_.end();
    count(late ? telemetry_->late_answers : telemetry_->stray_answers);
    if (!late) count(telemetry_->stats.errors);
    return;
  }
  const wire::ModbusAnswer answer = wire::parse_answer(found->request(), frame.pdu);
  release(*found, arrival);
  if (answer.kind != wire::ModbusAnswer::Kind::malformed) {
    silent_timeouts_ = 0;
    attempts_ = 0;
    telemetry_->stats.last_progress.store(arrival, std::memory_order_relaxed);
    const bool refused = answer.kind == wire::ModbusAnswer::Kind::exception;
    if (!refused && telemetry_->quarantined.load(std::memory_order_relaxed) == 0) telemetry_->clear_error();
  }
  if (found->poll != nullptr)
    poller_.answered(*found->poll, answer, arrival);
  else
    writer_.answered(found->write, answer, arrival);
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
    telemetry_->set_error(fmt::format("{}: unit {} did not answer within {}", settings_.endpoint.text(),
                                      transaction.unit, format_duration(settings_.timeout)));
    if (transaction.poll != nullptr)
      poller_.timed_out(*transaction.poll, now);
    else
      writer_.lost(transaction.write, Outcome::timed_out, now);
    ++silent_timeouts_;
  }
  if (silent_timeouts_ >= kTimeoutsBeforeReconnect)
    return disconnect(
        {ErrorKind::timed_out, fmt::format("{} answers nothing; connecting anew", settings_.endpoint.text()), {}, {}});
  dispatch();
}

}  // namespace alara::modbus
