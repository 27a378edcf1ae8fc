// SPDX-License-Identifier: Apache-2.0
// An OPC UA server for tests, on open62541, on a thread of its own: variables whose reads are counted, an array, a
// structure, a method. It can end and come back on the same port.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace alara::contract {

class OpcuaTestServer {
 public:
  OpcuaTestServer();
  ~OpcuaTestServer();
  OpcuaTestServer(const OpcuaTestServer&) = delete;
  OpcuaTestServer& operator=(const OpcuaTestServer&) = delete;

  void start();
  void stop();
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string endpoint() const;

  // "ns=1;s=counted.0" and "ns=1;s=counted.1": doubles that read as this value.
  void set(double value) { value_ = value; }
  void take_out_of_service() { out_of_service_ = true; }        // they read as bad from now on, and are not counted
  [[nodiscard]] std::uint64_t reads() const { return reads_; }  // of the counted ones, since the beginning
  // "ns=1;s=speed" (Double), "ns=1;s=values" (Int16[4]), "ns=1;s=range" (Range), "ns=1;s=text" (String),
  // "ns=1;s=lamp" (Boolean), "ns=1;s=small" (SByte), "ns=1;s=fixed" (read only): by name, thread-safe.
  void write_speed(double value, std::uint32_t status = 0);
  [[nodiscard]] double read(const std::string& name, std::size_t element = 0) const;
  // "ns=1;s=pump" with the method "ns=1;s=start" (one Double).
  [[nodiscard]] double called_with() const { return called_with_; }
  [[nodiscard]] int calls() const { return calls_; }
  void add_late_node(double value = 7);  // "ns=1;s=late" (Double)
  void remove_late_node();
  void write_late(double value);
  // Structures of the server's own (OpcuaTestStructures). From the next start on their namespace has another index, and
  // their encodings other numbers.
  void write_position(double position);
  void renumber_structures() { renumbered_ = !renumbered_; }

  // From the next start on the server takes no more than so many nodes in one request, and shows no more than so many
  // references in one answer.
  void limit(std::uint32_t operations) { limit_ = operations; }
  // From the next start on it offers security, with this certificate (DER, of the application "urn:device") and
  // key, and trusts every client.
  void secure(std::vector<std::uint8_t> certificate, std::vector<std::uint8_t> key) {
    certificate_ = std::move(certificate);
    key_ = std::move(key);
  }
  [[nodiscard]] std::size_t sessions() const;
  // The server's thread does nothing: connections stay open, nobody answers.
  void freeze() { frozen_ = true; }
  void thaw() { frozen_ = false; }

 private:
  struct State;
  int port_ = 0;
  std::atomic<double> value_{0};
  std::atomic<bool> out_of_service_{false};
  std::atomic<bool> running_{false};  // while it starts the server itself reads its nodes
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<double> called_with_{0};
  std::atomic<int> calls_{0};
  std::atomic<bool> frozen_{false};
  std::uint32_t limit_ = 0;
  bool renumbered_ = false;
  std::vector<std::uint8_t> certificate_, key_;
  std::unique_ptr<State> state_;
};

}  // namespace alara::contract
