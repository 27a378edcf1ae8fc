// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/client.hpp"
#include "connect/modbus/modbus.hpp"
#include "connect/modbus/options.hpp"

namespace alara::modbus {
namespace {

class ModbusProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "modbus"; }
  [[nodiscard]] const Schema& schema() const override { return options_schema(); }
  [[nodiscard]] std::string_view address_help() const override { return address_grammar(); }

  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& node,
                                          const std::string&) const override {
    ALARA_TRY(Settings settings, settings_of(Options(node, schema())));
    return std::make_unique<Client>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& modbus_protocol() {
  static const ModbusProtocol protocol;
  return protocol;
}

}  // namespace alara::modbus
