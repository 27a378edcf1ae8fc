// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/writer.hpp"

#include <algorithm>
#include <cmath>

namespace alara::modbus {
namespace {

using wire::ModbusFunction;

std::vector<Actuator> by_id(std::vector<Actuator> actuators) {
  std::ranges::sort(actuators, {}, &Actuator::id);
  return actuators;
}

// The bit of the register as the device numbers it; swapped bytes swap the two halves of the register.
std::uint16_t mask_of(const wire::RegisterFormat& format) {
  const bool swapped = format.order == wire::ByteOrder::badc || format.order == wire::ByteOrder::dcba;
  return static_cast<std::uint16_t>(1u << (swapped ? format.bit ^ 8u : format.bit));
}

double value_in(const Address& address, std::span<const std::uint8_t> payload) {
  if (is_of_bits(address.table))
    return (wire::load_bit(payload, 0) ? 1 : 0) * address.format.scale + address.format.offset;
  return wire::decode_value(address.format, payload.data());
}

}  // namespace

wire::ModbusRequest Write::request() const {
  const Address& address = actuator->address;
  if (reading_back) return {reading(address.table), address.first, address.count, {}};
  return {function, address.first, address.count, std::span(data).first(size)};
}

Writer::Writer(std::vector<Actuator> actuators, const Settings& settings, Telemetry& telemetry)
    : actuators_(by_id(std::move(actuators))), settings_(settings), telemetry_(telemetry) {}

void Writer::take(Nanos now) {
  if (inbox_ == nullptr) return;
  Command command;
  while (inbox_->pop(command)) take(command, now);
}

void Writer::take(const Command& command, Nanos now) {
  const auto found = std::ranges::lower_bound(actuators_, command.actuator, {}, &Actuator::id);
  const bool known = found != actuators_.end() && found->id == command.actuator;
  if (!known || !connected_ || queue_.full()) return acknowledge(command, Outcome::unavailable, now);
  Write write;
  write.command = command;
  write.actuator = &*found;
  if (!encode(write)) {
    count(telemetry_.stats.errors);
    telemetry_.set_error(fmt::format("value {} can not be written to {} {}", command.value,
                                     name_of(found->address.table), found->address.first));
    return acknowledge(command, Outcome::refused_rule, now);
  }
  queue_.push_back(write);
}

bool Writer::encode(Write& write) const {
  const Address& address = write.actuator->address;
  const double value = write.command.value;
  if (!std::isfinite(value)) return false;
  if (address.table == Table::coil) {
    write.function = settings_.write_single ? ModbusFunction::write_coil : ModbusFunction::write_coils;
    write.data[0] = (value - address.format.offset) / address.format.scale != 0 ? 1 : 0;
    write.size = 1;
    return true;
  }
  if (address.format.type == wire::RegisterType::bit) {
    const std::uint16_t mask = mask_of(address.format);
    const bool on = (value - address.format.offset) / address.format.scale != 0;
    write.function = ModbusFunction::mask_register;  // the register's other bits stay, without a race
    wire::store_u16(write.data.data(), static_cast<std::uint16_t>(~mask));
    wire::store_u16(write.data.data() + 2, on ? mask : std::uint16_t{0});
    write.size = 4;
    return true;
  }
  write.function =
      address.count == 1 && settings_.write_single ? ModbusFunction::write_register : ModbusFunction::write_registers;
  write.size = static_cast<std::uint8_t>(2 * address.count);
  return wire::encode_value(address.format, value, write.data);
}

bool Writer::next(Write& write) {
  if (queue_.empty()) return false;
  write = queue_.pop_front();
  return true;
}

void Writer::acknowledge(const Command& command, Outcome outcome, Nanos at, double read_back) {
  inbox_->acknowledge({command.id, command.actuator, outcome, at, read_back});
}

bool Writer::agrees(const Write& write, std::span<const std::uint8_t> payload) const {
  if (is_of_bits(write.actuator->address.table)) return wire::load_bit(payload, 0) == ((write.data[0] & 1) != 0);
  if (write.function == ModbusFunction::mask_register) {
    const std::uint16_t mask = mask_of(write.actuator->address.format);
    return (wire::load_u16(payload.data()) & mask) == wire::load_u16(write.data.data() + 2);
  }
  return std::equal(payload.begin(), payload.end(), write.data.begin());
}

void Writer::answered(const Write& write, const wire::ModbusAnswer& answer, Nanos arrival) {
  using Kind = wire::ModbusAnswer::Kind;
  if (answer.kind != Kind::good) {
    const bool refused = answer.kind == Kind::exception;
    count(refused ? telemetry_.exceptions : telemetry_.malformed);
    count(telemetry_.stats.errors);
    telemetry_.set_error(fmt::format("write to {} {}: {}", name_of(write.actuator->address.table),
                                     write.actuator->address.first,
                                     refused ? name_of(answer.exception) : answer.fault));
    // An answer that can not be understood is no answer: what the device did is not known.
    return acknowledge(write.command, refused ? Outcome::refused_device : Outcome::timed_out, arrival);
  }
  if (write.reading_back) {
    const double value = value_in(write.actuator->address, answer.payload);
    return acknowledge(write.command, agrees(write, answer.payload) ? Outcome::done : Outcome::mismatch, arrival,
                       value);
  }
  if (!write.command.verify) return acknowledge(write.command, Outcome::done, arrival);
  if (queue_.full()) return acknowledge(write.command, Outcome::unavailable, arrival);
  Write again = write;
  again.reading_back = true;
  queue_.push_front(again);
}

void Writer::lost(const Write& write, Outcome outcome, Nanos now) { acknowledge(write.command, outcome, now); }

void Writer::drop_queued(Nanos now) {
  while (!queue_.empty()) acknowledge(queue_.pop_front().command, Outcome::unavailable, now);
}

}  // namespace alara::modbus
