// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>

#include "base/endpoint.hpp"
#include "connect/modbus/telemetry.hpp"

namespace alara::modbus {
namespace {

constexpr int kBacklog = 128;
constexpr std::size_t kRequestsAtOnce = 16;

}  // namespace

struct Server::Port {
  int fd = -1;
  std::vector<Unit> units;
  Responder* any = nullptr;
  Relay* relay = nullptr;

  [[nodiscard]] Responder* responder(std::uint8_t unit) const {
    for (const Unit& known : units)
      if (known.unit == unit) return known.responder;
    return any;
  }
};

struct Server::Peer {
  int fd = -1;
  std::uint64_t number = 0;
  const Port* port = nullptr;
  wire::ModbusFrameReader reader{kRequestsAtOnce};
  std::vector<std::uint8_t> unsent;  // answers of one turn; more is not read before they are gone
  bool waiting_to_send = false;
};

Server::Server(IoLoop& loop) : loop_(loop) {}

Server::~Server() {
  drop_clients();
  for (const auto& port : ports_) {
    loop_.unwatch(port->fd);
    close(port->fd);
  }
}

Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port, std::vector<Unit> units) {
  auto made = std::make_unique<Port>();
  made->units = std::move(units);
  return listen(host, std::move(made), port);
}

Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port, Responder& for_all_units) {
  auto made = std::make_unique<Port>();
  made->any = &for_all_units;
  return listen(host, std::move(made), port);
}

Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port, Relay& relay) {
  auto made = std::make_unique<Port>();
  made->relay = &relay;
  return listen(host, std::move(made), port);
}

Result<std::uint16_t> Server::listen(const std::string& host, std::unique_ptr<Port> made, std::uint16_t port) {
  ALARA_TRY(SocketAddress address, numeric_address({host, port}));
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(ErrorKind::exhausted, "can not open a socket: {}", std::strerror(errno));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto* const bound = reinterpret_cast<sockaddr*>(&address.storage);
  if (bind(fd, bound, address.size) != 0 || ::listen(fd, kBacklog) != 0 || getsockname(fd, bound, &address.size) != 0) {
    const int error = errno;
    close(fd);
    return fail(ErrorKind::unavailable, "can not listen on {}: {}", Endpoint{host, port}.text(), std::strerror(error));
  }
  made->fd = fd;
  const auto watched = loop_.watch(fd, EPOLLIN, [this, raw = made.get()](std::uint32_t) { accept_all(*raw); });
  if (!watched) {
    close(fd);
    return tl::unexpected<Error>(watched.error());
  }
  ports_.push_back(std::move(made));
  return ntohs(address.storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(bound)->sin6_port
                                                     : reinterpret_cast<sockaddr_in*>(bound)->sin_port);
}

void Server::accept_all(Port& port) {
  for (;;) {
    const int fd = accept4(port.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto peer = std::make_unique<Peer>();
    peer->fd = fd;
    peer->number = ++clients_;
    peer->port = &port;
    if (peers_.size() >= kMostClients ||
        !loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t events) { on_event(fd, events); })) {
      close(fd);
      continue;
    }
    peers_.emplace(fd, std::move(peer));
    stats_.clients.store(peers_.size(), std::memory_order_relaxed);
  }
}

void Server::drop(int fd) {
  loop_.unwatch(fd);
  close(fd);
  peers_.erase(fd);
  stats_.clients.store(peers_.size(), std::memory_order_relaxed);
}

void Server::drop_clients() {
  while (!peers_.empty()) drop(peers_.begin()->first);
}

void Server::on_event(int fd, std::uint32_t events) {
  const auto found = peers_.find(fd);
  if (found == peers_.end()) return;
  Peer& peer = *found->second;
  const bool alive = peer.waiting_to_send ? (events & (EPOLLERR | EPOLLHUP)) == 0 && flush(peer) : receive(peer);
  if (!alive) drop(fd);
}

// False: the connection is over.
bool Server::receive(Peer& peer) {
  const auto room = peer.reader.room();
  const ssize_t got = recv(peer.fd, room.data(), room.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  peer.reader.filled(static_cast<std::size_t>(got));
  wire::ModbusFrame frame;
  auto next = wire::ModbusFrameReader::State::more;
  receiving_ = peer.fd;
  while ((next = peer.reader.next(frame)) == wire::ModbusFrameReader::State::frame)
    answer(peer, frame.transaction, frame.unit, frame.pdu);
  receiving_ = -1;
  if (next == wire::ModbusFrameReader::State::corrupt) {
    count(stats_.corrupt);
    return false;
  }
  return flush(peer);
}

void Server::answer(Peer& peer, std::uint16_t transaction, std::uint8_t unit, std::span<const std::uint8_t> pdu) {
  std::array<std::uint8_t, wire::kMaxModbusFrame> out;
  std::array<std::uint8_t, wire::kMaxModbusPdu> payload;
  wire::ModbusRequest request;
  wire::ModbusException exception = wire::parse_request(pdu, request);
  const std::size_t bytes = exception == wire::ModbusException::none && wire::is_read(request.function)
                                ? wire::payload_bytes(request.function, request.count)
                                : 0;
  if (exception == wire::ModbusException::none && peer.port->relay != nullptr)
    return peer.port->relay->relay({peer.fd, peer.number, transaction, unit, pdu[0]}, pdu);
  if (exception == wire::ModbusException::none) {
    Responder* const responder = peer.port->responder(unit);
    exception = responder == nullptr ? wire::ModbusException::gateway_target
                                     : responder->serve(request, std::span(payload).first(bytes));
  }
  std::size_t size = 0;
  if (exception == wire::ModbusException::none) {
    count(stats_.answers);
    size = wire::encode_answer(transaction, unit, request, std::span(payload).first(bytes), out);
  } else {
    count(stats_.exceptions);
    size = wire::encode_exception(transaction, unit, pdu.empty() ? std::uint8_t{0} : pdu[0], exception, out);
  }
  peer.unsent.insert(peer.unsent.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
}

void Server::reply(const Ticket& ticket, std::span<const std::uint8_t> pdu) {
  std::array<std::uint8_t, wire::kMaxModbusFrame> frame;
  count(stats_.answers);
  send_later(ticket, std::span(frame).first(wire::encode_frame(ticket.transaction, ticket.unit, pdu, frame)));
}

void Server::refuse(const Ticket& ticket, wire::ModbusException exception) {
  std::array<std::uint8_t, wire::kMaxModbusFrame> frame;
  count(stats_.exceptions);
  send_later(ticket, std::span(frame).first(
                         wire::encode_exception(ticket.transaction, ticket.unit, ticket.function, exception, frame)));
}

void Server::send_later(const Ticket& ticket, std::span<const std::uint8_t> frame) {
  const auto found = peers_.find(ticket.fd);
  if (found == peers_.end() || found->second->number != ticket.client) return;
  Peer& peer = *found->second;
  peer.unsent.insert(peer.unsent.end(), frame.begin(), frame.end());
  if (receiving_ != peer.fd && !peer.waiting_to_send && !flush(peer)) drop(peer.fd);
}

bool Server::flush(Peer& peer) {
  if (!peer.unsent.empty()) {
    const ssize_t sent = send(peer.fd, peer.unsent.data(), peer.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) peer.unsent.erase(peer.unsent.begin(), peer.unsent.begin() + sent);
  }
  if (peer.waiting_to_send != !peer.unsent.empty()) {
    peer.waiting_to_send = !peer.unsent.empty();
    return loop_.change(peer.fd, peer.waiting_to_send ? EPOLLOUT : EPOLLIN).has_value();
  }
  return true;
}

Result<std::unique_ptr<ServerThread>> ServerThread::create(Clock& clock) {
  ALARA_TRY(auto loop, IoLoop::create(clock));
  return std::unique_ptr<ServerThread>(new ServerThread(std::move(loop)));
}

ServerThread::ServerThread(std::unique_ptr<IoLoop> loop)
    : loop_(std::move(loop)),
      server_(std::make_unique<Server>(*loop_)),
      thread_([this](std::stop_token stop) { loop_->run(stop); }) {}

ServerThread::~ServerThread() {
  thread_.request_stop();
  thread_.join();
  server_.reset();
}

void ServerThread::call(const std::function<void(Server& server)>& task) {
  auto done = std::make_shared<std::promise<void>>();
  auto waiting = done->get_future();
  loop_->post([this, &task, done] {
    task(*server_);
    done->set_value();
  });
  waiting.wait();
}

Result<std::uint16_t> ServerThread::listen(std::uint16_t port, Responder& for_all_units) {
  Result<std::uint16_t> listening = std::uint16_t{0};
  call([&](Server& server) { listening = server.listen("127.0.0.1", port, for_all_units); });
  return listening;
}

}  // namespace alara::modbus
