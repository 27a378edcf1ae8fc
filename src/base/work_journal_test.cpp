// SPDX-License-Identifier: Apache-2.0
#include "base/work_journal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <limits>

namespace alara {
namespace {

class WorkJournals : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  void write(std::string_view text) const { std::ofstream(path_, std::ios::binary) << text; }

  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / fmt::format("alara-journal-{}", getpid());
};

TEST_F(WorkJournals, GivesBackWhatAnEarlierRunFound) {
  const std::vector<double> numbers{0.1, -3, 1e-300, 1.0 / 3};
  {
    auto journal = WorkJournal::open(path_);
    ASSERT_TRUE(journal) << journal.error().text();
    EXPECT_EQ(journal->recall(7), nullptr);
    ASSERT_TRUE(journal->add(7, numbers));
    ASSERT_TRUE(journal->add(0xffffffffffffffff, {}));
    ASSERT_NE(journal->recall(7), nullptr);
  }
  auto again = WorkJournal::open(path_);
  ASSERT_TRUE(again) << again.error().text();
  ASSERT_NE(again->recall(7), nullptr);
  EXPECT_EQ(*again->recall(7), numbers);
  ASSERT_NE(again->recall(0xffffffffffffffff), nullptr);
  EXPECT_EQ(again->recall(8), nullptr);
  EXPECT_EQ(again->recalled(), 3U);
}

TEST_F(WorkJournals, DropsALineThatWasCutOff) {
  write("alara journal 1\n0000000000000001 5\n0000000000000002 6");
  {
    auto journal = WorkJournal::open(path_);
    ASSERT_TRUE(journal) << journal.error().text();
    EXPECT_NE(journal->recall(1), nullptr);
    EXPECT_EQ(journal->recall(2), nullptr);
    ASSERT_TRUE(journal->add(3, std::vector<double>{7}));
  }
  auto again = WorkJournal::open(path_);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_NE(again->recall(1), nullptr);
  EXPECT_NE(again->recall(3), nullptr);
}

TEST_F(WorkJournals, DoesNotKeepWhatIsNotANumber) {
  auto journal = WorkJournal::open(path_);
  ASSERT_TRUE(journal);
  ASSERT_TRUE(journal->add(1, std::vector<double>{std::numeric_limits<double>::quiet_NaN()}));
  EXPECT_EQ(journal->recall(1), nullptr);
  EXPECT_TRUE(WorkJournal::open(path_));
}

TEST_F(WorkJournals, RefusesOtherFiles) {
  for (const std::string_view other : {"", "alara journal 2\n", "{\"figures\": 1}\n"}) {
    write(other);
    const auto journal = WorkJournal::open(path_);
    ASSERT_FALSE(journal) << other;
    EXPECT_NE(journal.error().text().find("does not begin as a journal"), std::string::npos) << journal.error().text();
  }
  for (const std::string_view line : {"1 5", "000000000000000g 5", "0000000000000001 five", "0000000000000001  5",
                                      "0000000000000001 nan", "0000000000000001 1e999", "0000000000000001\t5"}) {
    write("alara journal 1\n0000000000000001 5\n" + std::string(line) + "\n");
    const auto journal = WorkJournal::open(path_);
    ASSERT_FALSE(journal) << line;
    EXPECT_NE(journal.error().text().find("line 3"), std::string::npos) << journal.error().text();
  }
  EXPECT_FALSE(WorkJournal::open("/no/such/folder/journal"));
  EXPECT_FALSE(WorkJournal::open(std::filesystem::temp_directory_path()));
}

}  // namespace
}  // namespace alara
