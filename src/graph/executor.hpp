// SPDX-License-Identifier: Apache-2.0
// The seam between passes that need numbers (calibration, sensitivity, comparison) and what computes them. The graph
// module computes nothing itself: `learn/ort_executor.hpp` runs models with ONNX Runtime, tests may bring their own.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

// Numbers that somebody else owns; good until the run that gave them is repeated or its executor goes.
struct TensorView {
  DataType type = DataType::undefined;
  std::span<const std::int64_t> shape;
  std::span<const std::byte> bytes;

  template <typename T>
  [[nodiscard]] std::span<const T> values() const {
    ALARA_ASSERT(type == DataTypeOf<T>::value, "a tensor is read as another type than it has");
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  [[nodiscard]] Tensor copy() const;
};
[[nodiscard]] TensorView view(const Tensor& tensor);

// One loaded model. Used by one thread at a time.
class Executor {
 public:
  virtual ~Executor() = default;
  // `inputs` in the order of the model's inputs. Returns the wanted values in the order in which they were asked for.
  // Errors: bad_input (an input does not fit), internal.
  [[nodiscard]] virtual Result<std::vector<TensorView>> run(std::span<const TensorView> inputs) = 0;
};

struct ExecutorOptions {
  int threads = 1;
  bool optimise = true;  // false: no fusing, each node's own result (comparing layer by layer)
};

// Loads a model so that running it gives `wanted`, any values of its graph (empty: its outputs). Errors: bad_input
// (the model can not be run: why, at which node), unavailable (nothing here to run it with).
using ExecutorFactory = std::function<Result<std::unique_ptr<Executor>>(
    const Model& model, std::span<const std::string> wanted, const ExecutorOptions& options)>;

// Samples one after the other, never all in memory: calibration and evaluation read through this.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  // Inputs of sample i < size(), in the order of the model's inputs. Errors name the file.
  [[nodiscard]] virtual Result<std::vector<Tensor>> sample(std::size_t i) = 0;
};

}  // namespace alara::graph
