// SPDX-License-Identifier: Apache-2.0
#include "lab/report_measure.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "graph/cost.hpp"
#include "graph/import/source.hpp"
#include "graph/quantize/compare.hpp"
#include "infer/session.hpp"
#include "lab/evaluation_data.hpp"
#include "lab/resident.hpp"
#include "learn/data/file_bytes.hpp"
#include "learn/data/gzip.hpp"
#include "learn/latency.hpp"

namespace alara::lab {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{2} << 30;
constexpr std::size_t kMaxValues = 400;  // compared within one model
constexpr std::size_t kWarmUps = 5;
constexpr std::int64_t kLeastWeights = 128;  // smaller constants are no weights worth counting zeros in

struct Subject {
  NamedFile file;
  graph::Model model;
  graph::ValueTable values;
  std::unique_ptr<graph::Executor> executor = {};
};

Result<Subject> open(const NamedFile& file) {
  Subject out{file, {}, {}};
  ALARA_TRY(out.model, graph::read_model(file.path));
  graph::Model one_row = out.model;
  for (graph::ValueInfo& input : one_row.graph.inputs)
    if (input.dims && !input.dims->empty() && !input.dims->front().known()) input.dims->front() = {1, {}};
  ALARA_TRY(out.values, graph::infer_shapes(one_row));
  return out;
}

// Whether one tensor can be given to both: sizes that both know are equal.
bool takes_the_same(const graph::ValueInfo& a, const graph::ValueInfo& b) {
  if (!a.dims || !b.dims) return true;
  return std::equal(
      a.dims->begin(), a.dims->end(), b.dims->begin(), b.dims->end(),
      [](const graph::Dim& x, const graph::Dim& y) { return !x.known() || !y.known() || x.size == y.size; });
}

Status check_inputs(const Subject& original, const Subject& variant) {
  const auto& a = original.model.graph;
  const auto& b = variant.model.graph;
  bool same = a.inputs.size() == b.inputs.size() && a.outputs.size() == b.outputs.size();
  for (std::size_t i = 0; same && i < a.inputs.size(); ++i) same = a.inputs[i].type == b.inputs[i].type;
  if (!same)
    return fail(ErrorKind::bad_input, "'{}' and '{}' differ in their inputs or outputs", original.file.path.string(),
                variant.file.path.string());
  for (std::size_t i = 0; i < a.inputs.size(); ++i)
    if (!takes_the_same(a.inputs[i], b.inputs[i]))
      return tl::unexpected<Error>(
          Error{ErrorKind::bad_input,
                fmt::format("'{}' takes {}, but '{}' takes {}", original.file.path.string(), a.inputs[i].text(),
                            variant.file.path.string(), b.inputs[i].text()),
                {},
                "variants run on the same samples; their inputs need the same shapes"});
  return {};
}

// How many weights of a constant stand for 0: integers that equal the zero point of the DequantizeLinear that reads
// them (of each channel along its axis where there are several), floats that are 0.
double zeros_of(const graph::Graph& graph, const std::string& name, const graph::Tensor& constant,
                std::span<const float> numbers) {
  std::vector<float> zero_points = {0};
  std::int64_t axis = 0;
  for (const graph::Node& node : graph.nodes) {
    if (!node.is("DequantizeLinear") || node.input(0) != name) continue;
    const graph::Tensor* given = graph.constant(node.input(2));
    if (given == nullptr) break;
    if (auto points = given->to_floats(); points && !points->empty()) zero_points = *std::move(points);
    axis = node.integer("axis", 1);
    break;
  }
  const auto rank = static_cast<std::int64_t>(constant.rank());
  if (axis < 0) axis += rank;
  std::size_t inner = 1;
  for (std::int64_t i = axis + 1; i < rank; ++i) inner *= static_cast<std::size_t>(constant.shape[i]);
  double zeros = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    zeros += numbers[i] == zero_points[i / inner % zero_points.size()] ? 1 : 0;
  return zeros;
}

// What the file alone tells.
Result<VariantReport> describe(const Subject& subject) {
  VariantReport out;
  out.name = subject.file.name;
  out.file = subject.file.path.filename().string();
  ALARA_TRY(const std::vector<std::byte> bytes, learn::read_bytes(subject.file.path, kMaxFileBytes));
  out.bytes = bytes.size();
  ALARA_TRY(out.packed_bytes, learn::packed_size(bytes));
  const graph::ModelCost cost = graph::cost_of(subject.model.graph, subject.values);
  out.nodes = static_cast<std::int64_t>(subject.model.graph.nodes.size());
  out.macs = cost.macs;
  out.parameters = cost.parameters;
  out.peak_activation_bytes = cost.peak_activation_bytes;
  out.integer = cost.operators.contains("QuantizeLinear");
  double zeros = 0, weights = 0;
  for (const auto& [name, constant] : subject.model.graph.constants) {
    out.weight_bytes[std::string(graph::name_of(constant->type))] += static_cast<std::int64_t>(constant->bytes.size());
    if (constant->elements() < kLeastWeights || constant->type == graph::DataType::int64) continue;
    const auto numbers = constant->to_floats();
    if (!numbers) continue;
    zeros += zeros_of(subject.model.graph, name, *constant, *numbers);
    weights += static_cast<double>(numbers->size());
  }
  out.zero_share = weights > 0 ? zeros / weights : 0;
  return out;
}

constexpr std::int64_t kNoClass = -1;  // scores that are not numbers choose none

// The class a classifier chose for one sample; nullopt when the output is no row of scores.
std::optional<std::int64_t> answer(const graph::TensorView& output) {
  std::int64_t elements = 1;
  for (const std::int64_t size : output.shape) elements *= size;
  if (output.type != graph::DataType::float32 || output.shape.empty() || elements < 2) return std::nullopt;
  std::size_t rows = 0;  // dimensions that are more than 1: just one holds the scores
  for (const std::int64_t size : output.shape) rows += size > 1 ? 1 : 0;
  const auto scores = output.values<float>();
  if (rows != 1) return std::nullopt;
  if (std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); })) return kNoClass;
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

// What is counted of one model over all samples.
struct Tally {
  std::size_t right = 0, same = 0, answered = 0;
  std::vector<graph::Agreement> outputs;
};

std::vector<graph::TensorView> views_of(const std::vector<graph::Tensor>& tensors) {
  std::vector<graph::TensorView> out;
  for (const graph::Tensor& tensor : tensors) out.push_back(graph::view(tensor));
  return out;
}

Status count_sample(std::vector<Subject>& subjects, std::span<const graph::TensorView> inputs,
                    std::optional<std::int64_t> label, std::vector<Tally>& tallies) {
  std::vector<graph::TensorView> wanted;
  std::optional<std::int64_t> expected;
  for (std::size_t k = 0; k < subjects.size(); ++k) {
    ALARA_TRY(const auto outputs, subjects[k].executor->run(inputs));
    const auto given = answer(outputs.front());
    if (k == 0) {
      wanted = outputs;  // good until that executor runs again
      expected = given;
    }
    Tally& tally = tallies[k];
    tally.outputs.resize(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (outputs[i].type == graph::DataType::float32 && wanted[i].type == graph::DataType::float32)
        ALARA_CHECK(tally.outputs[i].add(wanted[i], outputs[i]));
    tally.answered += given ? 1 : 0;
    tally.same += given && given != kNoClass && given == expected ? 1 : 0;
    tally.right += given && label && *given == *label ? 1 : 0;
  }
  return {};
}

void take_tally(const Tally& tally, const graph::Graph& graph, std::size_t samples, bool labelled, bool original,
                VariantReport& out) {
  const auto share = [&](std::size_t count) {
    return 100.0 * static_cast<double>(count) / static_cast<double>(samples);
  };
  const bool classifies = tally.answered == samples;
  if (classifies && labelled) out.accuracy = share(tally.right);
  if (original) return;
  if (classifies) out.same_answer = share(tally.same);
  for (std::size_t i = 0; i < tally.outputs.size(); ++i) {
    const graph::Agreement& output = tally.outputs[i];
    if (output.not_finite() > 0) out.not_finite.push_back(graph.outputs[i].name);
    out.sqnr_db = std::min(out.sqnr_db.value_or(graph::kExactDb), output.sqnr_db());
    out.cosine = std::min(out.cosine.value_or(1), output.cosine());
  }
}

Status evaluate(std::vector<Subject>& subjects, EvaluationData& data, std::size_t samples, Progress& progress,
                std::vector<VariantReport>& reports) {
  std::vector<Tally> tallies(subjects.size());
  progress.begin("comparing", samples);
  for (std::size_t i = 0; i < samples; ++i) {
    if (progress.stopped()) return fail(ErrorKind::refused, "stopped");
    const std::size_t at = i * data.size() / samples;
    ALARA_TRY(const auto tensors, data.source().sample(at));
    ALARA_CHECK(count_sample(subjects, views_of(tensors), data.label(at), tallies));
    progress.step(i + 1, "");
  }
  for (std::size_t k = 0; k < subjects.size(); ++k)
    take_tally(tallies[k], subjects[k].model.graph, samples, data.labelled(), k == 0, reports[k]);
  return {};
}

// Values that nodes of both models make, as floats of one shape.
std::vector<std::string> common_values(const Subject& a, const Subject& b) {
  const graph::Wiring theirs(b.model.graph);
  std::vector<std::string> all, layers;
  for (const graph::Node& node : a.model.graph.nodes)
    for (const std::string& output : node.outputs) {
      const auto left = a.values.find(output), right = b.values.find(output);
      if (left == a.values.end() || right == b.values.end() || !theirs.producer(output)) continue;
      if (left->second.type != graph::DataType::float32 || right->second != left->second) continue;
      all.push_back(output);
      if (node.op.find("Conv") != std::string::npos || node.op.find("Mul") != std::string::npos || node.op == "Gemm")
        layers.push_back(output);
    }
  if (all.size() > kMaxValues) all = std::move(layers);
  if (all.size() > kMaxValues) all.resize(kMaxValues);
  return all;
}

Status compare_values(const Subject& original, const Subject& variant, EvaluationData& data, std::size_t samples,
                      const graph::ExecutorFactory& executors, Progress& progress, VariantReport& report) {
  const std::vector<std::string> values = common_values(original, variant);
  if (values.empty() || samples == 0) return {};
  const graph::Wiring wiring(original.model.graph);
  ALARA_TRY(const auto compared,
            graph::compare(original.model, variant.model, data.source(), executors, {values, samples}, progress));
  for (const graph::Compared& one : compared) {
    const auto maker = wiring.producer(one.value);
    report.values.push_back({one.value, maker ? original.model.graph.nodes[*maker].op : "", one.agreement.sqnr_db(),
                             one.agreement.cosine(), one.agreement.largest_error()});
  }
  return {};
}

Status time_runs(std::vector<Subject>& subjects, EvaluationData& data, std::size_t runs, const Clock& clock,
                 Progress& progress, std::vector<VariantReport>& reports) {
  if (runs == 0) return {};
  ALARA_TRY(const auto tensors, data.source().sample(0));
  const auto inputs = views_of(tensors);
  std::vector<learn::Timed> timed;
  for (const Subject& subject : subjects) timed.push_back({subject.executor.get(), inputs});
  ALARA_TRY(const auto latencies, learn::latencies_of(timed, runs, kWarmUps, clock, progress));
  for (std::size_t k = 0; k < subjects.size(); ++k) {
    reports[k].measured.p50_ms = latencies[k].p50_ms;
    reports[k].measured.p95_ms = latencies[k].p95_ms;
  }
  return {};
}

Result<std::vector<Curve>> read_curves(const std::vector<NamedFile>& files) {
  std::vector<Curve> out;
  for (const NamedFile& file : files) {
    ALARA_TRY(const auto bytes, learn::read_bytes(file.path, kMaxFileBytes));
    ALARA_TRY(Curve curve, parse_curve(file.name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    out.push_back(std::move(curve));
  }
  return out;
}

void describe_machine(Report& report) {
  const Machine machine = inspect_machine();
  report.cpu = fmt::format("{}, {} cores", machine.cpu, machine.cores);
  report.cpu_features = machine.cpu_features;
  const auto runtime = infer::runtime_info();
  report.runtime = runtime ? "ONNX Runtime " + runtime->version : "no runtime";
}

}  // namespace

Result<Report> make_report(const ReportRequest& request, const graph::ExecutorFactory& executors, const Clock& clock,
                           Progress& progress) {
  Report report;
  report.title = request.title;
  report.runs = request.runs;
  report.data = request.data.filename().string();
  describe_machine(report);
  ALARA_TRY(report.curves, read_curves(request.curves));
  std::vector<NamedFile> files{request.original};
  files.insert(files.end(), request.variants.begin(), request.variants.end());
  std::vector<Subject> subjects;
  for (const NamedFile& file : files) {
    ALARA_TRY(Subject subject, open(file));
    if (!subjects.empty()) ALARA_CHECK(check_inputs(subjects.front(), subject));
    ALARA_TRY(VariantReport described, describe(subject));
    if (!request.program.empty()) described.measured.resident_mb = resident_mb(request.program, file.path);
    ALARA_TRY(subject.executor, executors(subject.model, {}, {1, true}));
    report.variants.push_back(std::move(described));
    subjects.push_back(std::move(subject));
  }
  ALARA_TRY(EvaluationData data, EvaluationData::open(request.data, subjects.front().model, request.preprocessing));
  report.samples = request.samples == 0 ? data.size() : std::min(request.samples, data.size());
  ALARA_CHECK(evaluate(subjects, data, report.samples, progress, report.variants));
  for (std::size_t k = 1; k < subjects.size(); ++k)
    ALARA_CHECK(
        compare_values(subjects[0], subjects[k], data, request.value_samples, executors, progress, report.variants[k]));
  ALARA_CHECK(time_runs(subjects, data, request.runs, clock, progress, report.variants));
  return report;
}

}  // namespace alara::lab
