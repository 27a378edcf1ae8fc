// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/detectors.hpp"

#include <filesystem>

#include "bench/lab/detections.hpp"
#include "graph/import/source.hpp"
#include "graph/quantize/quantize.hpp"
#include "learn/data/samples.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {
namespace {

constexpr const char* kPictures = "build/deps/pictures";

struct Detector {
  std::string_view name;
  const char* file;
  std::vector<std::string> outputs;
  float scale, mean;  // a number is byte * scale - mean
  std::vector<Detection> (*decode)(const graph::TensorView&, const graph::TensorView&);
};

std::vector<Detector> detectors() {
  return {
      {"ssd",
       "build/deps/models/ssd_mobilenetv2_oidv4_fp16.tflite",
       {"raw_outputs/box_encodings", "raw_outputs/class_predictions"},
       2.0F / 255,
       1,
       decode_ssd},
      {"centernet", "build/deps/models/centernet.json", {"tower_0/keypoints", "tower_0/wh"}, 1, 0, decode_centernet}};
}

using Found = std::vector<std::vector<Detection>>;  // of each picture

Result<Found> detect(const graph::Model& model, const Detector& detector, graph::SampleSource& pictures) {
  graph::ExecutorOptions options;
  options.threads = 2;
  ALARA_TRY(const auto executor, learn::make_ort_executor()(model, detector.outputs, options));
  Found out;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    ALARA_TRY(const std::vector<graph::Tensor> sample, pictures.sample(i));
    const std::vector<graph::TensorView> inputs{graph::view(sample.front())};
    ALARA_TRY(const auto values, executor->run(inputs));
    out.push_back(detector.decode(values[0], values[1]));
  }
  return out;
}

double percent_kept(const Found& before, const Found& after) {
  std::size_t all = 0, still = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    all += before[i].size();
    still += kept(before[i], after[i]);
  }
  return all == 0 ? 0 : 100 * static_cast<double>(still) / static_cast<double>(all);
}

// Every second of some pictures, from `first` on.
class EverySecond final : public graph::SampleSource {
 public:
  EverySecond(graph::SampleSource& all, std::size_t first) : all_(all), first_(first) {}
  [[nodiscard]] std::size_t size() const override { return (all_.size() + 1 - first_) / 2; }
  [[nodiscard]] Result<std::vector<graph::Tensor>> sample(std::size_t i) override {
    return all_.sample(2 * i + first_);
  }

 private:
  graph::SampleSource& all_;
  std::size_t first_;
};

// Calibrated, and layers put back, on these pictures, in which `before` was found.
Result<graph::Quantized> quantized(const graph::Model& model, const Detector& detector, graph::SampleSource& pictures,
                                   const Found& before, Progress& progress) {
  graph::QuantizeOptions options;
  options.compare_samples = pictures.size();
  options.sensitivity_samples = 2;
  options.threads = 2;
  options.max_drop = 5;
  options.metric = [&](const graph::Model& changed) -> Result<double> {
    ALARA_TRY(const Found after, detect(changed, detector, pictures));
    return percent_kept(before, after);
  };
  return graph::quantize(model, pictures, learn::make_ort_executor(), options, progress);
}

// Of pictures that neither calibration nor the choice of layers has seen.
Result<double> kept_held_out(const graph::Model& model, const Detector& detector, graph::SampleSource& pictures,
                             Progress& progress) {
  EverySecond seen(pictures, 0), unseen(pictures, 1);
  ALARA_TRY(const Found before_seen, detect(model, detector, seen));
  ALARA_TRY(const Found before, detect(model, detector, unseen));
  ALARA_TRY(const graph::Quantized out, quantized(model, detector, seen, before_seen, progress));
  ALARA_TRY(const Found after, detect(out.model, detector, unseen));
  return percent_kept(before, after);
}

struct Kept {
  double seen = 0, held_out = 0;  // percent
};

Result<Kept> measure(const Detector& detector, const Arguments& arguments, Progress& progress, Report& report) {
  ALARA_TRY(graph::Model model, graph::read_model(detector.file));
  ALARA_CHECK(graph::keep_outputs(model, detector.outputs));
  learn::Preprocessing preprocessing;
  preprocessing.scale = detector.scale;
  preprocessing.mean = {detector.mean};
  ALARA_TRY(auto pictures, learn::open_samples(kPictures, model.graph.inputs, preprocessing));
  if (arguments.quick) pictures = learn::spread(std::move(pictures), 2);
  ALARA_TRY(const Found before, detect(model, detector, *pictures));
  ALARA_TRY(const graph::Quantized out, quantized(model, detector, *pictures, before, progress));
  ALARA_TRY(const Found after, detect(out.model, detector, *pictures));
  Kept kept_now;
  kept_now.seen = percent_kept(before, after);
  ALARA_TRY(kept_now.held_out, kept_held_out(model, detector, *pictures, progress));
  std::size_t all = 0;
  for (const auto& picture : before) all += picture.size();
  const std::string name(detector.name);
  report.baseline["detections_" + name] = static_cast<double>(all);
  report.figures["kept_" + name] = kept_now.seen;
  report.figures["kept_held_out_" + name] = kept_now.held_out;
  report.figures["integer_macs_percent_" + name] = 100 * out.integer_macs;
  report.figures["layers_put_back_" + name] = static_cast<double>(out.put_back);
  for (const graph::LayerReport& layer : out.layers)
    if (!layer.integer && layer.sensitivity) report.notes.push_back(name + ": back to float: " + layer.name);
  return kept_now;
}

}  // namespace

Status measure_detectors(const Arguments& arguments, Progress& progress, Report& report) {
  Kept worst{100, 100};
  for (const Detector& detector : detectors()) {
    if (!std::filesystem::exists(detector.file) || !std::filesystem::exists(kPictures)) {
      report.notes.push_back(
          fmt::format("no '{}' or pictures here: detections not counted (run tools/setup)", detector.file));
      return {};
    }
    ALARA_TRY(const Kept kept_now, measure(detector, arguments, progress, report));
    worst = {std::min(worst.seen, kept_now.seen), std::min(worst.held_out, kept_now.held_out)};
  }
  report.figures["detections_kept"] = worst.seen;
  report.figures["detections_kept_held_out"] = worst.held_out;
  return {};
}

}  // namespace alara::bench
