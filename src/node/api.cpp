// SPDX-License-Identifier: Apache-2.0
#include "node/api.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/quantity.hpp"

namespace alara::node {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kDefaultRows = 1000;
constexpr std::int64_t kMaxRows = 100'000;

std::string body_of(const Json& json) {
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::size_t limit_of(const HttpRequest& request) {
  const auto asked = request.query.find("limit");
  if (asked == request.query.end()) return kDefaultRows;
  const auto number = parse_integer(asked->second);
  return number ? static_cast<std::size_t>(std::clamp<std::int64_t>(*number, 0, kMaxRows)) : kDefaultRows;
}

std::string name_of(const HttpRequest& request) {
  const auto asked = request.query.find("name");
  return asked == request.query.end() ? std::string{} : asked->second;
}

HttpReply values_page(const std::vector<ShownValue>& values, std::string_view title) {
  Json list = Json::array();
  for (const ShownValue& value : values) {
    Json entry = {{"name", value.name}, {"unit", value.unit}};
    if (value.latest.updates > 0) {
      entry["value"] = value.latest.value;  // NaN becomes null
      entry["time"] = format_instant(value.latest.time);
      entry["quality"] = name_of(value.latest.quality);
      entry["updates"] = value.latest.updates;
    }
    list.push_back(std::move(entry));
  }
  return {200, "application/json", body_of({{std::string(title), list}})};
}

HttpReply events_page(const std::vector<StoredEvent>& events) {
  Json list = Json::array();
  for (const StoredEvent& event : events) list.push_back(Json::parse(to_json(event)));
  return {200, "application/json", body_of({{"events", list}})};
}

HttpReply reload_page(const Diagnosis& diagnosis) {
  Json errors = Json::array(), warnings = Json::array();
  for (const Error& error : diagnosis.errors) errors.push_back(error.text());
  for (const Error& warning : diagnosis.warnings) warnings.push_back(warning.text());
  return {diagnosis.ok() ? 200 : 422, "application/json",
          body_of({{"reloaded", diagnosis.ok()}, {"errors", errors}, {"warnings", warnings}})};
}

}  // namespace

std::vector<HttpRoute> api_routes(const Runtime& runtime, std::function<Diagnosis()> ask_reload) {
  const auto page = [&runtime](std::string pattern, std::string (*make)(const NodeStatus&),
                               std::string type = "application/json") {
    return HttpRoute{"GET", std::move(pattern), [&runtime, make, type](const HttpRequest&) {
                       return HttpReply{200, type, make(runtime.status())};
                     }};
  };
  return {
      page("/metrics", metrics_page, "text/plain; version=0.0.4"),
      page("/api/v1/status", status_json),
      page("/api/v1/pipelines", pipelines_json),
      page("/api/v1/connectors", connectors_json),
      page("/api/v1/models", models_json),
      {"GET", "/health",
       [&runtime](const HttpRequest&) {
         const Health health = judge(runtime.status());
         return HttpReply{health.good ? 200 : 503, "application/json", health_json(health)};
       }},
      {"GET", "/api/v1/signals",
       [&runtime](const HttpRequest& request) {
         return values_page(runtime.signals(name_of(request), limit_of(request)), "signals");
       }},
      {"GET", "/api/v1/results",
       [&runtime](const HttpRequest& request) {
         return values_page(runtime.results(name_of(request), limit_of(request)), "results");
       }},
      {"GET", "/api/v1/events",
       [&runtime](const HttpRequest& request) { return events_page(runtime.events().newest(limit_of(request))); }},
      {"GET", "/api/v1/alarms", [&runtime](const HttpRequest&) { return events_page(runtime.events().standing()); }},
      {"POST", "/api/v1/reload", [ask = std::move(ask_reload)](const HttpRequest&) { return reload_page(ask()); }},
      {"GET", "/",
       [](const HttpRequest&) {
         return HttpReply{
             200, "text/plain",
             "Alara Edge node: /health /metrics /api/v1/status /api/v1/connectors /api/v1/pipelines /api/v1/models\n"
             "/api/v1/signals?name=part&limit=n /api/v1/results /api/v1/events /api/v1/alarms; POST /api/v1/reload\n"};
       }},
  };
}

}  // namespace alara::node
