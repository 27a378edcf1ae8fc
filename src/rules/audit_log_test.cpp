// SPDX-License-Identifier: Apache-2.0
#include "rules/audit_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "core/document.hpp"

namespace alara::rules {
namespace {

namespace fs = std::filesystem;

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    std::string pattern = (fs::temp_directory_path() / "alara-audit-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    options_.path = directory_ + "/audit.jsonl";
  }
  ~AuditLogTest() override { fs::remove_all(directory_); }

  static AuditLog::Entry entry(std::string_view what = "refused", std::string_view why = "interlock: open") {
    AuditLog::Entry entry;
    entry.wall = 12;
    entry.monotonic = 34;
    entry.what = what;
    entry.why = why;
    entry.pipeline = "guard";
    entry.step = "stop";
    entry.actuator = "plc/coil/1";
    entry.command = {CommandId{5}, ActuatorId{1}, 1.5, 99, 33, true};
    return entry;
  }
  static std::string text_of(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  static void write_file(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

  std::string directory_;
  AuditLogOptions options_;
};

TEST_F(AuditLogTest, WritesOneJsonObjectPerLine) {
  {
    auto log = AuditLog::open(options_);
    ASSERT_TRUE(log) << log.error().text();
    ASSERT_TRUE((*log)->append(entry()));
    ASSERT_TRUE((*log)->append(entry("sent", "quote \" slash \\ line \n end")));
  }
  const std::string text = text_of(options_.path);
  EXPECT_EQ(
      text.substr(0, text.find('\n')),
      R"({"n":1,"wall":12,"monotonic":34,"what":"refused","why":"interlock: open","pipeline":"guard","step":"stop",)"
      R"("actuator":"plc/coil/1","command":5,"value":1.5,"arrival":33,"deadline":99,"verify":true})");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  const auto second = parse_document(text.substr(text.find('\n') + 1), "line");
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->find("why")->scalar, "quote \" slash \\ line \n end");
}

TEST_F(AuditLogTest, GoesOnCountingWhereItEnded) {
  for (std::uint64_t run = 0; run < 3; ++run) {
    auto log = AuditLog::open(options_);
    ASSERT_TRUE(log) << log.error().text();
    EXPECT_EQ((*log)->next_number(), run * 2 + 1);
    ASSERT_TRUE((*log)->append(entry()));
    ASSERT_TRUE((*log)->append(entry()));
  }
  const std::string text = text_of(options_.path);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6);
}

TEST_F(AuditLogTest, KeepsATornLineAndGoesOnAfterIt) {
  { ASSERT_TRUE((*AuditLog::open(options_))->append(entry())); }
  const std::string whole = text_of(options_.path);
  write_file(options_.path, whole + whole.substr(0, 20));
  auto log = AuditLog::open(options_);
  ASSERT_TRUE(log) << log.error().text();
  ASSERT_TRUE((*log)->append(entry()));
  EXPECT_EQ((*log)->next_number(), 3u);
  const std::string text = text_of(options_.path);
  EXPECT_TRUE(text.starts_with(whole + whole.substr(0, 20) + "\n{\"n\":2,")) << text;
}

TEST_F(AuditLogTest, RefusesAFileThatIsSomethingElse) {
  write_file(options_.path, "a letter\n");
  const auto log = AuditLog::open(options_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().kind, ErrorKind::refused);
  EXPECT_EQ(text_of(options_.path), "a letter\n");
  options_.path = directory_;
  EXPECT_FALSE(AuditLog::open(options_));
  options_.path = directory_ + "/none/audit.jsonl";
  EXPECT_FALSE(AuditLog::open(options_));
}

TEST_F(AuditLogTest, RefusesASecondWriter) {
  const auto first = AuditLog::open(options_);
  ASSERT_TRUE(first);
  const auto second = AuditLog::open(options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::refused);
}

TEST_F(AuditLogTest, RotatesBySizeWithoutLosingANumber) {
  options_.rotate_at = 1000;
  std::uint64_t expected = 1;
  for (int run = 0; run < 2; ++run) {
    auto log = AuditLog::open(options_);
    ASSERT_TRUE(log) << log.error().text();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE((*log)->append(entry()));
  }
  std::size_t files = 0;
  for (int suffix = 1;; ++suffix, ++files) {
    const std::string path = fmt::format("{}.{}", options_.path, suffix);
    const bool last = !fs::exists(path);
    const std::string text = text_of(last ? options_.path : path);
    EXPECT_LE(text.size(), 1000u);
    for (const auto line : split(trim(text), '\n')) {
      const std::string start = fmt::format("{{\"n\":{},", expected++);
      EXPECT_TRUE(line.starts_with(start)) << line;
    }
    if (last) break;
  }
  EXPECT_EQ(expected, 41u);
  EXPECT_GE(files, 5u);
}

TEST_F(AuditLogTest, ContinuesAfterTheLastRotatedFile) {
  { ASSERT_TRUE((*AuditLog::open(options_))->append(entry())); }
  fs::rename(options_.path, options_.path + ".1");
  const auto log = AuditLog::open(options_);
  ASSERT_TRUE(log) << log.error().text();
  EXPECT_EQ((*log)->next_number(), 2u);
}

TEST_F(AuditLogTest, SyncsAsTold) {
  for (const auto sync :
       {AuditLogOptions::Sync::every_entry, AuditLogOptions::Sync::on_flush, AuditLogOptions::Sync::never}) {
    options_.sync = sync;
    auto log = AuditLog::open(options_);
    ASSERT_TRUE(log);
    EXPECT_TRUE((*log)->append(entry()));
    EXPECT_TRUE((*log)->flush());
  }
}

TEST_F(AuditLogTest, SaysWhenTheDiskIsFull) {
  options_.path = "/dev/full";
  const auto log = AuditLog::open(options_);
  ASSERT_FALSE(log) << "a device is no file";
}

}  // namespace
}  // namespace alara::rules
