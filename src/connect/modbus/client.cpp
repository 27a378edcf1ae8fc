// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/client.hpp"

#include <numeric>

#include "base/hash.hpp"
#include "base/quantity.hpp"
#include "connect/modbus/session.hpp"

namespace alara::modbus {
namespace {

// The loop ends a session within one turn; longer means that it does not run, and then there is nothing to wait for.
constexpr Nanos kLongestStop = 900 * kMillisecond;

// Spreads the connectors of one loop over a period.
std::uint64_t hash_of(std::string_view text) {
  const std::uint64_t hash = fnv1a(text);
  return hash ^ (hash >> 32);
}

void refuse(std::vector<Error>& errors, const std::string& name, const Where& where, Error error) {
  error.message = fmt::format("{}: {}", name, error.message);
  error.where = where;
  errors.push_back(std::move(error));
}

Status check_writable(const Address& address) {
  if (address.table == Table::discrete || address.table == Table::input)
    return fail(ErrorKind::bad_input, "a {} can not be written; write to a coil or a holding register",
                name_of(address.table));
  if (address.format.type == wire::RegisterType::text)
    return fail(ErrorKind::bad_input, "text can not be written; choose a number's type");
  if (address.poll != 0) return fail(ErrorKind::bad_input, "an actuator is not polled; leave out ?poll");
  return {};
}

// Behind a serial line.
Status check_unit(const Address& address) {
  if (address.unit == 0 || address.unit > wire::kLastRtuUnit)
    return fail(ErrorKind::bad_input,
                "unit {} can not be asked on a serial line; units are 1 to {} (0 is a broadcast, which nobody answers)",
                address.unit, wire::kLastRtuUnit);
  return {};
}

Status check_readable(const Address& address, const Limits& limits) {
  if (!is_of_bits(address.table) && address.count > limits.max_registers)
    return fail(ErrorKind::bad_input, "the value has {} registers, but max_registers is {}", address.count,
                limits.max_registers);
  return {};
}

}  // namespace

Client::Client(std::string name, Settings settings) : name_(std::move(name)), settings_(std::move(settings)) {}
Client::~Client() { stop(); }

void Client::bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                  std::vector<Error>& errors) {
  tags_.clear();
  actuators_.clear();
  for (const SignalBinding& binding : signals) {
    auto address = parse_address(binding.address, settings_.defaults);
    Status readable = address ? check_readable(*address, settings_.limits) : Status{};
    if (address && readable && settings_.serial) readable = check_unit(*address);
    if (!address || !readable) {
      refuse(errors, binding.name, binding.where, !address ? address.error() : readable.error());
      continue;
    }
    if (address->poll == 0) address->poll = binding.poll != 0 ? binding.poll : settings_.poll;
    tags_.push_back({binding.signal, *address});
  }
  Nanos shortest = 0;
  for (const Tag& tag : tags_) shortest = shortest == 0 ? tag.address.poll : std::min(shortest, tag.address.poll);
  telemetry_->stats.expected_every.store(shortest);
  for (const ActuatorBinding& binding : actuators) {
    const auto address = parse_address(binding.address, settings_.defaults);
    Status writable = address ? check_writable(*address) : Status{};
    if (address && writable && settings_.serial) writable = check_unit(*address);
    if (!address || !writable) {
      refuse(errors, binding.name, binding.where, !address ? address.error() : writable.error());
      continue;
    }
    actuators_.push_back({binding.actuator, *address});
  }
}

std::vector<std::string> Client::explain() const {
  std::vector<std::uint32_t> all(tags_.size());
  std::iota(all.begin(), all.end(), 0u);
  auto lines = explain_reads(plan_reads(tags_, all, settings_.limits));
  lines.front() = fmt::format("{} (unit {}): {}", settings_.place(), settings_.defaults.unit, lines.front());
  if (!actuators_.empty())
    lines.push_back(fmt::format("{} actuators, written before anything is read", actuators_.size()));
  return lines;
}

Status Client::start(const ConnectorContext& context) {
  ALARA_ASSERT(context.inlet != nullptr && context.clock != nullptr && context.loop != nullptr,
               "a modbus connector needs an inlet, a clock and a loop");
  stop();
  loop_ = context.loop;
  session_ = std::make_shared<Session>(settings_, tags_, actuators_, hash_of(name_), context, telemetry_);
  loop_->post([session = session_] { session->begin(); });
  return {};
}

void Client::stop() {
  if (!session_) return;
  static_cast<void>(loop_->call([session = session_] { session->end(); }, kLongestStop));
  session_.reset();
}

std::string Client::last_error() const {
  std::string of_line = telemetry_->last_error();
  return of_line.empty() ? telemetry_->gateway.last_error() : of_line;
}

void Client::counters(std::vector<Counter>& out) const {
  const auto add = [&out](std::string_view name, const std::atomic<std::uint64_t>& counter) {
    out.push_back({name, counter.load(std::memory_order_relaxed)});
  };
  add("timeouts", telemetry_->timeouts);
  add("late_answers", telemetry_->late_answers);
  add("stray_answers", telemetry_->stray_answers);
  add("malformed_answers", telemetry_->malformed);
  add("exceptions", telemetry_->exceptions);
  if (settings_.gateway) add("relayed_requests", telemetry_->relayed);
  if (settings_.serial) {
    add("noise_bytes", telemetry_->noise_bytes);
    add("silent_units", telemetry_->silent_units);
  }
  add("quarantined_signals", telemetry_->quarantined);
  add("requests_planned", telemetry_->requests);
}

}  // namespace alara::modbus
