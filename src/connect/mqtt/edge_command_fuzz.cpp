// SPDX-License-Identifier: Apache-2.0
// Whatever comes as a command: no crash, each metric is a sample or counted, and only bound metrics are written.
#include "connect/mqtt/edge_node.hpp"

namespace {

using namespace alara;
using namespace alara::mqtt;

class Output final : public EdgeOutput {
 public:
  bool send(EdgeMessage&&) override { return true; }
  std::size_t unsent_values() const override { return 0; }
  void leave(std::string_view) override {}
};

class CountingInlet final : public Inlet {
 public:
  void push(const Batch& batch) override {
    ALARA_ASSERT(batch.size() == 1 && (batch.block_signal == SignalId{7} || batch.block_signal == SignalId{8}),
                 "only bound metrics are written");
    ++points;
  }
  void reject(std::string_view reason, std::uint64_t count) override {
    ALARA_ASSERT(!reason.empty(), "a reason");
    points += count;
  }
  void finished() override {}
  std::uint64_t points = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const EdgeSettings kSettings = [] {
    EdgeSettings settings;
    settings.group = "g";
    settings.edge_node = "e";
    return settings;
  }();
  Output output;
  EdgeNode node(kSettings, output);
  ALARA_ASSERT(node.add_command({SignalId{7}, "set", "cell/set", SignalType::int32, 0, {}, 0}), "a good address");
  ALARA_ASSERT(node.add_command({SignalId{8}, "mode", "mode", SignalType::float64, 0, {}, 0}), "a good address");
  const EdgeInstant now{kSecond, kSecond};
  node.session_began(0, now, 0);
  node.step(now);
  CountingInlet inlet;
  const std::span<const std::uint8_t> payload(data + 1, size - 1);
  node.received(data[0] % 2 == 0 ? "spBv1.0/g/NCMD/e" : "spBv1.0/g/DCMD/e/cell", payload, now, inlet);
  const auto written = decode_command(payload);
  const std::uint64_t metrics = written ? written->size() : 1;
  ALARA_ASSERT(inlet.points <= metrics, "no metric counts twice");
  node.step({kSecond, 10 * kSecond});
  return 0;
}
