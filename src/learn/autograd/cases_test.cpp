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
  const auto run = make_ort_executor();
  for (const Case& each : all_cases()) {
    auto executor = run(each.model, {}, {1, false});
    if (!executor && executor.error().kind == ErrorKind::unavailable) GTEST_SKIP() << executor.error().text();
    ASSERT_TRUE(executor) << each.name() << ": " << executor.error().text();
    std::vector<graph::TensorView> views;
    for (const graph::Tensor& input : each.inputs) views.push_back(graph::view(input));
    const auto expected = (*executor)->run(views);
    ASSERT_TRUE(expected) << each.name() << ": " << expected.error().text();
    std::vector<graph::Tensor> references;
    for (const graph::TensorView& value : *expected) references.push_back(value.copy());
    const auto values = run_once(each.model, each.inputs);
    ASSERT_TRUE(values) << each.name() << ": " << values.error().text();
    const auto error = largest_error(*values, references);
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
