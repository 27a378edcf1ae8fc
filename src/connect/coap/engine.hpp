// SPDX-License-Identifier: Apache-2.0
// One libcoap context on the connectors' loop. libcoap is used by one thread only: all CoAP connectors share the
// protocol's loop. Confined to that thread.
#pragma once

#include <coap3/coap.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/io_loop.hpp"
#include "connect/coap/settings.hpp"

namespace alara::coap {

class Engine {
 public:
  // `owner` is what handlers find in coap_get_app_data(); `after` is called after each turn, where, unlike in a
  // handler, sessions may be released.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> create(IoLoop& loop, void* owner, std::function<void()> after);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] coap_context_t* context() const { return context_.get(); }
  // Sends and receives what can be now, and sets libcoap's timers. After anything was sent outside of a handler.
  void turn();

  // Security as the settings say.
  [[nodiscard]] Result<coap_session_t*> open_session(const Settings& settings, const SocketAddress& address);
  [[nodiscard]] Status listen(const Settings& settings);
  // Why the certificate of the device of the last session was refused; empty where we do not know or it was not.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  struct Free {
    void operator()(coap_context_t* context) const { coap_free_context(context); }
  };
  Engine(IoLoop& loop, coap_context_t* context, std::function<void()> after);
  static int accept_device(const char* name, const std::uint8_t* der, std::size_t size, coap_session_t*, unsigned depth,
                           int validated, void* engine);
  static const coap_bin_const_t* key_of(coap_bin_const_t* identity, coap_session_t* session, void* engine);

  IoLoop& loop_;
  std::unique_ptr<coap_context_t, Free> context_;
  const std::function<void()> after_;
  std::vector<PreSharedKey> keys_;
  coap_bin_const_t found_{};  // what key_of() answers
  std::string peer_, refusal_;
};

// A request, ready for coap_send(). `path` begins with '/'.
struct Request {
  coap_pdu_code_t method = COAP_REQUEST_CODE_GET;
  std::string_view path;
  std::uint64_t token = 0;
  bool observe = false;
  std::optional<std::uint16_t> format = {};  // of the body
  std::string_view body = {};
};
// Hands it to libcoap, in blocks where it is large. False when that could not be done.
[[nodiscard]] bool send(coap_session_t* session, const Request& request);

// A token of ours, and one of any length.
[[nodiscard]] std::uint64_t token_of(const coap_pdu_t* pdu);
[[nodiscard]] std::string token_text(const coap_pdu_t* pdu);
// The value of an option that is a number.
[[nodiscard]] std::optional<std::uint32_t> number_option(const coap_pdu_t* pdu, coap_option_num_t option);
[[nodiscard]] inline bool is_good(coap_pdu_code_t code) { return COAP_RESPONSE_CLASS(code) == 2; }
// "4.04 Not Found"
[[nodiscard]] std::string name_of(coap_pdu_code_t code);
// Text and JSON (SenML too) can be read.
[[nodiscard]] bool is_readable(std::optional<std::uint32_t> content_format);

// Whether it carries one block of a larger body.
[[nodiscard]] bool is_part(const coap_pdu_t* pdu);
// Says which block of a request's body was taken.
void echo_block(const coap_pdu_t* request, coap_pdu_t* response);
// A body that may come in blocks, in order. False when it is larger than `most` or a block is missing.
[[nodiscard]] bool append_block(const coap_pdu_t* pdu, std::size_t most, std::string& body, bool& whole);

}  // namespace alara::coap
