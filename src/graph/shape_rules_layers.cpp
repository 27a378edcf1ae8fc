// SPDX-License-Identifier: Apache-2.0
// Convolutions, pools, matrix products and recurrent layers.
#include <algorithm>

#include "graph/shape_rules.hpp"

namespace alara::graph {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Kernel, stride, padding and dilation along one spatial dimension.
struct Window {
  std::int64_t kernel = 1, stride = 1, before = 0, after = 0, dilation = 1;

  [[nodiscard]] std::int64_t reach() const { return dilation * (kernel - 1) + 1; }
};

Result<std::vector<Window>> windows_of(const ShapeContext& context, const std::vector<std::int64_t>& kernel) {
  const Node& node = context.node;
  const std::size_t rank = kernel.size();
  const auto strides = node.integers("strides", std::vector<std::int64_t>(rank, 1));
  const auto dilations = node.integers("dilations", std::vector<std::int64_t>(rank, 1));
  const auto pads = node.integers("pads", std::vector<std::int64_t>(2 * rank, 0));
  if (strides.size() != rank || dilations.size() != rank || pads.size() != 2 * rank)
    return context.misfit("strides, dilations or pads are not those of {} dimensions", rank);
  std::vector<Window> out;
  for (std::size_t i = 0; i < rank; ++i) {
    out.push_back({kernel[i], strides[i], pads[i], pads[rank + i], dilations[i]});
    const Window& last = out.back();
    if (last.kernel < 1 || last.stride < 1 || last.dilation < 1 || last.kernel > kMaxSize / last.dilation)
      return context.misfit("kernel {}, stride {} and dilation {} must be at least 1", last.kernel, last.stride,
                            last.dilation);
  }
  return out;
}

Result<Dim> size_after(const ShapeContext& context, const Dim& size, const Window& window) {
  const std::string automatic = context.node.text("auto_pad", "NOTSET");
  if (!size.known()) return Dim{};
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") return Dim{divide_up(size.size, window.stride), {}};
  const std::int64_t padded = size.size + (automatic == "VALID" ? 0 : window.before + window.after);
  const std::int64_t room = padded - window.reach();
  if (room < 0) return context.misfit("a window of {} is larger than its input of {}", window.reach(), padded);
  const bool ceil = context.node.integer("ceil_mode", 0) != 0;
  std::int64_t out = (ceil ? divide_up(room, window.stride) : room / window.stride) + 1;
  // The last window must start within the input or its padding before.
  if (ceil && (out - 1) * window.stride >= size.size + window.before) --out;
  return Dim{out, {}};
}

// Batch and channels as given, the spatial sizes after the windows.
Result<Dims> sizes_after(const ShapeContext& context, const Dims& input, Dim channels,
                         const std::vector<std::int64_t>& kernel) {
  ALARA_TRY(const auto windows, windows_of(context, kernel));
  if (input.size() != kernel.size() + 2)
    return context.misfit("a window of {} dimensions does not fit an input of {}", kernel.size(), input.size());
  Dims out = {input[0], std::move(channels)};
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    ALARA_TRY(Dim size, size_after(context, input[i + 2], windows[i]));
    out.push_back(std::move(size));
  }
  return out;
}

std::vector<std::int64_t> kernel_of(const ShapeContext& context, const Dims* weights) {
  auto kernel = context.node.integers("kernel_shape");
  if (!kernel.empty() || weights == nullptr) return kernel;
  for (std::size_t i = 2; i < weights->size(); ++i) kernel.push_back((*weights)[i].size);
  return kernel;
}

Status convolution(ShapeContext& context) {
  const bool quantised = context.node.op == "QLinearConv";
  const std::size_t weights_at = quantised ? 3 : 1;
  DataType type = context.type(0);
  if (quantised) type = context.type(7);
  if (context.node.op == "ConvInteger") type = DataType::int32;
  const Dims* input = context.dims(0);
  const Dims* weights = context.dims(weights_at);
  if (input == nullptr || weights == nullptr || weights->size() < 3) {
    context.set(0, type);
    return {};
  }
  if (input->size() != weights->size()) return context.misfit("input and weights differ in their dimensions");
  const std::int64_t group = context.node.integer("group", 1);
  const Dim& channels = (*input)[1];
  const Dim& per_group = (*weights)[1];
  if (group < 1 || group > kMaxSize) return context.misfit("group is {}", group);
  if (channels.known() && per_group.known() && channels.size != per_group.size * group)
    return context.misfit("{} channels do not go into {} groups of {}", channels.size, group, per_group.size);
  ALARA_TRY(Dims dims, sizes_after(context, *input, (*weights)[0], kernel_of(context, weights)));
  context.set(0, type, std::move(dims));
  return {};
}

Status transposed_convolution(ShapeContext& context) {
  const Node& node = context.node;
  const Dims* input = context.dims(0);
  const Dims* weights = context.dims(1);
  if (input == nullptr || weights == nullptr || weights->size() < 3 || input->size() != weights->size()) {
    context.set(0, context.type(0));
    return {};
  }
  const auto kernel = kernel_of(context, weights);
  ALARA_TRY(const auto windows, windows_of(context, kernel));
  if (kernel.size() + 2 != input->size()) return context.misfit("the kernel does not fit the input");
  const auto extra = node.integers("output_padding", std::vector<std::int64_t>(kernel.size(), 0));
  const auto wanted = node.integers("output_shape");
  const bool same = node.text("auto_pad", "NOTSET").starts_with("SAME");
  const std::int64_t group = node.integer("group", 1);
  const Dim& per_group = (*weights)[1];
  if (group < 1 || group > kMaxSize || extra.size() != kernel.size()) return context.misfit("group is {}", group);
  Dims out = {(*input)[0], per_group.known() ? Dim{per_group.size * group, {}} : Dim{}};
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const Dim& size = (*input)[i + 2];
    const Window& window = windows[i];
    if (wanted.size() >= kernel.size()) {
      out.push_back({wanted[wanted.size() - kernel.size() + i], {}});
    } else if (!size.known()) {
      out.emplace_back();
    } else if (size.size > kMaxSize / window.stride) {
      return context.misfit("the output is too large");
    } else {
      const std::int64_t full = window.stride * (size.size - 1) + extra[i] + window.reach();
      out.push_back({same ? size.size * window.stride : full - window.before - window.after, {}});
      if (out.back().size < 0) return context.misfit("padding takes away more than there is");
    }
  }
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status pool(ShapeContext& context) {
  const Dims* input = context.dims(0);
  const auto kernel = context.node.integers("kernel_shape");
  if (input == nullptr || input->size() < 3) {
    context.set(0, context.type(0));
    return {};
  }
  ALARA_TRY(Dims dims, sizes_after(context, *input, (*input)[1], kernel));
  context.set(1, DataType::int64, dims);
  context.set(0, context.type(0), std::move(dims));
  return {};
}

Status global_pool(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) {
    context.set(0, context.type(0));
    return {};
  }
  Dims out = *input;
  for (std::size_t i = 2; i < out.size(); ++i) out[i] = {1, {}};
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status gemm(ShapeContext& context) {
  const Dims* a = context.dims(0);
  const Dims* b = context.dims(1);
  if (a == nullptr || b == nullptr) {
    context.set(0, context.type(0));
    return {};
  }
  if (a->size() != 2 || b->size() != 2) return context.misfit("Gemm takes matrices");
  const bool a_turned = context.node.integer("transA", 0) != 0;
  const bool b_turned = context.node.integer("transB", 0) != 0;
  const Dim& inner_a = (*a)[a_turned ? 0 : 1];
  const Dim& inner_b = (*b)[b_turned ? 1 : 0];
  if (inner_a.known() && inner_b.known() && inner_a.size != inner_b.size)
    return context.misfit("rows of {} do not fit columns of {}", inner_a.size, inner_b.size);
  context.set(0, context.type(0), Dims{(*a)[a_turned ? 1 : 0], (*b)[b_turned ? 0 : 1]});
  return {};
}

Result<std::optional<Dims>> product_dims(const ShapeContext& context, std::size_t left, std::size_t right) {
  if (context.dims(left) == nullptr || context.dims(right) == nullptr) return std::optional<Dims>{};
  Dims a = *context.dims(left);
  Dims b = *context.dims(right);
  if (a.empty() || b.empty()) return context.misfit("a scalar has no matrix product");
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), Dim{1, {}});
  if (column) b.push_back({1, {}});
  const Dim inner_a = a.back();
  const Dim inner_b = b[b.size() - 2];
  if (inner_a.known() && inner_b.known() && inner_a.size != inner_b.size)
    return context.misfit("rows of {} do not fit columns of {}", inner_a.size, inner_b.size);
  const auto batch = broadcast(Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  if (!batch) return context.misfit("shapes do not broadcast");
  Dims out = *batch;
  if (!row) out.push_back(a[a.size() - 2]);
  if (!column) out.push_back(b.back());
  return out;
}

Status matrix_product(ShapeContext& context) {
  const bool quantised = context.node.op == "QLinearMatMul";
  ALARA_TRY(auto dims, product_dims(context, 0, quantised ? 3 : 1));
  DataType type = context.type(0);
  if (quantised) type = context.type(7);
  if (context.node.op == "MatMulInteger") type = DataType::int32;
  context.set(0, type, std::move(dims));
  return {};
}

// X [steps, batch, in], W [directions, gates * hidden, in]; Y [steps, directions, batch, hidden], states without steps.
Status recurrent(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr || input->size() != 3) {
    for (std::size_t i = 0; i < 3; ++i) context.set(i, context.type(0));
    return {};
  }
  const std::int64_t directions = context.node.text("direction", "forward") == "bidirectional" ? 2 : 1;
  Dim hidden{context.node.integer("hidden_size", -1), {}};
  if (const Dims* recurrence = context.dims(2); !hidden.known() && recurrence != nullptr && recurrence->size() == 3)
    hidden = (*recurrence)[2];
  const bool batch_first = context.node.integer("layout", 0) != 0;
  const Dim& steps = (*input)[batch_first ? 1 : 0];
  const Dim& batch = (*input)[batch_first ? 0 : 1];
  const Dim both{directions, {}};
  context.set(0, context.type(0), batch_first ? Dims{batch, steps, both, hidden} : Dims{steps, both, batch, hidden});
  for (std::size_t i = 1; i < 3; ++i)
    context.set(i, context.type(0), batch_first ? Dims{batch, both, hidden} : Dims{both, batch, hidden});
  return {};
}

}  // namespace

ShapeRules layer_rules() {
  ShapeRules rules;
  for (const char* op : {"Conv", "ConvInteger", "QLinearConv"}) rules[op] = convolution;
  rules["ConvTranspose"] = transposed_convolution;
  for (const char* op : {"MaxPool", "AveragePool", "LpPool"}) rules[op] = pool;
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) rules[op] = global_pool;
  rules["Gemm"] = gemm;
  for (const char* op : {"MatMul", "MatMulInteger", "QLinearMatMul"}) rules[op] = matrix_product;
  for (const char* op : {"RNN", "GRU", "LSTM"}) rules[op] = recurrent;
  return rules;
}

}  // namespace alara::graph
