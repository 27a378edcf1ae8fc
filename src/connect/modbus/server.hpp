// SPDX-License-Identifier: Apache-2.0
// A Modbus TCP server: many ports and units on one loop, for simulators, benchmarks and tests. Everything but the
// counters is confined to the loop's thread, or to the time before it runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/io_loop.hpp"
#include "connect/modbus/register_bank.hpp"

namespace alara::modbus {

struct ServerStats {
  std::atomic<std::uint64_t> clients{0};     // connected now
  std::atomic<std::uint64_t> answers{0};     // good ones, handed to the system
  std::atomic<std::uint64_t> exceptions{0};  // refusals
  std::atomic<std::uint64_t> corrupt{0};     // clients sent away for bytes that are no Modbus
};

// A request that is answered later. Copies may outlive the client; a reply to one that is gone is dropped.
struct Ticket {
  int fd = -1;
  std::uint64_t client = 0;
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0;
  std::uint8_t function = 0;
};

// Takes requests to answer them later, through Server::reply() or refuse(): once each, in any order, also from within.
class Relay {
 public:
  virtual ~Relay() = default;
  // `pdu` has passed wire::parse_request().
  virtual void relay(const Ticket& ticket, std::span<const std::uint8_t> pdu) = 0;
};

class Server {
 public:
  struct Unit {
    std::uint8_t unit;
    Responder* responder;  // outlives the server
  };
  static constexpr std::size_t kMostClients = 1024;

  explicit Server(IoLoop& loop);
  ~Server();  // closes all
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens on host (a number, e.g. "127.0.0.1") and port (0: a free one), and returns the port. Requests to a unit
  // that is not among `units` get "gateway target does not answer".
  Result<std::uint16_t> listen(const std::string& host, std::uint16_t port, std::vector<Unit> units);
  // One device for whatever unit is asked.
  Result<std::uint16_t> listen(const std::string& host, std::uint16_t port, Responder& for_all_units);
  // All requests, whatever the unit, go to `relay`, which outlives the server.
  Result<std::uint16_t> listen(const std::string& host, std::uint16_t port, Relay& relay);
  void reply(const Ticket& ticket, std::span<const std::uint8_t> pdu);
  void refuse(const Ticket& ticket, wire::ModbusException exception);
  void drop_clients();
  [[nodiscard]] const ServerStats& stats() const { return stats_; }

 private:
  struct Port;
  struct Peer;

  Result<std::uint16_t> listen(const std::string& host, std::unique_ptr<Port> made, std::uint16_t port);
  void accept_all(Port& port);
  void on_event(int fd, std::uint32_t events);
  bool receive(Peer& peer);
  bool flush(Peer& peer);
  void answer(Peer& peer, std::uint16_t transaction, std::uint8_t unit, std::span<const std::uint8_t> pdu);
  void send_later(const Ticket& ticket, std::span<const std::uint8_t> frame);
  void drop(int fd);

  IoLoop& loop_;
  ServerStats stats_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::unordered_map<int, std::unique_ptr<Peer>> peers_;
  std::uint64_t clients_ = 0;  // that ever came
  int receiving_ = -1;         // whose requests are being handed out; it is flushed afterwards
};

// A server with a loop and a thread of its own. Listen through call(), which runs on that thread and waits.
class ServerThread {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ServerThread>> create(Clock& clock);
  ~ServerThread();

  void call(const std::function<void(Server& server)>& task);
  // Listens for one device, as Server::listen().
  Result<std::uint16_t> listen(std::uint16_t port, Responder& for_all_units);
  [[nodiscard]] const ServerStats& stats() const { return server_->stats(); }
  [[nodiscard]] IoLoop& loop() { return *loop_; }

 private:
  explicit ServerThread(std::unique_ptr<IoLoop> loop);
  std::unique_ptr<IoLoop> loop_;
  std::unique_ptr<Server> server_;
  std::jthread thread_;
};

}  // namespace alara::modbus
