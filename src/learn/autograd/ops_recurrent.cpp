// SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM: one loop over time for all their variants, after one matrix product for the inputs of all times.
// Formulas and the order of gates are those of the ONNX operators' definitions.
#include <array>

#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

using Activation = at::Tensor (*)(const at::Tensor& x);

at::Tensor affine_hard_sigmoid(const at::Tensor& x) { return at::clamp(x * 0.2 + 0.5, 0, 1); }
at::Tensor softsign(const at::Tensor& x) { return x / (1 + x.abs()); }
at::Tensor softplus(const at::Tensor& x) { return at::softplus(x); }

Activation activation_named(std::string_view name) {
  if (name == "Sigmoid") return at::sigmoid;
  if (name == "Tanh") return at::tanh;
  if (name == "Relu") return at::relu;
  if (name == "HardSigmoid") return affine_hard_sigmoid;
  if (name == "Softsign") return softsign;
  if (name == "Softplus") return softplus;
  return nullptr;
}

std::vector<std::string> activations_of(const graph::Node& node) {
  const auto found = node.attributes.find("activations");
  if (found == node.attributes.end()) return {};
  const auto* names = std::get_if<std::vector<std::string>>(&found->second);
  return names != nullptr ? *names : std::vector<std::string>{};
}

// What one step of one direction computes with.
struct Cell {
  at::Tensor recurrent;                   // [gates * hidden, hidden]
  at::Tensor recurrent_bias;              // [gates * hidden], or undefined
  at::Tensor peephole;                    // [3 * hidden] of an LSTM, or undefined
  std::array<Activation, 3> activations;  // f, g, h
  double clip = 0;                        // 0: none
  bool linear_before_reset = false;
  bool input_forget = false;

  [[nodiscard]] at::Tensor held(const at::Tensor& x) const { return clip > 0 ? at::clamp(x, -clip, clip) : x; }
  [[nodiscard]] at::Tensor apply(std::size_t i, const at::Tensor& x) const { return activations[i](held(x)); }
  [[nodiscard]] at::Tensor of_state(const at::Tensor& h) const {
    return recurrent_bias.defined() ? at::addmm(recurrent_bias, h, recurrent.t()) : at::mm(h, recurrent.t());
  }
};

struct State {
  at::Tensor h;
  at::Tensor c;  // LSTM only
};

// `x` is the input's part of all gates, [batch, gates * hidden].
using CellStep = State (*)(const Cell& cell, const at::Tensor& x, const State& state);

State rnn_step(const Cell& cell, const at::Tensor& x, const State& state) {
  return {cell.apply(0, x + cell.of_state(state.h)), {}};
}

// Gates z, r, h. With linear_before_reset the reset gate scales the product of state and weights, else the state.
State gru_step(const Cell& cell, const at::Tensor& x, const State& state) {
  const std::int64_t hidden = state.h.size(1);
  const auto xs = x.split(hidden, 1);
  if (cell.linear_before_reset) {
    const auto hs = cell.of_state(state.h).split(hidden, 1);
    const at::Tensor z = cell.apply(0, xs[0] + hs[0]);
    const at::Tensor r = cell.apply(0, xs[1] + hs[1]);
    const at::Tensor candidate = cell.apply(1, xs[2] + r * hs[2]);
    return {candidate + z * (state.h - candidate), {}};
  }
  Cell gates = cell;
  gates.recurrent = cell.recurrent.narrow(0, 0, 2 * hidden);
  Cell last = cell;
  last.recurrent = cell.recurrent.narrow(0, 2 * hidden, hidden);
  if (cell.recurrent_bias.defined()) {
    gates.recurrent_bias = cell.recurrent_bias.narrow(0, 0, 2 * hidden);
    last.recurrent_bias = cell.recurrent_bias.narrow(0, 2 * hidden, hidden);
  }
  const auto hs = gates.of_state(state.h).split(hidden, 1);
  const at::Tensor z = cell.apply(0, xs[0] + hs[0]);
  const at::Tensor r = cell.apply(0, xs[1] + hs[1]);
  const at::Tensor candidate = cell.apply(1, xs[2] + last.of_state(r * state.h));
  return {candidate + z * (state.h - candidate), {}};
}

// Gates i, o, f, c; peepholes i, o, f.
State lstm_step(const Cell& cell, const at::Tensor& x, const State& state) {
  const std::int64_t hidden = state.h.size(1);
  const auto gates = (x + cell.of_state(state.h)).split(hidden, 1);
  const auto peep = [&](std::size_t gate, std::int64_t place, const at::Tensor& c) {
    return cell.peephole.defined() ? gates[gate] + cell.peephole.narrow(0, place * hidden, hidden) * c : gates[gate];
  };
  const at::Tensor i = cell.apply(0, peep(0, 0, state.c));
  const at::Tensor f = cell.input_forget ? 1 - i : cell.apply(0, peep(2, 2, state.c));
  const at::Tensor c = f * state.c + i * cell.apply(1, gates[3]);
  const at::Tensor o = cell.apply(0, peep(1, 1, c));
  return {o * cell.activations[2](c), c};
}

struct Track {
  at::Tensor y;  // [time, batch, hidden]
  State last;
};

// `inputs` [time, batch, gates * hidden]; `lengths` [batch] or undefined: rows beyond theirs keep their state and give
// 0.
Track run_direction(const Cell& cell, CellStep step, const at::Tensor& inputs, const at::Tensor& lengths, State state,
                    bool backwards) {
  const std::int64_t times = inputs.size(0);
  const auto slices = inputs.unbind(0);
  Values ys(static_cast<std::size_t>(times));
  for (std::int64_t i = 0; i < times; ++i) {
    const std::int64_t t = backwards ? times - 1 - i : i;
    State next = step(cell, slices[static_cast<std::size_t>(t)], state);
    at::Tensor y = next.h;
    if (lengths.defined()) {
      const at::Tensor alive = (lengths > t).unsqueeze(1);
      y = at::where(alive, next.h, at::zeros_like(next.h));
      next.h = at::where(alive, next.h, state.h);
      if (next.c.defined()) next.c = at::where(alive, next.c, state.c);
    }
    ys[static_cast<std::size_t>(t)] = y;
    state = next;
  }
  return {at::stack(ys), state};
}

struct Kind {
  CellStep step;
  std::int64_t gates;
  std::array<std::string_view, 3> activations;
  std::size_t activation_count;
};
constexpr Kind kRnn = {rnn_step, 1, {"Tanh", "Tanh", "Tanh"}, 1};
constexpr Kind kGru = {gru_step, 3, {"Sigmoid", "Tanh", "Tanh"}, 2};
constexpr Kind kLstm = {lstm_step, 4, {"Sigmoid", "Tanh", "Tanh"}, 3};

Cell cell_of(const Call& call, const Kind& kind, std::int64_t direction) {
  Cell out;
  const std::int64_t rows = call[2].size(1);
  out.recurrent = call[2].select(0, direction);
  if (call.has(3)) out.recurrent_bias = call[3].select(0, direction).narrow(0, rows, rows);
  if (call.has(7)) out.peephole = call[7].select(0, direction);
  const std::vector<std::string> names = activations_of(call.node);
  for (std::size_t i = 0; i < kind.activations.size(); ++i) {
    const std::size_t place = static_cast<std::size_t>(direction) * kind.activation_count + i;
    const bool given = i < kind.activation_count && place < names.size();
    out.activations[i] = activation_named(given ? std::string_view(names[place]) : kind.activations[i]);
  }
  out.clip = call.number("clip", 0);
  out.linear_before_reset = call.integer("linear_before_reset", 0) != 0;
  out.input_forget = call.integer("input_forget", 0) != 0;
  return out;
}

// x [time, batch, values] times the weights of all gates, with the input's bias.
at::Tensor input_part(const Call& call, const at::Tensor& x, std::int64_t direction) {
  const at::Tensor weight = call[1].select(0, direction);
  const at::Tensor y = at::matmul(x, weight.t());
  return call.has(3) ? y + call[3].select(0, direction).narrow(0, 0, weight.size(0)) : y;
}

// Initial state of one direction; one row serves all (network.hpp).
at::Tensor initial(const Call& call, std::size_t input, std::int64_t direction, bool batch_first,
                   const at::Tensor& like) {
  if (!call.has(input)) return at::zeros_like(like);
  return call[input].select(batch_first ? 1 : 0, direction).expand_as(like);
}

template <const Kind& kind>
Values recurrent(const Call& call) {
  const bool batch_first = call.integer("layout", 0) != 0;
  const at::Tensor x = batch_first ? call[0].transpose(0, 1) : call[0];
  const std::string direction = call.node.text("direction", "forward");
  const std::int64_t hidden = call[2].size(2);
  const at::Tensor blank = at::zeros({x.size(1), hidden}, x.options());
  Values ys, hs, cs;
  for (std::int64_t d = 0; d < call[1].size(0); ++d) {
    State start = {initial(call, 5, d, batch_first, blank), {}};
    if (kind.gates == 4) start.c = initial(call, 6, d, batch_first, blank);
    const Track track =
        run_direction(cell_of(call, kind, d), kind.step, input_part(call, x, d),
                      call.has(4) ? call[4].to(at::kLong) : at::Tensor(), start, direction == "reverse" || d == 1);
    ys.push_back(track.y);
    hs.push_back(track.last.h);
    if (kind.gates == 4) cs.push_back(track.last.c);
  }
  // Y is [time, directions, batch, hidden], batch first [batch, time, directions, hidden].
  const at::Tensor y = at::stack(ys, 1);
  Values out = {batch_first ? y.permute({2, 0, 1, 3}) : y, at::stack(hs, batch_first ? 1 : 0)};
  if (kind.gates == 4) out.push_back(at::stack(cs, batch_first ? 1 : 0));
  return out;
}

std::string recurrent_limits(const graph::Node& node) {
  for (const std::string& name : activations_of(node))
    if (activation_named(name) == nullptr) return "activation " + name;
  if (node.has("activation_alpha") || node.has("activation_beta")) return "activation_alpha and activation_beta";
  return "";
}

}  // namespace

std::span<const Operator> recurrent_operators() {
  static constexpr Operator kTable[] = {
      {"GRU", recurrent<kGru>, inputs(1, 2, 3), 0, recurrent_limits},
      {"LSTM", recurrent<kLstm>, inputs(1, 2, 3, 7), 0, recurrent_limits},
      {"RNN", recurrent<kRnn>, inputs(1, 2, 3), 0, recurrent_limits},
  };
  return kTable;
}

}  // namespace alara::learn
