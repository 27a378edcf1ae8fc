// SPDX-License-Identifier: Apache-2.0
// Runs a model as its file says, tensors in and tensors out: for tools that look into models. Pipelines use
// session.hpp, which fits rows to a model and allocates nothing while it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "infer/model_info.hpp"

namespace alara::infer {

// What the inference library may do to the graph before it runs.
enum class GraphOptimisation : std::uint8_t {
  none,      // every node runs as it is written: each node's own result
  basic,     // folds constants, removes what does nothing
  extended,  // also fuses nodes
  all,       // also chooses memory layouts
};

struct TensorSessionOptions {
  std::string name = "model";  // for messages
  std::string folder = {};     // where the model's external data lies; empty: it has none
  int threads = 1;             // within one run
  GraphOptimisation optimisation = GraphOptimisation::all;
};

// Numbers that somebody else owns, row-major.
struct TensorSpan {
  ElementType type = ElementType::other;
  std::span<const std::int64_t> shape;
  std::span<const std::byte> bytes;
};
struct NamedTensor {
  std::string name;
  TensorSpan tensor;
};

// Used by one thread at a time.
class TensorSession {
 public:
  virtual ~TensorSession() = default;
  [[nodiscard]] virtual const std::vector<TensorInfo>& inputs() const = 0;
  [[nodiscard]] virtual const std::vector<TensorInfo>& outputs() const = 0;

  // Computes the named outputs, in their order. What it returns is good until the next run or the session's end.
  // Errors: bad_input (an input is missing, unknown, of another type or shape), internal.
  [[nodiscard]] virtual Result<std::vector<TensorSpan>> run(std::span<const NamedTensor> inputs,
                                                            std::span<const std::string> outputs) = 0;
};

// `model` is the content of an ONNX file; it may go after the call. Errors: corrupt (no model), bad_input (an unknown
// operator, wrong shapes), unavailable (no library).
[[nodiscard]] Result<std::unique_ptr<TensorSession>> open_tensor_session(std::span<const std::byte> model,
                                                                         const TensorSessionOptions& options);

}  // namespace alara::infer
