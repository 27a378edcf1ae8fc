// SPDX-License-Identifier: Apache-2.0
// Runs the scenarios beside this file: each *.yaml is a site file with `tests:`, each of these a test of its own; each
// refused/*.yaml a site file that must be refused, with the errors that its `# error:` marks name.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "node/compile.hpp"
#include "node/fixtures.hpp"

namespace alara::node {
namespace {

const std::filesystem::path kFolder = ALARA_SCENARIOS;

// "a short peak raises nothing" becomes "AShortPeakRaisesNothing".
std::string camel(std::string_view words) {
  std::string name;
  bool up = true;
  for (const char c : words) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      up = true;
      continue;
    }
    name += up ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    up = false;
  }
  return name;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::string all_of(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) text += error.text() + "\n";
  return text;
}

class Scenario : public ::testing::Test {
 public:
  Scenario(std::string path, std::string fixture) : path_(std::move(path)), fixture_(std::move(fixture)) {}
  void TestBody() override {
    const auto checked = check_site(path_);
    ASSERT_TRUE(checked->diagnosis.ok()) << all_of(checked->diagnosis.errors);
    std::vector<Error> errors;
    const auto fixtures = read_fixtures(checked->site, errors);
    ASSERT_TRUE(errors.empty()) << all_of(errors);
    const auto fixture = std::ranges::find(fixtures, fixture_, &Fixture::name);
    ASSERT_NE(fixture, fixtures.end());
    const auto outcome = run_fixture(checked->site, *fixture);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().text();
    std::string log;
    for (const std::string& line : outcome->log) log += "  " + line + "\n";
    for (const std::string& failure : outcome->failures) ADD_FAILURE() << failure << "\nwhat happened:\n" << log;
  }

 private:
  std::string path_, fixture_;
};

// A file that can not be read at all still makes a test, which then says why.
class UnreadableScenario : public ::testing::Test {
 public:
  explicit UnreadableScenario(std::string why) : why_(std::move(why)) {}
  void TestBody() override { FAIL() << why_; }

 private:
  std::string why_;
};

class RefusedScenario : public ::testing::Test {
 public:
  explicit RefusedScenario(std::string path) : path_(std::move(path)) {}
  void TestBody() override {
    auto errors = check_site(path_)->diagnosis.errors;
    const std::string told = all_of(errors);
    std::ifstream file(path_);
    std::size_t marks = 0;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      constexpr std::string_view kMark = "  # error: ";
      const std::size_t at = line.find(kMark);
      if (at == std::string::npos) continue;
      ++marks;
      const std::string part = line.substr(at + kMark.size());
      const auto found = std::ranges::find_if(errors, [&](const Error& e) {
        return e.where.line == number && e.where.column > 0 && e.text().find(part) != std::string::npos;
      });
      if (found == errors.end())
        ADD_FAILURE() << path_ << ":" << number << ": no error here with '" << part << "'; told was:\n" << told;
      else
        errors.erase(found);
    }
    EXPECT_GT(marks, 0u) << path_ << " marks no error";
    EXPECT_TRUE(errors.empty()) << "errors that no mark names:\n" << all_of(errors);
  }

 private:
  std::string path_;
};

template <typename Make>
void add(const std::string& suite, const std::string& name, const std::string& path, Make make) {
  ::testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, path.c_str(), 1, std::move(make));
}

bool register_all() {
  for (const auto& path : files_in(kFolder)) {
    const std::string file = path.string(), suite = camel(path.stem().string());
    const auto document = load_document(file);
    const Node* tests = document ? document->find("tests") : nullptr;
    if (tests == nullptr || tests->entries.empty()) {
      const std::string why = document ? file + ": has no tests" : document.error().text();
      add(suite, "CanBeRead", file, [why]() -> ::testing::Test* { return new UnreadableScenario(why); });
      continue;
    }
    for (const Node::Entry& entry : tests->entries)
      add(suite, camel(entry.key), file,
          [file, fixture = entry.key]() -> ::testing::Test* { return new Scenario(file, fixture); });
  }
  for (const auto& path : files_in(kFolder / "refused")) {
    const std::string file = path.string();
    add("Refused", camel(path.stem().string()), file,
        [file]() -> ::testing::Test* { return new RefusedScenario(file); });
  }
  return true;
}

const bool registered = register_all();

}  // namespace
}  // namespace alara::node
