// SPDX-License-Identifier: Apache-2.0
#include "lab/resident.hpp"

#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <fstream>

#include "base/child_process.hpp"
#include "graph/import/source.hpp"
#include "graph/shapes.hpp"
#include "infer/session.hpp"
#include "learn/ort_executor.hpp"

namespace alara::lab {
namespace {

constexpr Nanos kPatience = 120 * kSecond;
constexpr int kRuns = 3;

// A line of /proc/self/status, in MB; 0 where it is not there.
double status_mb(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return std::strtod(line.c_str() + key.size() + 1, nullptr) / 1024;
  return 0;
}

// The highest level from now on, not since the start.
void forget_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

Result<std::vector<graph::Tensor>> zeros_for(const graph::Model& model) {
  const auto shapes = graph::fixed_inputs(model);
  std::vector<graph::Tensor> out;
  for (const graph::ValueInfo& input : model.graph.inputs) {
    for (std::size_t d = 1; input.dims && d < input.dims->size(); ++d)
      if (!(*input.dims)[d].known()) return fail(ErrorKind::bad_input, "the size of {} is open", input.text());
    const auto fixed = shapes.find(input.name);
    const auto known = input.dims ? graph::shape_of(*input.dims) : std::nullopt;
    if (fixed == shapes.end() && !known) return fail(ErrorKind::bad_input, "the size of {} is open", input.text());
    out.push_back(graph::Tensor::zeros(input.type, fixed != shapes.end() ? fixed->second : *known));
  }
  return out;
}

struct Loaded {
  std::unique_ptr<graph::Executor> executor;
  std::vector<graph::Tensor> inputs;
};

Result<Loaded> load(const std::filesystem::path& path) {
  ALARA_TRY(const graph::Model model, graph::read_model(path));
  ALARA_TRY(auto inputs, zeros_for(model));
  ALARA_TRY(auto executor, learn::make_ort_executor()(model, {}, {1, true}));
  return Loaded{std::move(executor), std::move(inputs)};
}

}  // namespace

Result<double> run_and_measure_resident(const std::filesystem::path& model) {
  ALARA_TRY(const infer::RuntimeInfo runtime, infer::runtime_info());
  const double before = status_mb("VmRSS");
  ALARA_TRY(const Loaded loaded, load(model));
  forget_peak();
  std::vector<graph::TensorView> views;
  for (const graph::Tensor& input : loaded.inputs) views.push_back(graph::view(input));
  for (int run = 0; run < kRuns; ++run) {
    ALARA_TRY(const auto outputs, loaded.executor->run(views));
  }
  return status_mb("VmHWM") - before;
}

std::optional<double> resident_mb(const std::string& program, const std::filesystem::path& model) {
  std::string output = (std::filesystem::temp_directory_path() / "alara-resident-XXXXXX").string();
  const int file = mkstemp(output.data());
  if (file < 0) return std::nullopt;
  close(file);
  std::optional<double> out;
  auto child = ChildProcess::start({program, "report", "--resident-of", model.string()}, output);
  if (child && (*child)->wait(kPatience) == 0) {
    double number = 0;
    if (std::ifstream(output) >> number) out = number;
  }
  std::error_code ignored;
  std::filesystem::remove(output, ignored);
  return out;
}

}  // namespace alara::lab
