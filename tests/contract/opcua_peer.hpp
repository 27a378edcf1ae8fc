// SPDX-License-Identifier: Apache-2.0
// A node-opcua server in a process of its own, for tests; none where node or its packages are missing.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "base/child_process.hpp"

namespace alara::contract {

class OpcuaPeer {
 public:
  // ALARA_SOURCE is the project's folder.
  explicit OpcuaPeer(const std::string& source) : port_(free_loopback_port()) {
    folder_ = (std::filesystem::temp_directory_path() / "alara-opcua-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) return;
    setenv("NODE_PATH", (source + "/build/deps/peers/node_modules").c_str(), 1);
    auto started = ChildProcess::start(
        {find_program("node"), source + "/tests/contract/opcua_server_peer.js", std::to_string(port_), folder_},
        folder_ + "/output");
    if (started) process_ = std::move(*started);
  }
  ~OpcuaPeer() {
    process_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OpcuaPeer(const OpcuaPeer&) = delete;
  OpcuaPeer& operator=(const OpcuaPeer&) = delete;

  [[nodiscard]] static bool installed(const std::string& source) {
    return !find_program("node").empty() &&
           std::filesystem::exists(source + "/build/deps/peers/node_modules/node-opcua");
  }
  // It makes its certificate at the first start, which takes seconds.
  [[nodiscard]] bool ready() const { return wait_for_listener(port_, 30 * kSecond); }
  [[nodiscard]] std::string endpoint() const { return "opc.tcp://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string output() const {
    std::ifstream file(folder_ + "/output");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  int port_;
  std::string folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace alara::contract
