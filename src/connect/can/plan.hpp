// SPDX-License-Identifier: Apache-2.0
// Which frames carry which signals, worked out when a site file is loaded: addresses to bits of messages, faults and
// OBD parameters; then, for each frame, the samples in it. No device in here. Confined to the connector's thread after
// loading.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "connect/can/settings.hpp"
#include "core/connector.hpp"
#include "wire/can/obd.hpp"

namespace alara::can {

// What a burst of frames gave.
struct Samples {
  std::vector<SignalId> signal;
  std::vector<double> value;
  std::vector<Nanos> time;
  std::vector<Quality> quality;
  std::size_t short_frames = 0;  // points whose message was too short to hold them
  void add(SignalId id, double v, Nanos t, Quality q);
  void clear();
};

// An OBD parameter that is asked for again and again.
struct ObdPoll {
  const wire::can::ObdParameter* parameter = nullptr;
  Nanos period = 0;
  std::vector<SignalId> signals;
};

class Plan {
 public:
  explicit Plan(const Settings& settings) : settings_(settings), dbc_(settings.dbc) {}

  // Load time.
  [[nodiscard]] Status add_signal(const SignalBinding& signal);
  [[nodiscard]] Status add_actuator(const ActuatorBinding& actuator);
  [[nodiscard]] std::vector<std::string> explain() const;

  // The samples of a frame, with its event time.
  void take(const wire::can::Frame& frame, Nanos time, Samples& out);
  void take(const wire::can::J1939Message& message, Nanos time, Samples& out);
  // The frame that writes a value; the message's other signals keep what was last seen or written.
  [[nodiscard]] Result<wire::can::Frame> frame_for(ActuatorId actuator, double value);

  [[nodiscard]] const std::vector<SignalId>& signals() const { return signals_; }
  [[nodiscard]] const std::vector<ObdPoll>& polls() const { return polls_; }
  [[nodiscard]] std::uint64_t unknown_frames() const { return unknown_frames_; }

 private:
  struct Field {
    const wire::can::DbcMessage* message = nullptr;
    const wire::can::DbcSignal* signal = nullptr;
    std::optional<std::uint8_t> source;  // of a J1939 message
  };
  struct Target {
    SignalId id{};
    Field field;
  };
  enum class Dm1 : std::uint8_t { count, spn, fmi, malfunction, red_stop, amber_warning, protect };
  struct FaultTarget {
    SignalId id{};
    Dm1 what = Dm1::count;
    std::optional<std::uint8_t> source;
  };
  struct Writable {
    Field field;
    std::vector<std::uint8_t>* content = nullptr;  // of the message, as last seen or written
  };

  [[nodiscard]] Result<Field> field_of(std::string_view address);
  [[nodiscard]] Result<Field> raw_field(std::string_view address);
  [[nodiscard]] Status add_fault(SignalId id, std::string_view what, std::optional<std::uint8_t> source);
  [[nodiscard]] Status add_poll(const SignalBinding& signal, std::string_view parameter);
  [[nodiscard]] std::uint32_t key_of(const wire::can::DbcMessage& message) const;
  void take_fields(std::uint32_t key, std::optional<std::uint8_t> source, std::span<const std::uint8_t> data,
                   Nanos time, Samples& out);
  void take_faults(const wire::can::J1939Message& message, Nanos time, Samples& out);

  const Settings& settings_;
  std::shared_ptr<const wire::can::Dbc> dbc_;
  std::vector<std::unique_ptr<wire::can::DbcMessage>> raw_;        // made for addresses without a DBC
  std::unordered_map<std::uint32_t, std::vector<Target>> fields_;  // by key_of()
  std::vector<FaultTarget> faults_;
  std::vector<ObdPoll> polls_;
  std::unordered_map<std::uint32_t, std::vector<std::uint8_t>> contents_;  // of writable messages, by key_of()
  std::unordered_map<std::uint32_t, Writable> writables_;                  // by actuator
  std::vector<SignalId> signals_;
  std::uint64_t unknown_frames_ = 0;
};

}  // namespace alara::can
