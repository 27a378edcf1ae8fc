// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/node_vectors.hpp"

#include <gtest/gtest.h>

namespace alara::learn {
namespace {

TEST(NodeVectors, AgreeWithNetworksWhereTheOperatorIsSupported) {
  const auto folders = node_vector_folders();
  if (folders.empty()) GTEST_SKIP() << "ONNX's node vectors are not installed (Debian: libonnx-testdata)";
  const NodeReport report = run_node_vectors(folders, 1e-5);
  for (const auto& [name, why] : report.failed) ADD_FAILURE() << name << ": " << why;
  EXPECT_GT(report.ran, 400U);
  EXPECT_EQ(report.ran + report.left_out.size(), folders.size());
}

TEST(NodeVectors, AreNoneWhereTheSuiteIsNotInstalled) { EXPECT_TRUE(node_vector_folders("no/such/folder").empty()); }

}  // namespace
}  // namespace alara::learn
