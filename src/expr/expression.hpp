// SPDX-License-Identifier: Apache-2.0
// Expressions over named values, compiled when a site file is loaded: names resolved, units checked and conversions put
// in, then run as a flat register program over whole columns. The grammar is in README.md.
//
// NaN: arithmetic and functions pass it on; every comparison with NaN is false (also !=); as a condition NaN is false;
// coalesce(a, b) replaces it, isnan(a) tells it. Booleans are the numbers 0 and 1.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "core/frame.hpp"
#include "core/operator.hpp"

namespace alara::expr {

inline constexpr std::size_t kMaxLength = 4096;    // characters of one expression
inline constexpr std::size_t kMaxNodes = 500;      // numbers, values, operators and calls in it
inline constexpr int kMaxDepth = 64;               // brackets, calls and prefixes within one another
inline constexpr std::size_t kMaxRegisters = 256;  // intermediate results alive at once
inline constexpr std::size_t kChunk = 256;         // rows evaluated at a time; a register is 2 KB

// A text and where its first character stands.
struct Source {
  std::string text;
  Where where;
};
[[nodiscard]] Source source_of(const Node& scalar);

// The values an expression reads, each once, in the order of appearance.
[[nodiscard]] Result<std::vector<std::string>> names_in(const Source& source);

enum class Opcode : std::uint8_t {
  copy,
  negate,
  logical_not,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  power,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  logical_and,
  logical_or,
  select,
  square,
  abs,
  sqrt,
  exp,
  log,
  log10,
  sin,
  cos,
  tan,
  atan2,
  min,
  max,
  floor,
  ceil,
  round,
  sign,
  isnan,
  coalesce,
};

struct Instruction {
  Opcode op;
  std::uint16_t out, a, b, c;  // operands: the inputs first, then the constants, the registers, the result
};

// A compiled expression. Owns its scratch memory: one thread at a time. Evaluation allocates nothing.
class Program {
 public:
  [[nodiscard]] const Unit& unit() const { return unit_; }
  [[nodiscard]] bool boolean() const { return boolean_; }  // a comparison or logic; 0 or 1
  [[nodiscard]] bool constant() const { return uses_.empty(); }
  [[nodiscard]] bool handles_nan() const { return handles_nan_; }  // it calls isnan or coalesce
  // The input columns that matter, rising.
  [[nodiscard]] std::span<const std::size_t> uses() const { return uses_; }
  [[nodiscard]] std::size_t memory_bytes() const;

  // One row; `values` has one number for each value given to compile().
  [[nodiscard]] double evaluate(std::span<const double> values) const;
  // All rows of `columns`; `out` has as many elements as rows. Same bits as evaluate() row by row.
  void evaluate(std::span<const std::span<const double>> columns, std::span<double> out);

 private:
  friend class Emitter;
  template <typename Input>
  double run_row(const Input& input) const;
  void run_chunk(std::size_t rows, double* out);

  std::vector<Instruction> code_;
  std::vector<double> constants_;
  std::vector<std::size_t> uses_;
  std::size_t inputs_ = 0;
  std::size_t registers_ = 0;
  Unit unit_;
  bool boolean_ = false;
  bool handles_nan_ = false;
  std::vector<double> scratch_;          // a chunk per constant and per register
  std::vector<const double*> operands_;  // where each operand's chunk lies
};

// Compiles against the values a frame will carry, in the order of its columns.
[[nodiscard]] Result<Program> compile(const Source& source, std::span<const ValueInfo> values);
// As compile(), for a condition: the result must be true or false, or a plain number (0 is false).
[[nodiscard]] Result<Program> compile_condition(const Source& source, std::span<const ValueInfo> values);
// As compile(), with the result converted to `unit`.
[[nodiscard]] Result<Program> compile_in(const Source& source, std::span<const ValueInfo> values, const Unit& unit);

}  // namespace alara::expr
