// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/discover.hpp"

#include "base/quantity.hpp"
#include "connect/coap/bindings.hpp"
#include "connect/coap/engine.hpp"

namespace alara::coap {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

// One answer on its way, and what became of it.
struct Asked {
  std::string body;
  bool done = false;
  Status outcome;

  void end(Status status) {
    if (!done) outcome = std::move(status);
    done = true;
  }
};

Asked& asked_in(coap_session_t* session) {
  return *static_cast<Asked*>(coap_get_app_data(coap_session_get_context(session)));
}

coap_response_t on_response(coap_session_t* session, const coap_pdu_t*, const coap_pdu_t* answer, coap_mid_t) {
  Asked& asked = asked_in(session);
  bool whole = true;
  if (!is_good(coap_pdu_get_code(answer)))
    asked.end(fail(ErrorKind::refused, "it does not list its resources: {}", name_of(coap_pdu_get_code(answer))));
  else if (!append_block(answer, kMostBytes, asked.body, whole))
    asked.end(fail(ErrorKind::corrupt, "its list of resources is too large, or has a gap"));
  else if (whole)
    asked.end({});
  return COAP_RESPONSE_OK;
}

void on_nack(coap_session_t* session, const coap_pdu_t*, coap_nack_reason_t reason, coap_mid_t) {
  asked_in(session).end(fail(ErrorKind::unavailable, "{}",
                             reason == COAP_NACK_TLS_FAILED ? "it gives no secured session" : "it does not answer"));
}

}  // namespace

Result<std::vector<Link>> discover(const Settings& settings, Clock& clock) {
  const auto named = [&settings](const Error& error) {
    return fail(error.kind, "{}: {}", settings.text(), error.message);
  };
  ALARA_TRY(auto loop, IoLoop::create(clock));
  const auto addresses = resolve_blocking(settings.endpoint);
  if (!addresses) return fail(ErrorKind::unavailable, "{}", addresses.error().message);
  Asked asked;
  ALARA_TRY(const auto engine, Engine::create(*loop, &asked, [] {}));
  coap_register_response_handler(engine->context(), on_response);
  coap_register_nack_handler(engine->context(), on_nack);
  ALARA_TRY(coap_session_t* const session, engine->open_session(settings, addresses->front()));
  if (!send(session, {.path = "/.well-known/core", .token = 1}))
    asked.end(fail(ErrorKind::unavailable, "can not send"));
  engine->turn();
  bool late = false;
  loop->at(clock.monotonic() + 2 * settings.timeout, [&late] { late = true; });
  while (!asked.done && !late) loop->run_once(kNever);
  coap_session_release(session);
  const std::string why = !engine->refusal().empty() ? engine->refusal()
                          : settings.dtls ? "it does not answer: perhaps we do not agree on keys or certificates"
                                          : "it does not answer";
  if (!asked.done) return named({ErrorKind::timed_out, why, {}, {}});
  if (!asked.outcome) return named(asked.outcome.error());
  auto links = parse_links(asked.body);
  if (!links) return named(links.error());
  return links;
}

std::string format_links(const std::vector<Link>& links) {
  std::string out;
  for (const Link& link : links) {
    std::string formats;
    for (const unsigned format : link.formats) formats += fmt::format("{}{}", formats.empty() ? "" : " ", format);
    out += fmt::format("{:<32} {:<10} {:<12} {}{}{}\n", link.path, link.observable ? "observable" : "",
                       formats.empty() ? "" : "ct " + formats, link.type, link.type.empty() ? "" : "  ", link.title);
  }
  return out;
}

std::string format_signals(const std::vector<Link>& links, const std::string& connector) {
  const auto name_of_path = [](std::string_view path) {
    std::string name;
    for (const char c : path.substr(1)) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return name;
  };
  std::string signals = "asset_types:\n  device:\n    signals:\n",
              from = "assets:\n  device-1:\n    type: device\n    from:\n";
  for (const Link& link : links) {
    if (!check_path(link.path)) continue;  // "/" says what the others are
    signals += fmt::format("      {}: {{}}\n", name_of_path(link.path));
    from += fmt::format("      {}: \"{}/{}\"\n", name_of_path(link.path), connector, link.path);
  }
  return signals + from;
}

}  // namespace alara::coap
