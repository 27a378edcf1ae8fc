// SPDX-License-Identifier: Apache-2.0
// `gradients`: is autograd right? Every operator in its variants: values in float32 against ONNX Runtime, gradients in
// float64 against central differences; and ONNX's own test vectors where they are installed (or in
// the folder --data).
#include <set>

#include "bench/lab/benches.hpp"
#include "learn/autograd/agreement.hpp"
#include "learn/autograd/cases.hpp"
#include "learn/autograd/node_vectors.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {
namespace {

constexpr double kForwardTolerance = 1e-5;   // of the tensor's scale, absolute below 1
constexpr double kGradientTolerance = 1e-6;  // of the difference, absolute below 1
constexpr std::uint64_t kSeed = 7;

struct Worst {
  double error = 0;
  std::string name;
  void take(double other, const std::string& of) {
    if (other < error) return;
    error = other;
    name = of;
  }
};

struct Totals {
  Worst forward, gradient;
  std::set<std::string> operators;
  double gradients = 0;
};

Status check(const learn::Case& each, Totals& totals) {
  ALARA_TRY(const double forward, learn::largest_forward_error(each.model, each.inputs, learn::make_ort_executor()));
  totals.forward.take(forward, each.name());
  totals.operators.insert(each.op);
  if (!each.differentiable) return {};
  const learn::GradientCheck how = {each.mode, kSeed, each.smooth ? &*each.smooth : nullptr};
  ALARA_TRY(const double gradient, learn::largest_gradient_error(each.model, each.inputs, how));
  totals.gradient.take(gradient, each.name());
  ++totals.gradients;
  return {};
}

// Leaves a note where ONNX's suite is not there.
bool check_node_vectors(const std::string& suite, Report& report) {
  const auto folders = learn::node_vector_folders(suite.empty() ? learn::kNodeVectors : suite);
  if (folders.empty()) {
    report.notes.emplace_back("ONNX's node vectors are not installed (Debian: libonnx-testdata): left out");
    return true;
  }
  const learn::NodeReport vectors = learn::run_node_vectors(folders, kForwardTolerance);
  report.figures["node_vectors"] = static_cast<double>(vectors.ran);
  report.figures["max_node_vector_error"] = vectors.worst;
  report.notes.push_back(fmt::format("{} of ONNX's {} node vectors need operators or types that are not here",
                                     vectors.left_out.size(), folders.size()));
  for (const auto& [name, why] : vectors.failed) report.notes.push_back(fmt::format("{}: {}", name, why));
  return vectors.failed.empty();
}

}  // namespace

Result<Report> run_gradients(const Arguments& arguments) {
  Report report;
  report.workload =
      "One-node models of every operator in its variants: values in float32 against ONNX Runtime (relative to the "
      "tensor's scale, absolute below 1), gradients for all inputs and parameters in float64 against central "
      "differences (relative, absolute below 1); then ONNX's own node vectors.";
  Totals totals;
  const auto cases = learn::all_cases();
  for (const learn::Case& each : cases)
    if (auto status = check(each, totals); !status)
      return fail(status.error().kind, "{}: {}", each.name(), status.error().text());
  report.figures["operators"] = static_cast<double>(totals.operators.size());
  report.figures["cases"] = static_cast<double>(cases.size());
  report.figures["cases_with_gradients"] = totals.gradients;
  report.figures["max_forward_error"] = totals.forward.error;
  report.figures["max_gradient_error"] = totals.gradient.error;
  report.notes.push_back(fmt::format("worst value: {}; worst gradient: {}", totals.forward.name, totals.gradient.name));
  const bool vectors_agree = check_node_vectors(arguments.data, report);
  report.checked =
      vectors_agree && totals.forward.error <= kForwardTolerance && totals.gradient.error <= kGradientTolerance;
  return report;
}

}  // namespace alara::bench
