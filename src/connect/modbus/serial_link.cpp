// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/serial_link.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace alara::modbus {
namespace {

// Adapters hand over what they have collected every 16 ms or so: a gap in the middle of a frame may look this long.
constexpr Nanos kAdapterGap = 30 * kMillisecond;
// Noise beyond what the line can carry in a second, before it is given up.
constexpr std::uint64_t kNoiseSlack = 2 * wire::kMaxRtuFrame;
constexpr std::uint8_t kExceptionBit = 0x80;

}  // namespace

SerialLink::SerialLink(IoLoop& loop, Clock& clock, SerialLine line, Owner& owner, Telemetry& telemetry)
    : loop_(loop),
      clock_(clock),
      line_(std::move(line)),
      timing_(line_.timing()),
      owner_(owner),
      telemetry_(telemetry) {}

void SerialLink::set_timer(IoLoop::TimerId& timer, Nanos at, void (SerialLink::*task)()) {
  loop_.cancel(timer);
  timer = loop_.at(at, [this, &timer, task] {
    timer = IoLoop::TimerId::none;
    (this->*task)();
  });
}

void SerialLink::cancel(IoLoop::TimerId& timer) {
  loop_.cancel(timer);
  timer = IoLoop::TimerId::none;
}

void SerialLink::open() {
  close();
  set_timer(opening_, clock_.monotonic(), &SerialLink::open_now);
}

void SerialLink::close() {
  cancel(opening_);
  cancel(sending_);
  cancel(silence_);
  if (port_) loop_.unwatch(port_->fd());
  port_.reset();
  waiting_ = false;
  reader_.expect_nothing();
  reader_.clear();
}

void SerialLink::fail_link(ErrorKind kind, std::string why) {
  close();
  owner_.link_down(Error{kind, std::move(why), {}, {}});
}

void SerialLink::open_now() {
  auto port = SerialPort::open(line_);
  if (!port) return fail_link(port.error().kind, port.error().message);
  port_ = std::move(*port);
  const auto watched = loop_.watch(port_->fd(), EPOLLIN, [this](std::uint32_t) { receive(); });
  if (!watched) return fail_link(watched.error().kind, watched.error().message);
  noise_ = reader_.noise();
  damaged_ = reader_.damaged();
  second_ = clock_.monotonic();
  noise_of_second_ = 0;
  quiet_until_ = second_ + timing_.silence;
  owner_.link_up();
}

Nanos SerialLink::send(const Outgoing& out) {
  if (!port_) return 0;  // the owner hears of it
  std::array<std::uint8_t, wire::kMaxModbusFrame> frame;
  const std::size_t size = wire::encode_request(out.transaction, out.unit, out.request, frame);
  sent_size_ = wire::encode_rtu(out.unit, std::span(frame).first(size).subspan(wire::kModbusHeader), sent_);
  echoed_ = line_.echo ? 0 : sent_size_;
  transaction_ = out.transaction;
  unit_ = out.unit;
  function_ = static_cast<std::uint8_t>(out.request.function);
  waiting_ = true;
  reader_.clear();  // a request ends whatever was on the line
  const std::size_t answer_size = wire::rtu_answer_bytes(out.request);
  reader_.expect(out.unit, out.request.function, answer_size);
  count(telemetry_.stats.messages_out);
  count(telemetry_.stats.bytes_out, sent_size_);
  const Nanos before = line_.rs485 == Rs485::rts ? line_.rts_delay : 0;
  quiet_until_ = clock_.monotonic() + before + timing_.of_bytes(sent_size_) + timing_.silence;
  if (line_.rs485 == Rs485::rts) port_->set_rts(true);
  // By the timer also without delay: a failure must not reach the owner from within its own call.
  set_timer(sending_, clock_.monotonic() + before, &SerialLink::write_request);
  return before + timing_.of_bytes(sent_size_ + answer_size);
}

void SerialLink::write_request() {
  const ssize_t written = write(port_->fd(), sent_.data(), sent_size_);
  // Nothing can be waiting in the device, since the last exchange is over. If it takes no more, it is stuck.
  if (written != static_cast<ssize_t>(sent_size_))
    return fail_link(ErrorKind::unavailable, fmt::format("can not send to {}: {}", line_.device,
                                                         written < 0 ? std::strerror(errno) : "it takes no more"));
  if (line_.rs485 != Rs485::rts) return;
  set_timer(sending_, clock_.monotonic() + timing_.of_bytes(sent_size_) + line_.rts_delay, &SerialLink::end_of_sending);
}

void SerialLink::end_of_sending() {
  if (!port_->has_sent_all())
    return set_timer(sending_, clock_.monotonic() + timing_.character, &SerialLink::end_of_sending);
  port_->set_rts(false);
}

void SerialLink::receive() {
  if (!port_) return;
  const auto room = reader_.room();
  const ssize_t got = read(port_->fd(), room.data(), room.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0)
    return fail_link(ErrorKind::unavailable, fmt::format("{} is gone{}{}", line_.device, got < 0 ? ": " : "",
                                                         got < 0 ? std::strerror(errno) : ""));
  const Nanos arrival = clock_.monotonic();
  count(telemetry_.stats.bytes_in, static_cast<std::uint64_t>(got));
  reader_.filled(strip_echo(room.first(static_cast<std::size_t>(got))));
  quiet_until_ = arrival + timing_.silence;
  set_timer(silence_, arrival + std::max(timing_.silence, kAdapterGap), &SerialLink::on_silence);
  hand_over(arrival);
}

// Takes the request's own bytes from the front. As soon as something else comes back, no echo follows.
std::size_t SerialLink::strip_echo(std::span<std::uint8_t> bytes) {
  const std::size_t most = std::min(sent_size_ - echoed_, bytes.size());
  if (most == 0) return bytes.size();
  if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(most),
                  sent_.begin() + static_cast<std::ptrdiff_t>(echoed_))) {
    echoed_ = sent_size_;
    return bytes.size();
  }
  echoed_ += most;
  std::memmove(bytes.data(), bytes.data() + most, bytes.size() - most);
  return bytes.size() - most;
}

void SerialLink::on_silence() {
  reader_.silence();
  hand_over(clock_.monotonic());
}

void SerialLink::hand_over(Nanos arrival) {
  wire::ModbusFrame frame;
  while (port_ && reader_.next(frame) == wire::RtuReader::State::frame) {
    count(telemetry_.stats.messages_in);
    if (waiting_ && frame.unit == unit_ && (frame.pdu[0] & ~kExceptionBit) == function_) {
      waiting_ = false;
      frame.transaction = transaction_;
      owner_.link_frame(frame, arrival);
    } else {
      owner_.link_stray(frame.unit);
    }
  }
  if (!port_) return;
  const bool damaged = reader_.damaged() != damaged_;
  damaged_ = reader_.damaged();
  if (damaged && waiting_) {
    waiting_ = false;
    owner_.link_damaged(transaction_, arrival);
  }
  if (!port_) return;
  if (babbles(arrival))
    return fail_link(ErrorKind::corrupt, fmt::format("{} carries more noise than it has bits for", line_.text()));
  owner_.link_quiet();
}

bool SerialLink::babbles(Nanos now) {
  const std::uint64_t fresh = reader_.noise() - noise_;
  noise_ = reader_.noise();
  if (fresh == 0) return false;
  count(telemetry_.noise_bytes, fresh);
  count(telemetry_.stats.errors);
  if (now - second_ >= kSecond) {
    second_ = now;
    noise_of_second_ = 0;
  }
  noise_of_second_ += fresh;
  return noise_of_second_ > static_cast<std::uint64_t>(kSecond / timing_.character) + kNoiseSlack;
}

}  // namespace alara::modbus
