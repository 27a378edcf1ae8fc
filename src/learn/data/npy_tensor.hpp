// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files (base/npy.hpp) as tensors, whole or some rows of the first dimension at a time.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/result.hpp"
#include "graph/tensor.hpp"

namespace alara::learn {

// What is in a file: numbers of a type that tensors have too, and their shape.
struct NpyArray {
  graph::DataType type = graph::DataType::undefined;
  graph::Shape shape;
  std::uint64_t data_offset = 0;

  [[nodiscard]] std::string text() const;  // "float32[100, 28, 28]"
};

[[nodiscard]] Result<graph::Tensor> parse_npy(std::span<const std::byte> bytes);

// An open array of which rows are read as they are wanted; the file may be larger than memory.
class NpyFile {
 public:
  // Errors name the file.
  [[nodiscard]] static Result<NpyFile> open(std::filesystem::path path);

  [[nodiscard]] const NpyArray& array() const { return array_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // `count` rows of the first dimension from `first` on, shape [count, …]. The rows must be there (a bug otherwise).
  [[nodiscard]] Result<graph::Tensor> rows(std::int64_t first, std::int64_t count) const;
  [[nodiscard]] Result<graph::Tensor> whole() const;

 private:
  std::filesystem::path path_;
  NpyArray array_;
};

[[nodiscard]] Result<graph::Tensor> read_npy(const std::filesystem::path& path);
// Format version 1. Errors: bad_input for text, complex numbers and bfloat16, which .npy does not have.
[[nodiscard]] Result<std::string> to_npy(const graph::Tensor& tensor);
Status write_npy(const graph::Tensor& tensor, const std::filesystem::path& path);

}  // namespace alara::learn
