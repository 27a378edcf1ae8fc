// SPDX-License-Identifier: Apache-2.0
// What goes out: frames that write values, with their acks, and OBD requests with their answers.
#include <algorithm>
#include <limits>

#include "connect/can/connector.hpp"

namespace alara::can {
namespace {

constexpr std::size_t kMostPending = 1024;

}  // namespace

void CanConnector::take_commands() {
  Command command;
  while (context_.commands->pop(command)) send(command);
}

void CanConnector::acknowledge(const Command& command, Outcome outcome) {
  context_.commands->acknowledge(Ack{command.id, command.actuator, outcome, context_.clock->monotonic(), 0});
}

void CanConnector::send(const Command& command) {
  if (!bus_) return acknowledge(command, Outcome::unavailable);
  if (command.verify) {
    report("a value written to a CAN bus can not be verified by reading it back");
    return acknowledge(command, Outcome::unavailable);
  }
  const auto frame = plan_.frame_for(command.actuator, command.value);
  if (!frame) {
    report(frame.error().message);
    return acknowledge(command, Outcome::refused_device);
  }
  if (!put(*frame, &command)) return acknowledge(command, Outcome::unavailable);
}

// Hands a frame to the bus; its fate comes with settle(). `command` is nullptr for frames of the protocol.
bool CanConnector::put(const wire::can::Frame& frame, const Command* command) {
  if (!bus_ || pending_.size() >= kMostPending) return false;
  if (const Status sent = bus_->send(frame); !sent) {
    report(sent.error().message);
    return false;
  }
  stats_.messages_out.fetch_add(1, std::memory_order_relaxed);
  stats_.bytes_out.fetch_add(frame.size, std::memory_order_relaxed);
  pending_.push_back({command != nullptr ? *command : Command{}, context_.clock->monotonic() + settings_.ack_timeout,
                      command == nullptr});
  if (settings_.bus == BusKind::socketcan)
    settle(1, 0);  // the kernel has it
  else if (pending_.size() == 1)
    watch_timeouts();
  return true;
}

void CanConnector::settle(std::size_t confirmed, std::size_t refused) {
  for (std::size_t i = 0; i < confirmed + refused && !pending_.empty(); ++i) {
    const Pending pending = pending_.front();
    pending_.pop_front();
    if (!pending.ours) acknowledge(pending.command, i < confirmed ? Outcome::done : Outcome::refused_device);
  }
}

void CanConnector::watch_timeouts() {
  const std::uint64_t opening = opening_;
  loop_->at(pending_.front().give_up, [this, opening] {
    if (opening != opening_) return;
    const Nanos now = context_.clock->monotonic();
    while (!pending_.empty() && pending_.front().give_up <= now) {
      if (!pending_.front().ours) acknowledge(pending_.front().command, Outcome::timed_out);
      pending_.pop_front();
    }
    if (!pending_.empty()) watch_timeouts();
  });
}

// Asks for the parameter that is due first, at its time; called again when its answer is there or overdue.
void CanConnector::ask_next() {
  const auto due = std::ranges::min_element(next_ask_);
  const auto poll = static_cast<std::size_t>(due - next_ask_.begin());
  const Nanos now = context_.clock->monotonic();
  const std::uint64_t opening = opening_;
  if (*due > now) {
    loop_->at(*due, [this, opening] {
      if (opening == opening_) ask_next();
    });
    return;
  }
  const ObdPoll& asked = plan_.polls()[poll];
  next_ask_[poll] = std::max(*due + asked.period, now + asked.period / 2);  // what was missed is not made up for
  wire::can::Frame frame;
  frame.id = wire::can::kObdRequestId;
  frame.size = 8;
  frame.data.fill(wire::can::kIsotpPad);
  const std::vector<std::uint8_t> request = wire::can::obd_request(*asked.parameter);
  frame.data[0] = static_cast<std::uint8_t>(request.size());
  std::ranges::copy(request, frame.data.begin() + 1);
  question_ = Question{poll, now};
  static_cast<void>(put(frame, nullptr));
  loop_->at(now + settings_.request_timeout, [this, opening, now] {
    if (opening == opening_ && question_ && question_->asked == now) answer_overdue();
  });
}

void CanConnector::take_answer(const wire::can::Frame& frame, Nanos time) {
  using Event = wire::can::IsotpReceiver::Event;
  const Event event = answer_.take(frame.bytes(), context_.clock->monotonic());
  if (event == Event::flow_control_due) {
    wire::can::Frame reply;
    reply.id = frame.id - 8;  // each control unit listens eight below where it answers
    reply.size = 8;
    std::ranges::copy(wire::can::IsotpReceiver::flow_control(), reply.data.begin());
    replies_.push_back(reply);
  }
  if (event != Event::message || !question_) return;
  const ObdPoll& asked = plan_.polls()[question_->poll];
  const auto value = wire::can::obd_value(*asked.parameter, answer_.message());
  if (!value) return;  // another unit's refusal, or an answer that came too late
  for (const SignalId id : asked.signals) samples_.add(id, *value, time, Quality::good);
  question_.reset();
  loop_->post([this, opening = opening_] {
    if (opening == opening_) ask_next();
  });
}

void CanConnector::answer_overdue() {
  const ObdPoll& asked = plan_.polls()[question_->poll];
  unanswered_.fetch_add(1, std::memory_order_relaxed);
  report(
      fmt::format("{}: no answer to OBD {:02X} ({})", settings_.endpoint, asked.parameter->pid, asked.parameter->name));
  const Nanos now = context_.clock->wall();
  for (const SignalId id : asked.signals) samples_.add(id, std::numeric_limits<double>::quiet_NaN(), now, Quality::bad);
  push();
  question_.reset();
  ask_next();
}

}  // namespace alara::can
