// SPDX-License-Identifier: Apache-2.0
#include "node/commands/site_argument.hpp"

#include <algorithm>
#include <cstdio>

namespace alara::node {
namespace {

constexpr std::size_t kMaxShown = 30;

void print_all(const char* kind, const std::vector<Error>& problems) {
  for (std::size_t i = 0; i < std::min(problems.size(), kMaxShown); ++i)
    fmt::print(stderr, "{}: {}\n", kind, problems[i].text());
  if (problems.size() > kMaxShown) fmt::print(stderr, "{}: … and {} more\n", kind, problems.size() - kMaxShown);
}

}  // namespace

void print_diagnosis(const Diagnosis& diagnosis) {
  print_all("error", diagnosis.errors);
  print_all("warning", diagnosis.warnings);
}

std::unique_ptr<CheckedSite> open_site(const std::string& path) {
  auto checked = check_site(path);
  print_diagnosis(checked->diagnosis);
  return checked->diagnosis.ok() ? std::move(checked) : nullptr;
}

}  // namespace alara::node
