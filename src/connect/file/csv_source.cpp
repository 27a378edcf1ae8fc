// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/text.hpp"
#include "connect/file/source.hpp"
#include "connect/file/text_reader.hpp"

namespace alara::file {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxCategories = 4096;
constexpr std::size_t kMaxCategoryBytes = 256;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct Column {
  SignalId signal{};
  std::size_t cell = 0;
  CsvAddress address;
  std::unordered_map<std::string, double, TextHash, std::equal_to<>> categories;
};

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_missing(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'))) return false;
  return text.empty() || text == "NaN" || text == "nan" || text == "NA" || text == "N/A" || text == "null" ||
         text == "NULL" || text == "None";
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc{} && end == text.data() + text.size()) return value;
  if (text == "true" || text == "True" || text == "TRUE") return 1;
  if (text == "false" || text == "False" || text == "FALSE") return 0;
  if (text.size() > 1 && text.front() == '+' && text[1] != '-' && text[1] != '+') return number_in(text.substr(1));
  return std::nullopt;
}

class CsvSource final : public Source {
 public:
  CsvSource(const Settings& settings, std::span<const SignalBinding> signals) : settings_(settings), signals_(signals) {
    if (settings.rate_hz > 0) step_ns_ = 1e9 / settings.rate_hz;
  }

  Status open() override;
  Result<bool> play(Player& player, const SourceReport& report) override;

 private:
  Result<std::size_t> find(std::string_view name, std::span<const std::string> names);
  Status bind_columns(std::span<const std::string> names);
  std::optional<Nanos> time_of_record(std::uint64_t index);
  void deliver(Column& column, Player& player, const SourceReport& report);
  std::optional<double> category_of(Column& column, std::string_view text);
  [[nodiscard]] Error wrong(const Column& column, std::string_view text, std::string_view what) const;

  const Settings& settings_;
  std::span<const SignalBinding> signals_;
  double step_ns_ = 0;
  std::unique_ptr<FileInput> input_;
  std::unique_ptr<TextReader> reader_;
  std::vector<Column> columns_;
  std::optional<std::size_t> time_cell_;
  std::size_t width_ = 0;
  bool first_is_data_ = false;  // no header: the record already read is one
};

Result<std::size_t> CsvSource::find(std::string_view name, std::span<const std::string> names) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) {
    Error error{ErrorKind::not_found, fmt::format("there is no column '{}'", name), {settings_.path, 1, 0}, {}};
    if (const std::string near = nearest(name, names); !near.empty())
      error.hint = fmt::format("do you mean '{}'?", near);
    return tl::unexpected<Error>(std::move(error));
  }
  if (std::find(at + 1, names.end(), name) != names.end())
    return fail_at({settings_.path, 1, 0}, "two columns are called '{}'", name);
  return static_cast<std::size_t>(at - names.begin());
}

Status CsvSource::open() {
  ALARA_TRY(input_, FileInput::open(settings_.path));
  reader_ = std::make_unique<TextReader>(*input_, settings_.path, TextReader::Kind::csv, settings_.delimiter);
  ALARA_TRY(const bool any, reader_->next());
  if (!any) return fail_at({settings_.path, 1, 0}, "the file is empty");
  std::vector<std::string> names;
  for (const std::string_view cell : reader_->cells())
    names.push_back(settings_.header ? std::string(trim(cell)) : std::to_string(names.size() + 1));
  width_ = names.size();
  first_is_data_ = !settings_.header;
  if (!settings_.time.empty()) {
    ALARA_TRY(time_cell_, find(settings_.time, names));
  }
  return columns_.empty() ? bind_columns(names) : Status{};
}

Status CsvSource::bind_columns(std::span<const std::string> names) {
  for (const SignalBinding& signal : signals_) {
    Column column;
    column.signal = signal.signal;
    ALARA_TRY(column.address, parse_csv_address(signal.address));
    ALARA_TRY(column.cell, find(column.address.column, names));
    for (const std::string& value : column.address.values)
      column.categories.emplace(value, static_cast<double>(column.categories.size()));
    columns_.push_back(std::move(column));
  }
  return {};
}

std::optional<Nanos> CsvSource::time_of_record(std::uint64_t index) {
  if (time_cell_) return parse_time(reader_->cells()[*time_cell_], settings_.time_format);
  return later(settings_.start, std::round(static_cast<double>(index) * step_ns_));
}

Result<bool> CsvSource::play(Player& player, const SourceReport& report) {
  for (std::uint64_t index = 0;; ++index) {
    if (!first_is_data_) {
      ALARA_TRY(const bool any, reader_->next());
      if (!any) return true;
    }
    first_is_data_ = false;
    report.stats.bytes_in.fetch_add(reader_->bytes(), std::memory_order_relaxed);
    if (reader_->malformed() || reader_->cells().size() != width_) {
      report.inlet.reject("malformed", columns_.size());
      report.error({ErrorKind::corrupt,
                    reader_->malformed()
                        ? std::string("text behind a closing quote")
                        : fmt::format("{} cells where the header has {}", reader_->cells().size(), width_),
                    reader_->where(),
                    {}});
      continue;
    }
    const auto time = time_of_record(index);
    if (!time) {
      report.inlet.reject("bad_time", columns_.size());
      report.error(
          {ErrorKind::corrupt, fmt::format("'{}' is not a time", reader_->cells()[*time_cell_]), reader_->where(), {}});
      continue;
    }
    if (!player.record(*time)) return false;
    for (Column& column : columns_) deliver(column, player, report);
  }
}

Error CsvSource::wrong(const Column& column, std::string_view text, std::string_view what) const {
  return {ErrorKind::corrupt,
          fmt::format("column {}: '{}' is {}", column.address.column, text.substr(0, kMaxCategoryBytes), what),
          reader_->where(),
          {}};
}

void CsvSource::deliver(Column& column, Player& player, const SourceReport& report) {
  const std::string_view text = without_blanks(reader_->cells()[column.cell]);
  if (is_missing(text)) {
    if (settings_.missing == Missing::bad) {
      player.point(column.signal, kNaN, Quality::bad);
    } else {
      ++*report.missing;
    }
    return;
  }
  const std::optional<double> value = column.address.category ? category_of(column, text) : number_in(text);
  if (!value) {
    report.inlet.reject("wrong_type", 1);
    report.error(
        wrong(column, text,
              column.address.category ? "not one of the declared categories, or one too many" : "not a number"));
  } else if (!std::isfinite(*value)) {
    report.inlet.reject("not_finite", 1);
    report.error(wrong(column, text, "not finite"));
  } else {
    player.point(column.signal, *value, Quality::good);
  }
}

std::optional<double> CsvSource::category_of(Column& column, std::string_view text) {
  if (const auto found = column.categories.find(text); found != column.categories.end()) return found->second;
  if (!column.address.values.empty() || column.categories.size() >= kMaxCategories || text.size() > kMaxCategoryBytes)
    return std::nullopt;
  return column.categories.emplace(text, static_cast<double>(column.categories.size())).first->second;
}

}  // namespace

Result<CsvAddress> parse_csv_address(std::string_view address) {
  constexpr std::string_view kCategory = ":category";
  CsvAddress out;
  const std::size_t at = address.rfind(kCategory);
  out.column = address.substr(0, at);
  if (at != std::string_view::npos) {
    std::string_view rest = address.substr(at + kCategory.size());
    out.category = rest.empty() || rest.front() == '(';
    if (!out.category) {
      out.column = address;  // a column whose name happens to hold ":category"
    } else if (!rest.empty()) {
      if (rest.back() != ')') return fail(ErrorKind::bad_input, "address '{}' lacks its closing parenthesis", address);
      rest = rest.substr(1, rest.size() - 2);
      for (const std::string_view value : split(rest, ',')) {
        if (trim(value).empty()) return fail(ErrorKind::bad_input, "address '{}' has an empty category", address);
        out.values.emplace_back(trim(value));
      }
    }
  }
  if (out.column.empty()) return fail(ErrorKind::bad_input, "address '{}' names no column", address);
  return out;
}

std::unique_ptr<Source> make_csv_source(const Settings& settings, std::span<const SignalBinding> signals) {
  return std::make_unique<CsvSource>(settings, signals);
}

}  // namespace alara::file
