// SPDX-License-Identifier: Apache-2.0
// Modbus RTU units on a serial line for tests, which can be made to misbehave. Programs that include this link libutil.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "connect/modbus/register_bank.hpp"
#include "tests/contract/pseudo_terminal.hpp"
#include "wire/modbus_rtu.hpp"

namespace alara::contract {

class RtuDevice {
 public:
  using Bytes = std::vector<std::uint8_t>;
  // What a unit sends in place of its answer; called on the line's thread.
  using Spoil = std::function<Bytes(std::uint8_t unit, Bytes answer)>;

  // Units that are not named stay silent. They outlive the device.
  explicit RtuDevice(std::map<std::uint8_t, modbus::Responder*> units) : units_(std::move(units)) {}

  [[nodiscard]] std::string device() const { return line_.device(); }
  void start() {
    spoil({});
    line_.start();
  }
  void stop() { line_.stop(); }
  void spoil(Spoil spoil) {
    const std::lock_guard lock(mutex_);
    spoil_ = std::move(spoil);
  }
  void mute() {
    spoil([](std::uint8_t, const Bytes&) { return Bytes{}; });
  }
  bool babble(std::span<const std::uint8_t> bytes) const { return line_.write_all(bytes); }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }

 private:
  void take(std::span<const std::uint8_t> bytes) {
    if (bytes.empty()) reader_.silence();
    const auto room = reader_.room();
    std::ranges::copy(bytes, room.begin());  // one request at a time is far less than the room
    reader_.filled(bytes.size());
    wire::ModbusFrame frame;
    while (reader_.next(frame) == wire::RtuReader::State::frame) answer(frame);
  }
  void answer(const wire::ModbusFrame& frame) {
    ++requests_;
    const auto found = units_.find(frame.unit);
    if (found == units_.end()) return;
    std::array<std::uint8_t, wire::kMaxModbusPdu> payload{};
    std::array<std::uint8_t, wire::kMaxModbusFrame> tcp{};
    wire::ModbusRequest request;
    auto exception = wire::parse_request(frame.pdu, request);
    const std::size_t size = exception == wire::ModbusException::none && wire::is_read(request.function)
                                 ? wire::payload_bytes(request.function, request.count)
                                 : 0;
    if (exception == wire::ModbusException::none)
      exception = found->second->serve(request, std::span(payload).first(size));
    const std::size_t length = exception == wire::ModbusException::none
                                   ? wire::encode_answer(0, frame.unit, request, std::span(payload).first(size), tcp)
                                   : wire::encode_exception(0, frame.unit, frame.pdu[0], exception, tcp);
    std::array<std::uint8_t, wire::kMaxRtuFrame> rtu{};
    const std::size_t bytes =
        wire::encode_rtu(frame.unit, std::span(tcp).first(length).subspan(wire::kModbusHeader), rtu);
    Bytes out(rtu.begin(), rtu.begin() + static_cast<std::ptrdiff_t>(bytes));
    {
      const std::lock_guard lock(mutex_);
      if (spoil_) out = spoil_(frame.unit, std::move(out));
    }
    line_.write_all(out);
  }

  const std::map<std::uint8_t, modbus::Responder*> units_;
  std::mutex mutex_;
  Spoil spoil_;
  std::atomic<std::uint64_t> requests_{0};
  wire::RtuReader reader_{wire::RtuReader::Side::requests};
  PseudoTerminal line_{[this](std::span<const std::uint8_t> bytes) { take(bytes); }};  // last: ends first
};

}  // namespace alara::contract
