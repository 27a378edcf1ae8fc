// SPDX-License-Identifier: Apache-2.0
// A gzip stream in memory that is unpacked piece by piece (zlib; RFC 1952), and how small bytes can be packed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/result.hpp"

namespace alara::learn {

[[nodiscard]] bool is_gzip(std::span<const std::byte> bytes);

// Deflate can not pack better than this (zlib's own documentation): a bound before anything is allocated.
inline constexpr std::uint64_t kMaxInflation = 1032;

class Gunzip {
 public:
  explicit Gunzip(std::span<const std::byte> packed);  // which must outlive it
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip();

  // Fills `out`, or as much of it as there is, and returns how much. Errors: corrupt.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

// Bytes that zlib (level 9) makes of these: what a file costs on its way to a device.
[[nodiscard]] Result<std::uint64_t> packed_size(std::span<const std::byte> bytes);

}  // namespace alara::learn
