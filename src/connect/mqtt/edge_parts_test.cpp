// SPDX-License-Identifier: Apache-2.0
// The parts of the edge node: sequence file, host state, addresses, options, payloads.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "connect/mqtt/bd_sequence.hpp"
#include "connect/mqtt/edge_node.hpp"
#include "connect/mqtt/protocol.hpp"

namespace alara::mqtt {
namespace {

class BdSequenceFile : public ::testing::Test {
 protected:
  BdSequenceFile() {
    std::string folder = (std::filesystem::temp_directory_path() / "alara-bdseq-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
  }
  ~BdSequenceFile() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/seq"; }
  std::string folder_;
};

TEST_F(BdSequenceFile, GoesOnAfterARestartAndOverFrom255) {
  Status problem;
  EXPECT_EQ(BdSequence(path()).next(problem), 0);
  EXPECT_EQ(BdSequence(path()).next(problem), 1);
  std::ofstream(path()) << "254\n";
  BdSequence sequence(path());
  EXPECT_EQ(sequence.next(problem), 255);
  EXPECT_EQ(sequence.next(problem), 0);
  EXPECT_TRUE(problem);
  EXPECT_EQ(BdSequence(path()).next(problem), 1);
  EXPECT_FALSE(std::filesystem::exists(path() + ".new"));
}

TEST_F(BdSequenceFile, SaysWhatIsWrongAndGoesOn) {
  std::ofstream(path()) << "many\n";
  Status problem;
  BdSequence sequence(path());
  EXPECT_EQ(sequence.next(problem), 0);
  ASSERT_FALSE(problem);
  EXPECT_NE(problem.error().message.find("holds no number from 0 to 255"), std::string::npos);
  EXPECT_EQ(sequence.next(problem), 1);
  EXPECT_TRUE(problem);
  BdSequence nowhere(folder_ + "/none/seq");
  EXPECT_EQ(nowhere.next(problem), 0);
  EXPECT_FALSE(problem);
  EXPECT_EQ(nowhere.next(problem), 1) << "from memory";
}

Result<HostState> state_of(std::string_view text) {
  return read_host_state({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

TEST(HostStateJson, IsReadStrictly) {
  EXPECT_TRUE(state_of(R"({"online":true,"timestamp":1764088797123})")->online);
  const auto offline = state_of(R"({"timestamp":1764088797123,"online":false})");
  EXPECT_FALSE(offline->online);
  EXPECT_EQ(offline->time, 1'764'088'797'123 * kMillisecond);
  for (const std::string_view bad : {"ONLINE", "", "{}", R"({"online":true})", R"({"timestamp":1764088797123})",
                                     R"({"online":"true","timestamp":1764088797123})",
                                     R"({"online":2,"timestamp":1764088797123})", R"({"online":true,"timestamp":-1})"})
    EXPECT_FALSE(state_of(bad)) << bad;
}

TEST(MetricAddresses, NameDeviceAndMetric) {
  EXPECT_EQ(parse_metric_address("cell/a/b")->device, "cell");
  EXPECT_EQ(parse_metric_address("cell/a/b")->metric, "a/b");
  EXPECT_EQ(parse_metric_address("load")->device, "");
  EXPECT_EQ(parse_metric_address("/site/load")->metric, "site/load");
  for (const std::string_view bad : {"", "cell/", "a+b/c", "a#/c", "bdSeq", "/Node Control/Rebirth"})
    EXPECT_FALSE(parse_metric_address(bad)) << bad;
}

TEST(EdgeOptions, AreRefusedWithTheirPlace) {
  const auto refusal = [](const std::string& yaml) {
    const auto node = parse_document(yaml, "site.yaml");
    std::vector<Error> errors;
    sparkplug_protocol().schema().check(*node, errors);
    if (!errors.empty()) return errors.front().text();
    const auto made = sparkplug_protocol().make("up", *node, "");
    return made ? std::string() : made.error().text();
  };
  EXPECT_EQ(refusal("endpoint: mqtt://x\ngroup: plant\nedge_node: e\n"), "");
  EXPECT_NE(refusal("endpoint: mqtt://x\ngroup: a/b\nedge_node: e\n").find("site.yaml:2:8: group 'a/b'"),
            std::string::npos);
  EXPECT_NE(refusal("endpoint: mqtt://x\ngroup: a\n").find("edge_node"), std::string::npos);
  EXPECT_NE(refusal("endpoint: mqtt://x\ngroup: a\nedge_node: e\nprimary_host: ''\n").find("primary_host is empty"),
            std::string::npos);
}

TEST(EdgeOptions, KeepNoSession) {
  const auto node = parse_document("endpoint: mqtt://x\ngroup: plant\nedge_node: e\n", "site.yaml");
  const auto settings = read_edge_settings("up", *node, "/site");
  ASSERT_TRUE(settings);
  EXPECT_TRUE(settings->clean_start);
  EXPECT_EQ(settings->session_expiry, 0);
  EXPECT_EQ(settings->bd_seq_file, "/site/.alara-up.bdseq");
}

TEST(CommandPayload, IntegersKeepTheirSignWithAndWithoutADatatype) {
  EdgeMetric metric;
  metric.name = "set";
  metric.value = -5;
  for (const SignalType type : {SignalType::int16, SignalType::int32, SignalType::int64}) {
    metric.type = type;
    std::string payload;
    encode_edge_payload(0, 1, std::span(&metric, 1), payload);
    const auto written = decode_command({reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size()});
    ASSERT_TRUE(written);
    EXPECT_EQ(written->at(0).value, -5) << name_of(type);
    EXPECT_EQ(written->at(0).untyped_bits, 0);
  }
  // int_value 0xFFFFFFFB and no datatype.
  const std::vector<std::uint8_t> untyped{0x12, 0x0B, 0x0A, 0x03, 's', 'e', 't', 0x50, 0xFB, 0xFF, 0xFF, 0xFF, 0x0F};
  const auto written = decode_command(untyped);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->at(0).untyped_bits, 32);
}

TEST(CommandPayload, GarbageIsAnError) {
  for (const std::string_view bad : {"\xff", "\x12\x05\x0a", "\x12\x02\x0a\x09", "\x0b\x01"})
    EXPECT_FALSE(decode_command({reinterpret_cast<const std::uint8_t*>(bad.data()), bad.size()}));
  const std::vector<std::uint8_t> large(kMaxCommandBytes + 1);
  EXPECT_FALSE(decode_command(large));
}

}  // namespace
}  // namespace alara::mqtt
