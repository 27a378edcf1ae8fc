// SPDX-License-Identifier: Apache-2.0
#include "connect/can/plan.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::can {
namespace {

using wire::can::DbcMessage;
using wire::can::DbcSignal;
using wire::can::Frame;
using wire::can::J1939Id;

constexpr std::uint32_t kExtended = 0x80000000;
constexpr Nanos kDefaultPoll = kSecond;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// "@0x21" at the end of an address: from which control unit.
Result<std::optional<std::uint8_t>> take_source(std::string_view& address) {
  const std::size_t at = address.rfind("@0x");
  if (at == std::string_view::npos) return std::optional<std::uint8_t>{};
  const std::string_view digits = address.substr(at + 3);
  std::uint8_t source = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), source, 16);
  if (error != std::errc{} || end != digits.data() + digits.size())
    return fail(ErrorKind::bad_input, "'@0x{}' is no source address of 0x00 to 0xFF", digits);
  address = address.substr(0, at);
  return std::optional(source);
}

Error unknown(std::string_view what, std::string_view name, const std::vector<std::string_view>& known) {
  Error error{ErrorKind::bad_input, fmt::format("there is no {} '{}'", what, name), {}, {}};
  const std::string guess = nearest(name, std::span<const std::string_view>(known));
  if (!guess.empty()) error.hint = fmt::format("did you mean '{}'?", guess);
  return error;
}

}  // namespace

void Samples::add(SignalId id, double v, Nanos t, Quality q) {
  signal.push_back(id);
  value.push_back(v);
  time.push_back(t);
  quality.push_back(q);
}

void Samples::clear() {
  signal.clear();
  value.clear();
  time.clear();
  quality.clear();
  short_frames = 0;
}

std::uint32_t Plan::key_of(const DbcMessage& message) const {
  if (settings_.j1939 && message.extended) return J1939Id::of(message.id).pgn;
  return message.id | (message.extended ? kExtended : 0);
}

Result<Plan::Field> Plan::field_of(std::string_view address) {
  if (address.empty()) return fail(ErrorKind::bad_input, "the address is empty");
  if (address.starts_with("0x")) return raw_field(address);
  Field field;
  ALARA_TRY(field.source, take_source(address));
  if (field.source && !settings_.j1939)
    return fail(ErrorKind::bad_input, "a source address ('@0x…') is for J1939: add j1939: true");
  const std::size_t dot = address.find('.');
  const std::string_view name = address.substr(0, dot);
  if (dot == std::string_view::npos)
    return fail(ErrorKind::bad_input, "'{}' is not MESSAGE.SIGNAL, 0xID:START|LENGTH@1+, dm1.… or obd:…", address);
  field.message = dbc_->find(name);
  if (field.message == nullptr) {
    std::vector<std::string_view> names;
    for (const DbcMessage& message : dbc_->messages) names.push_back(message.name);
    if (names.empty()) return fail(ErrorKind::bad_input, "'{}' needs a DBC file: add dbc: FILE", address);
    return tl::unexpected<Error>(unknown("message", name, names));
  }
  field.signal = field.message->find(address.substr(dot + 1));
  if (field.signal == nullptr) {
    std::vector<std::string_view> names;
    for (const DbcSignal& signal : field.message->signals) names.push_back(signal.name);
    return tl::unexpected<Error>(unknown(fmt::format("signal of '{}'", name), address.substr(dot + 1), names));
  }
  if (field.signal->bits.bytes() > field.message->size)
    return fail(ErrorKind::bad_input, "'{}' reaches beyond the {} bytes of its message: the DBC file is wrong", address,
                field.message->size);
  return field;
}

// "0x123:24|16@1+*0.1-40": an id, and bits as a DBC file writes them, with factor and offset if wanted.
Result<Plan::Field> Plan::raw_field(std::string_view address) {
  const std::size_t colon = address.find(':');
  const std::string_view id = address.substr(0, colon);
  if (colon == std::string_view::npos || (id.size() != 5 && id.size() != 10))
    return fail(ErrorKind::bad_input, "'{}' is not 0x123:START|LENGTH@1+ or 0x12345678:…", address);
  std::string scale = "(1,0)";
  std::string_view bits = address.substr(colon + 1);
  if (const std::size_t star = bits.find('*'); star != std::string_view::npos) {
    std::string_view text = bits.substr(star + 1);
    bits = bits.substr(0, star);
    const std::size_t sign = text.find_first_of("+-", 1);
    scale = fmt::format("({},{})", text.substr(0, sign), sign == std::string_view::npos ? "0" : text.substr(sign));
  }
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(id.data() + 2, id.data() + id.size(), number, 16);
  if (error != std::errc{} || end != id.data() + id.size()) return fail(ErrorKind::bad_input, "'{}' is no CAN id", id);
  // The DBC reader knows how bits are written; what it says of its text is not the user's.
  auto made = wire::can::parse_dbc(fmt::format("BO_ {} raw: 8 X\n SG_ raw : {} {} [0|0] \"\" X\n",
                                               number | (id.size() == 10 ? kExtended : 0), bits, scale),
                                   "");
  if (!made) return fail(ErrorKind::bad_input, "'{}': {}", address, made.error().message);
  if (made->messages.size() != 1 || made->messages[0].signals.size() != 1 ||
      made->messages[0].signals[0].bits.bytes() > 8)
    return fail(ErrorKind::bad_input, "'{}' is not within 8 bytes", address);
  raw_.push_back(std::make_unique<DbcMessage>(std::move(made->messages[0])));
  return Field{raw_.back().get(), &raw_.back()->signals[0], {}};
}

Status Plan::add_signal(const SignalBinding& signal) {
  std::string_view address = signal.address;
  signals_.push_back(signal.signal);
  if (address.starts_with("obd:")) return add_poll(signal, address.substr(4));
  if (address.starts_with("dm1.")) {
    ALARA_TRY(const auto source, take_source(address));
    return add_fault(signal.signal, address.substr(4), source);
  }
  ALARA_TRY(const Field field, field_of(address));
  fields_[key_of(*field.message)].push_back({signal.signal, field});
  return {};
}

Status Plan::add_fault(SignalId id, std::string_view what, std::optional<std::uint8_t> source) {
  if (!settings_.j1939) return fail(ErrorKind::bad_input, "dm1 is for a J1939 bus: add j1939: true");
  constexpr std::array<std::string_view, 7> kNames{"count",    "spn",           "fmi",    "malfunction",
                                                   "red_stop", "amber_warning", "protect"};
  const auto found = std::ranges::find(kNames, what);
  if (found == kNames.end())
    return tl::unexpected<Error>(unknown("value of dm1", what, {kNames.begin(), kNames.end()}));
  faults_.push_back({id, static_cast<Dm1>(found - kNames.begin()), source});
  return {};
}

Status Plan::add_poll(const SignalBinding& signal, std::string_view name) {
  if (settings_.bus == BusKind::log) return fail(ErrorKind::bad_input, "a log can not be asked for OBD parameters");
  ALARA_TRY(const wire::can::ObdParameter* const parameter, wire::can::obd_parameter(name));
  const Nanos period = signal.poll > 0 ? signal.poll : kDefaultPoll;
  const auto known = std::ranges::find(polls_, parameter, &ObdPoll::parameter);
  if (known == polls_.end()) {
    polls_.push_back({parameter, period, {signal.signal}});
  } else {
    known->period = std::min(known->period, period);
    known->signals.push_back(signal.signal);
  }
  return {};
}

Status Plan::add_actuator(const ActuatorBinding& actuator) {
  if (settings_.bus == BusKind::log) return fail(ErrorKind::bad_input, "a log can not be written to");
  ALARA_TRY(const Field field, field_of(actuator.address));
  if (field.message->size > 8)
    return fail(ErrorKind::bad_input, "'{}' is a message of {} bytes: only those of one frame (8) can be written",
                field.message->name, field.message->size);
  auto [content, added] = contents_.try_emplace(key_of(*field.message), field.message->size, std::uint8_t{0});
  writables_[index_of(actuator.actuator)] = {field, &content->second};
  return {};
}

std::vector<std::string> Plan::explain() const {
  std::size_t fields = 0;
  for (const auto& [key, targets] : fields_) fields += targets.size();
  std::vector<std::string> lines{
      fmt::format("{} signals in {} messages{}", fields, fields_.size(), settings_.j1939 ? ", J1939" : "")};
  if (!faults_.empty()) lines.push_back(fmt::format("{} values of active faults (DM1)", faults_.size()));
  for (const ObdPoll& poll : polls_)
    lines.push_back(fmt::format("ask for OBD {:02X} ({}) every {}", poll.parameter->pid, poll.parameter->name,
                                format_duration(poll.period)));
  for (const auto& [id, writable] : writables_)
    lines.push_back(fmt::format("write {}.{}", writable.field.message->name, writable.field.signal->name));
  return lines;
}

void Plan::take(const Frame& frame, Nanos time, Samples& out) {
  if (frame.remote) return;
  take_fields(frame.id | (frame.extended ? kExtended : 0), {}, frame.bytes(), time, out);
}

void Plan::take(const wire::can::J1939Message& message, Nanos time, Samples& out) {
  if (message.id.pgn == wire::can::kPgnDm1 && !faults_.empty()) take_faults(message, time, out);
  take_fields(message.id.pgn, message.id.source, message.data, time, out);
}

void Plan::take_fields(std::uint32_t key, std::optional<std::uint8_t> source, std::span<const std::uint8_t> data,
                       Nanos time, Samples& out) {
  if (const auto content = contents_.find(key); content != contents_.end() && content->second.size() == data.size())
    std::ranges::copy(data, content->second.begin());
  const auto found = fields_.find(key);
  if (found == fields_.end()) {
    ++unknown_frames_;
    return;
  }
  for (const Target& target : found->second) {
    const Field& field = target.field;
    if (field.source && field.source != source) continue;
    if (field.signal->bits.bytes() > data.size()) {
      ++out.short_frames;
      continue;
    }
    if (!field.message->has(*field.signal, data)) continue;  // multiplexed, and not in this one
    if (source && field.signal->kind == DbcSignal::Kind::integer &&
        wire::can::judge_j1939(field.signal->bits.extract(data), field.signal->bits.length) !=
            wire::can::J1939Value::valid) {
      out.add(target.id, kNan, time, Quality::bad);
      continue;
    }
    const double value = field.signal->value(data);
    out.add(target.id, value, time, std::isfinite(value) ? Quality::good : Quality::bad);
  }
}

void Plan::take_faults(const wire::can::J1939Message& message, Nanos time, Samples& out) {
  const auto faults = wire::can::parse_dm1(message.data);
  for (const FaultTarget& target : faults_) {
    if (target.source && *target.source != message.id.source) continue;
    if (!faults) {
      ++out.short_frames;
      continue;
    }
    const bool none = faults->faults.empty();
    const auto value = [&]() -> double {
      switch (target.what) {
        case Dm1::count:
          return static_cast<double>(faults->faults.size());
        case Dm1::spn:
          return none ? 0 : faults->faults.front().spn;
        case Dm1::fmi:
          return none ? 0 : faults->faults.front().fmi;
        case Dm1::malfunction:
          return faults->malfunction;
        case Dm1::red_stop:
          return faults->red_stop;
        case Dm1::amber_warning:
          return faults->amber_warning;
        case Dm1::protect:
          return faults->protect;
      }
      return kNan;
    };
    out.add(target.id, value(), time, Quality::good);
  }
}

Result<Frame> Plan::frame_for(ActuatorId actuator, double value) {
  const auto found = writables_.find(index_of(actuator));
  if (found == writables_.end()) return fail(ErrorKind::not_found, "no message is bound to this actuator");
  const Field& field = found->second.field;
  std::vector<std::uint8_t> content = *found->second.content;
  ALARA_CHECK(field.signal->put(value, content));
  ALARA_CHECK(field.message->make_room(*field.signal, content));
  *found->second.content = content;
  Frame frame;
  frame.id = field.message->id;
  frame.extended = field.message->extended;
  if (settings_.j1939 && frame.extended && settings_.address != wire::can::kEveryone) {
    J1939Id id = J1939Id::of(frame.id);
    id.source = settings_.address;
    frame.id = id.can_id();
  }
  frame.size = static_cast<std::uint8_t>(content.size());
  std::ranges::copy(content, frame.data.begin());
  return frame;
}

}  // namespace alara::can
