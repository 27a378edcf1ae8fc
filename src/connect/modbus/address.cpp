// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/address.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::modbus {
namespace {

constexpr std::array<std::string_view, 4> kTables{"coil", "discrete", "holding", "input"};
constexpr std::array<std::string_view, 12> kTypes{"bool",   "int16",   "uint16",  "int32", "uint32", "int64",
                                                  "uint64", "float32", "float64", "bcd16", "bcd32",  "bcd64"};
constexpr int kBitsOfRegister = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view take_while(std::string_view& rest, bool (*wanted)(char)) {
  std::size_t length = 0;
  while (length < rest.size() && wanted(rest[length])) ++length;
  const std::string_view taken = rest.substr(0, length);
  rest.remove_prefix(length);
  return taken;
}

bool take(std::string_view& rest, char wanted) {
  if (rest.empty() || rest.front() != wanted) return false;
  rest.remove_prefix(1);
  return true;
}

// A decimal number of at most `most`; nothing else.
std::optional<std::uint32_t> whole(std::string_view digits, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || value > most)
    return std::nullopt;
  return value;
}

class Reader {
 public:
  Reader(std::string_view text, const AddressDefaults& defaults) : text_(text), rest_(text), defaults_(defaults) {}

  Result<Address> read() {
    address_.unit = defaults_.unit;
    address_.format.order = defaults_.order;
    ALARA_CHECK(unit());
    ALARA_CHECK(table());
    ALARA_CHECK(number());
    ALARA_CHECK(bit());
    ALARA_CHECK(type());
    ALARA_CHECK(scale());
    ALARA_CHECK(options());
    if (!rest_.empty()) return refuse("'{}' is not understood", rest_);
    if (!is_of_bits(address_.table)) address_.count = static_cast<std::uint16_t>(wire::registers_of(address_.format));
    if (address_.first + address_.count > 0x10000) return refuse("the value ends beyond the last register");
    return address_;
  }

 private:
  template <typename... Args>
  tl::unexpected<Error> refuse(fmt::format_string<Args...> format, Args&&... args) const {
    Error error{ErrorKind::bad_input, fmt::format("address '{}': ", text_), {}, {}};
    error.message += fmt::format(format, std::forward<Args>(args)...);
    error.hint = "write table/number, e.g. holding/102:float32be, input/7:int16*0.1+5, coil/3 or 2@holding/10.3";
    return tl::unexpected<Error>(std::move(error));
  }

  Status unit() {
    const std::size_t at = rest_.find('@');
    if (at == std::string_view::npos) return {};
    const auto unit = whole(rest_.substr(0, at), 255);
    if (!unit) return refuse("unit '{}' is not a number from 0 to 255", rest_.substr(0, at));
    address_.unit = static_cast<std::uint8_t>(*unit);
    rest_.remove_prefix(at + 1);
    return {};
  }

  Status table() {
    const std::string_view name = take_while(rest_, is_letter);
    for (std::size_t i = 0; i < kTables.size(); ++i)
      if (kTables[i] == name) {
        address_.table = static_cast<Table>(i);
        if (!take(rest_, '/')) return refuse("after '{}' comes '/' and a number", name);
        return {};
      }
    const std::string near = nearest(name, kTables);
    if (!near.empty()) return refuse("there is no table '{}'; did you mean '{}'?", name, near);
    return refuse("there is no table '{}'; there are {}", name, enumerate(kTables));
  }

  Status number() {
    const std::string_view digits = take_while(rest_, is_digit);
    const auto number = whole(digits, 0xFFFFu + defaults_.first_address);
    if (!number || *number < defaults_.first_address)
      return refuse("'{}' is not a number from {} to {}", digits, defaults_.first_address,
                    0xFFFF + defaults_.first_address);
    address_.first = static_cast<std::uint16_t>(*number - defaults_.first_address);
    return {};
  }

  Status bit() {
    if (!take(rest_, '.')) return {};
    if (is_of_bits(address_.table)) return refuse("a {} has no bits to choose from", name_of(address_.table));
    const std::string_view digits = take_while(rest_, is_digit);
    const auto bit = whole(digits, kBitsOfRegister - 1);
    if (!bit) return refuse("bit '{}' is not a number from 0 to 15", digits);
    address_.format.type = wire::RegisterType::bit;
    address_.format.bit = static_cast<std::uint8_t>(*bit);
    return {};
  }

  Status type() {
    if (!take(rest_, ':')) return {};
    const std::string_view letters = take_while(rest_, is_letter);
    const std::string_view digits = take_while(rest_, is_digit);
    const std::string_view name{letters.data(), letters.size() + digits.size()};
    const bool of_bit = is_of_bits(address_.table) || address_.format.type == wire::RegisterType::bit;
    if (of_bit) {
      if (name != "bool") return refuse("a single bit is a bool, not '{}'", name);
      return {};
    }
    if (letters == "string") {
      const auto registers = whole(digits, wire::kMaxTextRegisters);
      if (!registers || *registers == 0)
        return refuse("'{}': write string1 to string{}, the number of its registers", name, wire::kMaxTextRegisters);
      address_.format.type = wire::RegisterType::text;
      address_.format.text_registers = static_cast<std::uint8_t>(*registers);
    } else if (const auto known = wire::register_type_named(name)) {
      address_.format.type = *known;
    } else if (name == "bool") {
      return refuse("a bool in a register needs its bit: {}/{}.0", name_of(address_.table),
                    address_.first + defaults_.first_address);
    } else {
      const std::string near = nearest(name, kTypes);
      if (!near.empty()) return refuse("there is no type '{}'; did you mean '{}'?", name, near);
      return refuse("there is no type '{}'; there are {} and string<registers>", name, enumerate(kTypes));
    }
    return order();
  }

  // Straight after the type or after another ':'.
  Status order() {
    const bool must = take(rest_, ':');
    const std::string_view name = take_while(rest_, is_letter);
    if (name.empty() && !must) return {};
    const auto order = wire::byte_order_named(name);
    if (!order) return refuse("there is no byte order '{}'; there are ABCD (be), BADC, CDAB and DCBA (le)", name);
    address_.format.order = *order;
    return {};
  }

  Status scale() {
    if (take(rest_, '*')) {
      ALARA_TRY(const double scale, factor());
      address_.format.scale = scale;
      if (address_.format.scale == 0) return refuse("a scale of zero loses the value");
    }
    if (!rest_.empty() && (rest_.front() == '+' || rest_.front() == '-')) {
      const double sign = rest_.front() == '-' ? -1 : 1;
      rest_.remove_prefix(1);
      if (rest_.empty() || !(is_digit(rest_.front()) || rest_.front() == '.'))
        return refuse("the offset has no number");
      ALARA_TRY(const double offset, factor());
      address_.format.offset = sign * offset;
    }
    return {};
  }

  Result<double> factor() {
    double value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{} || !std::isfinite(value)) return refuse("'{}' does not begin with a number", rest_);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  Status options() {
    if (!take(rest_, '?')) return {};
    constexpr std::string_view kPoll = "poll=";
    if (!rest_.starts_with(kPoll)) return refuse("'?{}': the only option is ?poll=100ms", rest_);
    const auto period = parse_duration(rest_.substr(kPoll.size()));
    if (!period) return refuse("{}", period.error().message);
    if (*period < kMillisecond) return refuse("a poll period is at least 1ms");
    address_.poll = *period;
    rest_ = {};
    return {};
  }

  std::string_view text_;
  std::string_view rest_;
  const AddressDefaults& defaults_;
  Address address_;
};

}  // namespace

std::string_view name_of(Table table) { return kTables[static_cast<std::size_t>(table)]; }

wire::ModbusFunction reading(Table table) {
  switch (table) {
    case Table::coil:
      return wire::ModbusFunction::read_coils;
    case Table::discrete:
      return wire::ModbusFunction::read_discrete;
    case Table::holding:
      return wire::ModbusFunction::read_holding;
    case Table::input:
      return wire::ModbusFunction::read_input;
  }
  return wire::ModbusFunction::read_holding;
}

Result<Address> parse_address(std::string_view text, const AddressDefaults& defaults) {
  return Reader(text, defaults).read();
}

std::string_view address_grammar() {
  return R"([unit@]table/number[.bit][:type[order]][*scale][+offset|-offset][?poll=period]

  table   coil, discrete (bits); holding, input (registers)
  number  from 0, or from 1 with the option `first_address: 1`
  .bit    one bit of a register, 0 (lowest) to 15
  type    int16 uint16 (the default) int32 uint32 int64 uint64 float32 float64 bcd16 bcd32 bcd64,
          stringN: text in N registers, read as the number that it spells
  order   ABCD or be, BADC, CDAB, DCBA or le; without it the option `byte_order`
  scale   value = raw * scale + offset; written values are converted back

  holding/102:float32be       two registers, big endian
  input/7:int16*0.1+5         a scaled register
  2@holding/40:uint32CDAB     of unit 2 behind the same gateway, registers swapped
  holding/10.3                bit 3 of register 10
  coil/3  discrete/4          single bits
  holding/60:float64?poll=1s  read once a second whatever the connector's poll
)";
}

}  // namespace alara::modbus
