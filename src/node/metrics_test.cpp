// SPDX-License-Identifier: Apache-2.0
#include "node/metrics.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "node/status.hpp"

namespace alara::node {
namespace {

// Reads the text exposition format, version 0.0.4, strictly; "" or what is wrong with it.
class Exposition {
 public:
  explicit Exposition(const std::string& page) {
    if (page.empty() || page.back() != '\n') problem_ = "does not end in a line end";
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line) && problem_.empty();) read(line);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::map<std::string, double>& samples() const { return samples_; }

 private:
  void wrong(const std::string& line, const char* why) { problem_ = std::string(why) + ": " + line; }

  void read(const std::string& line) {
    if (line.starts_with("# HELP ")) {
      const std::string name = line.substr(7, line.find(' ', 7) - 7);
      if (!families_.insert(name).second) return wrong(line, "family twice");
      family_ = name;
      return;
    }
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string name, type;
      words >> name >> type;
      if (name != family_) return wrong(line, "type without help");
      if (!std::set<std::string>{"counter", "gauge", "summary", "histogram", "untyped"}.contains(type))
        return wrong(line, "unknown type");
      return;
    }
    read_sample(line);
  }

  void read_sample(const std::string& line) {
    std::size_t at = 0;
    const auto name_char = [&](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
    };
    while (at < line.size() && name_char(line[at])) ++at;
    const std::string name = line.substr(0, at);
    if (name.empty() || (name != family_ && name != family_ + "_sum" && name != family_ + "_count"))
      return wrong(line, "sample outside its family");
    if (at < line.size() && line[at] == '{' && !skip_labels(line, at)) return wrong(line, "bad labels");
    if (at >= line.size() || line[at] != ' ') return wrong(line, "no blank before the value");
    char* end = nullptr;
    const double value = std::strtod(line.c_str() + at + 1, &end);
    if (*end != '\0') return wrong(line, "bad value");
    if (!samples_.emplace(line.substr(0, at), value).second) return wrong(line, "sample twice");
  }

  static bool skip_labels(const std::string& line, std::size_t& at) {
    for (++at; at < line.size() && line[at] != '}';) {
      const std::size_t equals = line.find("=\"", at);
      if (equals == std::string::npos || equals == at) return false;
      for (at = equals + 2; at < line.size() && line[at] != '"'; ++at)
        if (line[at] == '\\' && (++at >= line.size() || std::string("\\\"n").find(line[at]) == std::string::npos))
          return false;
      if (at >= line.size()) return false;
      if (line[++at] == ',') ++at;
    }
    return at < line.size() && line[at++] == '}';
  }

  std::string problem_, family_;
  std::set<std::string> families_;
  std::map<std::string, double> samples_;
};

TEST(Metrics, LabelsAreEscaped) {
  MetricsText text;
  text.family("alara_x_total", "counter", "Something.");
  text.sample({{"name", "a\"b\\c\nd"}}, 3);
  EXPECT_EQ(
      text.take(),
      "# HELP alara_x_total Something.\n# TYPE alara_x_total counter\nalara_x_total{name=\"a\\\"b\\\\c\\nd\"} 3\n");
}

TEST(Metrics, LargeCountersKeepTheirLastDigit) {
  MetricsText text;
  text.family("alara_x_total", "counter", "Something.");
  text.sample({}, 9007199254740991.0);
  EXPECT_NE(text.take().find("alara_x_total 9007199254740991\n"), std::string::npos);
}

TEST(Metrics, ASummaryIsInSecondsWithCountAndSum) {
  Histogram histogram;
  for (int i = 0; i < 100; ++i) histogram.record(2 * kMillisecond);
  MetricsText text;
  text.summary("alara_wait_seconds", "Waiting.");
  text.summary_sample({{"pipeline", "p"}}, histogram);
  const Exposition page(text.take());
  EXPECT_EQ(page.problem(), "");
  EXPECT_EQ(page.samples().at("alara_wait_seconds_count{pipeline=\"p\"}"), 100);
  EXPECT_NEAR(page.samples().at("alara_wait_seconds_sum{pipeline=\"p\"}"), 0.2, 0.004);
  EXPECT_NEAR(page.samples().at("alara_wait_seconds{pipeline=\"p\",quantile=\"0.99\"}"), 0.002, 0.0001);
}

TEST(Metrics, AWholePageIsValidExposition) {
  NodeStatus status;
  status.now = 10 * kSecond;
  for (const char* name : {"plc", "odd \"name\"\\"}) {
    ConnectorStatus connector;
    connector.name = name;
    connector.connected = true;
    connector.account.received = connector.account.accepted = 7;
    connector.account.delivered = 4;
    connector.account.dropped = {{"oldest", 2}, {"newest", 1}};
    connector.account.rejected = {{"malformed", 3}};
    status.connectors.push_back(connector);
  }
  for (const char* part : {"overload#0", "overload#1"}) {
    auto stats = std::make_shared<flow::PipelineStats>();
    stats->name = "overload";
    stats->commands_sent.add(5);
    stats->arrival_to_ack.record(kMillisecond);
    status.pipelines.push_back({part, stats, 0, {}});
  }
  const Exposition page(metrics_page(status));
  EXPECT_EQ(page.problem(), "");
  EXPECT_EQ(page.samples().at("alara_points_accepted_total{connector=\"plc\"}"), 7);
  EXPECT_EQ(page.samples().at("alara_points_dropped_total{connector=\"plc\",reason=\"oldest\"}"), 2);
  EXPECT_EQ(page.samples().at("alara_commands_sent_total{pipeline=\"overload\",part=\"overload#1\"}"), 5);
  EXPECT_EQ(page.samples().at("alara_points_unaccounted"), 0);
}

}  // namespace
}  // namespace alara::node
