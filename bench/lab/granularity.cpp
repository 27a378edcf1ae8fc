// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/granularity.hpp"

#include <filesystem>

#include "graph/import/source.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/quantize.hpp"
#include "learn/data/random.hpp"
#include "learn/data/samples.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {
namespace {

namespace fs = std::filesystem;

struct Subject {
  const char* file;
  float scale, mean;                 // a number is byte * scale - mean
  std::vector<std::string> outputs;  // empty: all
  learn::PictureSize size = {};      // where the model leaves it open
};

constexpr const char* kTiny = "../shared/data/mlperf_tiny/";
constexpr const char* kModels = "build/deps/models/";

std::vector<std::pair<std::string, Subject>> subjects() {
  const auto at = [](const char* folder, const char* file) { return std::string(folder) + file; };
  constexpr float kUnit = 1.0F / 255, kSigned = 2.0F / 255;
  return {{at(kTiny, "ic_fp32.tflite"), {"", 1, 0, {}}},
          {at(kTiny, "vww_fp32.tflite"), {"", kUnit, 0, {}}},
          {at(kTiny, "kws_fp32.tflite"), {"", 0.4F, 50, {}}},
          {at(kTiny, "ad_fp32.tflite"), {"", 0, 0, {}}},
          {at(kModels, "ssd_mobilenetv2_oidv4_fp16.tflite"), {"", kSigned, 1, {}}},
          {at(kModels, "face_detection_short_range.tflite"), {"", kSigned, 1, {}}},
          {at(kModels, "face_detection_full_range_sparse.tflite"), {"", kSigned, 1, {}}},
          {at(kModels, "object_detection_3d_cup.tflite"), {"", kUnit, 0, {}}},
          {at(kModels, "selfie_segmentation.tflite"), {"", kUnit, 0, {}}},
          {at(kModels, "centernet.json"), {"", 1, 0, {"tower_0/keypoints", "tower_0/wh"}}},
          {at(kModels, "blazeface.json"), {"", kSigned, 1, {}}},
          {at(kModels, "faceres.json"), {"", 1, 0, {}}},
          {at(kModels, "emotion.json"), {"", kUnit, 0, {}}},
          {at(kModels, "liveness.json"), {"", kUnit, 0, {}}},
          {at(kModels, "antispoof.json"), {"", kUnit, 0, {}}},
          {at(kModels, "movenet-lightning.json"), {"", 1, 0, {}}},
          {at(kModels, "ch_ppocr_mobile_v2.0_cls_infer.onnx"), {"", kSigned, 1, {}, {192, 48}}},
          {at(kModels, "ch_PP-OCRv4_rec_infer.onnx"), {"", kSigned, 1, {}, {320, 48}}},
          {at(kModels, "ch_PP-OCRv4_det_infer.onnx"), {"", kSigned, 1, {}, {320, 320}}}};
}

// For models that take no pictures: numbers about normal, each row with a level of its own.
class Rows final : public graph::SampleSource {
 public:
  Rows(std::size_t count, graph::Shape shape) : count_(count), shape_(std::move(shape)) {}
  [[nodiscard]] std::size_t size() const override { return count_; }
  [[nodiscard]] Result<std::vector<graph::Tensor>> sample(std::size_t i) override {
    graph::Tensor out = graph::Tensor::zeros(graph::DataType::float32, shape_);
    learn::Random chance({i});
    const double level = 2 * chance.uniform() - 1;
    for (float& x : out.mutable_values<float>()) x = static_cast<float>(level + chance.normal());
    return std::vector<graph::Tensor>{std::move(out)};
  }

 private:
  std::size_t count_;
  graph::Shape shape_;
};

Result<std::unique_ptr<graph::SampleSource>> samples_for(const graph::Model& model, const Subject& subject) {
  learn::Preprocessing preprocessing;
  preprocessing.scale = subject.scale;
  preprocessing.mean = {subject.mean};
  if (subject.size.width > 0) preprocessing.size = subject.size;
  ALARA_TRY(const learn::InputForm form, learn::form_of(model.graph.inputs.front(), preprocessing));
  if (!form.takes_pictures()) return std::make_unique<Rows>(32, form.sample);
  return learn::open_samples("build/deps/pictures", model.graph.inputs, preprocessing);
}

struct Qualities {
  double per_channel = 0, per_tensor = 0;  // SQNR of the worst output, dB
  double without_choice = 0;               // per channel even where one scale per layer measures better
  bool one_taken = false;                  // asked for per channel, one scale per layer measured better and was taken
};

// Nothing is chosen where quantising does not compare; that is done after it.
Result<double> sqnr_without_choice(const graph::Model& model, graph::SampleSource& samples, Progress& progress) {
  graph::QuantizeOptions options;
  options.compare_samples = 0;
  options.threads = 2;
  const graph::ExecutorFactory executors = learn::make_ort_executor();
  ALARA_TRY(const graph::Quantized out, graph::quantize(model, samples, executors, options, progress));
  ALARA_TRY(const auto compared, graph::compare(model, out.model, samples, executors, {}, progress));
  return graph::worst_of(compared).sqnr_db;
}

Result<Qualities> measure(const std::string& file, const Subject& subject, bool quick, Progress& progress) {
  ALARA_TRY(graph::Model model, graph::read_model(file));
  if (!subject.outputs.empty()) ALARA_CHECK(graph::keep_outputs(model, subject.outputs));
  ALARA_TRY(auto samples, samples_for(model, subject));
  if (quick) samples = learn::spread(std::move(samples), 2);
  Qualities qualities;
  const auto sqnr = [&](graph::Granularity granularity) -> Result<double> {
    graph::QuantizeOptions options;
    options.granularity = granularity;
    options.compare_samples = samples->size();
    options.threads = 2;
    ALARA_TRY(const graph::Quantized out,
              graph::quantize(model, *samples, learn::make_ort_executor(), options, progress));
    qualities.one_taken = qualities.one_taken || out.one_scale_taken;
    return out.sqnr_db;
  };
  ALARA_TRY(qualities.per_channel, sqnr(graph::Granularity::per_channel));
  ALARA_TRY(qualities.per_tensor, sqnr(graph::Granularity::per_tensor));
  qualities.without_choice = qualities.per_channel;
  if (qualities.one_taken) {
    ALARA_TRY(qualities.without_choice, sqnr_without_choice(model, *samples, progress));
  }
  return qualities;
}

}  // namespace

Status measure_granularity(const Arguments& arguments, Progress& progress, Report& report) {
  int models = 0, worse = 0, worse_without_choice = 0, taken = 0, missing = 0;
  for (const auto& [file, subject] : subjects()) {
    if (!fs::exists(file)) {
      ++missing;
      continue;
    }
    const auto found = measure(file, subject, arguments.quick, progress);
    const std::string name = fs::path(file).filename().string();
    if (!found) {
      if (found.error().kind == ErrorKind::refused) return tl::unexpected<Error>(found.error());
      report.notes.push_back(name + ": " + found.error().text());
      report.checked = false;
      continue;
    }
    ++models;
    worse += found->per_channel < found->per_tensor ? 1 : 0;
    worse_without_choice += found->without_choice < found->per_tensor ? 1 : 0;
    taken += found->one_taken ? 1 : 0;
    report.notes.push_back(fmt::format(
        "{}: {:.2f} dB per channel, {:.2f} dB per tensor{}", name, found->per_channel, found->per_tensor,
        found->one_taken
            ? fmt::format(" (taken for both; {:.2f} dB per channel without that choice)", found->without_choice)
            : ""));
  }
  if (models == 0) report.checked = false;
  report.figures["models"] = models;
  report.figures["per_channel_worse_count"] = worse;
  report.figures["per_channel_worse_without_choice_count"] = worse_without_choice;
  report.figures["per_channel_gave_way_count"] = taken;
  if (missing > 0) report.notes.push_back(fmt::format("{} models are not here (run tools/setup)", missing));
  return {};
}

}  // namespace alara::bench
