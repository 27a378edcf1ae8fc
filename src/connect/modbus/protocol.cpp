// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/client.hpp"
#include "connect/modbus/modbus.hpp"

namespace alara::modbus {
namespace {

constexpr double kLeastPoll = kMillisecond;
constexpr double kLongest = kHour;

const Schema& options_schema() {
  static const Schema schema{
      "modbus connector",
      "Reads and writes a Modbus TCP device or gateway. Reads are merged into the fewest requests and keep a fixed "
      "schedule.",
      {
          {.name = "endpoint",
           .type = PropertyType::text,
           .sentence = "Where the device listens: tcp://host:port, port 502 if left out.",
           .required = true},
          {.name = "unit",
           .type = PropertyType::integer,
           .sentence = "Unit identifier of addresses that name none (`2@holding/1` names one).",
           .fallback = "1",
           .least = 0,
           .most = 255},
          {.name = "poll",
           .type = PropertyType::duration,
           .sentence =
               "Period of reading for signals that state none; slots are fixed, a late one is left out and counted.",
           .fallback = "1s",
           .least = kLeastPoll,
           .most = 24 * kLongest},
          {.name = "timeout",
           .type = PropertyType::duration,
           .sentence = "Longest wait for an answer or a connection; after three requests without any answer the "
                       "connection is made anew.",
           .fallback = "1s",
           .least = kLeastPoll,
           .most = kLongest},
          {.name = "max_registers",
           .type = PropertyType::integer,
           .sentence = "Most registers in one request; lower it for devices that take less than the protocol's 125.",
           .fallback = "125",
           .least = 1,
           .most = wire::kMaxReadRegisters},
          {.name = "max_coils",
           .type = PropertyType::integer,
           .sentence = "Most coils or discrete inputs in one request.",
           .fallback = "2000",
           .least = 1,
           .most = wire::kMaxReadBits},
          {.name = "max_gap",
           .type = PropertyType::integer,
           .sentence = "Unwanted registers or bits read to save a request; 0 for devices that refuse registers they do "
                       "not have.",
           .fallback = "16",
           .least = 0,
           .most = wire::kMaxReadBits},
          {.name = "pause",
           .type = PropertyType::duration,
           .sentence = "Least time between an exchange and the next request, for slow devices and serial gateways.",
           .fallback = "0ms",
           .least = 0,
           .most = kLongest},
          {.name = "in_flight",
           .type = PropertyType::integer,
           .sentence = "Requests sent before the first is answered; more than 1 only for devices that queue them.",
           .fallback = "1",
           .least = 1,
           .most = static_cast<double>(kMostInFlight)},
          {.name = "reconnect_min",
           .type = PropertyType::duration,
           .sentence = "Upper limit of the first wait before connecting again; it doubles with each failure, and each "
                       "wait is drawn at random below it.",
           .fallback = "100ms",
           .least = kLeastPoll,
           .most = kLongest},
          {.name = "reconnect_max",
           .type = PropertyType::duration,
           .sentence = "Where the doubling ends.",
           .fallback = "30s",
           .least = kLeastPoll,
           .most = kLongest},
          {.name = "retry",
           .type = PropertyType::duration,
           .sentence = "How often signals that the device refused, and silent units behind a gateway, are tried again; "
                       "the others are not held up by them.",
           .fallback = "30s",
           .least = kLeastPoll,
           .most = 24 * kLongest},
          {.name = "first_address",
           .type = PropertyType::integer,
           .sentence =
               "Number of the first register: 0 as in the protocol, 1 as in many manuals (where 40001 is holding/1).",
           .fallback = "0",
           .least = 0,
           .most = 1},
          {.name = "byte_order",
           .type = PropertyType::choice,
           .sentence = "Order of the bytes A (highest) to D of values whose address names none; `alara probe` shows "
                       "which is right.",
           .fallback = "ABCD",
           .choices = {"ABCD", "BADC", "CDAB", "DCBA"}},
          {.name = "writes",
           .type = PropertyType::choice,
           .sentence = "`single` writes one coil or register with functions 5 and 6; `multiple` always uses 15 and 16.",
           .fallback = "single",
           .choices = {"single", "multiple"}},
      }};
  return schema;
}

class ModbusProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "modbus"; }
  [[nodiscard]] const Schema& schema() const override { return options_schema(); }
  [[nodiscard]] std::string_view address_help() const override { return address_grammar(); }

  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& node,
                                          const std::string&) const override {
    const Options options(node, schema());
    Settings settings;
    auto endpoint = parse_endpoint(options.text("endpoint"));
    if (!endpoint) {
      endpoint.error().where = options.where("endpoint");
      return fail_with(std::move(endpoint));
    }
    settings.endpoint = *endpoint;
    settings.defaults.unit = static_cast<std::uint8_t>(options.integer("unit"));
    settings.defaults.order = wire::byte_order_named(options.text("byte_order")).value_or(wire::ByteOrder::abcd);
    settings.defaults.first_address = static_cast<std::uint16_t>(options.integer("first_address"));
    settings.limits.max_registers = static_cast<std::uint16_t>(options.integer("max_registers"));
    settings.limits.max_bits = static_cast<std::uint16_t>(options.integer("max_coils"));
    settings.limits.max_gap = static_cast<std::uint16_t>(options.integer("max_gap"));
    settings.poll = options.duration("poll");
    settings.timeout = options.duration("timeout");
    settings.pause = options.duration("pause");
    settings.in_flight = static_cast<std::size_t>(options.integer("in_flight"));
    settings.reconnect_min = options.duration("reconnect_min");
    settings.reconnect_max = options.duration("reconnect_max");
    settings.retry = options.duration("retry");
    settings.write_single = options.text("writes") == "single";
    if (settings.reconnect_max < settings.reconnect_min)
      return fail_at(options.where("reconnect_max"), "reconnect_max is shorter than reconnect_min");
    return std::make_unique<Client>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& modbus_protocol() {
  static const ModbusProtocol protocol;
  return protocol;
}

}  // namespace alara::modbus
