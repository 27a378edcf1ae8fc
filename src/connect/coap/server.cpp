// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/server.hpp"

#include <sys/epoll.h>

#include <algorithm>

namespace alara::coap {
namespace {

constexpr Nanos kListenAgain = 500 * kMillisecond;
constexpr std::size_t kMostPartialBodies = 64;

std::uint16_t format_of(bool json) { return json ? COAP_MEDIATYPE_APPLICATION_JSON : COAP_MEDIATYPE_TEXT_PLAIN; }

}  // namespace

Server::Server(const Settings& settings, Bindings bindings, const ConnectorContext& context,
               std::shared_ptr<Telemetry> telemetry)
    : settings_(settings),
      bindings_(std::move(bindings)),
      context_(context),
      loop_(*context.loop),
      clock_(*context.clock),
      telemetry_(std::move(telemetry)) {
  const auto resource = [this](const std::string& path) -> Resource& {
    Resource& made = resources_[path];
    made.server = this;
    made.path = path;
    return made;
  };
  for (const std::string& path : bindings_.intake.paths()) resource(path).taken = true;
  for (const auto& [id, outlet] : bindings_.outlets) resource(outlet.path).given = true;
  for (const auto& [id, path] : bindings_.actuators) {
    Resource& actuator = resource(path);
    actuator.given = true;
    actuator.json = false;
  }
}

void Server::begin() {
  if (ended_) return;
  const auto watch = [this](int fd, void (Server::*take)()) {
    const auto watched = loop_.watch(fd, EPOLLIN, [this, take](std::uint32_t) { (this->*take)(); });
    if (!watched) telemetry_->set_error(watched.error().message);
  };
  if (context_.commands != nullptr) watch(context_.commands->event_fd(), &Server::take_commands);
  if (context_.outlets != nullptr) watch(context_.outlets->event_fd(), &Server::take_outlets);
  listen();
}

// A port that is taken may become free.
void Server::listen() {
  timer_ = IoLoop::TimerId::none;
  const auto started = [this]() -> Status {
    ALARA_TRY(engine_, Engine::create(loop_, this, [] {}));
    coap_register_event_handler(engine_->context(), on_event);
    coap_register_nack_handler(engine_->context(), on_nack);
    ALARA_CHECK(engine_->listen(settings_));
    return add_resources();
  }();
  if (!started) {
    engine_.reset();
    count(telemetry_->stats.errors);
    telemetry_->set_error(started.error().message);
    timer_ = loop_.at(clock_.monotonic() + kListenAgain, [this] { listen(); });
    return;
  }
  engine_->turn();
  count(telemetry_->stats.connects);
  telemetry_->stats.connected.store(true);
  telemetry_->clear_error();
}

Status Server::add_resources() {
  for (auto& [path, resource] : resources_) {
    const coap_str_const_t name{path.size() - 1, reinterpret_cast<const std::uint8_t*>(path.data() + 1)};
    coap_str_const_t* const copy = coap_new_str_const(name.s, name.length);
    resource.handle = copy == nullptr
                          ? nullptr
                          : coap_resource_init(copy, COAP_RESOURCE_FLAGS_RELEASE_URI | COAP_RESOURCE_FLAGS_NOTIFY_CON);
    if (resource.handle == nullptr) return fail(ErrorKind::exhausted, "no memory for the resource {}", path);
    coap_resource_set_userdata(resource.handle, &resource);
    if (resource.given) {
      coap_resource_set_get_observable(resource.handle, 1);
      coap_register_request_handler(resource.handle, COAP_REQUEST_GET, on_get);
    }
    if (resource.taken) {
      coap_register_request_handler(resource.handle, COAP_REQUEST_PUT, on_push);
      coap_register_request_handler(resource.handle, COAP_REQUEST_POST, on_push);
    }
    coap_add_resource(engine_->context(), resource.handle);
  }
  return {};
}

void Server::end() {
  if (std::exchange(ended_, true)) return;
  loop_.cancel(timer_);
  take_commands();
  if (context_.commands != nullptr) loop_.unwatch(context_.commands->event_fd());
  if (context_.outlets != nullptr) {
    take_outlets();
    loop_.unwatch(context_.outlets->event_fd());
  }
  engine_.reset();
  telemetry_->stats.connected.store(false);
}

// What a session leaves behind goes with it.
int Server::on_event(coap_session_t* session, coap_event_t event) {
  if (event != COAP_EVENT_SERVER_SESSION_DEL) return 0;
  Server& self = *static_cast<Server*>(coap_get_app_data(coap_session_get_context(session)));
  for (auto& [path, resource] : self.resources_)
    std::erase_if(resource.observers, [session](const Observer& observer) { return observer.first == session; });
  std::erase_if(self.partials_, [session](const auto& partial) { return partial.first.first == session; });
  return 0;
}

// A notification that is reset, or never acknowledged, tells that nobody observes any more (RFC 7641, 3.6 and 4.5).
void Server::on_nack(coap_session_t* session, const coap_pdu_t* sent, coap_nack_reason_t, coap_mid_t) {
  Server& self = *static_cast<Server*>(coap_get_app_data(coap_session_get_context(session)));
  for (auto& [path, resource] : self.resources_) resource.observers.erase({session, token_text(sent)});
}

void Server::on_get(coap_resource_t* handle, coap_session_t* session, const coap_pdu_t* request, const coap_string_t*,
                    coap_pdu_t* response) {
  Resource& resource = *static_cast<Resource*>(coap_resource_get_userdata(handle));
  resource.server->get(resource, session, request, response);
}

void Server::on_push(coap_resource_t* handle, coap_session_t* session, const coap_pdu_t* request, const coap_string_t*,
                     coap_pdu_t* response) {
  Resource& resource = *static_cast<Resource*>(coap_resource_get_userdata(handle));
  resource.server->push(resource, session, request, response);
}

// Also called by libcoap for each notification.
void Server::get(Resource& resource, coap_session_t* session, const coap_pdu_t* request, coap_pdu_t* response) {
  if (const auto observe = number_option(request, COAP_OPTION_OBSERVE)) {
    if (*observe == COAP_OBSERVE_ESTABLISH)
      resource.observers.insert({session, token_text(request)});
    else
      resource.observers.erase({session, token_text(request)});
  }
  coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
  if (resource.value.empty()) return;  // what is not known yet can be observed as well
  // One block of it where it is large; the others are asked for one by one.
  coap_add_data_blocked_response(request, response, format_of(resource.json), -1, resource.value.size(),
                                 reinterpret_cast<const std::uint8_t*>(resource.value.data()));
  count(telemetry_->stats.messages_out);
  count(telemetry_->stats.bytes_out, resource.value.size());
}

void Server::refuse(coap_pdu_t* response, coap_pdu_code_t code, std::string_view why) {
  count(telemetry_->refusals);
  coap_pdu_set_code(response, code);
  coap_add_data(response, why.size(), reinterpret_cast<const std::uint8_t*>(why.data()));
}

void Server::push(Resource& resource, coap_session_t* session, const coap_pdu_t* request, coap_pdu_t* response) {
  count(telemetry_->stats.messages_in);
  telemetry_->stats.last_progress.store(clock_.monotonic(), std::memory_order_relaxed);
  if (!is_readable(number_option(request, COAP_OPTION_CONTENT_FORMAT))) {
    context_.inlet->reject("content_format", bindings_.intake.signals(resource.path).size());
    return refuse(response, COAP_RESPONSE_CODE_UNSUPPORTED_CONTENT_FORMAT, "text, JSON or SenML+JSON");
  }
  std::string alone;  // what comes in one message is not kept
  const bool in_blocks = is_part(request);
  std::string& body = in_blocks ? partial(session, resource).body : alone;
  bool whole = true;
  const bool fits = append_block(request, settings_.max_body, body, whole);
  if (fits && !whole) {
    coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTINUE);
    return echo_block(request, response);
  }
  const std::string text = std::move(body);
  if (in_blocks) partials_.erase({session, &resource});
  if (fits) return take_body(resource, text, request, response);
  context_.inlet->reject("too_large", bindings_.intake.signals(resource.path).size());
  refuse(response, COAP_RESPONSE_CODE_REQUEST_TOO_LARGE, "too large, or a block is missing");
}

// Where there is no more room, the one that has waited longest for its next block gives way.
Server::Partial& Server::partial(coap_session_t* session, const Resource& resource) {
  const std::pair key(session, &resource);
  if (partials_.size() >= kMostPartialBodies && !partials_.contains(key))
    partials_.erase(std::ranges::min_element(partials_, {}, [](const auto& entry) { return entry.second.touched; }));
  Partial& partial = partials_[key];
  partial.touched = clock_.monotonic();
  return partial;
}

void Server::take_body(Resource& resource, const std::string& body, const coap_pdu_t* request, coap_pdu_t* response) {
  count(telemetry_->stats.bytes_in, body.size());
  const wire::Receipt receipt =
      bindings_.intake.take(resource.path, body, clock_.wall(), clock_.monotonic(), *context_.inlet);
  if (receipt.rejected == 0) {
    coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
    return echo_block(request, response);
  }
  refuse(response, COAP_RESPONSE_CODE_BAD_REQUEST,
         fmt::format("{} of {} values not taken: {}", receipt.rejected, receipt.rejected + receipt.accepted,
                     receipt.refusals.empty() ? "" : receipt.refusals.front().reason));
}

void Server::show(Resource& resource, std::string value) {
  resource.value = std::move(value);
  if (resource.handle == nullptr || !engine_) return;
  count(telemetry_->notifications, resource.observers.size());
  coap_resource_notify_observers(resource.handle, nullptr);
}

// A command is done when a device that observes the resource is told; nobody keeps it for devices that come later.
void Server::take_commands() {
  Command command;
  bool shown = false;
  while (context_.commands != nullptr && context_.commands->pop(command)) {
    const auto found = bindings_.actuators.find(index_of(command.actuator));
    const auto acknowledge = [&](Outcome outcome) {
      context_.commands->acknowledge(Ack{command.id, command.actuator, outcome, clock_.monotonic(), 0});
    };
    if (found == bindings_.actuators.end() || ended_ || !engine_ || command.verify) {
      if (command.verify) telemetry_->set_error("what a CoAP server shows can not be verified by reading it back");
      acknowledge(Outcome::unavailable);
      continue;
    }
    Resource& resource = resources_.at(found->second);
    if (resource.observers.empty()) {
      telemetry_->set_error(fmt::format("nobody observes {}: the command is not kept", resource.path));
      acknowledge(Outcome::unavailable);
      continue;
    }
    show(resource, text_of(command.value));
    shown = true;
    acknowledge(Outcome::done);
  }
  if (shown) engine_->turn();
}

void Server::take_outlets() {
  OutletSample sample;
  bool shown = false;
  while (context_.outlets->pop(sample)) {
    const auto found = bindings_.outlets.find(index_of(sample.outlet));
    if (found == bindings_.outlets.end()) {  // of a plan before the last reload
      context_.outlets->dropped("unknown_outlet", 1);
      continue;
    }
    show(resources_.at(found->second.path), json_of(found->second, sample));
    shown = true;
    context_.outlets->delivered(1);  // there to be read
  }
  if (shown && engine_ && !ended_) engine_->turn();
}

}  // namespace alara::coap
