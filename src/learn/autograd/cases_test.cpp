// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/cases.hpp"

#include <gtest/gtest.h>

#include <set>

#include "learn/autograd/agreement.hpp"
#include "learn/ort_executor.hpp"

namespace alara::learn {
namespace {

TEST(Cases, NameEveryOperatorOfTheTable) {
  std::set<std::string> shown;
  for (const Case& each : all_cases()) {
    shown.insert(each.op);
    EXPECT_TRUE(!each.variant.empty() || shown.contains(each.op)) << each.name();
  }
  for (const std::string& op : supported_operators()) EXPECT_TRUE(shown.contains(op)) << op;
}

TEST(Cases, GiveWhatOnnxRuntimeGives) {
  for (const Case& each : all_cases()) {
    const auto error = largest_forward_error(each.model, each.inputs, make_ort_executor());
    if (!error && error.error().kind == ErrorKind::unavailable) GTEST_SKIP() << error.error().text();
    ASSERT_TRUE(error) << each.name() << ": " << error.error().text();
    EXPECT_LE(*error, 1e-5) << each.name();
  }
}

TEST(Cases, HaveTheGradientsOfFiniteDifferences) {
  for (const Case& each : all_cases()) {
    if (!each.differentiable) continue;
    const auto error =
        largest_gradient_error(each.model, each.inputs, {each.mode, 7, each.smooth ? &*each.smooth : nullptr});
    ASSERT_TRUE(error) << each.name() << ": " << error.error().text();
    EXPECT_LE(*error, 1e-6) << each.name();
  }
}

}  // namespace
}  // namespace alara::learn
