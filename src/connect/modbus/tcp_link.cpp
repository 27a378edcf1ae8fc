// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/tcp_link.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/quantity.hpp"

namespace alara::modbus {
namespace {

constexpr std::size_t kAnswersAtOnce = 18;  // all that can be in flight, and a piece
constexpr std::size_t kMostUnsent = 64u << 10;

bool has_peer(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

}  // namespace

TcpLink::TcpLink(IoLoop& loop, Clock& clock, Endpoint endpoint, Nanos timeout, Owner& owner, ConnectorStats& stats)
    : loop_(loop),
      clock_(clock),
      endpoint_(std::move(endpoint)),
      timeout_(timeout),
      owner_(owner),
      stats_(stats),
      resolver_(loop),
      reader_(kAnswersAtOnce) {
  unsent_.reserve(wire::kMaxModbusFrame);
}

// The loop may be gone already when a connector is destroyed without stop(); closing needs no loop.
TcpLink::~TcpLink() {
  if (fd_ >= 0) ::close(fd_);
}

void TcpLink::open() {
  close();
  state_ = State::resolving;
  timer_ = loop_.at(clock_.monotonic() + timeout_, [this] {
    timer_ = IoLoop::TimerId::none;
    fail_link(ErrorKind::timed_out,
              fmt::format("{} can not be reached within {}", endpoint_.text(), format_duration(timeout_)));
  });
  resolver_.resolve(endpoint_, [this](const Result<std::vector<SocketAddress>>& addresses) {
    if (!addresses) return fail_link(ErrorKind::unavailable, addresses.error().message);
    connect_to((*addresses)[attempt_++ % addresses->size()]);  // a name's addresses take turns
  });
}

void TcpLink::close() {
  resolver_.cancel();
  loop_.cancel(timer_);
  timer_ = IoLoop::TimerId::none;
  if (fd_ >= 0) {
    loop_.unwatch(fd_);
    ::close(fd_);
    fd_ = -1;
  }
  reader_.clear();
  unsent_.clear();
  state_ = State::closed;
}

void TcpLink::fail_link(ErrorKind kind, std::string why) {
  close();
  owner_.link_down(Error{kind, std::move(why), {}, {}});
}

void TcpLink::connect_to(const SocketAddress& address) {
  state_ = State::connecting;
  fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return fail_link(ErrorKind::exhausted, fmt::format("can not open a socket: {}", std::strerror(errno)));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 && errno != EINPROGRESS)
    return fail_link(ErrorKind::unavailable,
                     fmt::format("can not connect to {}: {}", endpoint_.text(), std::strerror(errno)));
  const auto watched = loop_.watch(fd_, EPOLLOUT, [this](std::uint32_t events) { on_event(events); });
  if (!watched) fail_link(watched.error().kind, watched.error().message);
}

void TcpLink::on_event(std::uint32_t events) {
  if (state_ == State::connecting) return on_connected();
  if (state_ != State::up) return;
  if ((events & EPOLLOUT) != 0) flush();
  if (state_ == State::up && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) receive();
}

void TcpLink::on_connected() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    return fail_link(ErrorKind::unavailable,
                     fmt::format("can not connect to {}: {}", endpoint_.text(), std::strerror(error)));
  if (!has_peer(fd_)) return;  // an event left over from an earlier descriptor of the same number
  loop_.cancel(timer_);
  timer_ = IoLoop::TimerId::none;
  state_ = State::up;
  watch();
  owner_.link_up();
}

void TcpLink::watch() { static_cast<void>(loop_.change(fd_, unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT)); }

void TcpLink::receive() {
  const auto room = reader_.room();
  const ssize_t got = recv(fd_, room.data(), room.size(), 0);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return fail_link(ErrorKind::unavailable,
                     fmt::format("{} broke the connection: {}", endpoint_.text(), std::strerror(errno)));
  }
  if (got == 0)
    return fail_link(ErrorKind::unavailable, fmt::format("{} closed the connection{}", endpoint_.text(),
                                                         reader_.within_frame() ? " in the middle of a frame" : ""));
  const Nanos arrival = clock_.monotonic();
  count(stats_.bytes_in, static_cast<std::uint64_t>(got));
  reader_.filled(static_cast<std::size_t>(got));
  wire::ModbusFrame frame;
  auto next = wire::ModbusFrameReader::State::more;
  while (state_ == State::up && (next = reader_.next(frame)) == wire::ModbusFrameReader::State::frame) {
    count(stats_.messages_in, 1);
    owner_.link_frame(frame, arrival);
  }
  if (state_ != State::up) return;
  if (next == wire::ModbusFrameReader::State::corrupt)
    return fail_link(ErrorKind::corrupt, fmt::format("{} sent bytes that are no Modbus frame", endpoint_.text()));
  owner_.link_quiet();
}

// What the socket does not take at once is kept.
Nanos TcpLink::send(const Outgoing& out) {
  std::array<std::uint8_t, wire::kMaxModbusFrame> frame;
  const std::size_t size = wire::encode_request(out.transaction, out.unit, out.request, frame);
  send(std::span(frame).first(size));
  return 0;
}

void TcpLink::send(std::span<const std::uint8_t> frame) {
  if (state_ != State::up) return;
  count(stats_.messages_out, 1);
  std::size_t sent = 0;
  if (unsent_.empty()) {
    const ssize_t written = ::send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL);
    if (written > 0) sent = static_cast<std::size_t>(written);
    if (written < 0 && errno != EAGAIN && errno != EINTR) shutdown(fd_, SHUT_RDWR);  // receive() will find the end
  }
  count(stats_.bytes_out, sent);
  if (sent == frame.size()) return;
  if (unsent_.size() + frame.size() > kMostUnsent) {
    shutdown(fd_, SHUT_RDWR);
    return;
  }
  unsent_.insert(unsent_.end(), frame.begin() + static_cast<std::ptrdiff_t>(sent), frame.end());
  watch();
}

void TcpLink::flush() {
  if (unsent_.empty()) return watch();
  const ssize_t written = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (written < 0) {
    if (errno != EAGAIN && errno != EINTR) shutdown(fd_, SHUT_RDWR);
    return;
  }
  count(stats_.bytes_out, static_cast<std::uint64_t>(written));
  unsent_.erase(unsent_.begin(), unsent_.begin() + written);
  if (unsent_.empty()) watch();
}

}  // namespace alara::modbus
