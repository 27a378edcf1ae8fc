// SPDX-License-Identifier: Apache-2.0
// Typed operations to a register program, and its two ways to run: row by row and by chunks of columns.
#include <algorithm>
#include <array>
#include <bit>

#include "expr/expression.hpp"
#include "expr/tree.hpp"
#include "expr/typed.hpp"

// Clones by instruction set; each loop does one operation, so no clone can fuse a multiply and an add and differ in
// bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define ALARA_EXPR_KERNEL __attribute__((target_clones("default", "avx2", "avx512f"), optimize("O3")))
#else
#define ALARA_EXPR_KERNEL
#endif

namespace alara::expr {
namespace {

constexpr std::size_t kFewRows = 4;  // below, starting the kernels costs more than they save
constexpr std::size_t kMaxInputs = 16'384;

template <Opcode op>
[[gnu::always_inline]] inline void loop(double* __restrict out, const double* __restrict a, const double* __restrict b,
                                        const double* __restrict c, std::size_t rows) {
  for (std::size_t i = 0; i < rows; ++i) out[i] = apply(op, a[i], b[i], c[i]);
}

ALARA_EXPR_KERNEL
void run_kernel(Opcode op, double* out, const double* a, const double* b, const double* c, std::size_t rows) {
  switch (op) {
#define ALARA_EXPR_CASE(name) \
  case Opcode::name:          \
    return loop<Opcode::name>(out, a, b, c, rows);
    // The formatter does not settle on a layout of these.
    // clang-format off
    ALARA_EXPR_CASE(copy) ALARA_EXPR_CASE(negate) ALARA_EXPR_CASE(logical_not) ALARA_EXPR_CASE(add)
    ALARA_EXPR_CASE(subtract) ALARA_EXPR_CASE(multiply) ALARA_EXPR_CASE(divide) ALARA_EXPR_CASE(modulo)
    ALARA_EXPR_CASE(power) ALARA_EXPR_CASE(less) ALARA_EXPR_CASE(less_equal) ALARA_EXPR_CASE(greater)
    ALARA_EXPR_CASE(greater_equal) ALARA_EXPR_CASE(equal) ALARA_EXPR_CASE(not_equal) ALARA_EXPR_CASE(logical_and)
    ALARA_EXPR_CASE(logical_or) ALARA_EXPR_CASE(select) ALARA_EXPR_CASE(square) ALARA_EXPR_CASE(abs)
    ALARA_EXPR_CASE(sqrt) ALARA_EXPR_CASE(exp) ALARA_EXPR_CASE(log) ALARA_EXPR_CASE(log10) ALARA_EXPR_CASE(sin)
    ALARA_EXPR_CASE(cos) ALARA_EXPR_CASE(tan) ALARA_EXPR_CASE(atan2) ALARA_EXPR_CASE(min) ALARA_EXPR_CASE(max)
    ALARA_EXPR_CASE(floor) ALARA_EXPR_CASE(ceil) ALARA_EXPR_CASE(round) ALARA_EXPR_CASE(sign) ALARA_EXPR_CASE(isnan)
    ALARA_EXPR_CASE(coalesce)
    // clang-format on
#undef ALARA_EXPR_CASE
  }
}

}  // namespace

// Numbers the operands and orders the operations; a register is free again when its one reader has run.
class Emitter {
 public:
  Emitter(const Source& source, const Typed& typed, std::size_t inputs) : source_(source), typed_(typed) {
    program_.inputs_ = inputs;
    program_.unit_ = typed.unit;
    program_.boolean_ = typed.boolean;
  }

  Result<Program> run() {
    if (program_.inputs_ > kMaxInputs)
      return tl::unexpected<Error>(error_at(source_, 0, fmt::format("more than {} values to choose from", kMaxInputs)));
    collect(typed_.root);
    if (typed_.nodes[static_cast<std::size_t>(typed_.root)].kind == TypedNode::Kind::operation) {
      emit(typed_.root);
    } else {
      const std::uint16_t last = operand(typed_.root);
      program_.code_.push_back({Opcode::copy, 0, last, last, last});
    }
    if (free_.size() > kMaxRegisters)
      return tl::unexpected<Error>(
          error_at(source_, 0, fmt::format("the expression needs more than {} intermediate results", kMaxRegisters),
                   "split it into two steps"));
    program_.registers_ = free_.size();
    program_.code_.back().out = static_cast<std::uint16_t>(first_register() + program_.registers_);
    std::sort(program_.uses_.begin(), program_.uses_.end());
    lay_out();
    return std::move(program_);
  }

 private:
  const TypedNode& at(int node) const { return typed_.nodes[static_cast<std::size_t>(node)]; }
  std::size_t first_register() const { return program_.inputs_ + program_.constants_.size(); }

  void collect(int node) {
    if (node < 0) return;
    const TypedNode& n = at(node);
    if (n.kind == TypedNode::Kind::input) {
      if (std::find(program_.uses_.begin(), program_.uses_.end(), n.input) == program_.uses_.end())
        program_.uses_.push_back(n.input);
    } else if (n.kind == TypedNode::Kind::constant) {
      if (constant_at(n.value) == program_.constants_.size()) program_.constants_.push_back(n.value);
    } else {
      for (const int argument : {n.a, n.b, n.c}) collect(argument);
    }
  }

  std::size_t constant_at(double value) const {
    const auto same = [&](double other) {
      return std::bit_cast<std::uint64_t>(other) == std::bit_cast<std::uint64_t>(value);
    };
    return static_cast<std::size_t>(std::find_if(program_.constants_.begin(), program_.constants_.end(), same) -
                                    program_.constants_.begin());
  }

  std::uint16_t operand(int node) {
    const TypedNode& n = at(node);
    if (n.kind == TypedNode::Kind::input) return static_cast<std::uint16_t>(n.input);
    if (n.kind == TypedNode::Kind::constant) return static_cast<std::uint16_t>(program_.inputs_ + constant_at(n.value));
    return emit(node);
  }

  std::uint16_t emit(int node) {
    const TypedNode n = at(node);
    const std::uint16_t a = operand(n.a);
    const std::uint16_t b = n.b < 0 ? a : operand(n.b);
    const std::uint16_t c = n.c < 0 ? a : operand(n.c);
    const auto taken = std::find(free_.begin(), free_.end(), true);
    const std::size_t index = static_cast<std::size_t>(taken - free_.begin());
    if (taken == free_.end()) free_.push_back(true);
    free_[index] = false;
    const auto out = static_cast<std::uint16_t>(first_register() + index);
    program_.code_.push_back({n.op, out, a, b, c});
    program_.handles_nan_ = program_.handles_nan_ || n.op == Opcode::isnan || n.op == Opcode::coalesce;
    for (const std::uint16_t read : {a, b, c})
      if (read >= first_register()) free_[read - first_register()] = true;
    return out;
  }

  void lay_out() {
    const std::size_t constants = program_.constants_.size();
    program_.scratch_.assign((constants + program_.registers_) * kChunk, 0.0);
    program_.operands_.assign(program_.inputs_ + constants + program_.registers_ + 1, nullptr);
    for (std::size_t k = 0; k < constants; ++k)
      std::fill_n(program_.scratch_.begin() + static_cast<std::ptrdiff_t>(k * kChunk), kChunk, program_.constants_[k]);
  }

  const Source& source_;
  const Typed& typed_;
  Program program_;
  std::vector<bool> free_;
};

std::size_t Program::memory_bytes() const {
  return code_.capacity() * sizeof(Instruction) + (constants_.capacity() + scratch_.capacity()) * sizeof(double) +
         uses_.capacity() * sizeof(std::size_t) + operands_.capacity() * sizeof(double*);
}

template <typename Input>
double Program::run_row(const Input& input) const {
  std::array<double, kMaxRegisters + 1> registers;
  const std::size_t first_register = inputs_ + constants_.size();
  const auto read = [&](std::uint16_t operand) -> double {
    if (operand < inputs_) return input(operand);
    if (operand < first_register) return constants_[operand - inputs_];
    return registers[operand - first_register];
  };
  double result = 0;
  for (const Instruction& instruction : code_) {
    result = apply(instruction.op, read(instruction.a), read(instruction.b), read(instruction.c));
    registers[instruction.out - first_register] = result;
  }
  return result;
}

double Program::evaluate(std::span<const double> values) const {
  return run_row([&](std::size_t input) { return values[input]; });
}

void Program::run_chunk(std::size_t rows, double* out) {
  const std::size_t first_register = inputs_ + constants_.size();
  const std::size_t result = first_register + registers_;
  for (const Instruction& instruction : code_) {
    double* to = instruction.out == result ? out : scratch_.data() + (instruction.out - inputs_) * kChunk;
    run_kernel(instruction.op, to, operands_[instruction.a], operands_[instruction.b], operands_[instruction.c], rows);
  }
}

void Program::evaluate(std::span<const std::span<const double>> columns, std::span<double> out) {
  if (out.size() < kFewRows) {
    for (std::size_t row = 0; row < out.size(); ++row)
      out[row] = run_row([&](std::size_t input) { return columns[input][row]; });
    return;
  }
  for (std::size_t k = 0; k < constants_.size() + registers_; ++k)
    operands_[inputs_ + k] = scratch_.data() + k * kChunk;
  for (std::size_t begin = 0; begin < out.size(); begin += kChunk) {
    for (const std::size_t input : uses_) operands_[input] = columns[input].data() + begin;
    run_chunk(std::min(kChunk, out.size() - begin), out.data() + begin);
  }
}

namespace {

Result<Program> compile_as(const Source& source, std::span<const ValueInfo> values, Wanted wanted, const Unit& unit) {
  ALARA_TRY(const Tree tree, parse(source));
  ALARA_TRY(const Typed typed, check(source, tree, values, wanted, unit));
  return Emitter(source, typed, values.size()).run();
}

}  // namespace

Result<Program> compile(const Source& source, std::span<const ValueInfo> values) {
  return compile_as(source, values, Wanted::anything, {});
}

Result<Program> compile_condition(const Source& source, std::span<const ValueInfo> values) {
  return compile_as(source, values, Wanted::condition, {});
}

Result<Program> compile_in(const Source& source, std::span<const ValueInfo> values, const Unit& unit) {
  return compile_as(source, values, Wanted::in_unit, unit);
}

Result<std::vector<std::string>> names_in(const Source& source) {
  ALARA_TRY(const Tree tree, parse(source));
  std::vector<const TreeNode*> found;
  for (const TreeNode& node : tree.nodes)
    if (node.op == Op::value) found.push_back(&node);
  std::sort(found.begin(), found.end(), [](const TreeNode* a, const TreeNode* b) { return a->begin < b->begin; });
  std::vector<std::string> names;
  for (const TreeNode* node : found)
    if (std::find(names.begin(), names.end(), node->name) == names.end()) names.push_back(node->name);
  return names;
}

}  // namespace alara::expr
