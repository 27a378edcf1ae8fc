// SPDX-License-Identifier: Apache-2.0
// A node-opcua server in a process of its own, for tests; none where node or its packages are missing.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/child_process.hpp"

namespace alara::contract {

class OpcuaPeer {
 public:
  // ALARA_SOURCE is the project's folder. `certificate` and `key`: PEM, a chain and its first one's key; "": it makes a
  // certificate of its own.
  explicit OpcuaPeer(const std::string& source, const std::string& certificate = "", const std::string& key = "")
      : port_(free_loopback_port()) {
    folder_ = (std::filesystem::temp_directory_path() / "alara-opcua-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) return;
    setenv("NODE_PATH", (source + "/build/deps/peers/node_modules").c_str(), 1);
    std::vector<std::string> command{find_program("node"), source + "/tests/contract/opcua_server_peer.js",
                                     std::to_string(port_), folder_};
    for (const auto& [name, text] : {std::pair("certificate.pem", certificate), std::pair("key.pem", key)}) {
      if (text.empty()) continue;
      command.push_back(folder_ + "/" + name);
      std::ofstream(command.back()) << text;
    }
    auto started = ChildProcess::start(command, folder_ + "/output");
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
