// SPDX-License-Identifier: Apache-2.0
#include "connect/http/server.hpp"

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <thread>

namespace alara::http {
namespace {

constexpr std::size_t kWorkers = 4;
constexpr std::time_t kTimeoutSeconds = 2;  // of a peer that sends or takes no byte
constexpr int kNoContent = 204, kBadRequest = 400, kUnauthorized = 401, kNotFound = 404;

// Compares all of it, however early they differ.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned differ = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    differ |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i % std::max<std::size_t>(b.size(), 1)]);
  return differ == 0;
}

void answer(httplib::Response& response, int status, const nlohmann::ordered_json& json) {
  response.status = status;
  response.set_content(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", "application/json");
}

void answer(httplib::Response& response, const wire::Receipt& receipt) {
  if (receipt.rejected == 0) {
    response.status = kNoContent;
    return;
  }
  nlohmann::ordered_json refusals = nlohmann::ordered_json::array();
  for (const wire::Receipt::Refusal& refusal : receipt.refusals)
    refusals.push_back({{"line", refusal.line}, {"reason", refusal.reason}});
  answer(response, kBadRequest,
         {{"accepted", receipt.accepted}, {"rejected", receipt.rejected}, {"refusals", std::move(refusals)}});
}

}  // namespace

struct PushServer::State {
  State(const Settings& settings_in, Intake& intake_in, Inlet& inlet_in, Clock& clock_in, ConnectorStats& stats_in)
      : settings(settings_in), intake(intake_in), inlet(inlet_in), clock(clock_in), stats(stats_in) {}

  const Settings& settings;
  Intake& intake;
  Inlet& inlet;
  Clock& clock;
  ConnectorStats& stats;
  std::mutex mutex;  // the inlet and the intake have one producer at a time
  httplib::Server server;
  std::jthread thread;

  bool allowed(const httplib::Request& request, httplib::Response& response) const {
    const auto token = read_token(settings.token_file);
    const std::string given = request.get_header_value("Authorization");
    const bool right =
        token && (token->empty() || same_secret("Bearer " + *token, given) || same_secret("Token " + *token, given));
    if (right) return true;
    response.set_header("WWW-Authenticate", "Bearer");
    answer(response, kUnauthorized,
           {{"error", token ? "the token is missing or wrong" : "this node has no token to compare"}});
    return false;
  }

  void take(const httplib::Request& request, httplib::Response& response) {
    stats.messages_in.fetch_add(1, std::memory_order_relaxed);
    stats.bytes_in.fetch_add(request.body.size(), std::memory_order_relaxed);
    if (!allowed(request, response)) {
      stats.errors.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const bool lines = request.path == "/write" || request.path == "/api/v2/write";
    if (!intake.json().knows(request.path) && !(lines && intake.lines() > 0)) {
      stats.errors.fetch_add(1, std::memory_order_relaxed);
      return answer(response, kNotFound, {{"error", "no signal is bound to " + request.path}});
    }
    const std::lock_guard lock(mutex);
    const Nanos wall = clock.wall(), monotonic = clock.monotonic();
    stats.last_progress.store(monotonic, std::memory_order_relaxed);
    if (!lines) return answer(response, intake.json().take(request.path, request.body, wall, monotonic, inlet));
    Nanos unit = settings.time_unit;
    if (request.has_param("precision")) {
      const std::string named = request.get_param_value("precision");
      unit = named == "ns" || named == "n"   ? 1
             : named == "us" || named == "u" ? kMicrosecond
             : named == "ms"                 ? kMillisecond
             : named == "s"                  ? kSecond
                                             : 0;
      if (unit == 0) return answer(response, kBadRequest, {{"error", "precision is ns, us, ms or s, not " + named}});
    }
    answer(response, intake.take_lines(request.body, unit, wall, monotonic, inlet));
  }
};

PushServer::PushServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

PushServer::~PushServer() { state_->server.stop(); }

Result<std::unique_ptr<PushServer>> PushServer::start(const Settings& settings, Intake& intake, Inlet& inlet,
                                                      Clock& clock, ConnectorStats& stats) {
  ALARA_TRY(const std::string token, read_token(settings.token_file));
  static_cast<void>(token);  // that it can be read is what matters now
  auto state = std::make_unique<State>(settings, intake, inlet, clock, stats);
  httplib::Server& server = state->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kWorkers); };
  server.set_socket_options([](int socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.set_payload_max_length(settings.max_body);
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.set_keep_alive_timeout(1);
  server.set_tcp_nodelay(true);
  server.Post(".*", [state = state.get()](const httplib::Request& request, httplib::Response& response) {
    state->take(request, response);
  });
  if (!server.bind_to_port(settings.listen_host, settings.listen_port))
    return fail(ErrorKind::unavailable, "can not listen on {}:{}; is something else running there?",
                settings.listen_host, settings.listen_port);
  state->thread = std::jthread([&server] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
  return std::unique_ptr<PushServer>(new PushServer(std::move(state)));
}

}  // namespace alara::http
