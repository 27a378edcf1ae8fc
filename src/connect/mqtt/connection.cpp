// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/connection.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "base/quantity.hpp"
#include "connect/mqtt/dialer.hpp"

namespace alara::mqtt {
namespace {

constexpr int kPacketsPerWake = 1024;  // then other descriptors of the loop get their turn
constexpr std::size_t kFiltersPerPacket = 200;
constexpr std::size_t kFilterBytesPerPacket = 60'000;
constexpr std::size_t kReasonShown = 200;    // of a broker's own words
constexpr std::size_t kPacketOverhead = 64;  // fixed header and properties of a message, at most
constexpr Nanos kTickPeriod = kSecond;       // keep-alive probes are checked this often

void initialise_library() {
  static std::once_flag once;
  std::call_once(once, [] { mosquitto_lib_init(); });
}

// A reason in words: the code's meaning and, where it sent one, the broker's own sentence.
std::string explain(int reason, const mosquitto_property* properties) {
  std::string text = fmt::format("{} (0x{:02X})", mosquitto_reason_string(reason), reason);
  char* said = nullptr;
  if (mosquitto_property_read_string(properties, MQTT_PROP_REASON_STRING, &said, false) != nullptr && said != nullptr) {
    text += fmt::format(", \"{}\"", std::string_view(said).substr(0, kReasonShown));
    free(said);
  }
  return text;
}

BrokerLimits read_limits(Version version, int flags, const mosquitto_property* properties) {
  BrokerLimits limits;
  limits.session_present = (flags & 1) != 0;
  if (version != Version::mqtt5) return limits;
  const auto flag = [&](int property) {
    std::uint8_t value = 1;
    mosquitto_property_read_byte(properties, property, &value, false);
    return value;
  };
  limits.qos = flag(MQTT_PROP_MAXIMUM_QOS);
  limits.retain = flag(MQTT_PROP_RETAIN_AVAILABLE) != 0;
  limits.shared_subscriptions = flag(MQTT_PROP_SHARED_SUB_AVAILABLE) != 0;
  limits.wildcards = flag(MQTT_PROP_WILDCARD_SUB_AVAILABLE) != 0;
  std::uint32_t packet = UINT32_MAX;
  mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &packet, false);
  limits.packet = packet;
  std::uint16_t receive = UINT16_MAX;
  mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM, &receive, false);
  limits.receive_maximum = std::max<std::size_t>(receive, 1);
  mosquitto_property_read_int16(properties, MQTT_PROP_TOPIC_ALIAS_MAXIMUM, &limits.topic_alias_maximum, false);
  return limits;
}

}  // namespace

struct Connection::State {
  State(const LinkSettings& settings_in, IoLoop& loop_in, Clock& clock_in, ConnectionEvents& events_in)
      : settings(settings_in), loop(loop_in), clock(clock_in), events(events_in) {}

  const LinkSettings& settings;
  IoLoop& loop;
  Clock& clock;
  ConnectionEvents& events;

  std::unique_ptr<Dialer> dialer;  // until the TCP connection stands
  Client client;
  int fd = -1;  // of the client, while watched
  bool logged_in = false;
  bool over = false;     // lost() was called, or close()
  bool writing = false;  // EPOLLOUT is on
  Error reason;          // the broker's, for lost()
  IoLoop::TimerId deadline{}, tick{};
  BrokerLimits limits;
  std::vector<bool> aliases;                              // known to the broker, by number
  std::map<int, std::vector<std::string>> subscriptions;  // asked for and not answered, by packet id

  Result<Client> make_client();
  Status secure(mosquitto* target);
  void adopt(Client connected);
  void lose(Error why);
  void release();
  void on_socket(std::uint32_t epoll_events);
  void drain();
  void flush();
  void update_mask();
  void schedule_tick();
  void check(int result);

  // Callbacks of the library.
  static void on_connect(mosquitto*, void* self, int reason, int flags, const mosquitto_property* properties);
  static void on_message(mosquitto*, void* self, const mosquitto_message* message, const mosquitto_property*);
  static void on_publish(mosquitto*, void* self, int id, int reason, const mosquitto_property* properties);
  static void on_subscribe(mosquitto*, void* self, int id, int count, const int* granted,
                           const mosquitto_property* properties);
  static void on_disconnect(mosquitto*, void* self, int reason, const mosquitto_property* properties);
};

Status Connection::State::secure(mosquitto* target) {
  int result = MOSQ_ERR_SUCCESS;
  const auto or_null = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  if (settings.ca.empty()) {
    result = mosquitto_tls_set(target, nullptr, "/etc/ssl/certs", or_null(settings.certificate), or_null(settings.key),
                               nullptr);
  } else {
    result = mosquitto_tls_set(target, settings.ca.c_str(), nullptr, or_null(settings.certificate),
                               or_null(settings.key), nullptr);
  }
  if (result != MOSQ_ERR_SUCCESS)
    return fail(ErrorKind::bad_input, "can not read the TLS files ca '{}', cert '{}', key '{}'", settings.ca,
                settings.certificate, settings.key);
  mosquitto_tls_opts_set(target, 1, settings.tls_version.c_str(),
                         nullptr);  // 1: the peer must show a valid certificate
  return {};
}

Result<Client> Connection::State::make_client() {
  initialise_library();
  Client made(mosquitto_new(settings.client_id.c_str(), settings.clean_start, this));
  if (made == nullptr)
    return fail(ErrorKind::bad_input, "client_id '{}' is refused by the MQTT library", settings.client_id);
  mosquitto* const target = made.get();
  mosquitto_int_option(target, MOSQ_OPT_PROTOCOL_VERSION,
                       settings.version == Version::mqtt5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(target, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(target, MOSQ_OPT_RECEIVE_MAXIMUM, settings.receive_maximum);
  mosquitto_int_option(target, MOSQ_OPT_SEND_MAXIMUM, 0);
  if (settings.tls) ALARA_CHECK(secure(target));
  if (!settings.username.empty()) {
    ALARA_TRY(const std::string password, read_password(settings));
    mosquitto_username_pw_set(target, settings.username.c_str(), password.empty() ? nullptr : password.c_str());
  }
  if (settings.will)
    mosquitto_will_set(target, settings.will->topic.c_str(), static_cast<int>(settings.will->payload.size()),
                       settings.will->payload.data(), settings.will->qos, settings.will->retain);
  mosquitto_connect_v5_callback_set(target, on_connect);
  mosquitto_message_v5_callback_set(target, on_message);
  mosquitto_publish_v5_callback_set(target, on_publish);
  mosquitto_subscribe_v5_callback_set(target, on_subscribe);
  mosquitto_disconnect_v5_callback_set(target, on_disconnect);
  return made;
}

// Ends this connection once; the library's object goes when the Connection does.
void Connection::State::lose(Error why) {
  if (over) return;
  over = true;
  release();
  events.lost(why);
}

void Connection::State::release() {
  if (dialer) loop.unwatch(dialer->ready_fd());
  if (fd >= 0) loop.unwatch(fd);
  fd = -1;
  loop.cancel(deadline);
  loop.cancel(tick);
}

void Connection::State::adopt(Client connected) {
  client = std::move(connected);
  fd = mosquitto_socket(client.get());
  const Status watched = fd < 0 ? fail(ErrorKind::unavailable, "the connection is gone")
                                : loop.watch(fd, EPOLLIN, [this](std::uint32_t mask) { on_socket(mask); });
  if (!watched) return lose(watched.error());
  update_mask();
  schedule_tick();
}

void Connection::State::schedule_tick() {
  tick = loop.at(clock.monotonic() + kTickPeriod, [this] {
    schedule_tick();
    check(mosquitto_loop_misc(client.get()));
    if (!over) drain();  // bytes that TLS had read ahead make no descriptor readable
  });
}

void Connection::State::on_socket(std::uint32_t mask) {
  if ((mask & EPOLLOUT) != 0) flush();
  if (!over && (mask & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) drain();
  if (!over) update_mask();
}

// Reads packets until the socket is empty. The library reads one per call and leaves EAGAIN when there was none.
void Connection::State::drain() {
  const int most = logged_in ? kPacketsPerWake : 1;
  for (int i = 0; i < most && !over; ++i) {
    errno = 0;
    const int result = mosquitto_loop_read(client.get(), 1);
    const bool empty = errno == EAGAIN;
    check(result);
    if (empty) return;
  }
}

void Connection::State::flush() { check(mosquitto_loop_write(client.get(), 1)); }

void Connection::State::check(int result) {
  if (result == MOSQ_ERR_SUCCESS || over) return;
  const int saved = errno;
  lose(reason.message.empty() ? Error{ErrorKind::unavailable, describe(result, saved), {}, {}} : reason);
}

void Connection::State::update_mask() {
  const bool want = mosquitto_want_write(client.get());
  if (want == writing || fd < 0) return;
  writing = want;
  static_cast<void>(loop.change(fd, want ? EPOLLIN | EPOLLOUT : EPOLLIN));
}

void Connection::State::on_connect(mosquitto*, void* object, int reason, int flags,
                                   const mosquitto_property* properties) {
  auto& self = *static_cast<State*>(object);
  if (reason != 0) {
    const std::string text =
        self.settings.version == Version::mqtt5 ? explain(reason, properties) : mosquitto_connack_string(reason);
    self.reason = Error{ErrorKind::refused, fmt::format("the broker refused the login: {}", text), {}, {}};
    return;  // the broker closes; lost() follows
  }
  self.loop.cancel(self.deadline);
  self.logged_in = true;
  self.limits = read_limits(self.settings.version, flags, properties);
  self.aliases.assign(self.limits.topic_alias_maximum + std::size_t{1}, false);
  self.events.logged_in();
}

void Connection::State::on_message(mosquitto*, void* object, const mosquitto_message* message,
                                   const mosquitto_property*) {
  const auto length = static_cast<std::size_t>(std::max(message->payloadlen, 0));
  static_cast<State*>(object)->events.received(
      message->topic, {static_cast<const std::uint8_t*>(message->payload), length}, message->retain);
}

void Connection::State::on_publish(mosquitto*, void* object, int id, int reason, const mosquitto_property* properties) {
  Answer answer{id, reason < 0x80};
  if (!answer.accepted) answer.why = explain(reason, properties);
  static_cast<State*>(object)->events.published(answer);
}

void Connection::State::on_subscribe(mosquitto*, void* object, int id, int count, const int* granted,
                                     const mosquitto_property* properties) {
  auto& self = *static_cast<State*>(object);
  const auto asked = self.subscriptions.extract(id);
  if (asked.empty()) return;
  const std::vector<std::string>& filters = asked.mapped();
  for (std::size_t i = 0; i < filters.size() && i < static_cast<std::size_t>(std::max(count, 0)); ++i)
    if (granted[i] >= 0x80) self.events.subscription_refused(filters[i], explain(granted[i], properties));
  if (self.subscriptions.empty()) self.events.subscribed();
}

void Connection::State::on_disconnect(mosquitto*, void* object, int reason, const mosquitto_property* properties) {
  auto& self = *static_cast<State*>(object);
  if (reason >= 0x80 && self.reason.message.empty())
    self.reason = Error{
        ErrorKind::refused, fmt::format("the broker ended the connection: {}", explain(reason, properties)), {}, {}};
}

Connection::Connection(const LinkSettings& settings, IoLoop& loop, Clock& clock, ConnectionEvents& events)
    : state_(std::make_unique<State>(settings, loop, clock, events)) {}

Connection::~Connection() {
  state_->over = true;
  state_->release();
}

Status Connection::dial() {
  State& state = *state_;
  ALARA_TRY(Client client, state.make_client());
  ALARA_TRY(state.dialer, Dialer::start(std::move(client), state.settings));
  state.deadline = state.loop.at(state.clock.monotonic() + state.settings.connect_timeout, [&state] {
    state.lose(Error{ErrorKind::timed_out,
                     fmt::format("no answer from {}:{} within {}", state.settings.host, state.settings.port,
                                 format_duration(state.settings.connect_timeout)),
                     {},
                     {}});
  });
  return state.loop.watch(state.dialer->ready_fd(), EPOLLIN, [&state](std::uint32_t) {
    state.loop.unwatch(state.dialer->ready_fd());
    auto connected = state.dialer->collect();
    state.dialer.reset();
    if (!connected) return state.lose(connected.error());
    state.adopt(std::move(*connected));
  });
}

const BrokerLimits& Connection::limits() const { return state_->limits; }

Status Connection::subscribe(std::span<const std::string> filters, int qos) {
  State& state = *state_;
  for (std::size_t begin = 0; begin < filters.size();) {
    std::vector<char*> pointers;
    std::vector<std::string> names;
    std::size_t bytes = 0;
    for (; begin < filters.size() && names.size() < kFiltersPerPacket && bytes < kFilterBytesPerPacket; ++begin) {
      names.push_back(filters[begin]);
      bytes += filters[begin].size() + 3;
    }
    for (std::string& name : names) pointers.push_back(name.data());
    int id = 0;
    const int result = mosquitto_subscribe_multiple(state.client.get(), &id, static_cast<int>(pointers.size()),
                                                    pointers.data(), qos, 0, nullptr);
    if (result != MOSQ_ERR_SUCCESS)
      return fail(ErrorKind::unavailable, "can not subscribe: {}", mosquitto_strerror(result));
    state.subscriptions[id] = std::move(names);
  }
  state.update_mask();
  return {};
}

Status Connection::publish(const Publication& publication, int& id) {
  State& state = *state_;
  if (!state.logged_in || state.over) return fail(ErrorKind::unavailable, "not connected");
  if (publication.topic.size() + publication.payload.size() + kPacketOverhead > state.limits.packet)
    return fail(ErrorKind::exhausted, "{} bytes to {} are more than the broker takes (packets of {} bytes)",
                publication.payload.size(), publication.topic, state.limits.packet);
  mosquitto_property* properties = nullptr;
  if (state.settings.version == Version::mqtt5 && publication.expires_in != kNever) {
    const Nanos seconds = std::clamp<Nanos>((publication.expires_in + kSecond - 1) / kSecond, 1, UINT32_MAX);
    mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, static_cast<std::uint32_t>(seconds));
  }
  const bool by_alias = publication.alias != 0 && publication.alias < state.aliases.size();
  if (by_alias) mosquitto_property_add_int16(&properties, MQTT_PROP_TOPIC_ALIAS, publication.alias);
  const bool known = by_alias && state.aliases[publication.alias];
  const std::string topic(publication.topic);
  const int result = mosquitto_publish_v5(state.client.get(), &id, known ? nullptr : topic.c_str(),
                                          static_cast<int>(publication.payload.size()), publication.payload.data(),
                                          std::min(publication.qos, state.limits.qos),
                                          publication.retain && state.limits.retain, properties);
  mosquitto_property_free_all(&properties);
  if (result != MOSQ_ERR_SUCCESS)
    return fail(ErrorKind::unavailable, "can not publish to {}: {}", topic, mosquitto_strerror(result));
  if (by_alias) state.aliases[publication.alias] = true;
  state.update_mask();
  return {};
}

void Connection::close() {
  State& state = *state_;
  state.over = true;
  if (state.client && state.logged_in) {
    mosquitto_disconnect(state.client.get());
    if (mosquitto_want_write(state.client.get())) mosquitto_loop_write(state.client.get(), 1);
  }
  state.release();
}

bool Connection::busy() const { return state_->client && mosquitto_want_write(state_->client.get()); }

}  // namespace alara::mqtt
