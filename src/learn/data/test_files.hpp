// SPDX-License-Identifier: Apache-2.0
// A folder of its own for a test, and small files in it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "learn/data/npy_tensor.hpp"

namespace alara::learn {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "alara-learn-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }
  std::filesystem::path write(const std::string& name, const graph::Tensor& tensor) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    EXPECT_TRUE(write_npy(tensor, file).has_value());
    return file;
  }

 private:
  std::filesystem::path path_;
};

// 0, 1, 2, … of a shape.
inline graph::Tensor counting(graph::Shape shape) {
  graph::Tensor tensor = graph::Tensor::zeros(graph::DataType::float32, std::move(shape));
  float next = 0;
  for (float& number : tensor.mutable_values<float>()) number = next++;
  return tensor;
}

inline std::string text_of_bytes(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}

}  // namespace alara::learn
