// SPDX-License-Identifier: Apache-2.0
// A loaded model and what runs it. Session and Runner are the seam to the inference library: nothing of ONNX Runtime
// shows here, and it is loaded when the first session is (a node without models does not pay its memory).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "infer/model_info.hpp"
#include "infer/onnx_file.hpp"

namespace alara::infer {

inline constexpr std::size_t kMaxBatchRows = 4096;
inline constexpr std::size_t kMaxTensorElements = std::size_t{1} << 26;  // of one input or output at the largest batch

struct SessionOptions {
  int threads = 1;               // within one run; more than 1 shortens large models' runs and disturbs other shards
  std::string provider = "cpu";  // one of providers(), in any case and without "ExecutionProvider"
};

// How a pipeline uses a model: rows of `values` numbers, or of the last `history` such rows, oldest first.
struct RunPlan {
  std::size_t values = 1;
  std::size_t history = 1;
  std::size_t max_rows = 1;               // in one run; at most kMaxBatchRows
  std::vector<std::string> tensors = {};  // outputs to compute; empty: all of them
};

// One number of each result row: element `element` of the model's output `tensor`.
struct OutputColumn {
  std::string tensor;
  std::size_t element = 0;
  std::size_t elements = 1;  // of that tensor per row
};

// Preallocated tensors of one session, used by one thread. After make_runner() nothing of ours allocates unless a run
// fails.
class Runner {
 public:
  virtual ~Runner() = default;
  [[nodiscard]] virtual const std::vector<OutputColumn>& columns() const = 0;
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;

  // Puts values * history numbers (oldest row first) into row `row` < max_rows of the next run.
  virtual void write(std::size_t row, std::span<const double> numbers) = 0;
  // Computes rows 0 … rows-1. On error the outputs are undefined.
  virtual Status run(std::size_t rows) = 0;
  // Reads columns().size() numbers of a row of the last run.
  virtual void read(std::size_t row, std::span<double> out) const = 0;
};

// Immutable, may be shared by threads.
class Session : public std::enable_shared_from_this<Session> {
 public:
  virtual ~Session() = default;
  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual const ModelInfo& info() const = 0;

  // Checks the plan against the model's shapes and types, allocates, and warms up with the smallest and the largest
  // batch. The runner keeps the session alive. Errors of kind bad_input name both sides.
  [[nodiscard]] virtual Result<std::unique_ptr<Runner>> make_runner(const RunPlan& plan) const = 0;
};

// Errors: not_found (no file), corrupt (cut short), bad_input (unknown operator, provider), unavailable (no library).
[[nodiscard]] Result<std::shared_ptr<const Session>> load_session(const std::string& path,
                                                                  const SessionOptions& options);
[[nodiscard]] Result<std::shared_ptr<const Session>> load_session(ModelFile file, const SessionOptions& options);

// The inference library found on this machine; loads it.
struct RuntimeInfo {
  std::string version;                 // "1.30.0"
  std::string library;                 // where it lies
  std::vector<std::string> providers;  // "cpu", "cuda", …: built in; a GPU's may still lack its drivers
};
[[nodiscard]] Result<RuntimeInfo> runtime_info();

}  // namespace alara::infer
