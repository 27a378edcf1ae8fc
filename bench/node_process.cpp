// SPDX-License-Identifier: Apache-2.0
#include "bench/node_process.hpp"

#include "base/clock.hpp"

#include <httplib.h>
#include <cmath>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace alara::bench {

Result<std::unique_ptr<NodeProcess>> NodeProcess::start(const std::string& program, const std::string& site) {
  auto node = std::unique_ptr<NodeProcess>(new NodeProcess);
  std::string folder = (std::filesystem::temp_directory_path() / "alara-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr)
    return fail(ErrorKind::unavailable, "can not make a temporary folder '{}'", folder);
  node->folder_ = folder;
  node->port_ = free_loopback_port();
  std::ofstream(folder + "/site.yaml") << site;
  ALARA_TRY(node->process_, ChildProcess::start({program, "run", folder + "/site.yaml", "--http",
                                                 fmt::format("127.0.0.1:{}", node->port_), "--quiet"},
                                                folder + "/output"));
  return node;
}

NodeProcess::~NodeProcess() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<nlohmann::json> NodeProcess::get(const std::string& path) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(10);
  const auto answer = client.Get(path.c_str());
  if (!answer) return fail(ErrorKind::unavailable, "{}: no answer; the node says: {}", path, output());
  auto json = nlohmann::json::parse(answer->body, nullptr, false);
  if (json.is_discarded()) return fail(ErrorKind::corrupt, "{}: not JSON", path);
  return json;
}

Result<PointAccount> NodeProcess::account() const {
  ALARA_TRY(const nlohmann::json page, get("/api/v1/connectors"));
  const auto& points = page["connectors"][0]["points"];
  PointAccount account;
  account.accepted = points["accepted"];
  for (const auto& [reason, count] : points["dropped"].items()) account.dropped += count.get<double>();
  for (const auto& [reason, count] : points["rejected"].items()) account.rejected += count.get<double>();
  account.unaccounted = std::abs(account.accepted - points["delivered"].get<double>() -
                                 points["buffered"].get<double>() - account.dropped);
  return account;
}

Result<PointAccount> NodeProcess::settled_account(double points) const {
  SystemClock clock;
  for (const Nanos patience = clock.monotonic() + 5 * kSecond;;
       clock.sleep_until(clock.monotonic() + 10 * kMillisecond)) {
    auto now = account();
    const bool settled = now && now->accepted + now->rejected >= points;
    if (settled || clock.monotonic() > patience) return now;
  }
}

Status NodeProcess::wait_connected(double seconds) const {
  const double end = seconds_now() + seconds;
  std::string missing = "no answer";
  while (seconds_now() < end) {
    if (!process_->running()) return fail(ErrorKind::unavailable, "the node has ended: {}", output());
    if (const auto page = get("/api/v1/connectors")) {
      missing.clear();
      for (const auto& connector : (*page)["connectors"])
        if (!connector["connected"].get<bool>())
          missing +=
              fmt::format("{}: {}; ", connector["name"].get<std::string>(), connector["last_error"].get<std::string>());
      if (missing.empty()) return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return fail(ErrorKind::timed_out, "not all connectors are connected after {} s: {}", seconds, missing);
}

int NodeProcess::stop() { return process_->stop(3 * kSecond); }

std::string NodeProcess::output() const {
  std::ifstream file(folder_ + "/output");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace alara::bench
