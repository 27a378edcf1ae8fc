// SPDX-License-Identifier: Apache-2.0
// Where the readers of text get their bytes: a file, or memory in tests and fuzzers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace alara::file {

class Input {
 public:
  virtual ~Input() = default;
  // Up to into.size() bytes; 0 at the end.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<char> into) = 0;
};

class MemoryInput final : public Input {
 public:
  // `piece` bytes at a time, so that every cut is tried. `text` is borrowed.
  explicit MemoryInput(std::string_view text, std::size_t piece = SIZE_MAX) : rest_(text), piece_(piece) {}
  [[nodiscard]] Result<std::size_t> read(std::span<char> into) override;

 private:
  std::string_view rest_;
  std::size_t piece_;
};

class FileInput final : public Input {
 public:
  [[nodiscard]] static Result<std::unique_ptr<FileInput>> open(const std::string& path);
  ~FileInput() override;
  [[nodiscard]] Result<std::size_t> read(std::span<char> into) override;
  // Exactly into.size() bytes from `offset`; fewer are an error (the file was cut while we read it).
  [[nodiscard]] Status read_at(std::uint64_t offset, std::span<char> into) const;
  [[nodiscard]] Result<std::uint64_t> size() const;

 private:
  FileInput(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

}  // namespace alara::file
