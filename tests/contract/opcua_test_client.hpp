// SPDX-License-Identifier: Apache-2.0
// An OPC UA client for tests of our server, on open62541: one session, reads, writes, events. Confined to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "core/sample.hpp"

namespace alara::contract {

class OpcuaTestClient {
 public:
  struct LogIn {
    std::string user, password;  // "" = anonymous
    std::string pki;             // "" = no security; else the folder of its own certificate
  };
  explicit OpcuaTestClient(int port, const LogIn& log_in = {"", "", ""});
  ~OpcuaTestClient();
  OpcuaTestClient(const OpcuaTestClient&) = delete;
  OpcuaTestClient& operator=(const OpcuaTestClient&) = delete;

  [[nodiscard]] std::uint32_t connect();  // a status code, as below
  void disconnect();

  // Nodes are of the server's own namespace, or whole ids ("i=2258").
  struct Value {
    double value = 0;
    std::uint32_t status = 0;
    Nanos time = 0;
    std::string type;  // "Double"
    std::vector<std::string> texts;
  };
  [[nodiscard]] Value read(const std::string& node);
  [[nodiscard]] std::uint32_t write(const std::string& node, double value, SignalType type = SignalType::float64);
  [[nodiscard]] std::uint32_t write_text(const std::string& node, const std::string& text);
  [[nodiscard]] std::uint32_t write_array(const std::string& node, const std::vector<double>& values);
  [[nodiscard]] std::uint32_t rename(const std::string& node, const std::string& name);
  [[nodiscard]] std::uint32_t add_folder(const std::string& name);
  [[nodiscard]] std::uint32_t remove(const std::string& node);
  // Of AnalogItem nodes; nothing when there is none.
  struct Shape {
    double low = 0, high = 0;
    std::string unit;
    std::int32_t unit_id = 0;
  };
  [[nodiscard]] std::optional<Shape> shape(const std::string& node);

  struct Event {
    std::string message, source;
    std::uint16_t severity = 0;
    bool active = false;
  };
  // From the Server object, with the fields of our own type of event.
  [[nodiscard]] bool subscribe_to_events();
  // Those that have come; waits a moment for more.
  [[nodiscard]] std::vector<Event> events();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The name of a status code: "Good", "BadNotWritable".
[[nodiscard]] std::string status_name(std::uint32_t status);

}  // namespace alara::contract
