// SPDX-License-Identifier: Apache-2.0
// What calibrating costs: peak memory with 100 and with 1,000 samples, equal bytes from equal input, and time and
// memory beside ONNX Runtime's Python tool where a Python has it.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/child_process.hpp"
#include "base/file.hpp"
#include "bench/bench.hpp"
#include "learn/data/npy_tensor.hpp"

namespace alara::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModel = "build/deps/models/ch_ppocr_mobile_v2.0_cls_infer.onnx";

constexpr const char* kPeer = R"(import pathlib, sys
import numpy as np
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

model, out, folder, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

class Reader(CalibrationDataReader):
    def __init__(self):
        self.files = iter(sorted(pathlib.Path(folder).glob("*.npy"))[:count])
    def get_next(self):
        file = next(self.files, None)
        return None if file is None else {"x": np.load(file)}

quant_pre_process(model, out + ".prepared", skip_symbolic_shape=True)
quantize_static(out + ".prepared", out, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.Percentile)
)";

class Workplace {
 public:
  Workplace() {
    std::string name = (fs::temp_directory_path() / "alara-calibration-XXXXXX").string();
    path_ = mkdtemp(name.data());
    fs::create_directory(path_ / "samples");
  }
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  [[nodiscard]] std::string in(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// Lines of text as the network sees them: bright with dark strokes, [1, 3, 48, 192].
Status write_samples(const std::string& folder, std::size_t count) {
  constexpr std::size_t kHeight = 48, kWidth = 192;  // pixels
  for (std::size_t i = 0; i < count; ++i) {
    std::mt19937 random(static_cast<unsigned>(i) + 1);
    graph::Tensor tensor = graph::Tensor::zeros(graph::DataType::float32, {1, 3, kHeight, kWidth});
    const auto numbers = tensor.mutable_values<float>();
    std::fill(numbers.begin(), numbers.end(), 0.7F);
    for (int stroke = 0; stroke < 60; ++stroke) {
      const std::size_t x = random() % (kWidth - 4), y = random() % (kHeight - 12);
      const bool upright = random() % 2 == 0;
      for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t k = 0; k < 24; ++k) {
          const std::size_t v = y + (upright ? k / 2 : k % 2), u = x + (upright ? k % 2 : k / 2 % 4);
          numbers[(c * kHeight + v) * kWidth + u] = -0.8F;
        }
    }
    ALARA_CHECK(learn::write_npy(tensor, fmt::format("{}/{:05}.npy", folder, i)));
  }
  return {};
}

struct Cost {
  double seconds = 0;
  double peak_mb = 0;
};

double peak_mb(int pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

Result<Cost> cost_of(const std::vector<std::string>& command) {
  constexpr Nanos kLook = 5'000'000;
  Cost out;
  const double begun = seconds_now();
  ALARA_TRY(const auto child, ChildProcess::start(command));
  int code = -1;
  do {
    out.peak_mb = std::max(out.peak_mb, peak_mb(child->pid()));
  } while ((code = child->wait(kLook)) == -1);
  out.seconds = seconds_now() - begun;
  if (code != 0) return fail(ErrorKind::internal, "'{}' ended with {}", command.front(), code);
  return out;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string python() {
  const char* chosen = std::getenv("ALARA_PYTHON");
  return chosen != nullptr ? chosen : find_program("python3");
}

Status beside_python(const Workplace& place, const std::string& samples, const Cost& ours, std::size_t count,
                     Report& report) {
  const std::string interpreter = python(), script = place.in("peer.py");
  const auto probe = interpreter.empty() ? Result<Cost>(fail(ErrorKind::not_found, "no python"))
                                         : cost_of({interpreter, "-c", "import onnx, onnxruntime.quantization"});
  if (!probe) {
    report.notes.emplace_back("no Python with onnx and onnxruntime here: not compared (ALARA_PYTHON names one)");
    return {};
  }
  ALARA_CHECK(replace_file(script, kPeer));
  ALARA_TRY(const Cost theirs,
            cost_of({interpreter, script, kModel, place.in("peer.onnx"), samples, std::to_string(count)}));
  report.baseline["python_seconds"] = theirs.seconds;
  report.baseline["python_peak_mb"] = theirs.peak_mb;
  report.figures["wall_ratio_to_python"] = ours.seconds / theirs.seconds;
  report.figures["peak_ratio_to_python"] = ours.peak_mb / theirs.peak_mb;
  return {};
}

}  // namespace

Result<Report> run_calibration(const Arguments& arguments) {
  const std::size_t few = arguments.quick ? 10 : 100, many = 10 * few;
  if (!fs::exists(kModel))
    return tl::unexpected<Error>(Error{ErrorKind::not_found,
                                       fmt::format("there is no '{}'", kModel),
                                       {},
                                       "run tools/setup, and this from the project's folder"});
  const Workplace place;
  const std::string samples = place.in("samples");
  ALARA_CHECK(write_samples(samples, many));
  const auto quantize = [&](std::size_t count, const std::string& out) {
    return cost_of({arguments.program, "quantize", kModel, place.in(out), "--calib", samples, "--samples",
                    std::to_string(count), "--method", "percentile", "--preprocessing", "size=192x48"});
  };
  Report report;
  report.workload =
      fmt::format("a MobileNetV3 of 0.5 M parameters quantised with {} and {} samples of 3 x 48 x 192", few, many);
  ALARA_TRY(const Cost small, quantize(few, "few.onnx"));
  ALARA_TRY([[maybe_unused]] const Cost again, quantize(few, "again.onnx"));
  ALARA_TRY(const Cost large, quantize(many, "many.onnx"));
  report.checked =
      !content(place.in("few.onnx")).empty() && content(place.in("few.onnx")) == content(place.in("again.onnx"));
  if (!report.checked) report.notes.emplace_back("the same input gave different files");
  report.figures["peak_mb_few"] = small.peak_mb;
  report.figures["peak_mb_many"] = large.peak_mb;
  report.figures["peak_ratio_1000_to_100"] = large.peak_mb / small.peak_mb;
  report.figures["seconds_few"] = small.seconds;
  report.figures["seconds_many"] = large.seconds;
  ALARA_CHECK(beside_python(place, samples, small, few, report));
  return report;
}

}  // namespace alara::bench
