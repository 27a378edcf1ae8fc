// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: a folder of model files, a model that is plain C++, steps made from the text a user
// would write, and frames to feed them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/operator.hpp"
#include "infer/model.hpp"
#include "infer/session.hpp"
#include "infer/small_models.hpp"

#define ALARA_NEEDS_ONNXRUNTIME() \
  if (const auto runtime = runtime_info(); !runtime) GTEST_SKIP() << runtime.error().text()

namespace alara::infer::test {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::uint64_t allocations_so_far();  // calls of operator new in this test program (allocations_test.cpp replaces it)

// A folder of its own under the system's temporary one; gone with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "alara-infer-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::string file = (path_ / name).string();
    EXPECT_TRUE(write_bytes(file, bytes));
    return file;
  }

 private:
  std::filesystem::path path_;
};

// A model that is a function of one row; `fails` makes its runs fail.
class FakeSession final : public Session {
 public:
  using Function = std::function<void(std::span<const double> in, std::span<double> out)>;
  FakeSession(std::string path, std::size_t outputs, Function function)
      : path_(std::move(path)), outputs_(outputs), function_(std::move(function)) {
    for (std::size_t i = 0; i < outputs; ++i)
      info_.outputs.push_back({fmt::format("out{}", i), ElementType::float32, {{-1, "batch"}}});
  }
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] const ModelInfo& info() const override { return info_; }
  ModelInfo& info() { return info_; }
  [[nodiscard]] Result<std::unique_ptr<Runner>> make_runner(const RunPlan& plan) const override {
    return std::make_unique<FakeRunner>(std::static_pointer_cast<const FakeSession>(shared_from_this()), plan);
  }

  mutable std::atomic<bool> fails{false};
  mutable std::atomic<std::size_t> runs{0};
  mutable std::atomic<std::size_t> largest{0};  // rows of the largest run

 private:
  class FakeRunner final : public Runner {
   public:
    FakeRunner(std::shared_ptr<const FakeSession> session, const RunPlan& plan)
        : session_(std::move(session)),
          width_(plan.values * plan.history),
          in_(plan.max_rows * width_),
          out_(plan.max_rows * session_->outputs_) {
      for (std::size_t i = 0; i < session_->outputs_; ++i) columns_.push_back({fmt::format("out{}", i), 0, 1});
    }
    [[nodiscard]] const std::vector<OutputColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }
    void write(std::size_t row, std::span<const double> numbers) override {
      std::copy(numbers.begin(), numbers.end(), in_.begin() + static_cast<std::ptrdiff_t>(row * width_));
    }
    Status run(std::size_t rows) override {
      ++session_->runs;
      session_->largest = std::max<std::size_t>(session_->largest, rows);
      if (session_->fails) return fail(ErrorKind::internal, "told to fail");
      for (std::size_t row = 0; row < rows; ++row)
        session_->function_(std::span(in_).subspan(row * width_, width_),
                            std::span(out_).subspan(row * columns_.size(), columns_.size()));
      return {};
    }
    void read(std::size_t row, std::span<double> out) const override {
      std::copy_n(out_.begin() + static_cast<std::ptrdiff_t>(row * columns_.size()), columns_.size(), out.begin());
    }

   private:
    std::shared_ptr<const FakeSession> session_;
    std::size_t width_;
    std::vector<double> in_, out_;
    std::vector<OutputColumn> columns_;
  };

  std::string path_;
  std::size_t outputs_;
  Function function_;
  ModelInfo info_;
};

// A step made as the compiler makes it; its errors are texts.
struct Step {
  OperatorKind::Made made;
  std::string error;
  FrameBuilder out{1};

  [[nodiscard]] Operator& code() const { return *made.code; }
};

inline Step make_step(const std::string& yaml, const std::string& directory, std::vector<ValueInfo> inputs,
                      std::size_t slots = 1, std::map<std::string, std::shared_ptr<void>>* shared = nullptr) {
  Step step;
  const auto node = parse_document(yaml, "site.yaml");
  if (!node) return step.error = node.error().text(), std::move(step);
  std::vector<Error> errors;
  model_kind().schema().check(*node, errors);
  if (!errors.empty()) return step.error = errors.front().text(), std::move(step);
  const std::vector<AssetId> assets(slots);
  OperatorContext context;
  context.assets = assets;
  context.directory = directory;
  context.step_name = "step";
  context.shared = shared;
  auto made = model_kind().make(*node, inputs, context);
  if (!made) return step.error = made.error().text(), std::move(step);
  step.made = std::move(*made);
  step.out = FrameBuilder(step.made.outputs.size());
  return step;
}

// `count` inputs called a, b, c …
inline std::vector<ValueInfo> inputs(std::size_t count) {
  std::vector<ValueInfo> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i].name = std::string(1, static_cast<char>('a' + i));
  return out;
}

// Rows with their slots, owned.
struct Rows {
  std::vector<std::uint32_t> slot;
  std::vector<Nanos> time;
  std::vector<Quality> quality;
  std::vector<std::vector<double>> columns;
  std::vector<std::span<const double>> spans;

  explicit Rows(std::size_t width) : columns(width) {}
  void add(std::uint32_t in_slot, Nanos at, const std::vector<double>& values, Quality how = Quality::good) {
    slot.push_back(in_slot);
    time.push_back(at);
    quality.push_back(how);
    for (std::size_t k = 0; k < values.size(); ++k) columns[k].push_back(values[k]);
  }
  Frame frame() {
    spans.assign(columns.begin(), columns.end());
    return Frame{slot, 0, time, quality, spans, 0};
  }
};

inline std::uint64_t counter(const Operator& code, std::string_view name) {
  std::vector<Operator::Counter> counters;
  code.counters(counters);
  for (const auto& one : counters)
    if (one.name == name) return one.value;
  ADD_FAILURE() << "no counter " << name;
  return 0;
}

}  // namespace alara::infer::test
