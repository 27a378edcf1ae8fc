// SPDX-License-Identifier: Apache-2.0
// Small questions about text that error messages and parsers ask.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alara {

// The candidate with the smallest edit distance (Damerau-Levenshtein), or "" when none is near enough to be meant.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string_view> candidates);
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] bool ascii(std::string_view text);  // nothing above 0x7F; many times faster than valid_utf8
[[nodiscard]] bool valid_utf8(std::string_view text);
// "a, b and c".
[[nodiscard]] std::string enumerate(std::span<const std::string_view> words);

}  // namespace alara
