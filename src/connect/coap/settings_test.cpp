// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/settings.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>

namespace alara::coap {
namespace {

class KeyFile : public testing::Test {
 protected:
  KeyFile() : path_((std::filesystem::temp_directory_path() / "alara-keys-XXXXXX").string()) {
    close(mkstemp(path_.data()));
  }
  ~KeyFile() override { std::filesystem::remove(path_); }
  Result<std::vector<PreSharedKey>> read(const std::string& text) const {
    std::ofstream(path_) << text;
    return read_keys(path_);
  }
  std::string path_;
};

TEST_F(KeyFile, HasOneKeyInEachLine) {
  const auto keys = read("# sensors\n\n a:b:c \nsensor-2:s3cret\n");
  ASSERT_TRUE(keys.has_value()) << keys.error().text();
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].identity, "a");
  EXPECT_EQ((*keys)[0].secret, "b:c");
  EXPECT_EQ((*keys)[1].secret, "s3cret");
}

TEST_F(KeyFile, IsRefusedWithTheLineAndNeverWithTheSecret) {
  for (const std::string& bad :
       std::vector<std::string>{"hunter2", ":hunter2", "hunter2:", "a:hunter2" + std::string(64, 'x')}) {
    const auto refused = read("good:one\n" + bad + "\n");
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_EQ(refused.error().where.line, 2) << bad;
    EXPECT_EQ(refused.error().text().find("hunter2"), std::string::npos) << refused.error().text();
  }
  EXPECT_FALSE(read("# nothing\n").has_value());
  EXPECT_FALSE(read_keys("/nowhere/keys").has_value());
}

}  // namespace
}  // namespace alara::coap
