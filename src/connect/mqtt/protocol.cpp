// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/protocol.hpp"

#include "connect/mqtt/connector.hpp"
#include "connect/mqtt/edge_connector.hpp"
#include "connect/mqtt/settings.hpp"

namespace alara::mqtt {
namespace {

class MqttProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "mqtt"; }
  [[nodiscard]] const Schema& schema() const override { return mqtt::schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "<topic>[#<path>]\n"
           "  line/cnc-07/state               the whole payload: a number, {\"v\":…,\"t\":…,\"q\":…}, or a waveform "
           "(an array of samples)\n"
           "  line/cnc-07/state#temperature   a member of a JSON payload; also #a.b[2], #[\"any key\"]\n"
           "  line/gw-3#[17]                  element 17 of an array, JSON or binary\n"
           "  line/cnc-07/raw#x[:]            all elements of a list in a JSON payload, as consecutive samples\n"
           "  cell/points#cnc-07/speed        the point of that name, in messages of points (format: protobuf, "
           "flatbuffers, messagepack); without # the point that has no name\n"
           "  written: line/cnc-07/set gets 21.5; line/cnc-07/set#speed gets {\"speed\":21.5}\n"
           "  published: line/cnc-07/health gets {\"value\":…,\"time\":…,\"quality\":…,\"unit\":…}\n"
           "  published: cell/points#cnc-07/speed is the point of that name, sent with others that wait for "
           "cell/points "
           "(publish_format: protobuf, flatbuffers, messagepack)";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(Settings settings, read_settings(name, options, directory));
    return std::make_unique<MqttConnector>(name, std::move(settings));
  }
};

class SparkplugProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "sparkplug"; }
  [[nodiscard]] const Schema& schema() const override { return edge_schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "<device>/<metric>, or <metric> of the edge node itself\n"
           "  published: cnc-07/spindle/health   metric spindle/health of device cnc-07, in DBIRTH and DDATA\n"
           "  published: load                    metric load of the edge node, in NBIRTH and NDATA\n"
           "  published: /site/load              metric site/load of the edge node\n"
           "  read:      cnc-07/set/speed        a metric that hosts write with DCMD; each command is a sample\n"
           "  read:      mode                    a metric of the edge node, written with NCMD";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(EdgeSettings settings, read_edge_settings(name, options, directory));
    return std::make_unique<EdgeConnector>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& sparkplug_protocol() {
  static const SparkplugProtocol kProtocol;
  return kProtocol;
}

const Protocol& mqtt_protocol() {
  static const MqttProtocol kProtocol;
  return kProtocol;
}

}  // namespace alara::mqtt
