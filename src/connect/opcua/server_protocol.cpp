// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/opcua.hpp"
#include "connect/opcua/server_connector.hpp"

namespace alara::opcua {
namespace {

class OpcuaServerProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "opcua-server"; }
  [[nodiscard]] const Schema& schema() const override { return server_schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "Line1/Machine3/vibration       a node in folders below Objects; its id is ns=2;s=Line1/Machine3/vibration\n"
           "Line1/vibration in 0..50       with the range that clients are shown\n"
           "ns=2;i=7                       a node with a number as its id\n"
           "read: a signal's address makes a node that clients may write; each write is a sample. With `in 0..1500` "
           "only "
           "values in that range are taken\n"
           "published: the address makes a node that clients may read and subscribe to\n"
           "Alarms/…                       is ours: Active, Count and HighestSeverity of the alarms that stand";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(ServerSettings settings, read_server_settings(options, directory));
    return std::make_unique<OpcuaServerConnector>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& opcua_server_protocol() {
  static const OpcuaServerProtocol kProtocol;
  return kProtocol;
}

}  // namespace alara::opcua
