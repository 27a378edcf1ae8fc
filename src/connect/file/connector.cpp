// SPDX-License-Identifier: Apache-2.0
#include "connect/file/connector.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace alara::file {

FileConnector::FileConnector(std::string name, Settings settings)
    : name_(std::move(name)), settings_(std::move(settings)) {}

FileConnector::~FileConnector() { stop(); }

void FileConnector::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                         std::vector<Error>& errors) {
  for (const SignalBinding& signal : signals) {
    const Status fits = settings_.path.empty()
                            ? fail(ErrorKind::bad_input, "connector {} has no path to read from", name_)
                            : check_address(settings_.format, signal.address);
    if (!fits) {
      errors.push_back(located(signal, fits.error()));
    } else {
      signals_.push_back(signal);
    }
  }
  for (const ActuatorBinding& actuator : actuators) {
    if (settings_.append.empty() || actuator.address.empty()) {
      errors.push_back(located(
          actuator, {ErrorKind::bad_input,
                     settings_.append.empty() ? fmt::format("connector {} has no append file to write to", name_)
                                              : "the address is empty",
                     {},
                     {}}));
      continue;
    }
    column_of_[index_of(actuator.actuator)] = columns_.size();
    columns_.push_back(actuator.address);
  }
}

std::vector<std::string> FileConnector::explain() const {
  std::vector<std::string> lines;
  if (!settings_.path.empty()) {
    const std::string speed =
        settings_.speed == 0 ? "as fast as possible" : fmt::format("at {} times real time", settings_.speed);
    lines.push_back(fmt::format("read {} signals from {} {}{}", signals_.size(), settings_.path, speed,
                                settings_.loop ? ", again and again" : ""));
  }
  if (!settings_.append.empty())
    lines.push_back(fmt::format("append {} actuators' values to {}", columns_.size(), settings_.append));
  return lines;
}

Status FileConnector::start(const ConnectorContext& context) {
  ALARA_ASSERT(!reader_.joinable() && !writer_.joinable(), "start() of a running connector");
  context_ = context;
  if (!settings_.path.empty()) {
    source_ = settings_.format == Format::csv     ? make_csv_source(settings_, signals_)
              : settings_.format == Format::jsonl ? make_jsonl_source(settings_, signals_)
                                                  : make_npy_source(settings_, signals_);
    ALARA_CHECK(source_->open());
  }
  if (!settings_.append.empty()) {
    ALARA_TRY(Sink sink, Sink::open(settings_, columns_));
    sink_.emplace(std::move(sink));
    wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd_ < 0) return fail(ErrorKind::exhausted, "can not open an event descriptor: {}", std::strerror(errno));
  }
  stats_.connects.fetch_add(1, std::memory_order_relaxed);
  stats_.connected.store(true, std::memory_order_relaxed);
  if (sink_) {
    const std::lock_guard lock(mutex_);
    writing_ = true;
  }
  if (sink_) writer_ = std::jthread([this](const std::stop_token& stop) { write(stop); });
  if (source_) reader_ = std::jthread([this](const std::stop_token& stop) { read(stop); });
  return {};
}

void FileConnector::stop() {
  reader_.request_stop();
  if (reader_.joinable()) reader_.join();
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
  }
  writer_.request_stop();
  if (writer_.joinable()) writer_.join();
  if (wake_fd_ >= 0) close(wake_fd_);
  wake_fd_ = -1;
  sink_.reset();
  stats_.connected.store(false, std::memory_order_relaxed);
}

void FileConnector::read(const std::stop_token& stop) {
  const Status played = play(stop);
  if (!played) report(played.error());
  missing_cells_.store(missing_, std::memory_order_relaxed);
  if (stop.stop_requested()) return;
  if (!sink_) {
    stats_.connected.store(false, std::memory_order_relaxed);
    stats_.disconnects.fetch_add(1, std::memory_order_relaxed);
  }
  context_.inlet->finished();
}

Status FileConnector::play(const std::stop_token& stop) {
  const std::optional<SignalId> single = signals_.size() == 1 ? std::optional(signals_[0].signal) : std::nullopt;
  Player player(settings_, *context_.inlet, *context_.clock, stats_, stop, single);
  const SourceReport to{*context_.inlet, stats_, [this](const Error& error) { report(error); }, &missing_};
  for (;;) {
    auto finished = source_->play(player, to);
    player.flush();  // what was read before an error still counts
    missing_cells_.store(missing_, std::memory_order_relaxed);
    if (!finished) return tl::unexpected<Error>(std::move(finished).error());
    if (!*finished || !settings_.loop) return {};
    if (!player.delivered_any()) return fail_at({settings_.path, 0, 0}, "nothing to repeat: the file has no record");
    player.rewind();
    ALARA_CHECK(source_->open());
  }
}

void FileConnector::write(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_fd_, &one, sizeof one));
  });
  const int inbox = context_.commands == nullptr ? -1 : context_.commands->event_fd();
  std::array<pollfd, 2> watched{pollfd{wake_fd_, POLLIN, 0}, pollfd{inbox, POLLIN, 0}};
  write_waiting();  // the header
  while (!stop.stop_requested()) {
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
    std::uint64_t ignored = 0;
    static_cast<void>(!::read(wake_fd_, &ignored, sizeof ignored));
    write_waiting();
  }
  write_waiting();
}

// One burst: everything that waits, one write, then the acks.
void FileConnector::write_waiting() {
  commands_.clear();
  Command command;
  while (context_.commands != nullptr && commands_.size() < kMaxQueuedMessages && context_.commands->pop(command)) {
    const auto column = column_of_.find(index_of(command.actuator));
    if (column == column_of_.end() || !std::isfinite(command.value)) {
      context_.commands->acknowledge(
          {command.id, command.actuator, Outcome::refused_device, context_.clock->monotonic(), 0});
      continue;
    }
    commands_.push_back(command);
    sink_->add_value(column->second, command.value, context_.clock->wall());
  }
  {
    const std::lock_guard lock(mutex_);
    taken_.assign(std::make_move_iterator(messages_.begin()), std::make_move_iterator(messages_.end()));
    messages_.clear();
  }
  for (const std::string& message : taken_) sink_->add_message(message);
  const auto written = sink_->commit();
  const Nanos now = context_.clock->monotonic();
  if (!written) {
    report(written.error());
  } else if (*written > 0) {
    stats_.bytes_out.fetch_add(*written, std::memory_order_relaxed);
    stats_.messages_out.fetch_add(commands_.size() + taken_.size(), std::memory_order_relaxed);
    stats_.last_progress.store(now, std::memory_order_relaxed);
  }
  for (const Command& done : commands_)
    context_.commands->acknowledge(
        {done.id, done.actuator, written ? Outcome::done : Outcome::unavailable, now, done.value});
}

MessageSink* FileConnector::message_sink() {
  return !settings_.append.empty() && settings_.append_format == Format::jsonl ? this : nullptr;
}

bool FileConnector::publish(std::string_view, std::string_view payload) {
  if (payload.size() > kMaxMessageBytes) return false;
  const std::lock_guard lock(mutex_);
  if (!writing_ || messages_.size() >= kMaxQueuedMessages) return false;
  messages_.emplace_back(payload);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_fd_, &one, sizeof one));
  return true;
}

void FileConnector::report(const Error& error) {
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  last_error_ = error.text();
}

std::string FileConnector::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void FileConnector::counters(std::vector<Counter>& out) const {
  out.push_back({"missing_cells_skipped", missing_cells_.load(std::memory_order_relaxed)});
}

}  // namespace alara::file
