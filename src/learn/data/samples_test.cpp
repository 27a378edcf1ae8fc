// SPDX-License-Identifier: Apache-2.0
#include "learn/data/samples.hpp"

#include <gtest/gtest.h>

#include "learn/data/test_files.hpp"
#include "learn/data/test_pictures.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using graph::Tensor;

graph::ValueInfo input(const std::string& name, std::vector<std::int64_t> sizes, DataType type = DataType::float32) {
  graph::Dims dims;
  for (const std::int64_t size : sizes) dims.push_back({size, ""});
  return {name, type, dims};
}

TEST(Samples, ReadOneFileEachAndStackedOnesInTheOrderOfNames) {
  const TestFolder folder;
  folder.write("b.npy", counting({3, 2}));
  folder.write("a.npy", Tensor::of<double>({2}, std::vector<double>{-1, -2}));
  const std::vector inputs = {input("x", {-1, 2})};
  const auto samples = open_samples(folder.path(), inputs, {});
  ASSERT_TRUE(samples) << samples.error().text();
  ASSERT_EQ((*samples)->size(), 4);
  const auto first = (*samples)->sample(0), last = (*samples)->sample(3);
  ASSERT_TRUE(first && last);
  EXPECT_EQ(first->front(), Tensor::of<float>({1, 2}, std::vector<float>{-1, -2}));
  EXPECT_EQ(last->front(), Tensor::of<float>({1, 2}, std::vector<float>{4, 5}));
}

TEST(Samples, SayWhichFileDoesNotFitAndWhatWouldFit) {
  const TestFolder folder;
  folder.write("a.npy", counting({4, 3}));
  const std::vector inputs = {input("x", {-1, 1, 28, 28})};
  const auto samples = open_samples(folder.path(), inputs, {});
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().text(), (folder.path() / "a.npy").string() +
                                        ": float32[4, 3] does not fit input x: float32[1, 1, 28, 28] (one sample has "
                                        "shape [1, 28, 28], many are stacked in front of it)");
}

TEST(Samples, OfSeveralInputsComeFromFilesAndFoldersOfTheirNames) {
  const TestFolder folder;
  folder.write("state.npy", counting({2, 1, 3}));
  folder.write("input/0.npy", counting({4}));
  folder.write("input/1.npy", counting({4}));
  const std::vector inputs = {input("input", {-1, 4}), input("state", {1, 1, 3}, DataType::int64)};
  const auto samples = open_samples(folder.path(), inputs, {});
  ASSERT_TRUE(samples) << samples.error().text();
  const auto second = (*samples)->sample(1);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->at(1), Tensor::of<std::int64_t>({1, 1, 3}, std::vector<std::int64_t>{3, 4, 5}));
  folder.write("input/2.npy", counting({4}));
  const auto uneven = open_samples(folder.path(), inputs, {});
  ASSERT_FALSE(uneven);
  EXPECT_EQ(uneven.error().message,
            "'" + (folder.path() / "state.npy").string() + "' holds 2 samples, but there are 3 of input 'input'");
  const std::vector others = {input("input", {-1, 4}), input("hidden", {1, 3})};
  EXPECT_EQ(open_samples(folder.path(), others, {}).error().kind, ErrorKind::not_found);
}

TEST(Samples, BringPicturesToTheModelsSizeLayoutAndScale) {
  const TestFolder folder;
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 16; ++i) pixels.insert(pixels.end(), {255, 0, 51});
  folder.write("sub/a.png", png_of(4, 4, pixels));
  Preprocessing preprocessing;
  preprocessing.order = ColourOrder::bgr;
  const auto of = [&](const graph::ValueInfo& value) {
    const std::vector inputs = {value};
    const auto samples = open_samples(folder.path(), inputs, preprocessing);
    EXPECT_TRUE(samples) << samples.error().text();
    return (*samples)->sample(0)->front();
  };
  const Tensor planes = of(input("x", {-1, 3, 2, 2}));
  EXPECT_EQ(planes.shape, (graph::Shape{1, 3, 2, 2}));
  EXPECT_NEAR(planes.values<float>()[0], 0.2, 1e-6);
  EXPECT_NEAR(planes.values<float>()[11], 1, 1e-6);
  const Tensor bytes = of(input("x", {1, 2, 2, 3}, DataType::uint8));
  EXPECT_EQ(bytes.values<std::uint8_t>()[0], 51);
  EXPECT_EQ(bytes.values<std::uint8_t>()[2], 255);
  preprocessing.size = PictureSize{3, 2};
  preprocessing.mean = {0.2F, 0, 0};
  preprocessing.deviation = {0.5F};
  const Tensor open = of(input("x", {-1, 3, -1, -1}));
  EXPECT_EQ(open.shape, (graph::Shape{1, 3, 2, 3}));
  EXPECT_NEAR(open.values<float>()[0], 0, 1e-6);
  EXPECT_NEAR(open.values<float>()[17], 2, 1e-6);
}

TEST(Samples, AskForTheSizeThatAModelLeavesOpen) {
  const TestFolder folder;
  folder.write("a.png", png_of(1, 1, {1, 2, 3}));
  const std::vector inputs = {input("x", {-1, 3, -1, -1})};
  const auto samples = open_samples(folder.path(), inputs, {});
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().message,
            "input x: float32[?, 3, ?, ?] leaves more than the batch open; give the size of the pictures");
}

TEST(Samples, ReadIdxImagesWithoutTheirChannel) {
  const TestFolder folder;
  folder.write("train-images-idx3-ubyte",
               text_of_bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 0}));
  const std::vector inputs = {input("x", {-1, 1, 1, 2})};
  const auto samples = open_samples(folder.path(), inputs, {});
  ASSERT_TRUE(samples) << samples.error().text();
  ASSERT_EQ((*samples)->size(), 2);
  EXPECT_NEAR((*samples)->sample(1)->front().values<float>()[0], 0.2, 1e-6);
}

TEST(Samples, AreTheInputsOfAFolderToLearnFrom) {
  const TestFolder folder;
  folder.write("flat/inputs.npy", counting({4, 2}));
  folder.write("flat/labels.npy", counting({4}));
  folder.write("flat/targets.npy", counting({4, 3}));
  folder.write("parts/train/inputs.npy", counting({3, 2}));
  folder.write("parts/train/labels.npy", counting({3}));
  folder.write("parts/test/inputs.npy", counting({5, 2}));
  folder.write("pictures/train/cat/a.png", png_of(1, 1, {1, 2, 3}));
  folder.write("pictures/test/cat/a.png", png_of(1, 1, {1, 2, 3}));
  const auto size_of = [&](const char* name, const graph::ValueInfo& value) {
    const std::vector inputs = {value};
    const auto samples = open_samples(folder.path() / name, inputs, {});
    EXPECT_TRUE(samples) << samples.error().text();
    return samples ? (*samples)->size() : 0;
  };
  EXPECT_EQ(size_of("flat", input("x", {-1, 2})), 4);
  EXPECT_EQ(size_of("parts", input("x", {-1, 2})), 3);
  EXPECT_EQ(size_of("pictures", input("x", {-1, 3, 1, 1})), 1);
}

TEST(Samples, SpreadEvenlyWhenFewAreWanted) {
  const TestFolder folder;
  folder.write("a.npy", counting({10, 1}));
  const std::vector inputs = {input("x", {-1, 1})};
  auto samples = open_samples(folder.path(), inputs, {});
  ASSERT_TRUE(samples);
  const auto few = spread(std::move(*samples), 4);
  std::vector<float> got;
  for (std::size_t i = 0; i < few->size(); ++i) got.push_back(few->sample(i)->front().values<float>()[0]);
  EXPECT_EQ(got, (std::vector<float>{0, 2, 5, 7}));
}

TEST(Samples, NameAFolderWithNothingInIt) {
  const TestFolder folder;
  const std::vector inputs = {input("x", {-1, 1})};
  EXPECT_EQ(open_samples(folder.path(), inputs, {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(open_samples(folder.path() / "none", inputs, {}).error().kind, ErrorKind::not_found);
}

TEST(Samples, NameAPathThatCanNotBeLookedAt) {
  const TestFolder folder;
  folder.write("a.npy", counting({2, 1}));
  std::filesystem::create_symlink("loop.npy", folder.path() / "loop.npy");
  const std::vector inputs = {input("x", {-1, 1})}, two = {input("x", {-1, 1}), input("y", {-1, 1})};
  const std::string long_name(300, 'a');
  for (const auto& path : {folder.path(), folder.path() / "loop.npy", folder.path() / long_name}) {
    const auto samples = open_samples(path, inputs, {});
    ASSERT_FALSE(samples);
    EXPECT_EQ(samples.error().kind, ErrorKind::unavailable) << samples.error().text();
    EXPECT_NE(samples.error().message.find("can not be looked at: "), std::string::npos) << samples.error().text();
  }
  EXPECT_EQ(open_samples(folder.path() / long_name, two, {}).error().kind, ErrorKind::unavailable);
  std::filesystem::remove(folder.path() / "loop.npy");
  std::filesystem::create_symlink("gone.npy", folder.path() / "b.npy");  // leads nowhere: as if it were not there
  EXPECT_TRUE(open_samples(folder.path(), inputs, {}));
}

TEST(Preprocessing, ComesBackFromItsText) {
  Preprocessing preprocessing;
  preprocessing.scale = 1.F / 255;
  preprocessing.mean = {0.485F, 0.456F, 0.406F};
  preprocessing.deviation = {0.25F};
  preprocessing.order = ColourOrder::bgr;
  preprocessing.size = PictureSize{320, 240};
  EXPECT_EQ(parse_preprocessing(preprocessing.text()), preprocessing);
  EXPECT_EQ(parse_preprocessing(""), Preprocessing{});
  EXPECT_EQ(parse_preprocessing("scale=x").error().message, "preprocessing: 'x' of scale is no number");
  EXPECT_EQ(parse_preprocessing("size=3").error().message,
            "preprocessing: size '3' is not like 320x240 (width x height)");
  EXPECT_FALSE(parse_preprocessing("colour=red"));
}

}  // namespace
}  // namespace alara::learn
