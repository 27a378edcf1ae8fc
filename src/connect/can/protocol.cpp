// SPDX-License-Identifier: Apache-2.0
#include "connect/can/can.hpp"
#include "connect/can/connector.hpp"

namespace alara::can {
namespace {

class CanProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "can"; }
  [[nodiscard]] const Schema& schema() const override { return can::schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "MESSAGE.SIGNAL                by the DBC file: Motor.Speed\n"
           "MESSAGE.SIGNAL@0x21           of a J1939 message, from one control unit only\n"
           "0x123:24|16@1+*0.1-40         without one: id, start bit, length, byte order (1 little, 0 big endian), "
           "sign;\n"
           "                              factor and offset if wanted. 8 digits of id are an extended one\n"
           "dm1.count, dm1.spn, dm1.fmi   J1939: how many faults are active, and the first one\n"
           "dm1.red_stop, dm1.amber_warning, dm1.protect, dm1.malfunction   its lamps; with @0x21 of one unit\n"
           "obd:engine_speed, obd:0C      OBD-II: asked for at the signal's `poll`\n"
           "written: MESSAGE.SIGNAL or 0x123:…; the message's other signals keep what was last seen or written";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(Settings settings, read_settings(options, directory));
    return std::make_unique<CanConnector>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& can_protocol() {
  static const CanProtocol kProtocol;
  return kProtocol;
}

}  // namespace alara::can
