// SPDX-License-Identifier: Apache-2.0
// The file connector: a reading thread that plays a recording, and a writing thread that appends values and messages.
// In `speed: max` the recording goes as fast as the engine's ring takes it; give that ring the policy `block`.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "connect/file/settings.hpp"
#include "connect/file/sink.hpp"
#include "connect/file/source.hpp"
#include "core/connector.hpp"

namespace alara::file {

inline constexpr std::size_t kMaxQueuedMessages = 4096;
inline constexpr std::size_t kMaxMessageBytes = 1u << 20;

class FileConnector final : public Connector, public MessageSink {
 public:
  FileConnector(std::string name, Settings settings);
  ~FileConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  // Fails at once when a file can not be opened, or lacks an address.
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] MessageSink* message_sink() override;
  [[nodiscard]] const ConnectorStats& stats() const override { return stats_; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

  // Appends a line; the address is not used. False when too many wait for the disk.
  bool publish(std::string_view address, std::string_view payload) override;

 private:
  void read(const std::stop_token& stop);
  Status play(const std::stop_token& stop);
  void write(const std::stop_token& stop);
  void write_waiting();
  void report(const Error& error);

  // Constant after bind().
  const std::string name_;
  const Settings settings_;
  std::vector<SignalBinding> signals_;
  std::vector<std::string> columns_;
  std::unordered_map<std::uint32_t, std::size_t> column_of_;

  // Constant while running.
  ConnectorContext context_;
  int wake_fd_ = -1;  // of the writing thread

  // Confined to the reading thread once it runs.
  std::unique_ptr<Source> source_;
  std::uint64_t missing_ = 0;
  // Confined to the writing thread once it runs.
  std::optional<Sink> sink_;
  std::vector<Command> commands_;
  std::vector<std::string> taken_;

  ConnectorStats stats_;
  std::atomic<std::uint64_t> missing_cells_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::string last_error_;
  std::deque<std::string> messages_;
  bool writing_ = false;

  std::jthread reader_, writer_;
};

}  // namespace alara::file
