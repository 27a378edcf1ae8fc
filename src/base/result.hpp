// SPDX-License-Identifier: Apache-2.0
// How anything that can fail says so: Result<T> carries a value or an Error with a sentence for a person.
// Nothing in Alara throws; libraries that do are caught at their border. Bugs abort through ALARA_ASSERT.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace alara {

enum class ErrorKind : std::uint8_t {
  bad_input,    // configuration, usage or file content the user can mend; programs exit with 2
  not_found,    // the named thing does not exist
  unavailable,  // a device, broker or file can not be reached now; trying again may help
  timed_out,    // no answer within the time allowed
  refused,      // the other side, or a rule of ours, said no
  corrupt,      // bytes from outside that do not parse
  exhausted,    // a declared limit (memory, queue, descriptors) was reached
  internal,     // a library failed in a way that is nobody's input
};

// A place in a file; line and column count from 1, 0 means unknown.
struct Where {
  std::string file;
  int line = 0;
  int column = 0;

  [[nodiscard]] bool known() const { return !file.empty(); }
  // "site.yaml:12:7", "site.yaml" or "".
  [[nodiscard]] std::string text() const;
};

// What failed, with which value, where, and what to do about it.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;  // "poll '10 parsecs' is not a duration"
  Where where;          // empty when no file is concerned
  std::string hint;     // "write 10ms, 2s, 5min or 1h"; may be empty

  // "site.yaml:12:7: message (hint)".
  [[nodiscard]] std::string text() const;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{kind, fmt::format(format, std::forward<Args>(args)...), {}, {}});
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail_at(Where where, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(
      Error{ErrorKind::bad_input, fmt::format(format, std::forward<Args>(args)...), std::move(where), {}});
}

[[nodiscard]] inline tl::unexpected<Error> bad_input_at(Where where, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{ErrorKind::bad_input, std::move(message), std::move(where), std::move(hint)});
}

// Passes an error of another Result<> on, unchanged.
template <typename T>
[[nodiscard]] tl::unexpected<Error> fail_with(Result<T>&& failed) {
  return tl::unexpected<Error>(std::move(failed).error());
}

[[noreturn]] void abort_with(std::string_view what, const char* file, int line);

}  // namespace alara

#define ALARA_CONCAT_(a, b) a##b
#define ALARA_CONCAT(a, b) ALARA_CONCAT_(a, b)

// ALARA_TRY(auto x, f()); binds x to the value or returns the error. ALARA_CHECK(f()); does the same for Status.
#define ALARA_TRY(declaration, expression) ALARA_TRY_(ALARA_CONCAT(alara_try_, __COUNTER__), declaration, expression)
#define ALARA_TRY_(temporary, declaration, expression)                                   \
  auto temporary = (expression);                                                         \
  if (!temporary) return ::tl::unexpected<::alara::Error>(std::move(temporary).error()); \
  declaration = std::move(*temporary)
#define ALARA_CHECK(expression)                                                 \
  do {                                                                          \
    if (auto alara_status = (expression); !alara_status)                        \
      return ::tl::unexpected<::alara::Error>(std::move(alara_status).error()); \
  } while (false)

// A broken invariant is a bug: say which one and stop.
#define ALARA_ASSERT(condition, what) \
  ((condition) ? static_cast<void>(0) : ::alara::abort_with(what " [" #condition "]", __FILE__, __LINE__))
