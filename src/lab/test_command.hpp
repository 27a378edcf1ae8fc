// SPDX-License-Identifier: Apache-2.0
// alara-lab as a user calls it, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lab/commands.hpp"

namespace alara::lab {

struct Said {
  int code = 0;
  std::string out, err;
};

inline Said say(std::vector<std::string> words) {
  words.insert(words.begin(), "alara-lab");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Said said;
  said.code = run_command_line(static_cast<int>(arguments.size()), arguments.data());
  said.out = testing::internal::GetCapturedStdout();
  said.err = testing::internal::GetCapturedStderr();
  return said;
}

}  // namespace alara::lab
