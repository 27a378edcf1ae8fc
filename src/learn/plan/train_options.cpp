// SPDX-License-Identifier: Apache-2.0
#include "learn/plan/train_options.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "learn/plan/json_count.hpp"

namespace alara::learn {

std::string TrainOptions::fingerprint() const {
  return fmt::format(
      "epochs={} batch={} rate={} schedule={},{},{},[{}],{} optimiser={} momentum={} weight_decay={} clip={} "
      "smoothing={} "
      "shift={} flip={} erase={} average={} patience={} best={} seed={}",
      epochs, batch, rate, static_cast<int>(schedule.shape), schedule.warm_up, schedule.last,
      fmt::join(schedule.at, ","), schedule.factor, optimiser == OptimiserKind::sgd ? "sgd" : "adam", momentum,
      weight_decay, clip, label_smoothing, augmentation.shift, augmentation.flip, augmentation.erase, average, patience,
      keep_best, seed);
}

Status TrainOptions::check() const {
  const auto within = [](const char* name, double value, double least, double most) -> Status {
    if (value >= least && value <= most) return {};
    return fail(ErrorKind::bad_input, "training: {} {} is not within {} and {}", name, value, least, most);
  };
  ALARA_CHECK(within("epochs", epochs, 1, 100'000));
  ALARA_CHECK(within("batch", static_cast<double>(batch), 1, 65'536));
  ALARA_CHECK(within("rate", rate, 1e-12, 100));
  ALARA_CHECK(within("warm-up", schedule.warm_up, 0, 1));
  ALARA_CHECK(within("momentum", momentum, 0, 0.9999));
  ALARA_CHECK(within("weight decay", weight_decay, 0, 1));
  ALARA_CHECK(within("gradient norm", clip, 0, 1e12));
  ALARA_CHECK(within("label smoothing", label_smoothing, 0, 0.99));
  ALARA_CHECK(within("averaging decay", average, 0, 0.999999));
  ALARA_CHECK(within("patience", patience, 0, 100'000));
  return within("threads", threads, 0, 1024);
}

std::string curve_json(const LearningCurve& curve) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const EpochReport& epoch : curve)
    out.push_back({{"epoch", epoch.epoch},
                   {"rate", epoch.rate},
                   {"loss", epoch.loss},
                   {"accuracy", epoch.accuracy},
                   {"validation_loss", epoch.validation_loss},
                   {"validation_accuracy", epoch.validation_accuracy},
                   {"seconds", epoch.seconds}});
  return out.dump(1);
}

Result<LearningCurve> parse_curve(std::string_view json) {
  LearningCurve curve;
  try {
    for (const nlohmann::json& entry : nlohmann::json::parse(json))
      curve.push_back({count_of<int>(entry.at("epoch")), entry.at("rate").get<double>(), entry.at("loss").get<double>(),
                       entry.at("accuracy").get<double>(), entry.at("validation_loss").get<double>(),
                       entry.at("validation_accuracy").get<double>(), entry.at("seconds").get<double>()});
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorKind::corrupt, "the learning curve can not be read: {}", error.what());
  }
  if (std::any_of(curve.begin(), curve.end(), [](const EpochReport& epoch) { return epoch.epoch < 0; }))
    return fail(ErrorKind::corrupt, "the learning curve has an epoch out of range");
  return curve;
}

}  // namespace alara::learn
