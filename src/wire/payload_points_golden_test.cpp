// SPDX-License-Identifier: Apache-2.0
// The bytes of docs/formats/README.md's example, ours and as the formats' own tools see them.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "wire/payload_points.hpp"

namespace alara::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr Nanos kTime = 1'600'000'000 * kSecond;

std::vector<Point> example() {
  return {{.name = "temp", .alias = 7, .value = 21.5, .time = kTime, .unit = "degC"},
          {.alias = 8, .value = -2, .time = kTime + kMillisecond, .quality = Quality::uncertain}};
}

Bytes golden(PointFormat format) {
  switch (format) {
    case PointFormat::protobuf:
      return {0x09, 0x00, 0x00, 0xA0, 0xD8, 0x85, 0x57, 0x34, 0x16, 0x12, 0x17, 0x0A, 0x04, 0x74,
              0x65, 0x6D, 0x70, 0x10, 0x07, 0x19, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x35, 0x40,
              0x32, 0x04, 0x64, 0x65, 0x67, 0x43, 0x12, 0x11, 0x10, 0x08, 0x19, 0x00, 0x00, 0x00,
              0x00, 0x00, 0x00, 0x00, 0xC0, 0x20, 0x80, 0x89, 0x7A, 0x28, 0x01};
    case PointFormat::flatbuffers:
      return {0x18, 0x00, 0x00, 0x00, 0x41, 0x4C, 0x50, 0x54, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0A, 0x00,
              0x10, 0x00, 0x04, 0x00, 0x08, 0x00, 0x0C, 0x00, 0x0A, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00,
              0x1C, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00,
              0x04, 0x00, 0x00, 0x00, 0x64, 0x65, 0x67, 0x43, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
              0x10, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
              0x04, 0x00, 0x00, 0x00, 0x74, 0x65, 0x6D, 0x70, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
              0x00, 0x00, 0xA0, 0xD8, 0x85, 0x57, 0x34, 0x16, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x35, 0x40,
              0x07, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x42, 0xAF, 0xD8, 0x85, 0x57, 0x34, 0x16,
              0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00};
    case PointFormat::messagepack:
      break;
  }
  return {0x92, 0x85, 0xA1, 0x6E, 0xA4, 0x74, 0x65, 0x6D, 0x70, 0xA1, 0x61, 0x07, 0xA1, 0x76, 0xCA,
          0x41, 0xAC, 0x00, 0x00, 0xA1, 0x74, 0xD6, 0xFF, 0x5F, 0x5E, 0x10, 0x00, 0xA1, 0x75, 0xA4,
          0x64, 0x65, 0x67, 0x43, 0x84, 0xA1, 0x61, 0x08, 0xA1, 0x76, 0xCA, 0xC0, 0x00, 0x00, 0x00,
          0xA1, 0x74, 0xD7, 0xFF, 0x00, 0x3D, 0x09, 0x00, 0x5F, 0x5E, 0x10, 0x00, 0xA1, 0x71, 0x01};
}

class Golden : public ::testing::TestWithParam<PointFormat> {};
INSTANTIATE_TEST_SUITE_P(Every, Golden,
                         ::testing::Values(PointFormat::protobuf, PointFormat::flatbuffers, PointFormat::messagepack),
                         [](const auto& format) { return std::string(name_of(format.param)); });

TEST_P(Golden, BytesAreWritten) {
  const auto codec = make_point_codec(GetParam());
  std::string out;
  for (int round = 0; round < 2; ++round) {  // the same again, from memory that was used
    codec->write(example(), out);
    EXPECT_EQ(Bytes(out.begin(), out.end()), golden(GetParam()));
  }
}

TEST_P(Golden, BytesAreRead) {
  const auto codec = make_point_codec(GetParam());
  const Bytes bytes = golden(GetParam());
  std::vector<Point> points;
  ASSERT_EQ(codec->read(bytes, {}, points), PayloadFault::none);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].name, "temp");
  EXPECT_EQ(points[0].alias, 7u);
  EXPECT_EQ(points[0].value, 21.5);
  EXPECT_EQ(points[0].time, kTime);
  EXPECT_EQ(points[0].unit, "degC");
  EXPECT_EQ(points[1].alias, 8u);
  EXPECT_EQ(points[1].value, -2);
  EXPECT_EQ(points[1].time, kTime + kMillisecond);
  EXPECT_EQ(points[1].quality, Quality::uncertain);
}

// A tool of the format's own project, run over files in a folder of the test's own.
class Tool : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "alara-points-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void need(const std::string& program) {
    if (std::system(("command -v " + program + " >/dev/null").c_str()) != 0)
      GTEST_SKIP() << program << " is not installed";
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  void put(const std::string& name, const Bytes& bytes) const {
    std::ofstream(path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void put(const std::string& name, std::string_view text) const { std::ofstream(path(name)) << text; }
  [[nodiscard]] Bytes get(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path directory_;
};

TEST_F(Tool, ProtocWritesTheSameBytes) {
  need("protoc");
  if (IsSkipped()) return;
  put("text", R"(time: 1600000000000000000
                 points { name: "temp" alias: 7 value: 21.5 unit: "degC" }
                 points { alias: 8 value: -2 time_offset: 1000000 quality: UNCERTAIN })");
  const std::string command =
      "protoc -I docs/formats --encode=alara.format.Points alara.proto <" + path("text") + " >" + path("bytes");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(get("bytes"), golden(PointFormat::protobuf));
}

TEST_F(Tool, FlatcReadsWhatWeWriteAndWritesWhatWeRead) {
  need("flatc");
  if (IsSkipped()) return;
  put("ours.alpt", golden(PointFormat::flatbuffers));
  const std::string out = "flatc -o " + directory_.string() + " ";
  ASSERT_EQ(
      std::system((out + "--json --strict-json --raw-binary docs/formats/alara.fbs -- " + path("ours.alpt")).c_str()),
      0);
  const Bytes text = get("ours.json");
  const nlohmann::json expected{
      {"points",
       {{{"time", kTime}, {"value", 21.5}, {"alias", 7}, {"unit", 1}, {"quality", "good"}},
        {{"time", kTime + kMillisecond}, {"value", -2.0}, {"alias", 8}, {"unit", 0}, {"quality", "uncertain"}}}},
      {"names", {"temp", ""}},
      {"units", {"degC"}}};
  EXPECT_EQ(nlohmann::json::parse(text), expected);

  put("theirs.json", expected.dump());
  ASSERT_EQ(std::system((out + "--binary docs/formats/alara.fbs " + path("theirs.json")).c_str()), 0);
  const Bytes bytes = get("theirs.alpt");
  std::vector<Point> points;
  const auto codec = make_point_codec(PointFormat::flatbuffers);
  ASSERT_EQ(codec->read(bytes, {}, points), PayloadFault::none);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].name, "temp");
  EXPECT_EQ(points[0].unit, "degC");
  EXPECT_EQ(points[1].time, kTime + kMillisecond);
}

TEST(PayloadPointsMessagePack, AnotherImplementationReadsWhatWeWriteAndWritesWhatWeRead) {
  using nlohmann::json;
  json timestamp = json::binary({0x5F, 0x5E, 0x10, 0x00}, 0xFF);
  json later = json::binary({0x00, 0x3D, 0x09, 0x00, 0x5F, 0x5E, 0x10, 0x00}, 0xFF);
  const json expected{{{"n", "temp"}, {"a", 7}, {"v", 21.5}, {"t", timestamp}, {"u", "degC"}},
                      {{"a", 8}, {"v", -2.0}, {"t", later}, {"q", 1}}};
  EXPECT_EQ(json::from_msgpack(golden(PointFormat::messagepack)), expected);

  const Bytes bytes = json::to_msgpack(expected);
  std::vector<Point> points;
  const auto codec = make_point_codec(PointFormat::messagepack);
  ASSERT_EQ(codec->read(bytes, {}, points), PayloadFault::none);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].name, "temp");
  EXPECT_EQ(points[0].time, kTime);
  EXPECT_EQ(points[1].time, kTime + kMillisecond);
}

}  // namespace
}  // namespace alara::wire
