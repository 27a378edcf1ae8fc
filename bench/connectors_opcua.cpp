// SPDX-License-Identifier: Apache-2.0
// OPC UA: a real `alara run` subscribed to 10,000 nodes that change ten times a second. The server, in a forked
// process, counts what it samples; every sample is a new value, and so must be one point.
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <sys/mman.h>

#include <atomic>
#include <cmath>
#include <cstdarg>
#include <nlohmann/json.hpp>

#include "base/child_process.hpp"
#include "base/clock.hpp"
#include "bench/connectors.hpp"
#include "bench/node_process.hpp"

namespace alara::bench {
namespace {

constexpr std::uint32_t kNodes = 10'000;
constexpr double kSeconds = 20, kQuickSeconds = 3, kSettle = 2;
constexpr Nanos kPatience = 60 * kSecond;

// Memory shared with the server's process.
struct Board {
  std::atomic<int> port{0};
  std::atomic<bool> frozen{false}, over{false};  // frozen: values change no more
  std::atomic<std::uint64_t> samples{0};
  std::atomic<std::uint32_t> of_node[kNodes]{};
  std::atomic<bool> listening{false};     // nodes are made; what is read from now on is read for a client
  std::atomic<bool> looked_at[kNodes]{};  // the server reads a node once to check the request, before it samples it
};

void say_nothing(void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {}

UA_StatusCode sample(UA_Server*, const UA_NodeId*, void*, const UA_NodeId* node, void* context, UA_Boolean,
                     const UA_NumericRange*, UA_DataValue* value) {
  auto& board = *static_cast<Board*>(context);
  auto& count = board.of_node[node->identifier.numeric - 1];
  const bool sampled = board.listening && board.looked_at[node->identifier.numeric - 1].exchange(board.listening);
  if (sampled && !board.frozen) {
    ++count;
    ++board.samples;
  }
  const UA_Double number = count;
  value->hasValue = true;
  value->hasSourceTimestamp = true;
  value->sourceTimestamp = UA_DateTime_now();
  return UA_Variant_setScalarCopy(&value->value, &number, &UA_TYPES[UA_TYPES_DOUBLE]);
}

int serve(Board& board) {
  static UA_Logger silent{say_nothing, nullptr, nullptr};
  const int port = free_loopback_port();
  UA_ServerConfig config{};
  config.logging = &silent;
  UA_ServerConfig_setMinimal(&config, static_cast<UA_UInt16>(port), nullptr);
  UA_Server* server = UA_Server_newWithConfig(&config);
  if (server == nullptr) return 1;
  UA_DataSource source{};
  source.read = sample;
  for (std::uint32_t i = 0; i < kNodes; ++i) {
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.accessLevel = UA_ACCESSLEVELMASK_READ;
    attributes.minimumSamplingInterval = 10;
    std::string name = fmt::format("v{}", i);
    UA_Server_addDataSourceVariableNode(
        server, UA_NODEID_NUMERIC(1, i + 1), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
        UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), UA_QUALIFIEDNAME(1, name.data()),
        UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes, source, &board, nullptr);
  }
  if (UA_Server_run_startup(server) != UA_STATUSCODE_GOOD) return 1;
  board.listening = true;
  board.port = port;
  while (!board.over) UA_Server_run_iterate(server, true);
  UA_Server_run_shutdown(server);
  UA_Server_delete(server);
  return 0;
}

std::string site_text(int port) {
  return fmt::format(R"(node: opcua
settings: {{memory: 64MB, ring: 4MB}}
connectors:
  plc: {{opcua: {{endpoint: "opc.tcp://127.0.0.1:{}", security: none, interval: 100ms, timeout: 10s, silence: 20s}}}}
asset_types:
  node: {{signals: {{v: {{type: float64}}}}}}
assets:
  node-{{00000..{}}}: {{type: node, from: {{v: "plc/ns=1;i={{n+1}}"}}}}
pipelines:
  watch: {{for: node, lane: slow, rule: {{when: v < 0, raise: {{severity: low}}}}}}
)",
                     port, kNodes - 1);
}

// The newest value of some nodes against the server's own.
Result<bool> latest_agree(const NodeProcess& node, const Board& board) {
  for (std::uint32_t i = 7; i < kNodes; i += 501) {
    ALARA_TRY(const nlohmann::json page, node.get(fmt::format("/api/v1/signals?name=node-{:05}.v", i)));
    if (page["signals"].size() != 1 || page["signals"][0].value("value", -1.0) != board.of_node[i]) return false;
  }
  return true;
}

Result<bool> measure(const Arguments& arguments, Report& into) {
  const double seconds = arguments.quick ? kQuickSeconds : arguments.seconds > 0 ? arguments.seconds : kSeconds;
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail(ErrorKind::exhausted, "no shared memory");
  Board& board = *new (memory) Board;
  ALARA_TRY(const auto server, ChildProcess::fork([&board] { return serve(board); }));
  SystemClock clock;
  const auto rest = [&clock](double s) { clock.sleep_until(clock.monotonic() + static_cast<Nanos>(s * 1e9)); };
  const auto eventually = [&](const auto& condition) {
    for (const Nanos end = clock.monotonic() + kPatience; clock.monotonic() < end; rest(0.05))
      if (condition()) return true;
    return false;
  };
  if (!eventually([&] { return board.port != 0; }))
    return fail(ErrorKind::unavailable, "the OPC UA server does not start");
  ALARA_TRY(const auto node, NodeProcess::start(arguments.program, site_text(board.port)));
  ALARA_CHECK(node->wait_connected(20));
  PointAccount account;
  const bool all = eventually([&] {
    const auto now = node->account();
    return now && now->accepted >= 2 * kNodes;
  });
  if (!all) return fail(ErrorKind::unavailable, "the subscriptions do not come to stand: {}", node->output());
  rest(kSettle);
  const double cpu = process_cpu_seconds(node->pid()), begun = seconds_now();
  const std::uint64_t before = board.samples;
  rest(seconds);
  const double elapsed = seconds_now() - begun;
  into.figures["opcua_cores"] = (process_cpu_seconds(node->pid()) - cpu) / elapsed;
  into.figures["opcua_values_per_second"] = static_cast<double>(board.samples - before) / elapsed;
  into.figures["opcua_items"] = kNodes;
  board.frozen = true;
  const auto sampled = [&board] { return static_cast<double>(board.samples.load()); };
  eventually([&] {
    const auto now = node->account();
    if (now) account = *now;
    return now && now->accepted + now->rejected >= sampled();
  });
  ALARA_TRY(const bool agree, latest_agree(*node, board));
  into.figures["opcua_unaccounted"] = account.unaccounted + std::abs(sampled() - account.accepted - account.rejected);
  into.figures["opcua_dropped"] = account.dropped;
  into.baseline["opcua_server_cores"] = process_cpu_seconds(server->pid()) / (seconds_now() - begun);
  board.over = true;
  munmap(memory, sizeof(Board));
  return agree && account.rejected == 0;
}

}  // namespace

extern const ConnectorPart kOpcuaPart{"opcua",
                                      "10,000 monitored items that change ten times a second, from a server in a "
                                      "process of its own, through the whole node; "
                                      "cores are the node's.",
                                      measure};

}  // namespace alara::bench
