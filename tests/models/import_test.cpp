// SPDX-License-Identifier: Apache-2.0
// Real models of other frameworks, where they are there: they load, their shapes are those they declare, ONNX Runtime
// runs them, and what they say of pictures is right.
#include <filesystem>
#include <numeric>

#include "graph/import/source.hpp"
#include "graph/shapes.hpp"
#include "learn/data/picture.hpp"
#include "tests/models/running.hpp"

namespace alara::models {
namespace {

namespace fs = std::filesystem;
using graph::DataType;
using graph::Model;
using graph::Tensor;

const fs::path kModels = "build/deps/models";
const fs::path kPictures = "build/deps/pictures";
const fs::path kTiny = "../shared/data/mlperf_tiny";

// Skips, with one line, where a file is not there.
#define ALARA_NEEDS_FILE(path) \
  if (!fs::exists(path)) GTEST_SKIP() << (path).string() << " is not there"

// One row; a smooth pattern over the range of the type, or 0 to `high`.
Tensor pattern(const graph::ValueInfo& input, float high) {
  graph::Shape shape;
  for (const graph::Dim& dim : input.dims.value_or(graph::Dims{})) shape.push_back(dim.known() ? dim.size : 1);
  Tensor out = Tensor::zeros(input.type, shape);
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double wave =
        0.5 + 0.25 * std::sin(0.013 * static_cast<double>(i)) + 0.25 * std::sin(0.37 * static_cast<double>(i));
    switch (input.type) {
      case DataType::float32:
        out.mutable_values<float>()[at] = static_cast<float>(wave) * high;
        break;
      case DataType::int32:
        out.mutable_values<std::int32_t>()[at] = static_cast<std::int32_t>(wave * 255);
        break;
      case DataType::int8:
        out.mutable_values<std::int8_t>()[at] = static_cast<std::int8_t>(wave * 255 - 128);
        break;
      default:
        ADD_FAILURE() << input.text();
    }
  }
  return out;
}

// The picture as the model's input: [1, height, width, 3], numbers scaled and shifted.
Tensor picture(const std::string& name, const graph::ValueInfo& input, float scale, float shift) {
  const auto read = learn::read_picture(kPictures / name, 3);
  if (!read) return ADD_FAILURE() << read.error().text(), Tensor{};
  const graph::Shape shape = *graph::shape_of(*input.dims);
  std::vector<float> pixels = learn::resized(*read, shape[2], shape[1]);
  for (float& pixel : pixels) pixel = pixel * scale + shift;
  return Tensor::of(shape, pixels);
}

class ImportedModels : public WithRuntime {
 protected:
  // Nothing where the model can not be read, which fails the test.
  static std::optional<Model> read(const fs::path& path) {
    auto model = graph::read_model(path);
    if (model) return std::move(*model);
    ADD_FAILURE() << model.error().text();
    return std::nullopt;
  }
};

class EveryModel : public ImportedModels, public testing::WithParamInterface<std::string> {};

TEST_P(EveryModel, LoadsAndRunsWithTheShapesItDeclares) {
  const fs::path path =
      (GetParam().find("_fp32") != std::string::npos || GetParam().find("_int8") != std::string::npos ? kTiny
                                                                                                      : kModels) /
      GetParam();
  ALARA_NEEDS_FILE(path);
  const auto model = read(path);
  ASSERT_TRUE(model);
  const auto shapes = graph::infer_shapes(*model, graph::fixed_inputs(*model));
  ASSERT_TRUE(shapes) << shapes.error().text();
  std::vector<Tensor> inputs;
  for (const graph::ValueInfo& input : model->graph.inputs) inputs.push_back(pattern(input, 1));
  const std::vector<Tensor> outputs = run(*model, inputs);
  ASSERT_EQ(outputs.size(), model->graph.outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const graph::ValueInfo& declared = model->graph.outputs[i];
    const graph::ValueInfo& inferred = shapes->find(declared.name)->second;
    EXPECT_EQ(outputs[i].type, declared.type);
    EXPECT_EQ(outputs[i].type, inferred.type);
    EXPECT_EQ(graph::text_of(outputs[i].shape), graph::text_of(inferred.dims.value_or(graph::Dims{})));
    ASSERT_TRUE(declared.dims);
    for (std::size_t axis = 0; axis < declared.dims->size(); ++axis)
      EXPECT_EQ(outputs[i].shape[axis], (*declared.dims)[axis].known() ? (*declared.dims)[axis].size : 1);
    const std::vector<float> numbers = *outputs[i].to_floats();
    for (const float number : numbers) ASSERT_TRUE(std::isfinite(number)) << declared.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, EveryModel,
                         testing::Values("ad_fp32.tflite", "ad_int8.tflite", "ic_fp32.tflite", "ic_int8.tflite",
                                         "kws_fp32.tflite", "kws_int8.tflite", "vww_fp32.tflite", "vww_int8.tflite",
                                         "ssd_mobilenetv2_oidv4_fp16.tflite", "object_detection_3d_cup.tflite",
                                         "face_detection_short_range.tflite", "face_detection_full_range_sparse.tflite",
                                         "selfie_segmentation.tflite", "centernet.json", "blazeface.json",
                                         "faceres.json", "movenet-lightning.json", "emotion.json", "liveness.json",
                                         "antispoof.json", "light/light_densenet121.onnx", "light/light_resnet50.onnx",
                                         "light/light_shufflenet.onnx", "light/light_squeezenet.onnx"),
                         [](const auto& one) {
                           std::string name = fs::path(one.param).stem().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// The models of MLPerf Tiny in single precision and in 8 bits are the same networks.
TEST_F(ImportedModels, QuantisedModelsSayWhatTheirOriginalsSay) {
  ALARA_NEEDS_FILE(kTiny);
  for (const std::string name : {"ad", "ic", "vww"}) {
    SCOPED_TRACE(name);
    const auto real = read(kTiny / (name + "_fp32.tflite"));
    const auto quantised = read(kTiny / (name + "_int8.tflite"));
    ASSERT_TRUE(real && quantised);
    const Tensor x = pattern(quantised->graph.inputs[0], 1);
    // What the quantised model's input means: its scale and zero point are those of the first node.
    const graph::Node& first = quantised->graph.nodes[0];
    const float scale = quantised->graph.constant(first.input(1))->values<float>()[0];
    const float zero = quantised->graph.constant(first.input(2))->values<std::int8_t>()[0];
    std::vector<float> numbers;
    for (const std::int8_t stored : x.values<std::int8_t>()) numbers.push_back(scale * (stored - zero));
    const std::vector<float> wanted = *run(*real, {Tensor::of(x.shape, numbers)})[0].to_floats();
    const std::vector<float> got = *run(*quantised, {x})[0].to_floats();
    const graph::Node& last = quantised->graph.nodes.back();
    const float out_scale = quantised->graph.constant(last.input(1))->values<float>()[0];
    const float out_zero = quantised->graph.constant(last.input(2))->values<std::int8_t>()[0];
    double along = 0, a = 0, b = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const double back = out_scale * (got[i] - out_zero);
      along += back * wanted[i];
      a += back * back;
      b += wanted[i] * static_cast<double>(wanted[i]);
    }
    EXPECT_GT(along / std::sqrt(a * b), 0.98);
  }
}

// COCO's classes in the order of the 80 that the network has.
TEST_F(ImportedModels, TheCentrePointDetectorFindsCatAndDog) {
  ALARA_NEEDS_FILE(kModels / "centernet.json");
  ALARA_NEEDS_FILE(kPictures / "cat.jpg");
  const auto model = read(kModels / "centernet.json");
  ASSERT_TRUE(model);
  const auto output = std::find_if(model->graph.outputs.begin(), model->graph.outputs.end(),
                                   [](const graph::ValueInfo& info) { return info.name == "tower_0/keypoints"; });
  ASSERT_NE(output, model->graph.outputs.end());
  constexpr std::size_t kCat = 15, kDog = 16, kClasses = 80;
  for (const auto& [name, right] : {std::pair("cat.jpg", kCat), std::pair("dog.jpg", kDog)}) {
    const auto heat = run(*model, {picture(name, model->graph.inputs[0], 1, 0)}, {output->name});
    ASSERT_EQ(heat.size(), 1u);
    const auto scores = heat[0].values<float>();
    const auto best = std::max_element(scores.begin(), scores.end());
    EXPECT_EQ(static_cast<std::size_t>(best - scores.begin()) % kClasses, right) << name;
    EXPECT_GT(*best, 0.3F) << name;
  }
}

TEST_F(ImportedModels, TheBoxDetectorFindsCatAndDog) {
  const fs::path path = kModels / "ssd_mobilenetv2_oidv4_fp16.tflite";
  ALARA_NEEDS_FILE(path);
  ALARA_NEEDS_FILE(kPictures / "cat.jpg");
  const auto model = read(path);
  ASSERT_TRUE(model);
  constexpr std::size_t kNothing = 0, kCat = 8, kDog = 20, kClasses = 24;  // of its label map
  for (const auto& [name, right] : {std::pair("cat.jpg", kCat), std::pair("dog.jpg", kDog)}) {
    const auto logits =
        run(*model, {picture(name, model->graph.inputs[0], 2.0F / 255, -1)}, {"raw_outputs/class_predictions"});
    ASSERT_EQ(logits.size(), 1u);
    const auto numbers = logits[0].values<float>();
    std::size_t best = 1;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (i % kClasses != kNothing && numbers[i] > numbers[best]) best = i;
    EXPECT_EQ(best % kClasses, right) << name;
    EXPECT_GT(numbers[best], 1.0F) << name;  // a probability of 0.73
  }
}

TEST_F(ImportedModels, TheFaceDetectorFindsFaces) {
  const fs::path path = kModels / "face_detection_short_range.tflite";
  ALARA_NEEDS_FILE(path);
  ALARA_NEEDS_FILE(kPictures / "people1.jpg");
  const auto model = read(path);
  ASSERT_TRUE(model);
  const auto best = [&](const std::string& name) {
    const auto logits = run(*model, {picture(name, model->graph.inputs[0], 2.0F / 255, -1)}, {"classificators"});
    return logits.empty() ? NAN : *std::max_element(logits[0].values<float>().begin(), logits[0].values<float>().end());
  };
  for (const char* name : {"people1.jpg", "people2.jpg", "people3.jpg", "people4.jpg", "people5.jpg", "people6.jpg"})
    EXPECT_GT(best(name), 1.0F) << name;
  EXPECT_LT(best("2011_000025.jpg"), 0.0F);  // two buses and a car
}

TEST_F(ImportedModels, TheSegmentationKnowsAPersonFromABus) {
  const fs::path path = kModels / "selfie_segmentation.tflite";
  ALARA_NEEDS_FILE(path);
  ALARA_NEEDS_FILE(kPictures / "people2.jpg");
  const auto model = read(path);
  ASSERT_TRUE(model);
  const auto covered = [&](const std::string& name) {
    const auto mask = run(*model, {picture(name, model->graph.inputs[0], 1.0F / 255, 0)});
    if (mask.empty()) return NAN;
    const auto numbers = mask[0].values<float>();
    return std::accumulate(numbers.begin(), numbers.end(), 0.0F) / static_cast<float>(numbers.size());
  };
  EXPECT_GT(covered("people2.jpg"), 0.5F);
  EXPECT_LT(covered("2011_000025.jpg"), 0.01F);
}

}  // namespace
}  // namespace alara::models
