// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/fashion.hpp"

#include "learn/data/score.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {

std::filesystem::path lab_cache(const Arguments& arguments) {
  return std::filesystem::path(arguments.program).parent_path().parent_path() / "lab";
}

Checkpoints::Checkpoints(const Arguments& arguments, std::string bench)
    : folder_(lab_cache(arguments) / (std::move(bench) + (arguments.quick ? "-quick" : ""))) {
  std::error_code ignored;  // what can not be written is said when it is tried
  std::filesystem::create_directories(folder_, ignored);
}

std::filesystem::path Checkpoints::file(const std::string& name) const { return folder_ / (name + ".checkpoint"); }

void Checkpoints::remove_all() const {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<Fashion> trained_fashion(learn::Recipe recipe, const Arguments& arguments, Progress& progress) {
  if (!learn::has_fashion_mnist(recipe.data))
    return tl::unexpected<Error>(Error{ErrorKind::not_found,
                                       fmt::format("there is no Fashion-MNIST in '{}'", recipe.data.string()),
                                       {},
                                       "install Debian's dataset-fashion-mnist (tools/setup does)"});
  if (arguments.quick) {
    recipe.rows.most = 3000;
    recipe.training.epochs = 1;
  }
  ALARA_TRY(learn::Dataset data, learn::dataset_of(recipe));
  ALARA_TRY(learn::TrainedRecipe trained, learn::trained(recipe, lab_cache(arguments), progress));
  return Fashion{std::move(recipe), std::move(data), std::move(trained.model)};
}

Result<double> test_accuracy(const graph::Model& model, const learn::Dataset& data) {
  learn::ScoreOptions options;
  options.threads = 2;
  ALARA_TRY(const learn::Score score,
            learn::score_of(model, data, learn::Part::test, learn::make_ort_executor(), options));
  return score.accuracy;
}

}  // namespace alara::bench
