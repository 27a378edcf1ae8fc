// SPDX-License-Identifier: Apache-2.0
// The three kinds of recordings behind one seam: open and check everything that can be checked, then play.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "connect/file/player.hpp"
#include "connect/file/settings.hpp"
#include "core/connector.hpp"

namespace alara::file {

// Where a source reports what is wrong with single records; any number of times.
struct SourceReport {
  Inlet& inlet;
  ConnectorStats& stats;
  std::function<void(const Error&)> error;  // the last one is shown to people
  std::uint64_t* missing = nullptr;         // cells without a value that were skipped
};

class Source {
 public:
  virtual ~Source() = default;
  // Opens the file and finds the addresses in it. Called before every play().
  virtual Status open() = 0;
  // Delivers the whole file; false when asked to stop, an error when the file can not be read on.
  virtual Result<bool> play(Player& player, const SourceReport& report) = 0;
};

// `signals` outlive the source.
[[nodiscard]] std::unique_ptr<Source> make_csv_source(const Settings& settings, std::span<const SignalBinding> signals);
[[nodiscard]] std::unique_ptr<Source> make_jsonl_source(const Settings& settings,
                                                        std::span<const SignalBinding> signals);
[[nodiscard]] std::unique_ptr<Source> make_npy_source(const Settings& settings, std::span<const SignalBinding> signals);

// Load time: whether an address can be one of this format.
[[nodiscard]] Status check_address(Format format, const std::string& address);

// "Machining_Process:category(Starting,Prep)" taken apart.
struct CsvAddress {
  std::string column;
  bool category = false;
  std::vector<std::string> values;  // empty: numbered as they appear
};
[[nodiscard]] Result<CsvAddress> parse_csv_address(std::string_view address);

}  // namespace alara::file
