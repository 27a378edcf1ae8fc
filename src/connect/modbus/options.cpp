// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/options.hpp"

namespace alara::modbus {
namespace {

constexpr double kLeastPoll = kMillisecond;
constexpr double kLongest = kHour;
constexpr double kLeastBaud = 300, kMostBaud = 4'000'000;

}  // namespace

const Schema& options_schema() {
  static const Schema schema{
      "modbus connector",
      "Reads and writes Modbus devices: over TCP (`endpoint`), or all the units of a serial line as RTU (`serial`). "
      "Reads are merged into the fewest requests and keep a fixed schedule. With `gateway`, other programs reach the "
      "same units over Modbus TCP.",
      {
          {.name = "endpoint",
           .type = PropertyType::text,
           .sentence = "Where the device listens: tcp://host:port, port 502 if left out."},
          {.name = "serial",
           .type = PropertyType::text,
           .sentence = "In place of `endpoint`: the serial device of an RS-485 or RS-232 line, as in /dev/ttyUSB0."},
          {.name = "baud",
           .type = PropertyType::integer,
           .sentence = "Speed of the serial line in bits per second.",
           .fallback = "19200",
           .least = kLeastBaud,
           .most = kMostBaud},
          {.name = "parity",
           .type = PropertyType::choice,
           .sentence = "Parity of the serial line; the specification's is even.",
           .fallback = "even",
           .choices = {"even", "odd", "none"}},
          {.name = "stop_bits",
           .type = PropertyType::integer,
           .sentence = "Stop bits of the serial line; the specification asks for 2 without parity, many devices for 1.",
           .fallback = "1",
           .least = 1,
           .most = 2},
          {.name = "rs485",
           .type = PropertyType::choice,
           .sentence =
               "Who turns the RS-485 driver on to send: `off` the adapter itself, `kernel` the device's driver, "
               "`rts` we do, with RTS.",
           .fallback = "off",
           .choices = {"off", "kernel", "rts"}},
          {.name = "rts_delay",
           .type = PropertyType::duration,
           .sentence = "With `rs485: rts` or `kernel`: between RTS and the first bit, and between the last bit and its "
                       "end.",
           .fallback = "0ms",
           .least = 0,
           .most = 100 * kMillisecond},
          {.name = "echo",
           .type = PropertyType::boolean,
           .sentence = "The adapter hears what it sends; that is taken off.",
           .fallback = "false"},
          {.name = "gateway",
           .type = PropertyType::text,
           .sentence =
               "Where Modbus TCP clients are let in, as in tcp://127.0.0.1:1502: their requests take turns with "
               "the polls. The address must be a number."},
          {.name = "gateway_writes",
           .type = PropertyType::boolean,
           .sentence = "Whether the gateway's clients may write; otherwise they are refused with `illegal function`.",
           .fallback = "false"},
          {.name = "unit",
           .type = PropertyType::integer,
           .sentence = "Unit identifier of addresses that name none (`2@holding/1` names one); 1 to 247 on a serial "
                       "line.",
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
           .sentence = "Requests sent before the first is answered; more than 1 only for devices that queue them, and "
                       "never on a serial line.",
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

namespace {

Result<Endpoint> endpoint_of(const Options& options, std::string_view key) {
  auto endpoint = parse_endpoint(options.text(key), "tcp", kModbusPort);
  if (!endpoint) endpoint.error().where = options.where(key);
  return endpoint;
}

SerialLine serial_of(const Options& options) {
  SerialLine line;
  line.device = options.text("serial");
  line.baud = static_cast<std::uint32_t>(options.integer("baud"));
  const std::string parity = options.text("parity");
  line.parity = parity == "none" ? Parity::none : parity == "odd" ? Parity::odd : Parity::even;
  line.stop_bits = static_cast<unsigned>(options.integer("stop_bits"));
  const std::string rs485 = options.text("rs485");
  line.rs485 = rs485 == "kernel" ? Rs485::kernel : rs485 == "rts" ? Rs485::rts : Rs485::off;
  line.rts_delay = options.duration("rts_delay");
  line.echo = options.boolean("echo");
  return line;
}

Status set_place(const Options& options, Settings& settings) {
  if (options.has("endpoint") == options.has("serial"))
    return fail_at(options.where("endpoint"),
                   "a modbus connector has either an endpoint (tcp://host:port) or a serial line "
                   "(serial: /dev/…)");
  if (options.has("serial")) {
    settings.serial = serial_of(options);
    if (options.integer("in_flight") > 1)
      return fail_at(options.where("in_flight"), "a serial line carries one request at a time: in_flight must be 1");
  } else {
    ALARA_TRY(settings.endpoint, endpoint_of(options, "endpoint"));
    for (const std::string_view key : {"baud", "parity", "stop_bits", "rs485", "rts_delay", "echo"})
      if (options.has(key)) return fail_at(options.where(key), "{} is for serial lines", key);
  }
  if (!options.has("gateway")) return {};
  Gateway gateway;
  ALARA_TRY(gateway.listen, endpoint_of(options, "gateway"));
  if (!numeric_address(gateway.listen))
    return fail_at(options.where("gateway"),
                   "'{}' is no number: the gateway listens on an address of this machine, as "
                   "in tcp://127.0.0.1:1502",
                   gateway.listen.host);
  gateway.writes = options.boolean("gateway_writes");
  settings.gateway = gateway;
  return {};
}

}  // namespace

Result<Settings> settings_of(const Options& options) {
  Settings settings;
  ALARA_CHECK(set_place(options, settings));
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
  return settings;
}

}  // namespace alara::modbus
