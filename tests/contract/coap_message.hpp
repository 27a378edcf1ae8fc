// SPDX-License-Identifier: Apache-2.0
// CoAP messages (RFC 7252, 3) read and written by the tests themselves, so that peers share nothing with libcoap.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace alara::contract {

struct CoapMessage {
  static constexpr std::uint8_t kConfirmable = 0, kNonConfirmable = 1, kAck = 2, kReset = 3;
  static constexpr unsigned kObserve = 6, kUriPath = 11, kContentFormat = 12, kBlock2 = 23, kBlock1 = 27;

  std::uint8_t type = kConfirmable;
  std::uint8_t code = 0;  // class << 5 | detail
  std::uint16_t id = 0;
  std::string token;
  std::vector<std::pair<unsigned, std::string>> options;  // by number
  std::string payload;

  [[nodiscard]] std::optional<unsigned> number(unsigned option) const {
    for (const auto& [key, value] : options) {
      if (key != option) continue;
      unsigned number = 0;
      for (const char byte : value) number = number << 8 | static_cast<std::uint8_t>(byte);
      return number;
    }
    return std::nullopt;
  }
  void set_number(unsigned option, unsigned value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
      if (!bytes.empty() || (value >> shift & 0xFF) != 0) bytes += static_cast<char>(value >> shift & 0xFF);
    options.emplace_back(option, bytes);
  }
  [[nodiscard]] std::string path() const {
    std::string path;
    for (const auto& [key, value] : options)
      if (key == kUriPath) path += "/" + value;
    return path;
  }
  void set_path(std::string_view path) {
    for (std::size_t at = 1; at < path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      options.emplace_back(kUriPath, path.substr(at, end - at));
      at = end + 1;
    }
  }

  [[nodiscard]] std::string bytes() const {
    std::string out;
    out += static_cast<char>(1 << 6 | type << 4 | token.size());
    out += static_cast<char>(code);
    out += static_cast<char>(id >> 8);
    out += static_cast<char>(id & 0xFF);
    out += token;
    unsigned last = 0;
    for (const auto& [key, value] : options) {
      const auto nibble = [](std::size_t number) { return number < 13 ? number : number < 269 ? 13u : 14u; };
      const auto rest = [&out](std::size_t number) {
        if (number >= 269) out += static_cast<char>((number - 269) >> 8);
        if (number >= 13) out += static_cast<char>(number < 269 ? number - 13 : (number - 269) & 0xFF);
      };
      out += static_cast<char>(nibble(key - last) << 4 | nibble(value.size()));
      rest(key - last);
      rest(value.size());
      out += value;
      last = key;
    }
    return payload.empty() ? out : out + '\xFF' + payload;
  }

  [[nodiscard]] static std::optional<CoapMessage> read(std::string_view in) {
    const auto byte = [&in](std::size_t at) { return static_cast<std::uint8_t>(in[at]); };
    if (in.size() < 4 || byte(0) >> 6 != 1) return std::nullopt;
    CoapMessage message;
    message.type = byte(0) >> 4 & 3;
    message.code = byte(1);
    message.id = static_cast<std::uint16_t>(byte(2) << 8 | byte(3));
    const std::size_t token = byte(0) & 15u;
    if (token > 8 || in.size() < 4 + token) return std::nullopt;
    message.token = in.substr(4, token);
    std::size_t at = 4 + token;
    unsigned number = 0;
    while (at < in.size() && byte(at) != 0xFF) {
      unsigned delta = byte(at) >> 4, size = byte(at) & 15u;
      ++at;
      for (unsigned* part : {&delta, &size}) {
        if (*part < 13) continue;
        const std::size_t more = *part == 13 ? 1 : 2;
        if (*part == 15 || at + more > in.size()) return std::nullopt;
        *part = more == 1 ? byte(at) + 13u : (byte(at) << 8 | byte(at + 1)) + 269u;
        at += more;
      }
      if (at + size > in.size()) return std::nullopt;
      number += delta;
      message.options.emplace_back(number, in.substr(at, size));
      at += size;
    }
    if (at < in.size()) message.payload = in.substr(at + 1);
    return message;
  }
};

}  // namespace alara::contract
