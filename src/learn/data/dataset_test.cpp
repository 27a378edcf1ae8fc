// SPDX-License-Identifier: Apache-2.0
#include "learn/data/dataset.hpp"

#include <gtest/gtest.h>

#include <set>

#include "learn/data/test_files.hpp"
#include "learn/data/test_pictures.hpp"

namespace alara::learn {
namespace {

using graph::Tensor;

graph::ValueInfo input(std::vector<std::int64_t> sizes) {
  graph::Dims dims = {{-1, "batch"}};
  for (const std::int64_t size : sizes) dims.push_back({size, ""});
  return {"x", graph::DataType::float32, dims};
}

Tensor labels(std::vector<std::int64_t> numbers) {
  return Tensor::of(graph::Shape{static_cast<std::int64_t>(numbers.size())}, numbers);
}

TEST(Dataset, ReadsArraysWithLabelsAndSetsAShareAside) {
  const TestFolder folder;
  folder.write("inputs.npy", counting({10, 2}));
  folder.write("labels.npy", labels({0, 1, 2, 0, 1, 2, 0, 1, 2, 3}));
  DatasetOptions options;
  options.validation = 0.3;
  const auto data = Dataset::open(folder.path(), input({2}), options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->target(), Target::classes);
  EXPECT_EQ(data->classes(), 4);
  EXPECT_EQ(data->size(Part::train), 7);
  EXPECT_EQ(data->size(Part::validation), 3);
  EXPECT_EQ(data->size(Part::test), 0);
  std::set<float> seen;
  for (const Part part : {Part::train, Part::validation}) {
    const Minibatch batch = data->batch(part, 0, data->size(part));
    for (std::size_t i = 0; i < data->size(part); ++i) {
      const auto row = static_cast<std::int64_t>(batch.inputs.values<float>()[2 * i] / 2);
      EXPECT_EQ(batch.labels[i], row == 9 ? 3 : row % 3);
      seen.insert(batch.inputs.values<float>()[2 * i]);
    }
  }
  EXPECT_EQ(seen.size(), 10) << "no row is in both parts";
}

TEST(Dataset, NamesAPathThatCanNotBeLookedAt) {
  const TestFolder folder;
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  std::filesystem::create_directory(folder.path() / "parts");
  std::filesystem::create_symlink("train", folder.path() / "parts/train");
  for (const auto& path :
       {folder.path(), folder.path() / "loop", folder.path() / "parts", folder.path() / std::string(300, 'a')}) {
    const auto data = Dataset::open(path, input({2}), {});
    ASSERT_FALSE(data);
    EXPECT_EQ(data.error().kind, ErrorKind::unavailable) << data.error().text();
  }
}

TEST(Dataset, ChoosesTheSameRowsForTheSameSeed) {
  FoundRows rows;
  rows.train.inputs = counting({100, 1});
  rows.train.targets = counting({100, 1});
  DatasetOptions options;
  options.most = 20;
  const auto a = Dataset::of(rows, input({1}), options), b = Dataset::of(rows, input({1}), options);
  options.seed = 2;
  const auto c = Dataset::of(rows, input({1}), options);
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->size(Part::train), 20);
  EXPECT_EQ(a->batch(Part::train, 0, 20).inputs, b->batch(Part::train, 0, 20).inputs);
  EXPECT_NE(a->batch(Part::train, 0, 20).inputs, c->batch(Part::train, 0, 20).inputs);
  EXPECT_EQ(a->batch(Part::train, 0, 20).targets, a->batch(Part::train, 0, 20).inputs);
}

TEST(Dataset, MeasuresMeanAndDeviationOfItsTrainingPart) {
  FoundRows rows;
  rows.train.inputs = Tensor::of<std::uint8_t>({2, 2, 1, 2}, std::vector<std::uint8_t>{0, 4, 10, 10, 0, 4, 10, 10});
  rows.train.labels = {0, 1};
  DatasetOptions options;
  options.validation = 0;
  options.measure_mean = true;
  const auto data = Dataset::of(rows, input({2, 1, 2}), options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->preprocessing().text(), "scale=1 mean=2,10 deviation=2,1 order=rgb");
  const Minibatch batch = data->batch(Part::train, 1, 1);
  EXPECT_EQ(batch.inputs, Tensor::of<float>({1, 2, 1, 2}, std::vector<float>{-1, 1, 0, 0}));
}

TEST(Dataset, TakesClassesFromFoldersOfPictures) {
  const TestFolder folder;
  const std::string white = png_of(2, 2, std::vector<std::uint8_t>(12, 255)),
                    black = png_of(3, 3, std::vector<std::uint8_t>(27));
  folder.write("train/good/1.png", white);
  folder.write("train/good/2.png", white);
  folder.write("train/bad/1.png", black);
  folder.write("test/good/1.png", white);
  DatasetOptions options;
  options.validation = 0;
  const auto data = Dataset::open(folder.path(), input({1, 2, 2}), options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"bad", "good"}));
  EXPECT_EQ(data->size(Part::train), 3);
  EXPECT_EQ(data->label(Part::test, 0), 1);
  EXPECT_EQ(data->batch(Part::train, 0, 1).inputs.values<float>()[0], 0);
  EXPECT_EQ(data->batch(Part::test, 0, 1).inputs.values<float>()[3], 1);
  const auto sample = data->samples(Part::test)->sample(0);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->front().shape, (graph::Shape{1, 1, 2, 2}));
}

TEST(Dataset, VariesOnlyWhatIsAskedAndAlwaysTheSameWay) {
  FoundRows rows;
  rows.train.inputs = counting({1, 1, 2, 3});
  rows.train.labels = {0};
  DatasetOptions options;
  options.validation = 0;
  options.preprocessing.mean = {1};
  const auto data = Dataset::of(rows, input({1, 2, 3}), options);
  ASSERT_TRUE(data);
  const std::uint32_t row[] = {0};
  const auto varied = [&](const Augmentation& augmentation, std::uint64_t seed) {
    const Minibatch batch = data->batch(Part::train, row, augmentation, Random(seed));
    const auto numbers = batch.inputs.values<float>();
    return std::vector<float>(numbers.begin(), numbers.end());
  };
  EXPECT_EQ(varied({.flip = 1}, 1), (std::vector<float>{1, 0, -1, 4, 3, 2}));
  std::set<std::vector<float>> shifts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    shifts.insert(varied({.shift = 1}, seed));
    EXPECT_EQ(varied({.shift = 1}, seed), varied({.shift = 1}, seed));
  }
  EXPECT_EQ(shifts.size(), 9);
  EXPECT_TRUE(shifts.contains({-1, -1, 0, -1, 2, 3})) << "right by one, filled with a recorded 0";
  const std::vector<float> erased = varied({.erase = 3}, 1);
  EXPECT_EQ(erased, std::vector<float>(6, -1));
}

TEST(Dataset, RefusesRowsThatDoNotBelongTogether) {
  const TestFolder folder;
  folder.write("inputs.npy", counting({4, 2}));
  const auto message = [&](std::vector<std::int64_t> sizes) {
    const auto data = Dataset::open(folder.path(), input(std::move(sizes)), {});
    return data ? "read" : data.error().message;
  };
  EXPECT_EQ(message({2}), "there are neither labels nor targets for all parts");
  folder.write("labels.npy", labels({0, 1, 1}));
  EXPECT_EQ(message({2}), "there are 4 rows, but 3 labels");
  folder.write("labels.npy", labels({0, 1, -1, 0}));
  EXPECT_EQ(message({2}), "label -1 is not within 0 and 99999");
  folder.write("labels.npy", counting({4}));
  EXPECT_NE(message({2}).find("float32[4]"), std::string::npos);
  folder.write("labels.npy", labels({0, 1, 1, 0}));
  EXPECT_EQ(message({3}), "rows of float32[4, 2] do not fit input x: float32[1, 3]");
  EXPECT_EQ(message({2}), "read");
  EXPECT_EQ(Dataset::open(folder.path() / "none", input({2}), {}).error().kind, ErrorKind::not_found);
}

TEST(Dataset, LearnsInputsByThemselvesWhereThatIsAsked) {
  const TestFolder folder;
  folder.write("train/inputs.npy", counting({4, 2}));
  folder.write("validation/inputs.npy", counting({1, 2}));
  DatasetOptions options;
  options.target = Target::itself;
  const auto data = Dataset::open(folder.path(), input({2}), options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->size(Part::train), 4);
  EXPECT_EQ(data->size(Part::validation), 1);
  EXPECT_TRUE(data->batch(Part::train, 0, 2).labels.empty());
}

}  // namespace
}  // namespace alara::learn
