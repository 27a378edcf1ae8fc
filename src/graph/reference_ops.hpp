// SPDX-License-Identifier: Apache-2.0
// Inside of reference.hpp: how the operators are written and listed.
#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/reference.hpp"

namespace alara::graph::reference {

inline constexpr std::int64_t kMaxListed = 1 << 16;  // axes, sizes, starts … of one node

// One node to compute.
struct Call {
  const Node& node;
  std::span<const Tensor* const> inputs;
  std::size_t max_bytes;

  [[nodiscard]] bool given(std::size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  // Input i; bad_input where it is left out.
  [[nodiscard]] Result<const Tensor*> input(std::size_t i) const;
  // Input i as integers of one dimension, at most kMaxListed; the attribute of that name where the input is left out;
  // else nothing.
  [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::size_t i, std::string_view attribute) const;
  // Zeros, if they fit within max_bytes.
  [[nodiscard]] Result<Tensor> make(DataType type, Shape shape) const;
};

using Outputs = Result<std::vector<Tensor>>;
struct Operator {
  std::string_view name;
  Outputs (*compute)(const Call& call);
};
[[nodiscard]] std::span<const Operator> movements();   // numbers stay as they are and change places
[[nodiscard]] std::span<const Operator> arithmetic();  // element by element, and reductions

// -rank <= axis < rank, counted from the front; bad_input otherwise.
[[nodiscard]] Result<std::size_t> axis_of(std::int64_t axis, std::size_t rank);
// Elements from one index to the next, for each dimension of a row-major tensor.
[[nodiscard]] std::vector<std::int64_t> strides_of(std::span<const std::int64_t> shape);
// The shape of two under numpy's rules; bad_input when they do not go together.
[[nodiscard]] Result<Shape> broadcast(std::span<const std::int64_t> a, std::span<const std::int64_t> b);
// Strides that make `shape` look like `target`: 0 in dimensions that repeat.
[[nodiscard]] std::vector<std::int64_t> broadcast_strides(std::span<const std::int64_t> shape,
                                                          std::span<const std::int64_t> target);

// Calls visit(i, offset) for every element of `shape` in row-major order; offset is where strides lead.
template <typename Visit>
void walk(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides, std::int64_t offset,
          Visit&& visit) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  std::vector<std::int64_t> at(shape.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    visit(i, offset);
    for (std::size_t d = shape.size(); d-- > 0;) {
      offset += strides[d];
      if (++at[d] < shape[d]) break;
      offset -= strides[d] * shape[d];
      at[d] = 0;
    }
  }
}

// The same for two tensors that are read side by side: visit(i, offset of a, offset of b).
template <typename Visit>
void walk_both(std::span<const std::int64_t> shape, std::span<const std::int64_t> a, std::span<const std::int64_t> b,
               Visit&& visit) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  std::vector<std::int64_t> at(shape.size(), 0);
  std::int64_t in_a = 0;
  std::int64_t in_b = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    visit(i, in_a, in_b);
    for (std::size_t d = shape.size(); d-- > 0;) {
      in_a += a[d];
      in_b += b[d];
      if (++at[d] < shape[d]) break;
      in_a -= a[d] * shape[d];
      in_b -= b[d] * shape[d];
      at[d] = 0;
    }
  }
}

[[nodiscard]] inline std::vector<Tensor> one(Tensor tensor) {
  std::vector<Tensor> out;
  out.push_back(std::move(tensor));
  return out;
}

}  // namespace alara::graph::reference
