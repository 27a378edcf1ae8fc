// SPDX-License-Identifier: Apache-2.0
#include "learn/data/idx.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "learn/data/test_files.hpp"

namespace alara::learn {
namespace {

using graph::Tensor;

const std::string kBytes = text_of_bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 250});

Result<Tensor> parse(const std::string& text) { return parse_idx(std::as_bytes(std::span(text))); }

std::string packed(const std::string& text) {
  z_stream zlib = {};
  EXPECT_EQ(deflateInit2(&zlib, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 100, '\0'), in = text;
  zlib.next_in = reinterpret_cast<Bytef*>(in.data());
  zlib.avail_in = static_cast<uInt>(in.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
  return out;
}

TEST(Idx, ReadsBytesPlainAndPacked) {
  const Tensor expected = Tensor::of<std::uint8_t>({2, 3}, std::vector<std::uint8_t>{1, 2, 3, 4, 5, 250});
  for (const std::string& file : {kBytes, packed(kBytes)}) {
    const auto tensor = parse(file);
    ASSERT_TRUE(tensor) << tensor.error().text();
    EXPECT_EQ(*tensor, expected);
  }
}

TEST(Idx, TurnsBigEndianNumbersRound) {
  const auto integers = parse(text_of_bytes({0, 0, 0x0C, 1, 0, 0, 0, 2, 0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFE}));
  ASSERT_TRUE(integers);
  EXPECT_EQ(*integers, Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{256, -2}));
  const auto floats = parse(text_of_bytes({0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0xC0, 0, 0}));
  ASSERT_TRUE(floats);
  EXPECT_EQ(*floats, Tensor::of<float>({1}, std::vector<float>{1.5F}));
}

TEST(Idx, RefusesFilesThatDoNotHoldWhatTheySay) {
  const auto message = [](const std::string& file) {
    const auto tensor = parse(file);
    return tensor ? "read" : tensor.error().message;
  };
  EXPECT_EQ(message(kBytes.substr(0, kBytes.size() - 1)), "the IDX file is too short for its sizes [2, 3]");
  EXPECT_EQ(message(kBytes + "x"), "the IDX file is longer than its sizes say");
  EXPECT_EQ(message(packed(kBytes + "x")), "the IDX file is longer than its sizes say");
  EXPECT_EQ(message(packed(kBytes.substr(0, 17))), "the IDX file ends 1 bytes before its sizes say");
  EXPECT_EQ(message(packed(kBytes).substr(0, 20)), "the gzip stream is cut off");
  EXPECT_EQ(message("text"), "this is no IDX file: it begins with 74 65 78 74");
  EXPECT_EQ(message(text_of_bytes({0, 0, 8, 9})), "the IDX file has 9 dimensions; 1 to 8 are supported");
  // A few packed bytes can not claim gigabytes.
  EXPECT_EQ(message(packed(text_of_bytes({0, 0, 8, 1, 0x7F, 0xFF, 0xFF, 0xFF}))),
            "the IDX file is too short for its sizes [2147483647]");
}

TEST(Idx, KnowsItsFilesByName) {
  EXPECT_TRUE(named_like_idx("a/train-images-idx3-ubyte.gz"));
  EXPECT_TRUE(named_like_idx("t10k-labels.idx1-ubyte"));
  EXPECT_FALSE(named_like_idx("idx"));
  EXPECT_FALSE(named_like_idx("images.gz"));
}

TEST(Idx, ReadsFashionMnist) {
  const std::filesystem::path file = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  const auto labels = read_idx(file);
  ASSERT_TRUE(labels) << labels.error().text();
  ASSERT_EQ(labels->shape, graph::Shape{10000});
  std::vector<int> counts(10);
  for (const std::uint8_t label : labels->values<std::uint8_t>()) ++counts.at(label);
  EXPECT_EQ(counts, std::vector<int>(10, 1000));
}

}  // namespace
}  // namespace alara::learn
