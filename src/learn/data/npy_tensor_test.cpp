// SPDX-License-Identifier: Apache-2.0
#include "learn/data/npy_tensor.hpp"

#include <gtest/gtest.h>

#include "learn/data/test_files.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using graph::Tensor;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// A file of version 1 with this dictionary and `data` bytes behind it.
std::string file_with(const std::string& dictionary, std::size_t data) {
  return "\x93NUMPY" + text_of_bytes({1, 0, static_cast<int>(dictionary.size()), 0}) + dictionary +
         std::string(data, '\0');
}

TEST(NpyTensor, ComesBackAsItWasWrittenForEveryNumberType) {
  for (const DataType type :
       {DataType::boolean, DataType::int8, DataType::uint8, DataType::int16, DataType::uint16, DataType::int32,
        DataType::uint32, DataType::int64, DataType::uint64, DataType::float16, DataType::float32, DataType::float64}) {
    for (const graph::Shape& shape : {graph::Shape{}, graph::Shape{3}, graph::Shape{2, 0}, graph::Shape{2, 3, 4}}) {
      Tensor tensor = Tensor::zeros(type, shape);
      for (std::size_t i = 0; i < tensor.bytes.size(); ++i) tensor.bytes[i] = static_cast<std::byte>(i * 37);
      const auto written = to_npy(tensor);
      ASSERT_TRUE(written) << written.error().text();
      EXPECT_EQ((written->size() - tensor.bytes.size()) % 64, 0);
      const auto read = parse_npy(bytes_of(*written));
      ASSERT_TRUE(read) << read.error().text();
      EXPECT_EQ(*read, tensor) << tensor.text();
    }
  }
}

TEST(NpyTensor, WritesTheHeaderThatNumpyWrites) {
  const auto written = to_npy(Tensor::of<float>({3}, std::vector<float>{1, 2, 3}));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->substr(10, 60), "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }   ");
}

TEST(NpyTensor, ReadsRowsFromWhereTheyLie) {
  const TestFolder folder;
  const auto file = NpyFile::open(folder.write("a.npy", counting({5, 2})));
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->array().text(), "float32[5, 2]");
  const auto rows = file->rows(3, 2);
  ASSERT_TRUE(rows);
  EXPECT_EQ(*rows, Tensor::of<float>({2, 2}, std::vector<float>{6, 7, 8, 9}));
}

TEST(NpyTensor, SaysWhatIsWrongWithAFile) {
  const auto message = [](const std::string& file) {
    const auto tensor = parse_npy(bytes_of(file));
    return tensor ? "read" : tensor.error().message;
  };
  EXPECT_EQ(message("nothing of the kind"), "this is no .npy file: the magic bytes are missing");
  EXPECT_EQ(message(file_with("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4)),
            "numbers of type '>f4' are big-endian; save them with .astype('<f4')");
  EXPECT_EQ(message(file_with("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", 4)),
            "the array is in Fortran order; save numpy.ascontiguousarray(…) of it");
  EXPECT_EQ(message(file_with("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8)),
            "numbers of type '<c8' are not supported; b1, i1 to i8, u1 to u8 and f2 to f8 are");
  EXPECT_EQ(message(file_with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4)),
            "the .npy header names no plain number type (records are not supported)");
  EXPECT_EQ(message(file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, x), }", 8)),
            "'x' in the .npy header is no size");
  EXPECT_EQ(message(file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8)),
            "the file is truncated: 12 bytes of numbers are announced, 8 are there");
  EXPECT_EQ(message(file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8)),
            "the .npy header announces more numbers than any file holds: shape (4294967296, 4294967296)");
}

TEST(NpyTensor, NamesTheFileInErrors) {
  const TestFolder folder;
  const auto broken = read_npy(folder.write("broken.npy", std::string("x")));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().where.file, (folder.path() / "broken.npy").string());
  const auto missing = read_npy(folder.path() / "missing.npy");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace alara::learn
