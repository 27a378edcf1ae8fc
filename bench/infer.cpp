// SPDX-License-Identifier: Apache-2.0
// `infer`: what the step `model` adds to ONNX Runtime's own call, and what it gains by letting assets share a run.
// Step and bare call take turns in short blocks, so that both see the same noise; figures are medians over the blocks.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "bench/bench.hpp"
#include "infer/model.hpp"
#include "infer/ort.hpp"
#include "infer/small_models.hpp"

namespace alara::bench {

#ifndef ALARA_ONNXRUNTIME

Result<Report> run_infer(const Arguments&) { return fail_with(infer::runtime_info()); }

#else

namespace {

constexpr std::size_t kInputs = 8, kOutputs = 2, kAssets = 100;
constexpr std::size_t kCallsPerBlock = 100;
constexpr double kTolerance = 1e-4;

// ONNX Runtime's C API and nothing else: one session, two tensors made once, Run again and again.
class BareCall {
 public:
  Status open(const std::string& path, std::size_t rows) {
    ALARA_TRY(ort_, infer::Ort::load());
    const auto check = [this](OrtStatus* status) { return ort_->check(status, ErrorKind::internal, "bare call"); };
    const OrtApi& api = *ort_->api;
    OrtSessionOptions* options = nullptr;
    ALARA_CHECK(check(api.CreateSessionOptions(&options)));
    const auto owned = ort_->own(options, api.ReleaseSessionOptions);
    ALARA_CHECK(check(api.SetIntraOpNumThreads(options, 1)));
    ALARA_CHECK(check(api.SetInterOpNumThreads(options, 1)));
    OrtSession* session = nullptr;
    ALARA_CHECK(check(api.CreateSession(ort_->env, path.c_str(), options, &session)));
    session_ = ort_->own(session, api.ReleaseSession);
    in.resize(rows * kInputs);
    out.resize(rows * kOutputs);
    ALARA_TRY(in_value_, tensor(in, rows, kInputs));
    ALARA_TRY(out_value_, tensor(out, rows, kOutputs));
    return {};
  }
  bool run() {
    static constexpr const char* kIn = "features";
    static constexpr const char* kOut = "prediction";
    const OrtValue* input = in_value_.get();
    OrtValue* output = out_value_.get();
    OrtStatus* status = ort_->api->Run(session_.get(), nullptr, &kIn, &input, 1, &kOut, 1, &output);
    if (status != nullptr) ort_->api->ReleaseStatus(status);
    return status == nullptr;
  }

  std::vector<float> in, out;

 private:
  Result<infer::Owned<OrtValue>> tensor(std::vector<float>& data, std::size_t rows, std::size_t columns) {
    const std::int64_t shape[] = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
    OrtValue* value = nullptr;
    ALARA_CHECK(
        ort_->check(ort_->api->CreateTensorWithDataAsOrtValue(ort_->memory, data.data(), data.size() * sizeof(float),
                                                              shape, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value),
                    ErrorKind::internal, "bare call"));
    return ort_->own(value, ort_->api->ReleaseValue);
  }

  std::shared_ptr<const infer::Ort> ort_;
  infer::Owned<OrtSession> session_;
  infer::Owned<OrtValue> in_value_, out_value_;
};

// The rows of all assets as columns, and frames over all of them or over one.
struct Rows {
  std::vector<std::uint32_t> slot;
  std::vector<Nanos> time;
  std::vector<std::vector<double>> columns;
  std::vector<std::span<const double>> spans;

  Rows() : columns(kInputs) {
    for (std::uint32_t i = 0; i < kAssets; ++i) {
      slot.push_back(i);
      time.push_back(i);
      for (std::size_t k = 0; k < kInputs; ++k) columns[k].push_back(std::sin(static_cast<double>(i * kInputs + k)));
    }
    spans.resize(kInputs);
  }
  Frame all() {
    for (std::size_t k = 0; k < kInputs; ++k) spans[k] = columns[k];
    return {slot, 0, time, {}, spans, 0};
  }
  Frame one(std::uint32_t asset) {
    for (std::size_t k = 0; k < kInputs; ++k) spans[k] = std::span(columns[k]).subspan(asset, 1);
    return {{}, asset, std::span(time).subspan(asset, 1), {}, spans, 0};
  }
  std::vector<double> row(std::size_t asset) const {
    std::vector<double> out;
    for (const auto& column : columns) out.push_back(column[asset]);
    return out;
  }
};

Result<OperatorKind::Made> make_step(const std::string& directory) {
  ALARA_TRY(const Node node,
            parse_document("{file: mlp.onnx, inputs: [a, b, c, d, e, f, g, h], outputs: [health, days], "
                           "batch: {max: 100}}",
                           "bench"));
  const std::vector<ValueInfo> inputs(kInputs);
  const std::vector<AssetId> assets(kAssets);
  OperatorContext context;
  context.assets = assets;
  context.directory = directory;
  return infer::model_kind().make(node, inputs, context);
}

double median(std::vector<double>& values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

// Median seconds per call of each of the functions, which take turns in blocks of calls.
std::vector<double> take_turns(double seconds, const std::vector<std::function<void()>>& blocks) {
  std::vector<std::vector<double>> times(blocks.size());
  const double end = seconds_now() + seconds;
  for (int warming = 3; warming > 0 || seconds_now() < end; --warming)
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const double start = seconds_now();
      blocks[i]();
      if (warming <= 0) times[i].push_back((seconds_now() - start) / kCallsPerBlock);
    }
  std::vector<double> out;
  for (auto& all : times) out.push_back(median(all));
  return out;
}

class InferBench {
 public:
  Status prepare(const std::string& directory) {
    ALARA_CHECK(infer::write_bytes(directory + "/mlp.onnx", mlp_.onnx()));
    ALARA_TRY(made_, make_step(directory));
    ALARA_CHECK(bare_one_.open(directory + "/mlp.onnx", 1));
    return bare_all_.open(directory + "/mlp.onnx", kAssets);
  }

  // Every asset's result, one by one, together and by the bare call, against the same network in plain C++.
  Status check() {
    FrameBuilder together(kOutputs), alone(kOutputs);
    made_.code->process(rows_.all(), together);
    for (std::uint32_t asset = 0; asset < kAssets; ++asset) made_.code->process(rows_.one(asset), alone);
    if (together.size() != kAssets || alone.size() != kAssets) return fail(ErrorKind::internal, "rows are missing");
    for (std::size_t asset = 0; asset < kAssets; ++asset) {
      const std::vector<double> row = rows_.row(asset);
      const std::vector<double> wanted = mlp_.compute(row);
      std::ranges::transform(row, bare_one_.in.begin(), [](double value) { return static_cast<float>(value); });
      std::ranges::copy(bare_one_.in, bare_all_.in.begin() + static_cast<std::ptrdiff_t>(asset * kInputs));
      if (!bare_one_.run()) return fail(ErrorKind::internal, "the bare call failed");
      for (std::size_t k = 0; k < kOutputs; ++k)
        for (const double got :
             {together.column(k)[asset], alone.column(k)[asset], static_cast<double>(bare_one_.out[k])})
          if (!(std::abs(got - wanted[k]) <= kTolerance))
            return fail(ErrorKind::internal, "asset {}: output {} is {}, plain code says {}", asset, k, got, wanted[k]);
    }
    return bare_all_.run() ? Status{} : fail(ErrorKind::internal, "the bare call failed");
  }

  void measure(double seconds, Report& report) {
    const auto bare_block = [this] {
      for (std::size_t i = 0; i < kCallsPerBlock; ++i) bare_one_.run();
    };
    const auto step_block = [this] {
      for (std::uint32_t i = 0; i < kCallsPerBlock; ++i) {
        out_.clear();
        made_.code->process(rows_.one(i % kAssets), out_);
      }
    };
    const auto batch_block = [this] {
      for (std::size_t i = 0; i < kCallsPerBlock; ++i) {
        out_.clear();
        made_.code->process(rows_.all(), out_);
      }
    };
    const auto bare_batch_block = [this] {
      for (std::size_t i = 0; i < kCallsPerBlock; ++i) bare_all_.run();
    };
    const auto times = take_turns(seconds, {bare_block, step_block, batch_block, bare_batch_block});
    report.figures["operator_overhead"] = times[1] / times[0] - 1;
    report.figures["operator_call_us"] = times[1] * 1e6;
    report.figures["batch_speedup"] = kAssets * times[1] / times[2];
    report.figures["batched_rows_per_second"] = kAssets / times[2];
    report.figures["batched_overhead"] = times[2] / times[3] - 1;
    report.baseline["bare_call_p50_us"] = times[0] * 1e6;
    report.baseline["bare_call_of_100_rows_p50_us"] = times[3] * 1e6;
    Histogram runs;
    infer::model_slot(*made_.code)->add_run_times(runs);
    report.notes.push_back(fmt::format(
        "run times as the step itself records them: p50 {:.1f} us, p99.9 {:.1f} us over {} runs",
        static_cast<double>(runs.quantile(0.5)) / 1e3, static_cast<double>(runs.quantile(0.999)) / 1e3, runs.count()));
  }

 private:
  infer::SmallMlp mlp_ = infer::SmallMlp::random({kInputs, 64, 64, kOutputs}, 42);
  Rows rows_;
  OperatorKind::Made made_;
  BareCall bare_one_, bare_all_;
  FrameBuilder out_{kOutputs};
};

}  // namespace

Result<Report> run_infer(const Arguments& arguments) {
  std::string folder = (std::filesystem::temp_directory_path() / "alara-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return fail(ErrorKind::unavailable, "can not make a temporary folder");
  InferBench bench;
  Status prepared = bench.prepare(folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  ALARA_CHECK(std::move(prepared));
  ALARA_CHECK(bench.check());

  Report report;
  report.workload = fmt::format(
      "a {}-64-64-{} network in float32 on one thread: the step 'model' row by row, the same call of ONNX "
      "Runtime over two reused tensors, and {} assets in one frame",
      kInputs, kOutputs, kAssets);
  report.checked = true;
  ALARA_TRY(const infer::RuntimeInfo runtime, infer::runtime_info());
  report.notes.push_back(fmt::format("ONNX Runtime {}", runtime.version));
  bench.measure(arguments.seconds > 0 ? arguments.seconds : arguments.quick ? 0.2 : 5, report);
  return report;
}

#endif

}  // namespace alara::bench
