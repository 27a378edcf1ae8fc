// SPDX-License-Identifier: Apache-2.0
// Datagrams of any content, as far as our own code sees them: blocks put together within their bound, and bodies taken
// with every point accounted for.
#include <cstdlib>

#include "connect/coap/bindings.hpp"
#include "connect/coap/engine.hpp"

namespace {

using namespace alara;

class CountingInlet final : public Inlet {
 public:
  void push(const Batch& batch) override { points += batch.size(); }
  void reject(std::string_view, std::uint64_t count) override { points += count; }
  void finished() override {}
  std::uint64_t points = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 300;
  static const bool started = (coap_startup(), coap_set_log_level(LOG_EMERG), true);
  static_cast<void>(started);
  coap::Bindings bindings;
  std::vector<Error> errors;
  SignalBinding whole, member;
  whole.address = "/a";
  member.address = "/a#b[1].c";
  member.signal = SignalId{1};
  const SignalBinding both[] = {whole, member};
  bindings.add(both, {}, errors);
  if (!errors.empty()) std::abort();
  std::string body;
  // Datagrams of a length that the first byte of each says.
  for (std::size_t at = 0; at + 1 < size;) {
    const std::size_t length = std::min<std::size_t>(data[at], size - at - 1);
    coap_pdu_t* const pdu = coap_pdu_init(COAP_MESSAGE_CON, COAP_REQUEST_CODE_GET, 0, 1152);
    if (coap_pdu_parse(COAP_PROTO_UDP, data + at + 1, length, pdu) != 0) {
      bool is_whole = false;
      const bool fits = coap::append_block(pdu, kMost, body, is_whole);
      if (body.size() > kMost) std::abort();
      static_cast<void>(coap::token_of(pdu));
      static_cast<void>(coap::name_of(coap_pdu_get_code(pdu)));
      static_cast<void>(coap::is_readable(coap::number_option(pdu, COAP_OPTION_CONTENT_FORMAT)));
      if (fits && is_whole) {
        CountingInlet inlet;
        const wire::Receipt receipt = bindings.intake.take("/a", body, 0, 0, inlet);
        if (receipt.accepted + receipt.rejected != inlet.points) std::abort();
      }
    }
    coap_delete_pdu(pdu);
    at += 1 + length;
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (coap::check_path(text) && text.front() != '/') std::abort();
  return 0;
}
