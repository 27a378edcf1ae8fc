// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/probe.hpp"

#include <cmath>
#include <optional>

#include "base/quantity.hpp"
#include "connect/modbus/link.hpp"

namespace alara::modbus {
namespace {

constexpr std::array kProbedTypes{wire::RegisterType::int16,   wire::RegisterType::uint16, wire::RegisterType::bcd16,
                                  wire::RegisterType::int32,   wire::RegisterType::uint32, wire::RegisterType::float32,
                                  wire::RegisterType::bcd32,   wire::RegisterType::int64,  wire::RegisterType::uint64,
                                  wire::RegisterType::float64, wire::RegisterType::bcd64};

// Sends one request after the other over a link that it turns itself.
class Asker final : public Link::Owner {
 public:
  Asker(IoLoop& loop, Clock& clock, const Settings& settings)
      : loop_(loop), clock_(clock), settings_(settings), link_(make_link(settings, loop, clock, *this, telemetry_)) {}

  Status connect() {
    link_->open();
    turn([this] { return link_->up() || error_; }, settings_.timeout);
    if (error_) return tl::unexpected<Error>(*error_);
    if (!link_->up()) return fail(ErrorKind::timed_out, "{} can not be reached", settings_.place());
    return {};
  }

  // The payload, or the exception's name as `refused`.
  Result<std::vector<std::uint8_t>> ask(std::uint8_t unit, const wire::ModbusRequest& request) {
    asked_ = request;
    payload_.reset();
    turn([this] { return clock_.monotonic() >= link_->quiet_until(); }, link_->quiet_until() - clock_.monotonic());
    if (error_) return tl::unexpected<Error>(*error_);
    const Nanos on_the_line = link_->send({++transaction_, unit, request});
    turn([this] { return payload_ || error_; }, on_the_line + settings_.timeout);
    if (error_) return tl::unexpected<Error>(*error_);
    if (!payload_)
      return fail(ErrorKind::timed_out, "{} (unit {}) does not answer within {}", settings_.place(), unit,
                  format_duration(settings_.timeout));
    return *payload_;
  }

  void forget_refusal() {
    if (error_ && error_->kind == ErrorKind::refused) error_.reset();
  }

 private:
  template <typename Done>
  void turn(const Done& done, Nanos most) {
    const Nanos end = clock_.monotonic() + most;
    bool late = false;
    const auto timer = loop_.at(end, [&late] { late = true; });
    while (!done() && !late) loop_.run_once(kNever);
    loop_.cancel(timer);
  }
  void link_up() override {}
  void link_down(const Error& why) override { error_ = why; }
  void link_frame(const wire::ModbusFrame& frame, Nanos) override {
    if (frame.transaction != transaction_) return;
    const wire::ModbusAnswer answer = wire::parse_answer(asked_, frame.pdu);
    using Kind = wire::ModbusAnswer::Kind;
    if (answer.kind == Kind::good)
      payload_.emplace(answer.payload.begin(), answer.payload.end());
    else if (answer.kind == Kind::exception)
      error_ = Error{
          ErrorKind::refused, fmt::format("{} refuses: {}", settings_.place(), name_of(answer.exception)), {}, {}};
    else
      error_ = Error{ErrorKind::corrupt, fmt::format("{} sent {}", settings_.place(), answer.fault), {}, {}};
  }

  IoLoop& loop_;
  Clock& clock_;
  const Settings settings_;
  Telemetry telemetry_;
  std::unique_ptr<Link> link_;
  wire::ModbusRequest asked_;
  std::uint16_t transaction_ = 0;
  std::optional<std::vector<std::uint8_t>> payload_;
  std::optional<Error> error_;
};

void decode(Probe& probe) {
  for (const wire::RegisterType type : kProbedTypes) {
    Probe::Row row{type, {}};
    wire::RegisterFormat format{.type = type};
    if (2 * wire::registers_of(format) > probe.bytes.size()) continue;
    for (std::size_t order = 0; order < row.value.size(); ++order) {
      format.order = static_cast<wire::ByteOrder>(order);
      row.value[order] = wire::decode_value(format, probe.bytes.data());
    }
    probe.rows.push_back(row);
  }
  probe.text = {wire::decode_text(wire::ByteOrder::abcd, probe.bytes),
                wire::decode_text(wire::ByteOrder::badc, probe.bytes)};
}

std::string cell(double value) { return std::isnan(value) ? "-" : fmt::format("{:.10g}", value); }

}  // namespace

Result<Probe> probe(const Settings& settings, const Address& address, Clock& clock) {
  ALARA_TRY(auto loop, IoLoop::create(clock));
  Asker asker(*loop, clock, settings);
  ALARA_CHECK(asker.connect());
  const bool bits = is_of_bits(address.table);
  for (std::uint16_t count = bits ? 16 : 8;; count /= 2) {
    if (address.first + count > 0x10000) continue;
    asker.forget_refusal();
    auto payload = asker.ask(address.unit, {reading(address.table), address.first, count, {}});
    if (!payload && (payload.error().kind != ErrorKind::refused || count == 1)) return fail_with(std::move(payload));
    if (!payload) continue;
    Probe found;
    found.address = address;
    if (bits) {
      for (std::size_t i = 0; i < count; ++i) found.bytes.push_back(wire::load_bit(*payload, i) ? 1 : 0);
    } else {
      found.bytes = std::move(*payload);
      decode(found);
    }
    return found;
  }
}

std::string format_probe(const Probe& probe) {
  const std::string place = fmt::format("{}/{}", name_of(probe.address.table), probe.address.first);
  std::string out = fmt::format("unit {}, {}\n", probe.address.unit, place);
  if (is_of_bits(probe.address.table)) {
    for (std::size_t i = 0; i < probe.bytes.size(); ++i)
      out += fmt::format("  {}/{}  {}\n", name_of(probe.address.table), probe.address.first + i, probe.bytes[i]);
    return out;
  }
  out += "  registers ";
  for (std::size_t i = 0; i + 1 < probe.bytes.size(); i += 2)
    out += fmt::format(" {:02X}{:02X}", probe.bytes[i], probe.bytes[i + 1]);
  out += fmt::format("\n  bits of the first  {:016b} (15 to 0)\n", wire::load_u16(probe.bytes.data()));
  out += fmt::format("  {:<9}{:>22}{:>22}{:>22}{:>22}\n", "", "ABCD (be)", "BADC", "CDAB", "DCBA (le)");
  for (const Probe::Row& row : probe.rows) {
    const bool one_register = wire::registers_of({.type = row.type}) == 1;
    out += fmt::format("  {:<9}", name_of(row.type));
    for (std::size_t order = 0; order < (one_register ? 2 : 4); ++order)
      out += fmt::format("{:>22}", cell(row.value[order]));
    out += '\n';
  }
  out += fmt::format("  text      \"{}\", bytes swapped \"{}\"\n", probe.text[0], probe.text[1]);
  out += fmt::format("Write the one that looks right, e.g. {}:float32CDAB\n", place);
  return out;
}

}  // namespace alara::modbus
