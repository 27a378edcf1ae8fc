// SPDX-License-Identifier: Apache-2.0
#include "learn/data/gzip.hpp"

#include <zlib.h>

#include <vector>

#include <algorithm>
#include <limits>

namespace alara::learn {
namespace {
constexpr int kGzipWindow = 15 + 16;  // the largest window; gzip's header and checksum, nothing else
}

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B};
}

struct Gunzip::Stream {
  z_stream zlib = {};
  std::span<const std::byte> packed;
  bool opened = false, ended = false;
};

Gunzip::Gunzip(std::span<const std::byte> packed) : stream_(std::make_unique<Stream>()) {
  stream_->packed = packed;
  stream_->opened = inflateInit2(&stream_->zlib, kGzipWindow) == Z_OK;
}

Gunzip::~Gunzip() {
  if (stream_->opened) inflateEnd(&stream_->zlib);
}

Result<std::size_t> Gunzip::read(std::span<std::byte> out) {
  if (!stream_->opened) return fail(ErrorKind::internal, "zlib can not be opened");
  constexpr std::size_t kPiece = std::numeric_limits<uInt>::max();
  z_stream& zlib = stream_->zlib;
  std::size_t done = 0;
  while (done < out.size() && !stream_->ended) {
    const std::size_t in = std::min(stream_->packed.size(), kPiece), room = std::min(out.size() - done, kPiece);
    // zlib reads what next_in points at and never writes there.
    zlib.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stream_->packed.data()));
    zlib.avail_in = static_cast<uInt>(in);
    zlib.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    zlib.avail_out = static_cast<uInt>(room);
    const int status = inflate(&zlib, Z_NO_FLUSH);
    stream_->packed = stream_->packed.subspan(in - zlib.avail_in);
    done += room - zlib.avail_out;
    stream_->ended = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR || (status == Z_OK && stream_->packed.empty() && zlib.avail_out > 0))
      return fail(ErrorKind::corrupt, "the gzip stream is cut off");
    if (status != Z_OK && status != Z_STREAM_END)
      return fail(ErrorKind::corrupt, "the gzip stream is broken: {}", zlib.msg ? zlib.msg : "unknown");
  }
  return done;
}

Result<std::uint64_t> packed_size(std::span<const std::byte> bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::vector<Bytef> packed(size);
  if (compress2(packed.data(), &size, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()),
                9) != Z_OK)
    return fail(ErrorKind::internal, "zlib could not pack {} bytes", bytes.size());
  return static_cast<std::uint64_t>(size);
}

}  // namespace alara::learn
