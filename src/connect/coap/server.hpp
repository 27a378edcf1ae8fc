// SPDX-License-Identifier: Apache-2.0
// A server: devices PUT or POST their readings to resources, and GET or observe published values and commands. Confined
// to the loop's thread.
#pragma once

#include <map>
#include <set>

#include "connect/coap/bindings.hpp"
#include "connect/coap/engine.hpp"
#include "connect/coap/telemetry.hpp"

namespace alara::coap {

class Server final : public Session {
 public:
  Server(const Settings& settings, Bindings bindings, const ConnectorContext& context,
         std::shared_ptr<Telemetry> telemetry);

  void begin() override;
  void end() override;

 private:
  using Observer = std::pair<coap_session_t*, std::string>;  // and the token of its request
  struct Resource {
    Server* server = nullptr;
    std::string path;
    bool taken = false;  // readings are sent to it
    bool given = false;  // it can be read
    std::string value;   // what a GET gets; "" = there is none yet
    bool json = true;
    coap_resource_t* handle = nullptr;
    std::set<Observer> observers;
  };
  // A body that comes in blocks.
  struct Partial {
    std::string body;
    Nanos touched = 0;  // when its last block came
  };
  using Partials = std::map<std::pair<coap_session_t*, const Resource*>, Partial>;  // of whom and for what
  static void on_get(coap_resource_t*, coap_session_t*, const coap_pdu_t*, const coap_string_t*, coap_pdu_t*);
  static void on_push(coap_resource_t*, coap_session_t*, const coap_pdu_t*, const coap_string_t*, coap_pdu_t*);
  static void on_nack(coap_session_t* session, const coap_pdu_t* sent, coap_nack_reason_t, coap_mid_t);
  static int on_event(coap_session_t* session, coap_event_t event);

  void listen();
  [[nodiscard]] Status add_resources();
  void get(Resource& resource, coap_session_t* session, const coap_pdu_t* request, coap_pdu_t* response);
  void push(Resource& resource, coap_session_t* session, const coap_pdu_t* request, coap_pdu_t* response);
  void take_body(Resource& resource, const std::string& body, const coap_pdu_t* request, coap_pdu_t* response);
  [[nodiscard]] Partial& partial(coap_session_t* session, const Resource& resource);
  void refuse(coap_pdu_t* response, coap_pdu_code_t code, std::string_view why);
  void show(Resource& resource, std::string value);
  void take_commands();
  void take_outlets();

  const Settings settings_;
  Bindings bindings_;
  const ConnectorContext context_;
  IoLoop& loop_;
  Clock& clock_;
  std::shared_ptr<Telemetry> telemetry_;
  std::unique_ptr<Engine> engine_;
  std::map<std::string, Resource> resources_;  // by path
  Partials partials_;
  IoLoop::TimerId timer_ = IoLoop::TimerId::none;
  bool ended_ = false;
};

}  // namespace alara::coap
