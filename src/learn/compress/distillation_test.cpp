// SPDX-License-Identifier: Apache-2.0
#include "learn/compress/distillation.hpp"

#include <gtest/gtest.h>

#include "graph/onnx_file.hpp"
#include "learn/compress/compress_fixture.hpp"

namespace alara::learn {
namespace {

using test::accuracy_of;
using test::briefly;

const std::string kTeacher = "  - {dense: 32}\n  - {relu: , as: middle}\n  - {dense: 32}\n  - relu\n";
const std::string kStudent = "  - {dense: 8}\n  - {relu: , as: middle}\n";

class Distillation : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = new Dataset(test::quadrants());
    teacher_ = new graph::Model(train(test::network(kTeacher), *data_, briefly(8), progress_)->model);
  }
  static void TearDownTestSuite() {
    delete teacher_;
    delete data_;
  }

  // The data set with labels that say nothing: all 0.
  static Dataset blind() {
    FoundRows rows;
    rows.train = test::points(1024, 1);
    rows.test = test::points(512, 2);
    rows.train.labels.assign(rows.train.labels.size(), 0);
    rows.train.labels.front() = 3;  // four classes
    DatasetOptions options;
    options.validation = 0;
    return *Dataset::of(std::move(rows), test::point_input(), options);
  }

  // The value behind the first Relu, of whatever name.
  static std::string middle_of(const graph::Model& model) {
    for (const graph::Node& node : model.graph.nodes)
      if (node.is("Relu")) return node.outputs.front();
    return "";
  }

  static inline Dataset* data_ = nullptr;
  static inline graph::Model* teacher_ = nullptr;
  static inline Silent progress_;
};

TEST_F(Distillation, TeachesWhatTheLabelsDoNotSay) {
  const Dataset data = blind();
  DistilOptions options;
  options.weight = 1;
  options.temperature = 2;
  const auto student = distil(test::network(kStudent, 3), *teacher_, data, options, briefly(10), progress_);
  ASSERT_TRUE(student) << student.error().text();
  EXPECT_GT(accuracy_of(*teacher_, *data_), 95);
  EXPECT_GT(accuracy_of(student->model, *data_), 90);
  options.weight = 0;
  const auto alone = distil(test::network(kStudent, 3), *teacher_, data, options, briefly(10), progress_);
  ASSERT_TRUE(alone) << alone.error().text();
  EXPECT_LT(accuracy_of(alone->model, *data_), 50);
}

TEST_F(Distillation, DropsTheAdapterOfItsFeatures) {
  const graph::Model student = test::network(kStudent, 3);
  DistilOptions options;
  options.features = {{middle_of(*teacher_), middle_of(student)}};
  const auto taught = distil(student, *teacher_, *data_, options, briefly(12), progress_);
  ASSERT_TRUE(taught) << taught.error().text();
  EXPECT_EQ(taught->model.graph.nodes.size(), student.graph.nodes.size());
  EXPECT_EQ(taught->model.graph.constants.size(), student.graph.constants.size());
  EXPECT_GT(accuracy_of(taught->model, *data_), 85);
}

TEST_F(Distillation, IsTheSameForTheSameSeed) {
  const graph::Model student = test::network(kStudent, 3);
  DistilOptions options;
  options.features = {{middle_of(*teacher_), middle_of(student)}};
  const auto a = distil(student, *teacher_, *data_, options, briefly(2), progress_);
  const auto b = distil(student, *teacher_, *data_, options, briefly(2), progress_);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*graph::to_onnx(a->model), *graph::to_onnx(b->model));
}

TEST_F(Distillation, SaysWhatIsWrong) {
  const auto complaint = [&](const DistilOptions& options) {
    return distil(test::network(kStudent), *teacher_, *data_, options, briefly(1), progress_).error().message;
  };
  DistilOptions options;
  options.temperature = 0;
  EXPECT_EQ(complaint(options), "the temperature is 0; 1 to 100 is possible, 2 to 8 is usual");
  options = {};
  options.features = {{"nowhere", middle_of(test::network(kStudent))}};
  EXPECT_NE(complaint(options).find("the teacher has no value 'nowhere'"), std::string::npos) << complaint(options);
}

}  // namespace
}  // namespace alara::learn
