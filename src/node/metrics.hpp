// SPDX-License-Identifier: Apache-2.0
// Writes metrics in the Prometheus text exposition format, version 0.0.4.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/histogram.hpp"

namespace alara::node {

class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Begins a family; its samples follow.
  void family(std::string_view name, std::string_view type, std::string_view help);
  void sample(Labels labels, double value);
  // A summary (quantiles 0.5, 0.99, 0.999, sum-free count and maximum) in seconds.
  void summary(std::string_view name, std::string_view help);
  void summary_sample(Labels labels, const Histogram& histogram);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void line(std::string_view suffix, Labels labels, std::string_view extra, double value);

  std::string out_;
  std::string name_;
};

}  // namespace alara::node
