// SPDX-License-Identifier: Apache-2.0
#include "connect/file/npy.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "connect/file/test_files.hpp"

namespace alara::file {
namespace {

Result<NpyHeader> header_of(const std::string& bytes) { return parse_series_header(bytes, bytes.size()); }
std::string refusal_of(const std::string& dictionary, std::size_t data = 64, int version = 1) {
  const auto header = header_of(npy(dictionary, std::string(data, '\0'), version));
  return header ? "" : header.error().message;
}

TEST(Npy, ReadsTheHeadersNumpyWrites) {
  for (const int version : {1, 2, 3}) {
    const auto header = header_of(
        npy("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3, 2), }", std::string(24, '\0'), version));
    ASSERT_TRUE(header.has_value()) << header.error().text();
    EXPECT_EQ(header->type, NpyType::int16);
    EXPECT_EQ(header->shape, (std::vector<std::uint64_t>{2, 3, 2}));
    EXPECT_EQ(header->items(), 12u);
  }
  EXPECT_EQ(refusal_of("{'descr': '<f8', 'fortran_order': True, 'shape': (8,), }"), "");
}

TEST(Npy, BadHeadersSayWhy) {
  EXPECT_NE(refusal_of("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }").find("big-endian"),
            std::string::npos);
  EXPECT_NE(refusal_of("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }").find("not supported"),
            std::string::npos);
  EXPECT_NE(refusal_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"), "");
  EXPECT_NE(refusal_of("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }").find("Fortran"),
            std::string::npos);
  EXPECT_NE(refusal_of("{'descr': '<f4', 'fortran_order': False, 'shape': (), }"), "");
  EXPECT_NE(refusal_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1), }"), "");
  EXPECT_NE(refusal_of("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"), "");
  EXPECT_NE(refusal_of("{'descr': '<f4', 'fortran_order': False, 'shape': (100,), }").find("truncated"),
            std::string::npos);
  EXPECT_NE(refusal_of("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"), "");
  EXPECT_NE(refusal_of("{'shape': (1,)}"), "");
  EXPECT_NE(refusal_of("", 64, 4).find("version"), std::string::npos);
  EXPECT_FALSE(header_of("").has_value());
  EXPECT_FALSE(header_of("not an array at all").has_value());
  const std::string whole = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", std::string(4, '\0'));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(header_of(whole.substr(0, size)).has_value()) << size;
  EXPECT_TRUE(header_of(whole).has_value());
}

TEST(Npy, AddressesPickASeries) {
  const std::vector<std::uint64_t> shape{4, 10, 2};
  const auto series = parse_npy_address("[:, :, 1]", shape);
  ASSERT_TRUE(series.has_value());
  EXPECT_EQ(series->first, 1u);
  EXPECT_EQ(series->records, 4u);
  EXPECT_EQ(series->record_stride, 20u);
  EXPECT_EQ(series->samples, 10u);
  EXPECT_EQ(series->sample_stride, 2u);
  const auto one = parse_npy_address("#[3,:,0]", shape);
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->first, 60u);
  EXPECT_EQ(one->records, 1u);
  EXPECT_EQ(parse_npy_address("", {7})->samples, 7u);
  EXPECT_EQ(parse_npy_address("[:]", {7})->samples, 7u);
  EXPECT_EQ(parse_npy_address("[:, :, 9]", {0, 1ull << 62, 1ull << 62})->records, 0u);
}

TEST(Npy, WrongAddressesAreRefused) {
  const std::vector<std::uint64_t> shape{4, 10, 2};
  for (const std::string_view address :
       {"[:, :, 2]", "[:, :]", "[:, :, :]", "", "[1, 2, 0]", "[:, :, x]", "x", "[", "[]", "[:,:,:,:]", "[:, , 0]"})
    EXPECT_FALSE(parse_npy_address(address, shape).has_value()) << address;
}

TEST(Npy, DecodesWithAStride) {
  const std::int16_t items[] = {1, -2, 3, -4, 5};
  std::vector<double> out(3);
  const std::span bytes(reinterpret_cast<const char*>(items), sizeof items);
  EXPECT_EQ(decode_npy(bytes, NpyType::int16, 4, out), 0u);
  EXPECT_EQ(out, (std::vector<double>{1, 3, 5}));
  const float floats[] = {1, NAN, INFINITY};
  EXPECT_EQ(decode_npy({reinterpret_cast<const char*>(floats), sizeof floats}, NpyType::float32, 4, out), 2u);
}

}  // namespace
}  // namespace alara::file
