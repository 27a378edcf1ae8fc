// SPDX-License-Identifier: Apache-2.0
// The whole connector: files in, samples out; commands and messages in, files out. Virtual time throughout.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/quantity.hpp"
#include "connect/file/protocol.hpp"
#include "connect/file/settings.hpp"
#include "connect/file/test_files.hpp"
#include "core/fakes.hpp"

namespace alara::file {
namespace {

constexpr Nanos kStart = 946'684'800 * kSecond;  // 2000-01-01, the default start

struct Bench {
  Result<std::unique_ptr<Connector>> make(const std::string& yaml) {
    const auto node = parse_document(yaml, "site.yaml");
    if (!node) return tl::unexpected<Error>(node.error());
    std::vector<Error> errors;
    file_protocol().schema().check(*node, errors);
    if (!errors.empty()) return tl::unexpected<Error>(errors.front());
    return file_protocol().make("rec", *node, folder.path());
  }
  // Starts; the error's text when that fails.
  std::string start(const std::string& yaml, const std::vector<std::string>& signals,
                    const std::vector<std::string>& actuators = {}) {
    auto made = make(yaml);
    if (!made) return made.error().text();
    connector = std::move(*made);
    std::vector<SignalBinding> signal_bindings;
    for (const std::string& address : signals)
      signal_bindings.push_back(
          {static_cast<SignalId>(signal_bindings.size()), address, address, SignalType::float64, 0, {}, 0});
    std::vector<ActuatorBinding> actuator_bindings;
    for (const std::string& address : actuators)
      actuator_bindings.push_back({static_cast<ActuatorId>(actuator_bindings.size()), address, address, {}});
    std::vector<Error> errors;
    connector->bind(signal_bindings, actuator_bindings, errors);
    if (!errors.empty()) return errors.front().text();
    const Status started = connector->start({&inlet, &inbox, &clock, nullptr, 1});
    return started ? "" : started.error().text();
  }
  void play(const std::string& yaml, const std::vector<std::string>& signals) {
    ASSERT_EQ(start(yaml, signals), "");
    ASSERT_TRUE(inlet.wait_for([](const auto& now) { return now.finished; }));
    connector->stop();
    seen = inlet.seen();
  }
  std::vector<double> values() const {
    std::vector<double> out;
    for (const auto& point : seen.points) out.push_back(point.value);
    return out;
  }

  TestFolder folder;
  FakeClock clock;
  testing::RecordingInlet inlet;
  testing::FakeInbox inbox;
  std::unique_ptr<Connector> connector;
  testing::RecordingInlet::Seen seen;
};

TEST(FileCsv, ReplaysColumnsInTheOrderOfTime) {
  Bench bench;
  bench.folder.write("a.csv", "timestamp,x,skipped,y\n2013-12-02 21:15:00,1,q,2\n2013-12-02 21:20:00,3,q,4\n");
  bench.play("path: a.csv\ntime: timestamp", {"x", "y"});
  EXPECT_EQ(bench.values(), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(bench.seen.points[0].signal, SignalId{0});
  EXPECT_EQ(bench.seen.points[1].signal, SignalId{1});
  EXPECT_EQ(bench.seen.points[2].time, parse_instant("2013-12-02T21:20:00Z").value());
  EXPECT_EQ(bench.connector->last_error(), "");
}

TEST(FileCsv, OneColumnComesAsBlocks) {
  Bench bench;
  std::string text = "x\n";
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i) + "\n";
  bench.folder.write("a.csv", text);
  bench.play("path: a.csv\nrate: 10Hz", {"x"});
  ASSERT_EQ(bench.seen.points.size(), 10'000u);
  EXPECT_EQ(bench.seen.blocks, bench.seen.batches);
  EXPECT_LE(bench.seen.batches, 3u);
  EXPECT_EQ(bench.seen.points[9'999].time, kStart + 9'999 * 100 * kMillisecond);
}

TEST(FileCsv, MissingCellsAndMixedLineEnds) {
  Bench bench;
  bench.folder.write("a.csv", "t;x;y\r\n1600000000;1;\n1600000001;;2\r1600000002;NaN; 3 \r\n");
  bench.play("path: a.csv\ntime: t\ndelimiter: ';'", {"x", "y"});
  ASSERT_EQ(bench.seen.points.size(), 6u);
  EXPECT_EQ(bench.seen.points[1].quality, Quality::bad);
  EXPECT_TRUE(std::isnan(bench.seen.points[1].value));
  EXPECT_EQ(bench.seen.points[2].quality, Quality::bad);
  EXPECT_EQ(bench.seen.points[5].value, 3);
  Bench skipping;
  skipping.folder.write("a.csv", "t;x;y\r\n1600000000;1;\n1600000001;;2\r1600000002;NaN; 3 \r\n");
  skipping.play("path: a.csv\ntime: t\ndelimiter: ';'\nmissing: skip", {"x", "y"});
  EXPECT_EQ(skipping.values(), (std::vector<double>{1, 2, 3}));
  std::vector<Connector::Counter> counters;
  skipping.connector->counters(counters);
  EXPECT_EQ(counters.at(0).value, 3u);
}

TEST(FileCsv, TextsBecomeCategories) {
  Bench bench;
  bench.folder.write("a.csv", "p,q\nprep,up\n\"layer 1\",down\nprep,sideways\n");
  bench.play("path: a.csv\nrate: 1Hz", {"p:category", "q:category(down, up)"});
  EXPECT_EQ(bench.values(), (std::vector<double>{0, 1, 1, 0, 0}));
  EXPECT_EQ(bench.seen.rejected.at("wrong_type"), 1u);
  EXPECT_NE(bench.connector->last_error().find("a.csv:4: column q: 'sideways'"), std::string::npos)
      << bench.connector->last_error();
}

TEST(FileCsv, BadRecordsCostOnlyThemselves) {
  Bench bench;
  bench.folder.write(
      "a.csv",
      "t,x,y\n1600000000,1,2\nsoon,1,2\n1600000001,hot,4\n1600000002,5\n1600000003,inf,\"6\"x\n1600000004,7,inf\n");
  bench.play("path: a.csv\ntime: t", {"x", "y"});
  EXPECT_EQ(bench.values(), (std::vector<double>{1, 2, 4, 7}));
  EXPECT_EQ(bench.seen.rejected.at("bad_time"), 2u);
  EXPECT_EQ(bench.seen.rejected.at("wrong_type"), 1u);
  EXPECT_EQ(bench.seen.rejected.at("malformed"), 4u);
  EXPECT_EQ(bench.seen.rejected.at("not_finite"), 1u);
  EXPECT_EQ(bench.connector->stats().errors.load(), 5u);
}

TEST(FileCsv, BadFilesSayWhereAndWhy) {
  Bench bench;
  bench.folder.write("a.csv", "time,current\n1,2\n");
  bench.folder.write("empty.csv", "");
  bench.folder.write("twice.csv", "x,x\n1,2\n");
  EXPECT_NE(bench.start("path: a.csv\nrate: 1Hz", {"curent"})
                .find("a.csv:1: there is no column 'curent' (do you mean 'current'?)"),
            std::string::npos);
  EXPECT_NE(bench.start("path: a.csv\ntime: tme", {"current"}).find("'tme'"), std::string::npos);
  EXPECT_NE(bench.start("path: gone.csv\nrate: 1Hz", {"x"}).find("can not open"), std::string::npos);
  EXPECT_NE(bench.start("path: empty.csv\nrate: 1Hz", {"x"}).find("empty.csv:1: the file is empty"), std::string::npos);
  EXPECT_NE(bench.start("path: twice.csv\nrate: 1Hz", {"x"}).find("two columns"), std::string::npos);
  EXPECT_NE(bench.start("path: a.csv", {"x"}).find("needs its time"), std::string::npos);
  EXPECT_NE(bench.start("path: a.dat", {"x"}).find("format"), std::string::npos);
  EXPECT_NE(bench.start("path: a.csv\nrate: 1Hz", {"current:category(a"}).find("parenthesis"), std::string::npos);
  EXPECT_NE(bench.start("rate: 1Hz", {"x"}).find("needs path"), std::string::npos);
  EXPECT_NE(bench.start("path: a.csv\nrate: 1Hz\nspeed: fast", {"x"}).find("speed"), std::string::npos);
  EXPECT_NE(bench.start("path: a.csv\nrate: 1Hz\nstamp: now", {"x"}).find("stamp"), std::string::npos);
}

TEST(FileCsv, AnUnclosedQuoteEndsTheReplayWithItsLine) {
  Bench bench;
  bench.folder.write("a.csv", "x\n1\n\"2\n3\n");
  bench.play("path: a.csv\nrate: 1Hz", {"x"});
  EXPECT_EQ(bench.values(), std::vector<double>{1});
  EXPECT_NE(bench.connector->last_error().find("a.csv:3: a quote is never closed"), std::string::npos);
}

TEST(FileCsv, WithoutAHeaderColumnsAreNumbered) {
  Bench bench;
  bench.folder.write("a.csv", "1,2\n3,4\n");
  bench.play("path: a.csv\nrate: 1Hz\nheader: false", {"2"});
  EXPECT_EQ(bench.values(), (std::vector<double>{2, 4}));
}

TEST(FileCsv, SpeedDividesTheTimeItTakes) {
  Bench bench;
  bench.folder.write("a.csv", "x\n1\n2\n3\n");
  const Nanos before = bench.clock.monotonic();
  bench.play("path: a.csv\nrate: 1Hz\nspeed: 4", {"x"});
  EXPECT_EQ(bench.clock.monotonic() - before, kSecond / 2);
  EXPECT_EQ(bench.seen.points[2].time, kStart + 2 * kSecond);
  EXPECT_EQ(bench.seen.points[2].arrival - bench.seen.points[0].arrival, kSecond / 2);
}

TEST(FileCsv, ARecordingCanHappenNow) {
  Bench bench;
  bench.folder.write("a.csv", "t,x\n1600000000,1\n1600000010,2\n");
  const Nanos wall = bench.clock.wall();
  bench.play("path: a.csv\ntime: t\nspeed: 10x\nstamp: now", {"x"});
  EXPECT_EQ(bench.seen.points[0].time, wall);
  EXPECT_EQ(bench.seen.points[1].time, wall + kSecond);
}

TEST(FileCsv, ALoopGoesOnInTime) {
  Bench bench;
  bench.folder.write("a.csv", "t,x\n1600000000,1\n1600000001,2\n1600000002,3\n");
  ASSERT_EQ(bench.start("path: a.csv\ntime: t\nloop: true", {"x"}), "");
  ASSERT_TRUE(bench.inlet.wait_for_points(7));
  bench.connector->stop();
  const auto seen = bench.inlet.seen();
  EXPECT_FALSE(seen.finished);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(seen.points[i].value, static_cast<double>(i % 3 + 1));
    EXPECT_EQ(seen.points[i].time, (1'600'000'000 + static_cast<Nanos>(i)) * kSecond);
  }
}

TEST(FileCsv, ALoopOverNothingEnds) {
  Bench bench;
  bench.folder.write("a.csv", "x\n");
  bench.play("path: a.csv\nrate: 1Hz\nloop: true", {"x"});
  EXPECT_NE(bench.connector->last_error().find("nothing to repeat"), std::string::npos);
}

TEST(FileTime, CellsAreReadInEveryFormat) {
  constexpr Nanos kInstant = 1'600'000'000 * kSecond;
  EXPECT_EQ(parse_time("1600000000", TimeFormat::automatic), kInstant);
  EXPECT_EQ(parse_time(" 1600000000000 ", TimeFormat::automatic), kInstant);
  EXPECT_EQ(parse_time("2020-09-13T12:26:40Z", TimeFormat::automatic), kInstant);
  EXPECT_EQ(parse_time("0.25", TimeFormat::seconds), kSecond / 4);
  EXPECT_EQ(parse_time("-5", TimeFormat::millis), -5 * kMillisecond);
  EXPECT_EQ(parse_time("7", TimeFormat::nanos), 7);
  for (const std::string_view text : {"", "nan", "inf", "x", "9999999999999999999", "1e300"})
    EXPECT_EQ(parse_time(text, TimeFormat::seconds), std::nullopt) << text;
}

TEST(FileJsonl, LinesGoToTheirSignals) {
  Bench bench;
  bench.folder.write("a.jsonl",
                     "{\"t\":1600000000,\"a\":{\"b\":1},\"c\":[1,2]}\n{\"t\":1600000001,\"a\":{}}\n{\"t\":"
                     "16000\nnull\n{\"t\":\"x\",\"a\":{\"b\":1}}\n");
  bench.play("path: a.jsonl\nmissing: skip", {"a.b", "c[1]"});
  EXPECT_EQ(bench.values(), (std::vector<double>{1, 2}));
  EXPECT_EQ(bench.seen.points[0].time, 1'600'000'000 * kSecond);
  EXPECT_EQ(bench.seen.rejected.at("truncated"), 2u);
  EXPECT_EQ(bench.seen.rejected.at("bad_time"), 4u);
  EXPECT_NE(bench.connector->last_error().find("a.jsonl:5"), std::string::npos);
}

std::string items(const std::vector<std::int16_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int16_t)};
}

TEST(FileNpy, RecordsSamplesAndAxes) {
  Bench bench;
  bench.folder.write("b.npy", npy("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3, 2), }",
                                  items({0, 100, 1, 101, 2, 102, 3, 103, 4, 104, 5, 105})));
  bench.play("path: b.npy\nrate: 1kHz\nrecord_every: 10s", {"[:, :, 1]", "[:, :, 0]"});
  EXPECT_EQ(bench.values(), (std::vector<double>{100, 101, 102, 0, 1, 2, 103, 104, 105, 3, 4, 5}));
  EXPECT_EQ(bench.seen.blocks, 4u);
  EXPECT_EQ(bench.seen.points[3].signal, SignalId{1});
  EXPECT_EQ(bench.seen.points[2].time, kStart + 2 * kMillisecond);
  EXPECT_EQ(bench.seen.points[6].time, kStart + 10 * kSecond);
}

TEST(FileNpy, ALongSeriesComesInBlocksWithoutDrift) {
  Bench bench;
  std::vector<std::int16_t> values(10'000, 3);
  bench.folder.write("b.npy", npy("{'descr': '<i2', 'fortran_order': False, 'shape': (10000,), }", items(values)));
  bench.play("path: b.npy\nrate: 30kHz", {"[:]"});
  ASSERT_EQ(bench.seen.points.size(), 10'000u);
  EXPECT_NEAR(static_cast<double>(bench.seen.points[9'999].time - kStart), 9'999 * 1e9 / 30'000, 1e3);
}

TEST(FileNpy, BadFilesSayWhy) {
  Bench bench;
  bench.folder.write("short.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (100,), }", "1234"));
  bench.folder.write("ok.npy",
                     npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", std::string(16, '\0')));
  EXPECT_NE(bench.start("path: short.npy\nrate: 1Hz", {"[:]"}).find("short.npy: the file is truncated"),
            std::string::npos);
  EXPECT_NE(bench.start("path: ok.npy\nrate: 1Hz", {"[:, 5]"}).find("out of its extent"), std::string::npos);
  EXPECT_NE(bench.start("path: ok.npy", {"[:, 1]"}).find("rate"), std::string::npos);
  EXPECT_NE(bench.start("path: ok.npy\nrate: 1Hz", {"[:, 1]", "[:, :]"}).find("different axes"), std::string::npos);
}

Command command(std::uint32_t actuator, double value) {
  Command out;
  out.id = static_cast<CommandId>(actuator + 1);
  out.actuator = static_cast<ActuatorId>(actuator);
  out.value = value;
  return out;
}

TEST(FileSink, ValuesBecomeCsvRows) {
  Bench bench;
  for (int run = 0; run < 2; ++run) {  // the second one appends
    ASSERT_EQ(bench.start("append: out.csv\nsync: true", {}, {"stop", "a,b"}), "");
    bench.inbox.put(command(0, 1));
    bench.inbox.put(command(1, 2.5));
    ASSERT_EQ(bench.inbox.wait_for_acks(static_cast<std::size_t>(2 + 2 * run)).size(),
              static_cast<std::size_t>(2 + 2 * run));
    bench.connector->stop();
  }
  EXPECT_EQ(bench.inbox.acks()[3].outcome, Outcome::done);
  const std::string rows = "2020-09-13T12:26:40.000Z,1,\n2020-09-13T12:26:40.000Z,,2.5\n";
  EXPECT_EQ(bench.folder.read("out.csv"), "time,stop,\"a,b\"\n" + rows + rows);
  EXPECT_NE(bench.start("append: out.csv", {}, {"other"}).find("other columns"), std::string::npos);
}

TEST(FileSink, ValuesAndMessagesBecomeJsonLines) {
  Bench bench;
  bench.folder.write("out.jsonl", "{\"cut\":");
  ASSERT_EQ(bench.start("append: out.jsonl", {}, {"stop"}), "");
  bench.inbox.put(command(0, 1));
  ASSERT_EQ(bench.inbox.wait_for_acks(1).size(), 1u);
  MessageSink* const sink = bench.connector->message_sink();
  ASSERT_NE(sink, nullptr);
  EXPECT_TRUE(sink->publish("", R"({"event":1})"));
  EXPECT_TRUE(sink->publish("", "two\nlines"));
  bench.connector->stop();
  EXPECT_FALSE(sink->publish("", "{}"));
  EXPECT_EQ(bench.folder.read("out.jsonl"),
            "{\"cut\":\n{\"time\":\"2020-09-13T12:26:40.000Z\",\"stop\":1}\n{\"event\":1}\n\"two\\u000alines\"\n");
}

TEST(FileSink, AFullDiskIsNotCalledDone) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  Bench bench;
  ASSERT_EQ(bench.start("append: /dev/full", {}, {"stop"}), "");
  bench.inbox.put(command(0, 1));
  ASSERT_EQ(bench.inbox.wait_for_acks(1).size(), 1u);
  EXPECT_EQ(bench.inbox.acks()[0].outcome, Outcome::unavailable);
  EXPECT_NE(bench.connector->last_error().find("/dev/full"), std::string::npos);
}

}  // namespace
}  // namespace alara::file
