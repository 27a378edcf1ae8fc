// SPDX-License-Identifier: Apache-2.0
#include "learn/train/recipes.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "graph/onnx_file.hpp"
#include "learn/architecture/architecture.hpp"
#include "learn/data/file_bytes.hpp"

namespace alara::learn {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;  // of how recipes are carried out; a new one makes kept trainings old
constexpr std::uint64_t kMaxCurveBytes = 16u << 20;

Recipe fashion(std::string name, std::string architecture, std::uint64_t seed, const fs::path& folder) {
  Recipe recipe{std::move(name), std::move(architecture), folder, {}, {}};
  recipe.rows.measure_mean = true;
  recipe.rows.validation = 0.05;
  recipe.training.seed = seed;
  recipe.training.batch = 128;
  recipe.training.rate = 0.005;
  recipe.training.weight_decay = 0.02;
  recipe.training.average = 0.998;
  recipe.training.augmentation = {.shift = 1, .flip = 0.5};
  return recipe;
}

Result<TrainedRecipe> kept(const fs::path& model, const fs::path& curve) {
  TrainedRecipe out;
  out.from_cache = true;
  ALARA_TRY(out.model, graph::read_onnx(model));
  ALARA_TRY(const std::vector<std::byte> bytes, read_bytes(curve, kMaxCurveBytes));
  ALARA_TRY(out.curve, parse_curve({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  return out;
}

}  // namespace

std::string Recipe::digest() const {
  const std::string target = rows.target ? std::to_string(static_cast<int>(*rows.target)) : "-";
  const std::string text =
      fmt::format("{}\n{}\n{}\n{} target={} mean={} validation={} seed={} most={}\n{}", kVersion, architecture,
                  data.string(), rows.preprocessing.text(), target, rows.measure_mean, rows.validation, rows.seed,
                  rows.most, training.fingerprint());
  return fmt::format("{:016x}", fnv1a(text));
}

bool has_fashion_mnist(const fs::path& folder) {
  std::error_code unseen;  // a folder that can not be looked at has nothing for us
  return fs::exists(folder / "train-images-idx3-ubyte.gz", unseen) ||
         fs::exists(folder / "train-images-idx3-ubyte", unseen);
}

Recipe fashion_cnn(std::uint64_t seed, const fs::path& folder) {
  Recipe recipe = fashion("fashion-cnn", "template: cnn\noptions: {filters: [24, 48, 88], depth: 2}", seed, folder);
  recipe.training.epochs = 10;
  return recipe;
}

Recipe fashion_depthwise(std::uint64_t seed, const fs::path& folder) {
  Recipe recipe = fashion("fashion-depthwise",
                          "template: depthwise\noptions: {stem: 24, filters: [48, 96, 96, 192, 192]}", seed, folder);
  recipe.training.epochs = 10;
  return recipe;
}

Result<graph::Model> network_of(const Recipe& recipe) {
  return parse_architecture(recipe.architecture, recipe.name, {.seed = recipe.training.seed});
}

Result<Dataset> dataset_of(const Recipe& recipe) {
  ALARA_TRY(const graph::Model model, network_of(recipe));
  return Dataset::open(recipe.data, model.graph.inputs.front(), recipe.rows);
}

Result<TrainedRecipe> trained(const Recipe& recipe, const fs::path& cache, Progress& progress) {
  const fs::path stem = cache / fmt::format("{}-{}", recipe.name, recipe.digest());
  const fs::path model = stem.string() + ".onnx", curve = stem.string() + ".curve.json";
  ALARA_TRY(const bool model_there, is_there(model));
  ALARA_TRY(const bool curve_there, is_there(curve));
  if (model_there && curve_there) return kept(model, curve);
  std::error_code error;
  fs::create_directories(cache, error);
  if (error) return fail(ErrorKind::unavailable, "folder '{}' can not be made: {}", cache.string(), error.message());
  ALARA_TRY(const Dataset data, dataset_of(recipe));
  ALARA_TRY(graph::Model network, network_of(recipe));
  TrainOptions options = recipe.training;
  options.checkpoint = stem.string() + ".checkpoint";
  ALARA_TRY(Trained done, train(std::move(network), data, options, progress));
  if (done.report.stopped)
    return fail(ErrorKind::refused, "the training of '{}' was stopped; it goes on from there", recipe.name);
  ALARA_CHECK(write_bytes(curve, curve_json(done.report.curve)));
  ALARA_CHECK(graph::write_onnx(done.model, model));
  fs::remove(options.checkpoint, error);
  return TrainedRecipe{std::move(done.model), std::move(done.report.curve), false};
}

}  // namespace alara::learn
