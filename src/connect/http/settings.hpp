// SPDX-License-Identifier: Apache-2.0
// The options of one HTTP connector, read and checked. Tokens stay in files: the site file only says where.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "core/schema.hpp"

namespace alara::http {

struct Settings {
  std::string listen_host;  // "" = nothing is pushed in
  int listen_port = 0;
  std::string token_file;  // of those who push; "" = anyone who can reach the port
  std::size_t max_body = 1 << 20;
  Nanos time_unit = 1;  // of line protocol without ?precision

  std::string to_host;  // "http://host:port" or "https://…"; "" = nothing is sent out
  std::string to_path;  // in front of every address
  std::string to_token_file, ca;
  Nanos timeout = 2 * kSecond;
  Nanos retry_for = 30 * kSecond;
  std::size_t queue = 1000;
};

[[nodiscard]] const Schema& schema();
[[nodiscard]] Result<Settings> read_settings(const Node& options, const std::string& directory);
// The first line of a file; "" for "".
[[nodiscard]] Result<std::string> read_token(const std::string& path);

}  // namespace alara::http
