// SPDX-License-Identifier: Apache-2.0
#include "connect/can/settings.hpp"

#include <charconv>

namespace alara::can {
namespace {

constexpr std::array<std::string_view, 9> kBitrates{"10k",  "20k",  "50k",  "100k", "125k",
                                                    "250k", "500k", "800k", "1M"};  // S0 to S8

Schema make_schema() {
  using T = PropertyType;
  return Schema{
      "can connector",
      "Reads and writes a CAN bus: values by a DBC file, J1939 faults, OBD-II parameters.",
      {{.name = "endpoint",
        .type = T::text,
        .sentence =
            "socketcan:can0 (an interface of Linux), slcan:/dev/ttyACM0 (a serial adapter), or log:trace.log (a "
            "recording of candump).",
        .required = true},
       {.name = "dbc", .type = T::text, .sentence = "DBC file that says what frames mean; relative to the site file."},
       {.name = "bitrate",
        .type = T::choice,
        .sentence = "Of the bus, for slcan adapters; SocketCAN interfaces have theirs set by `ip link`.",
        .fallback = "500k",
        .choices = {kBitrates.begin(), kBitrates.end()}},
       {.name = "serial_baud",
        .type = T::integer,
        .sentence = "Of the serial line to an slcan adapter. A full bus of 500 kbit/s needs 2,000,000.",
        .fallback = "115200",
        .least = 9600,
        .most = 4e6},
       {.name = "j1939",
        .type = T::boolean,
        .sentence = "Messages are known by their parameter group, whoever sends them; long ones are put together; "
                    "greatest values mean not available.",
        .fallback = "false"},
       {.name = "address",
        .type = T::integer,
        .sentence = "This node's address on a J1939 bus, for messages sent to it and by it. Default: it only listens.",
        .least = 0,
        .most = 253},
       {.name = "silence",
        .type = T::duration,
        .sentence =
            "A bus without any frame for so long is taken for broken: its signals turn bad, the adapter is opened "
            "anew. 0s: never.",
        .fallback = "5s"},
       {.name = "request_timeout",
        .type = T::duration,
        .sentence = "How long the answer to an OBD request may take.",
        .fallback = "200ms",
        .least = 1e6},
       {.name = "ack_timeout",
        .type = T::duration,
        .sentence = "How long an slcan adapter may take to confirm a frame.",
        .fallback = "500ms",
        .least = 1e6},
       {.name = "reconnect_min",
        .type = T::duration,
        .sentence = "The first wait before opening again is a random part of this; each failure doubles it.",
        .fallback = "100ms",
        .least = 1e6},
       {.name = "reconnect_max",
        .type = T::duration,
        .sentence = "The longest such wait.",
        .fallback = "30s",
        .least = 1e6},
       {.name = "speed",
        .type = T::text,
        .sentence = "Of a log: max, or a multiple of real time (1, 60, 0.5).",
        .fallback = "max"}}};
}

Status read_endpoint(const Options& options, const std::string& directory, Settings& out) {
  const std::string text = options.text("endpoint");
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  if (colon == std::string::npos || colon + 1 == text.size() ||
      (kind != "socketcan" && kind != "slcan" && kind != "log"))
    return fail_at(options.where("endpoint"), "endpoint '{}' is none of socketcan:INTERFACE, slcan:DEVICE and log:FILE",
                   text);
  out.bus = kind == "socketcan" ? BusKind::socketcan : kind == "slcan" ? BusKind::slcan : BusKind::log;
  out.endpoint = text.substr(colon + 1);
  if (out.bus == BusKind::log && out.endpoint.front() != '/') out.endpoint = directory + "/" + out.endpoint;
  if (out.bus == BusKind::socketcan && out.endpoint.size() > 15)
    return fail_at(options.where("endpoint"), "'{}' is longer than the name of an interface can be", out.endpoint);
  return {};
}

}  // namespace

const Schema& schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

Result<Settings> read_settings(const Node& node, const std::string& directory) {
  const Options options(node, schema());
  Settings out;
  ALARA_CHECK(read_endpoint(options, directory, out));
  for (std::size_t i = 0; i < kBitrates.size(); ++i)
    if (kBitrates[i] == options.text("bitrate")) out.bitrate = static_cast<char>('0' + i);
  out.serial_baud = static_cast<int>(options.integer("serial_baud"));
  out.j1939 = options.boolean("j1939");
  if (options.has("address")) {
    if (!out.j1939) return fail_at(options.where("address"), "address is for a J1939 bus: add j1939: true");
    out.address = static_cast<std::uint8_t>(options.integer("address"));
  }
  out.silence = options.duration("silence");
  out.request_timeout = options.duration("request_timeout");
  out.ack_timeout = options.duration("ack_timeout");
  out.reconnect_min = options.duration("reconnect_min");
  out.reconnect_max = options.duration("reconnect_max");
  if (out.reconnect_max < out.reconnect_min)
    return fail_at(options.where("reconnect_max"), "reconnect_max is below reconnect_min");
  if (const std::string speed = options.text("speed"); speed != "max") {
    const auto [end, error] = std::from_chars(speed.data(), speed.data() + speed.size(), out.speed);
    if (error != std::errc{} || end != speed.data() + speed.size() || !(out.speed > 0) || out.speed > 1e9)
      return fail_at(options.where("speed"), "speed '{}' is neither max nor a multiple of real time", speed);
  }
  out.dbc = std::make_shared<const wire::can::Dbc>();
  if (std::string path = options.text("dbc"); !path.empty()) {
    if (path.front() != '/') path = directory + "/" + path;
    auto dbc = wire::can::load_dbc(path);
    if (!dbc) {
      // Where the file is wrong is in the message; the place of the error is the option that names it.
      Error error = dbc.error();
      error.message = error.text();
      error.hint.clear();
      error.where = options.where("dbc");
      return tl::unexpected<Error>(std::move(error));
    }
    out.dbc = std::make_shared<const wire::can::Dbc>(std::move(*dbc));
  }
  return out;
}

}  // namespace alara::can
