// SPDX-License-Identifier: Apache-2.0
#include "base/work_journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/file.hpp"

namespace alara {
namespace {

constexpr std::string_view kFirstLine = "alara journal 1\n";

// "00000000000000ff 1.5 -3"; false when it is none.
bool parse_line(std::string_view line, WorkJournal::Parts& parts) {
  const char* at = line.data();
  const char* const end = at + line.size();
  std::uint64_t key = 0;
  const auto hash = std::from_chars(at, end, key, 16);
  if (hash.ec != std::errc() || hash.ptr - at != 16) return false;
  std::vector<double> numbers;
  for (at = hash.ptr; at != end;) {
    if (*at != ' ') return false;
    double number = 0;
    const auto read = std::from_chars(at + 1, end, number);
    if (read.ec != std::errc() || !std::isfinite(number)) return false;
    numbers.push_back(number);
    at = read.ptr;
  }
  parts[key] = std::move(numbers);
  return true;
}

}  // namespace

Result<WorkJournal::Parts> WorkJournal::parse(std::string_view text) {
  if (!text.starts_with(kFirstLine))
    return tl::unexpected<Error>(Error{ErrorKind::corrupt,
                                       "it does not begin as a journal of this program does",
                                       {},
                                       "name another file, or delete it to begin anew"});
  Parts out;
  text.remove_prefix(kFirstLine.size());
  for (std::size_t number = 2; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    if (!parse_line(text.substr(0, end), out))
      return tl::unexpected<Error>(Error{ErrorKind::corrupt,
                                         fmt::format("line {} is not a part of a journal", number),
                                         {},
                                         "delete the file to begin anew"});
    text.remove_prefix(end + 1);
  }
  return out;
}

Result<WorkJournal> WorkJournal::open(const std::filesystem::path& path) {
  std::error_code failure;
  const bool begun = std::filesystem::exists(path, failure);
  if (!begun) ALARA_CHECK(replace_file(path, kFirstLine));
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::unavailable, "can not read '{}': {}", path.string(), strerror(errno));
  std::string content(kFirstLine.size(), '\0');  // a file of another kind may be too large to read whole
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content == kFirstLine) content.append(std::istreambuf_iterator<char>(file), {});
  auto parts = parse(content);
  if (!parts) {
    parts.error().message = fmt::format("'{}': {}", path.string(), parts.error().message);
    return fail_with(std::move(parts));
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor < 0 || ::ftruncate(descriptor, static_cast<off_t>(content.rfind('\n') + 1)) != 0) {
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    return fail(ErrorKind::unavailable, "can not write '{}': {}", path.string(), strerror(reason));
  }
  return WorkJournal(descriptor, std::move(*parts), path);
}

WorkJournal::WorkJournal(int descriptor, Parts parts, std::filesystem::path path)
    : descriptor_(descriptor), parts_(std::move(parts)), path_(std::move(path)) {}

WorkJournal::WorkJournal(WorkJournal&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      parts_(std::move(other.parts_)),
      path_(std::move(other.path_)),
      recalled_(other.recalled_) {}

WorkJournal::~WorkJournal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

const std::vector<double>* WorkJournal::recall(std::uint64_t key) {
  const auto found = parts_.find(key);
  if (found == parts_.end()) return nullptr;
  ++recalled_;
  return &found->second;
}

Status WorkJournal::add(std::uint64_t key, std::span<const double> numbers) {
  std::string line = fmt::format("{:016x}", key);
  for (const double number : numbers) {
    if (!std::isfinite(number)) return {};  // found anew the next time
    line += fmt::format(" {}", number);
  }
  line += '\n';
  ALARA_CHECK(append(descriptor_, line, path_));
  parts_[key].assign(numbers.begin(), numbers.end());
  return {};
}

}  // namespace alara
