// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/connector.hpp"
#include "connect/opcua/opcua.hpp"

namespace alara::opcua {
namespace {

class OpcuaProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "opcua"; }
  [[nodiscard]] const Schema& schema() const override { return opcua::schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "ns=2;s=Line.Speed             a node id: ns=…;s= a name, i= a number, g= a GUID, b= bytes\n"
           "nsu=urn:plant;s=Line.Speed    with the namespace's own name, which no restart renumbers\n"
           "ns=2;s=Values#[3]             an element of an array\n"
           "ns=2;s=Motor#speed            a member of a structure; also #axis.positions[2]\n"
           "written: a node id, or one element of an array\n"
           "call ns=2;s=Pump ns=2;s=Start a method of an object: called with the command's value if it takes an "
           "argument";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(Settings settings, read_settings(options, directory));
    return std::make_unique<OpcuaConnector>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& opcua_protocol() {
  static const OpcuaProtocol kProtocol;
  return kProtocol;
}

}  // namespace alara::opcua
