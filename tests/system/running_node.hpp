// SPDX-License-Identifier: Apache-2.0
// For the system tests: a real `alara run` as a child process, a Modbus device and an MQTT broker for it to talk to,
// and the law that every test ends with.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/child_process.hpp"
#include "connect/modbus/register_bank.hpp"
#include "connect/modbus/server.hpp"

namespace alara::system_test {

inline constexpr Nanos kPatience = 15 * kSecond;

// Asks again and again until it is true; false when it was not in time.
bool eventually(const std::function<bool()>& condition, Nanos patience = kPatience);
void rest(Nanos time);

// A folder that goes away with its contents.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const;  // its path
  [[nodiscard]] std::string read(const std::string& name) const;

 private:
  std::string path_;
};

// Runs `alara` to its end.
struct Finished {
  int code = -1;
  std::string output;
};
Finished alara(const std::vector<std::string>& arguments, Nanos patience = kPatience);

struct Reply {
  int status = 0;  // 0: no answer
  std::string body;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

class RunningNode {
 public:
  // Starts `alara run` on `site` and waits for its pages.
  explicit RunningNode(const std::string& site);
  ~RunningNode();
  RunningNode(const RunningNode&) = delete;
  RunningNode& operator=(const RunningNode&) = delete;

  [[nodiscard]] Reply get(const std::string& path) const;
  [[nodiscard]] Reply post(const std::string& path) const;
  [[nodiscard]] nlohmann::json connector(const std::string& name) const;
  [[nodiscard]] nlohmann::json pipeline(const std::string& name) const;
  [[nodiscard]] bool healthy() const { return get("/health").status == 200; }
  [[nodiscard]] bool wait_connected() const;
  // True once `alara` has printed this.
  [[nodiscard]] bool says(const std::string& text) const;
  [[nodiscard]] std::string output() const { return folder_.read("output"); }

  void rewrite(const std::string& site) const { folder_.write("site.yaml", site); }
  [[nodiscard]] const Folder& folder() const { return folder_; }
  [[nodiscard]] ChildProcess& process() { return *process_; }
  [[nodiscard]] int port() const { return port_; }

  // Once nothing moves any more: accepted = delivered + buffered + dead-lettered + dropped for every connector and
  // every pipeline, and the same for published values, exactly.
  void expect_every_point_accounted() const;
  // Asks it to end; its exit code, and how long that took.
  int terminate(Nanos& took);

 private:
  Folder folder_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

// A Modbus device that can die and come back on the same port.
class Device {
 public:
  Device();
  ~Device();
  void start();
  void stop() { server_.reset(); }
  [[nodiscard]] int port() const { return port_; }
  void set(std::uint16_t input_register, std::uint16_t value) {
    bank_.set_register(modbus::Table::input, input_register, value);
  }
  void set_float(std::uint16_t input_register, float value);  // over two registers, high word first
  void set_discrete(std::uint16_t number, bool value) { bank_.set_bit(modbus::Table::discrete, number, value); }
  [[nodiscard]] std::uint16_t holding(std::uint16_t number) const {
    return bank_.register_at(modbus::Table::holding, number);
  }
  [[nodiscard]] bool coil(std::uint16_t number) const { return bank_.bit(modbus::Table::coil, number); }
  [[nodiscard]] bool coil_becomes(std::uint16_t number, bool value) const;

 private:
  SystemClock clock_;
  modbus::RegisterBank bank_;
  std::unique_ptr<modbus::ServerThread> server_;
  std::uint16_t port_ = 0;
};

// A mosquitto that can restart on the same port.
class Broker {
 public:
  Broker();
  [[nodiscard]] static bool installed();
  void start();
  void stop() { process_.reset(); }
  [[nodiscard]] int port() const { return port_; }

 private:
  Folder folder_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

// Sends points over MQTT from a thread: messages of `kPoints` doubles to "load/1" … "load/<topics>", each answered by
// the broker (QoS 1).
class Publisher {
 public:
  static constexpr int kPoints = 100;
  explicit Publisher(int port);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  // One message; false when it could not be handed over.
  bool send(const std::string& topic, const std::vector<double>& values);
  // Waits until the broker has answered all of them.
  [[nodiscard]] bool wait_answered() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alara::system_test
