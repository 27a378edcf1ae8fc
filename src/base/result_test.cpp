// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace alara {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorKind::bad_input, "{} is odd", number);
  return number / 2;
}

Result<int> quarter(int number) {
  ALARA_TRY(const int first, half(number));
  ALARA_TRY(const int second, half(first));
  return second;
}

Status is_even(int number) {
  ALARA_CHECK(half(number));
  return {};
}

TEST(Result, CarriesAValueOrASentence) {
  EXPECT_EQ(*half(4), 2);
  ASSERT_FALSE(half(3));
  EXPECT_EQ(half(3).error().text(), "3 is odd");
  EXPECT_EQ(half(3).error().kind, ErrorKind::bad_input);
}

TEST(Result, PassesTheFirstErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_TRUE(is_even(2));
  EXPECT_EQ(is_even(5).error().message, "5 is odd");
}

TEST(Result, MovesValuesThatCanNotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const auto pass = [&]() -> Result<std::unique_ptr<int>> {
    ALARA_TRY(auto value, make());
    return value;
  };
  EXPECT_EQ(**pass(), 7);
}

TEST(Error, SaysThePlaceAndTheHint) {
  EXPECT_EQ((Error{ErrorKind::bad_input, "poll is wrong", {"site.yaml", 12, 7}, "write 10ms"}).text(),
            "site.yaml:12:7: poll is wrong (write 10ms)");
  EXPECT_EQ((Error{ErrorKind::bad_input, "poll is wrong", {}, {}}).text(), "poll is wrong");
}

TEST(Where, LeavesOutWhatIsUnknown) {
  EXPECT_EQ((Where{"site.yaml", 12, 7}).text(), "site.yaml:12:7");
  EXPECT_EQ((Where{"site.yaml", 0, 0}).text(), "site.yaml");
  EXPECT_EQ(Where{}.text(), "");
  EXPECT_FALSE(Where{}.known());
}

TEST(AssertDeathTest, SaysWhichInvariantBroke) {
  EXPECT_DEATH(ALARA_ASSERT(1 + 1 == 3, "arithmetic holds"), "arithmetic holds \\[1 \\+ 1 == 3\\]");
}

}  // namespace
}  // namespace alara
